//! WAV files of every dress, written by hand so that each header field can be told the truth or a lie.

#![allow(clippy::unwrap_used, reason = "a test that cannot unwrap has failed")]

use emotone::audio::{AudioError, AudioLimits, Recording, decode, g711};
use proptest::prelude::*;

const PCM: u16 = 1;
const FLOAT: u16 = 3;
const ALAW: u16 = 6;
const MULAW: u16 = 7;
const EXTENSIBLE: u16 = 0xFFFE;

/// A file under construction.
struct Wav {
    magic: &'static [u8; 4],
    riff_bytes: Option<u32>,
    tag: u16,
    channels: u16,
    rate_hz: u32,
    bits: u16,
    block_bytes: Option<u16>,
    byte_rate: Option<u32>,
    /// What follows the 16 bytes of the `fmt ` chunk.
    extra: Vec<u8>,
    before_fmt: Vec<u8>,
    before_data: Vec<u8>,
    data: Vec<u8>,
    data_bytes: Option<u32>,
    after_data: Vec<u8>,
}

impl Wav {
    fn new(tag: u16, bits: u16, data: Vec<u8>) -> Self {
        Self {
            magic: b"RIFF",
            riff_bytes: None,
            tag,
            channels: 1,
            rate_hz: 8000,
            bits,
            block_bytes: None,
            byte_rate: None,
            extra: Vec::new(),
            before_fmt: Vec::new(),
            before_data: Vec::new(),
            data,
            data_bytes: None,
            after_data: Vec::new(),
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let block = self.block_bytes.unwrap_or(self.channels.wrapping_mul(self.bits.div_ceil(8)));
        let mut fmt = Vec::new();
        fmt.extend(self.tag.to_le_bytes());
        fmt.extend(self.channels.to_le_bytes());
        fmt.extend(self.rate_hz.to_le_bytes());
        fmt.extend(self.byte_rate.unwrap_or(self.rate_hz.wrapping_mul(u32::from(block))).to_le_bytes());
        fmt.extend(block.to_le_bytes());
        fmt.extend(self.bits.to_le_bytes());
        fmt.extend(&self.extra);
        let mut content = b"WAVE".to_vec();
        content.extend(&self.before_fmt);
        content.extend(chunk(b"fmt ", &fmt));
        content.extend(&self.before_data);
        content.extend(b"data");
        content.extend(self.data_bytes.unwrap_or(self.data.len() as u32).to_le_bytes());
        content.extend(&self.data);
        if self.data.len() % 2 == 1 && !self.after_data.is_empty() {
            content.push(0);
        }
        content.extend(&self.after_data);
        let mut file = self.magic.to_vec();
        file.extend(self.riff_bytes.unwrap_or(content.len() as u32).to_le_bytes());
        file.extend(content);
        file
    }

    fn decoded(&self) -> Result<Recording, AudioError> {
        decoded(self.bytes())
    }
}

fn decoded(bytes: Vec<u8>) -> Result<Recording, AudioError> {
    decode(bytes.into(), None, &AudioLimits { min_seconds: 0.0, ..AudioLimits::default() })
}

fn chunk(id: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let mut chunk = id.to_vec();
    chunk.extend((content.len() as u32).to_le_bytes());
    chunk.extend(content);
    chunk.resize(chunk.len().next_multiple_of(2), 0);
    chunk
}

fn extensible(tag: u16, valid_bits: u16) -> Vec<u8> {
    let mut extra = 22u16.to_le_bytes().to_vec();
    extra.extend(valid_bits.to_le_bytes());
    extra.extend(1u32.to_le_bytes());
    extra.extend(tag.to_le_bytes());
    extra.extend([0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71]);
    extra
}

const SAMPLES: [i16; 6] = [0, 1, -1, 12_345, i16::MAX, i16::MIN];

fn pcm16(samples: &[i16]) -> Vec<u8> {
    samples.iter().flat_map(|sample| sample.to_le_bytes()).collect()
}

fn expected() -> Vec<f32> {
    SAMPLES.iter().map(|&sample| f32::from(sample) / 32768.0).collect()
}

#[track_caller]
fn assert_is_the_sound(wav: &Wav, format: &str) {
    let recording = wav.decoded().unwrap();
    assert_eq!(recording.format, format);
    assert_eq!(recording.sample_rate_hz, wav.rate_hz);
    assert_eq!(recording.channels.len(), 1);
    assert_eq!(recording.channels[0].samples(), expected());
}

#[test]
fn linear_and_floating_point_samples_of_every_depth_are_read() {
    let float32 = expected().iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let float64 = expected().iter().flat_map(|sample| f64::from(*sample).to_le_bytes()).collect();
    let pcm24 = SAMPLES.iter().flat_map(|sample| [[0].as_slice(), &sample.to_le_bytes()].concat()).collect();
    let pcm32: Vec<u8> = SAMPLES.iter().flat_map(|&sample| (i32::from(sample) << 16).to_le_bytes()).collect();
    assert_is_the_sound(&Wav::new(PCM, 16, pcm16(&SAMPLES)), "pcm_s16le");
    assert_is_the_sound(&Wav::new(PCM, 24, pcm24), "pcm_s24le");
    assert_is_the_sound(&Wav::new(PCM, 32, pcm32.clone()), "pcm_s32le");
    assert_is_the_sound(&Wav::new(FLOAT, 32, float32), "pcm_f32le");
    assert_is_the_sound(&Wav::new(FLOAT, 64, float64), "pcm_f64le");
    // 24 bits left-justified in 4 bytes, said in both ways there are.
    let mut padded = Wav::new(PCM, 24, pcm32.clone());
    padded.block_bytes = Some(4);
    assert_is_the_sound(&padded, "pcm_s32le");
    let mut padded = Wav::new(EXTENSIBLE, 32, pcm32);
    padded.extra = extensible(PCM, 24);
    assert_is_the_sound(&padded, "pcm_s32le");
    let eight_bits = Wav::new(PCM, 8, vec![128, 0, 255]).decoded().unwrap();
    assert_eq!(eight_bits.format, "pcm_u8");
    assert_eq!(eight_bits.channels[0].samples(), [0.0, -1.0, 127.0 / 128.0]);
}

#[test]
fn telephone_companding_is_read_with_and_without_the_extensible_header() {
    let bytes: Vec<u8> = (0..=255).collect();
    let scaled = |linear: i16| f32::from(linear) / 32768.0;
    let mulaw: Vec<f32> = bytes.iter().map(|&byte| scaled(g711::mulaw_to_linear(byte))).collect();
    let alaw: Vec<f32> = bytes.iter().map(|&byte| scaled(g711::alaw_to_linear(byte))).collect();
    for (tag, name, expected) in [(MULAW, "mulaw", mulaw), (ALAW, "alaw", alaw)] {
        let mut plain = Wav::new(tag, 8, bytes.clone());
        plain.extra = vec![0, 0];
        plain.before_data = chunk(b"fact", &256u32.to_le_bytes());
        let mut extended = Wav::new(EXTENSIBLE, 8, bytes.clone());
        extended.extra = extensible(tag, 8);
        for wav in [plain, extended] {
            let recording = wav.decoded().unwrap();
            assert_eq!(recording.format, name);
            assert_eq!(recording.channels[0].samples(), expected);
        }
    }
}

#[test]
fn the_format_chunk_may_have_any_length_and_a_wrong_byte_rate() {
    for extra in [vec![], vec![0, 0], vec![2, 0, 0, 0], vec![0; 24]] {
        for byte_rate in [None, Some(0), Some(12_345)] {
            let mut wav = Wav::new(PCM, 16, pcm16(&SAMPLES));
            (wav.extra, wav.byte_rate) = (extra.clone(), byte_rate);
            assert_is_the_sound(&wav, "pcm_s16le");
        }
    }
}

#[test]
fn chunks_around_the_samples_are_not_heard() {
    let list = chunk(b"LIST", b"INFOISFT\x05\0\0\0abcd\0\0");
    let broadcast = chunk(b"bext", &[7; 602]);
    let odd = chunk(b"note", b"odd");
    let mut odd_without_padding = odd.clone();
    odd_without_padding.pop();
    for others in [list, broadcast, odd] {
        let mut wav = Wav::new(PCM, 16, pcm16(&SAMPLES));
        (wav.before_fmt, wav.before_data, wav.after_data) = (others.clone(), others.clone(), others);
        assert_is_the_sound(&wav, "pcm_s16le");
    }
    let mut wav = Wav::new(PCM, 16, pcm16(&SAMPLES));
    (wav.before_fmt, wav.before_data) = (odd_without_padding.clone(), odd_without_padding);
    assert_is_the_sound(&wav, "pcm_s16le");
    let mut odd_data = Wav::new(PCM, 8, vec![128; 5]);
    odd_data.after_data = chunk(b"LIST", &[200; 50]);
    assert_eq!(odd_data.decoded().unwrap().channels[0].samples(), [0.0; 5]);
}

#[test]
fn sizes_that_a_pipe_leaves_behind_mean_what_is_there() {
    for (riff_bytes, data_bytes) in [(0, 0), (u32::MAX, u32::MAX), (0x7FFF_F024, 0x7FFF_F000), (4, 12), (36, 9999)] {
        let mut wav = Wav::new(PCM, 16, pcm16(&SAMPLES));
        (wav.riff_bytes, wav.data_bytes) = (Some(riff_bytes), Some(data_bytes));
        assert_is_the_sound(&wav, "pcm_s16le");
    }
}

#[test]
fn a_data_chunk_that_is_empty_in_earnest_is_not_filled_with_what_follows() {
    let mut wav = Wav::new(PCM, 16, Vec::new());
    wav.after_data = chunk(b"LIST", &[1; 40]);
    assert_eq!(wav.decoded(), Err(AudioError::Invalid { reason: "it holds no samples".into() }));
}

#[test]
fn sixty_four_bit_sizes_are_read_where_they_make_sense() {
    let sizes = |data_bytes: u64| {
        let words = [data_bytes + 72, data_bytes, SAMPLES.len() as u64];
        chunk(b"ds64", &[words.map(u64::to_le_bytes).as_flattened(), &[0; 4]].concat())
    };
    for magic in [b"RF64", b"BW64"] {
        for data_bytes in [12, 0, u64::MAX / 2] {
            let mut wav = Wav::new(PCM, 16, pcm16(&SAMPLES));
            (wav.magic, wav.riff_bytes, wav.data_bytes) = (magic, Some(u32::MAX), Some(u32::MAX));
            wav.before_fmt = sizes(data_bytes);
            assert_is_the_sound(&wav, "pcm_s16le");
        }
        let mut followed = Wav::new(PCM, 16, pcm16(&SAMPLES));
        (followed.magic, followed.riff_bytes, followed.data_bytes) = (magic, Some(u32::MAX), Some(u32::MAX));
        (followed.before_fmt, followed.after_data) = (sizes(12), chunk(b"LIST", &[9; 100]));
        assert_is_the_sound(&followed, "pcm_s16le");
    }
}

#[test]
fn big_endian_files_of_old_workstations_are_read() {
    let header = b"RIFX\0\0\0\x30WAVEfmt \0\0\0\x10\0\x01\0\x01\0\0\x1F\x40\0\0\x3E\x80\0\x02\0\x10data\0\0\0\x0C";
    let samples: Vec<u8> = SAMPLES.iter().flat_map(|sample| sample.to_be_bytes()).collect();
    let recording = decoded([header.as_slice(), &samples].concat()).unwrap();
    assert_eq!((recording.format.as_str(), recording.sample_rate_hz), ("pcm_s16be", 8000));
    assert_eq!(recording.channels[0].samples(), expected());
}

#[test]
fn a_file_that_was_cut_anywhere_gives_what_arrived_or_says_what_is_missing() {
    let file = Wav::new(PCM, 16, pcm16(&SAMPLES)).bytes();
    for length in 0..=file.len() {
        match decoded(file[..length].to_vec()) {
            Ok(recording) => assert_eq!(recording.channels[0].samples(), &expected()[..(length - 44) / 2]),
            Err(AudioError::Unsupported { .. }) => assert!(length < 12, "unknown after {length} bytes"),
            Err(error) => assert!(length < 46, "{error} after {length} bytes"),
        }
    }
}

#[test]
fn channels_stay_apart_and_in_their_order() {
    let mut wav = Wav::new(PCM, 16, pcm16(&[1, -1, 2, -2, 3, -3, 4]));
    wav.channels = 2;
    let recording = wav.decoded().unwrap();
    let units = |channel: usize| -> Vec<f32> {
        recording.channels[channel].samples().iter().map(|sample| sample * 32768.0).collect()
    };
    assert_eq!((units(0), units(1)), (vec![1.0, 2.0, 3.0], vec![-1.0, -2.0, -3.0]));
}

#[test]
fn what_cannot_be_sound_is_refused_with_a_reason() {
    let refused = |change: fn(&mut Wav), part: &str| {
        let mut wav = Wav::new(PCM, 16, pcm16(&SAMPLES));
        change(&mut wav);
        let message = wav.decoded().unwrap_err().to_string();
        assert!(message.contains(part), "`{message}` does not say `{part}`");
    };
    refused(|wav| wav.channels = 0, "0 channels");
    refused(|wav| wav.channels = 65_535, "65535 channels, at most 8");
    refused(|wav| wav.rate_hz = 0, "0 Hz, accepted are 4000 to 192000 Hz");
    refused(|wav| wav.rate_hz = u32::MAX, "4294967295 Hz");
    refused(|wav| wav.bits = 0, "linear samples of 0 bits");
    refused(|wav| wav.bits = 64, "linear samples of 64 bits");
    refused(|wav| (wav.tag, wav.bits) = (FLOAT, 16), "floating-point samples of 16 bits");
    refused(|wav| wav.tag = 0x0160, "Windows Media Audio (format tag 0x0160)");
    refused(|wav| wav.tag = EXTENSIBLE, "no sub-format");
    refused(|wav| (wav.tag, wav.extra) = (EXTENSIBLE, extensible(EXTENSIBLE, 16)), "extensible format inside another");
    refused(|wav| wav.data.clear(), "no samples");
    for sample in [f32::NAN, f32::INFINITY, 3e38] {
        let message = Wav::new(FLOAT, 32, sample.to_le_bytes().to_vec()).decoded().unwrap_err().to_string();
        assert!(message.contains("sample 0"), "{message}");
    }
    assert!(Wav::new(FLOAT, 64, 1e300f64.to_le_bytes().to_vec()).decoded().is_err());
}

#[test]
fn durations_outside_the_limits_are_refused() {
    let limits = AudioLimits { max_seconds: 2.0, min_seconds: 1.0, ..AudioLimits::default() };
    let lasting = |frames: usize| decode(Wav::new(MULAW, 8, vec![0xFF; frames]).bytes().into(), None, &limits);
    assert_eq!(lasting(7_999), Err(AudioError::TooShort { seconds: 7_999.0 / 8_000.0, limit: 1.0 }));
    assert!(lasting(8_000).is_ok() && lasting(16_000).is_ok());
    assert_eq!(lasting(16_001), Err(AudioError::TooLong { limit: 2.0 }));
}

/// What hound hears in a file, if it reads it: rate in Hz and channels.
fn heard_by_hound(file: &[u8]) -> Option<(u32, Vec<Vec<f32>>)> {
    let reader = hound::WavReader::new(file).ok()?;
    let spec = reader.spec();
    let scale = 2f32.powi(i32::from(spec.bits_per_sample) - 1);
    let samples: Vec<f32> = match spec.sample_format {
        hound::SampleFormat::Float => reader.into_samples().collect::<Result<_, _>>().ok()?,
        hound::SampleFormat::Int => {
            let samples = reader.into_samples::<i32>().map(|sample| Ok(sample? as f32 / scale));
            samples.collect::<hound::Result<_>>().ok()?
        }
    };
    let channels = usize::from(spec.channels);
    let planes = (0..channels).map(|number| samples.iter().skip(number).step_by(channels).copied().collect());
    Some((spec.sample_rate, planes.collect()))
}

proptest! {
    #[test]
    fn plain_files_hold_the_samples_that_hound_hears(
        depth in prop_oneof![Just((PCM, 8)), Just((PCM, 16)), Just((PCM, 24)), Just((PCM, 32)), Just((FLOAT, 32))],
        channels in 1u16..=8,
        rate_hz in 4_000u32..=192_000,
        frames in 1usize..40,
        bytes in proptest::collection::vec(any::<u8>(), 40 * 8 * 4),
    ) {
        let (tag, bits) = depth;
        let samples = frames * usize::from(channels);
        let data = match tag {
            FLOAT => bytes.iter().take(samples).flat_map(|&byte| (f32::from(byte) / 256.0 - 0.5).to_le_bytes()).collect(),
            _ => bytes[..samples * usize::from(bits) / 8].to_vec(),
        };
        let mut wav = Wav::new(tag, bits, data);
        (wav.channels, wav.rate_hz) = (channels, rate_hz);
        let file = wav.bytes();
        let (hounds_rate_hz, hounds) = heard_by_hound(&file).unwrap();
        let recording = decoded(file).unwrap();
        prop_assert_eq!(recording.sample_rate_hz, hounds_rate_hz);
        let ours: Vec<Vec<f32>> = recording.channels.iter().map(|channel| channel.samples().to_vec()).collect();
        prop_assert_eq!(ours, hounds);
    }

    #[test]
    fn writing_what_was_read_gives_the_same_samples(samples in proptest::collection::vec(any::<i16>(), 1..200)) {
        let recording = Wav::new(PCM, 16, pcm16(&samples)).decoded().unwrap();
        let again: Vec<i16> = recording.channels[0].samples().iter().map(|sample| (sample * 32768.0) as i16).collect();
        prop_assert_eq!(again, samples);
    }

    #[test]
    fn any_bytes_in_and_after_a_wav_header_end_in_a_recording_or_an_error(
        magic in prop_oneof![Just(b"RIFF"), Just(b"RF64"), Just(b"RIFX")],
        junk in proptest::collection::vec(any::<u8>(), 10..300),
        place in 0usize..44,
        at_most in 1usize..9,
    ) {
        let mut file = Wav::new(PCM, 16, junk.clone()).bytes();
        file[..4].copy_from_slice(magic);
        for (byte, lie) in file[place..44.min(place + at_most)].iter_mut().zip(&junk) {
            *byte = *lie;
        }
        if let Ok(recording) = decoded(file) {
            let samples: usize = recording.channels.iter().map(|channel| channel.samples().len()).sum();
            prop_assert!(samples <= junk.len() + 44);
        }
    }
}
