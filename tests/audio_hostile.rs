//! Bytes that were made, or found, to break decoders. Each ends in a recording or in an error that says why.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::path::{Path, PathBuf};

use emotone::audio::{AudioError, AudioLimits, Decoder, RawEncoding, RawFormat, Recording, decode};
use proptest::prelude::*;

fn fixtures(folder: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(folder);
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.extension().is_none_or(|extension| extension != "py"));
    files.map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
}

/// Decodes step by step; the number of steps bounds the time, since each step is bounded.
fn decoded(bytes: &[u8], raw: Option<RawFormat>) -> Result<Recording, AudioError> {
    let limits = AudioLimits { min_seconds: 0.0, max_seconds: 60.0, max_decoded_mib: 64, ..AudioLimits::default() };
    let mut decoder = Decoder::new(bytes.to_vec().into(), raw, &limits)?;
    let mut steps = 0;
    while decoder.step()? {
        steps += 1;
        assert!(steps <= bytes.len() + 10, "{steps} steps for {} bytes", bytes.len());
    }
    decoder.finish()
}

fn assert_is_whole(recording: &Recording) {
    let frames = recording.channels[0].samples().len();
    assert!(frames > 0 && !recording.format.is_empty());
    for channel in &recording.channels {
        assert_eq!((channel.samples().len(), channel.sample_rate_hz()), (frames, recording.sample_rate_hz));
        assert!(channel.samples().iter().all(|sample| sample.is_finite()));
    }
}

#[test]
fn every_file_that_ever_broke_something_is_answered() {
    let files = fixtures("hostile");
    assert!(!files.is_empty());
    for (path, bytes) in files {
        match decoded(&bytes, None) {
            Ok(recording) => assert_is_whole(&recording),
            Err(error) => assert!(!error.to_string().is_empty(), "{}", path.display()),
        }
    }
}

/// Compressed silence: a little FLAC frame says 65535 times the same value, so memory must be bounded by a limit.
#[test]
fn a_flac_file_of_silence_stops_at_the_limits() {
    let (_, file) = fixtures("hostile").into_iter().find(|(path, _)| path.ends_with("silence.flac")).unwrap();
    let limits = |max_seconds, max_decoded_mib| AudioLimits { max_seconds, max_decoded_mib, ..AudioLimits::default() };
    let too_long = decode(file.clone().into(), None, &limits(1.0, 1024));
    assert_eq!(too_long, Err(AudioError::TooLong { limit: 1.0 }));
    let too_large = decode(file.clone().into(), None, &limits(3600.0, 1)).unwrap_err().to_string();
    assert!(too_large.contains("more than 1 MiB"), "{too_large}");
    assert!(decode(file.into(), None, &limits(3600.0, 1024)).is_ok());
}

#[test]
fn headers_that_promise_the_moon_are_checked_before_anything_is_allocated() {
    // 3 hours of 8 channels at 192 kHz, of which nothing arrived.
    let mut file = b"RIFF\xFF\xFF\xFF\xFFWAVEfmt \x10\0\0\0\x01\0\x08\0\0\xEE\x02\0\0\xEE\x02\0\x10\0\x10\0".to_vec();
    file.extend(b"data\xF0\xFF\xFF\xFF");
    assert_eq!(decoded(&file, None), Err(AudioError::Invalid { reason: "it holds no samples".into() }));
}

/// A bit may make a packet look like something that no decoder here knows; what follows it is heard all the same.
#[test]
fn a_flipped_bit_costs_no_more_than_its_packet() {
    let (_, file) = fixtures("audio").into_iter().find(|(path, _)| path.ends_with("ffmpeg-aac.m4a")).unwrap();
    let sound = file.windows(4).position(|kind| kind == b"mdat").unwrap() + 200;
    let frames = |bytes: &[u8]| decoded(bytes, None).unwrap().channels[0].samples().len();
    let whole = frames(&file);
    for bit in (8 * sound..8 * (sound + file.len() / 2)).step_by(7) {
        let mut damaged = file.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        let heard = frames(&damaged);
        assert!(heard + 1024 >= whole, "bit {bit}: {heard} of {whole} frames");
    }
}

#[derive(Debug, Clone)]
enum Damage {
    Cut(usize),
    Flip(usize, u8),
    Overwrite(usize, u32),
    Repeat(usize, usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    // Headers, where most of what can go wrong stands, are hit more often.
    let place = || prop_oneof![3 => 0usize..120, 1 => 0usize..30_000];
    let word = prop_oneof![Just(0), Just(u32::MAX), Just(1 << 31), Just(i32::MAX as u32), any::<u32>()];
    prop_oneof![
        place().prop_map(Damage::Cut),
        (place(), any::<u8>()).prop_map(|(at, bits)| Damage::Flip(at, bits)),
        (place(), word).prop_map(|(at, word)| Damage::Overwrite(at, word)),
        (place(), 1usize..64).prop_map(|(at, length)| Damage::Repeat(at, length)),
    ]
}

fn damaged(mut file: Vec<u8>, damages: &[Damage]) -> Vec<u8> {
    for damage in damages {
        let at = |at: usize| at % file.len().max(1);
        match *damage {
            Damage::Cut(place) => file.truncate(at(place).max(1)),
            Damage::Flip(place, bits) => {
                let at = at(place);
                file[at] ^= bits;
            }
            Damage::Overwrite(place, word) => {
                let at = at(place);
                file[at..].iter_mut().zip(word.to_le_bytes()).for_each(|(byte, lie)| *byte = lie);
            }
            Damage::Repeat(place, length) => {
                let at = at(place);
                let again = file[at..file.len().min(at + length)].to_vec();
                file.splice(at..at, again);
            }
        }
    }
    file
}

/// How recordings of each container begin.
const MAGICS: [&[u8]; 10] = [
    b"",
    b"fLaC\0\0\0\x22",
    b"OggS\0\x02",
    b"\0\0\0\x18ftypM4A ",
    b"\x1A\x45\xDF\xA3",
    b"\xFF\xFB\x90",
    b"\xFF\xF1\x50",
    b"ID3\x04\0\0\0\0\0\0",
    b"FORM\0\0\0\0AIFF",
    b".snd\0\0\0\x18",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]
    #[test]
    fn a_damaged_recording_ends_in_a_recording_or_an_error(
        number in any::<prop::sample::Index>(),
        damages in proptest::collection::vec(damage(), 1..5),
    ) {
        static FILES: std::sync::LazyLock<Vec<(PathBuf, Vec<u8>)>> = std::sync::LazyLock::new(|| fixtures("audio"));
        let (_, file) = number.get(&FILES);
        if let Ok(recording) = decoded(&damaged(file.clone(), &damages), None) {
            assert_is_whole(&recording);
        }
    }

    #[test]
    fn any_bytes_behind_any_magic_end_in_a_recording_or_an_error(
        magic in prop::sample::select(&MAGICS[..]),
        junk in proptest::collection::vec(any::<u8>(), 0..600),
    ) {
        if let Ok(recording) = decoded(&[magic, &junk].concat(), None) {
            assert_is_whole(&recording);
        }
    }

    #[test]
    fn any_bytes_are_a_raw_recording_or_too_few(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        channels in 0u16..10,
        sample_rate_hz in prop_oneof![Just(0), Just(8000), Just(u32::MAX)],
        encoding in prop_oneof![Just(RawEncoding::PcmS16le), Just(RawEncoding::Mulaw), Just(RawEncoding::Alaw)],
    ) {
        let frame = usize::from(channels) * if encoding == RawEncoding::PcmS16le { 2 } else { 1 };
        let outcome = decoded(&bytes, Some(RawFormat { encoding, sample_rate_hz, channels }));
        if (1..=8).contains(&channels) && sample_rate_hz == 8000 && bytes.len() >= frame {
            let recording = outcome.unwrap();
            assert_is_whole(&recording);
            prop_assert_eq!(recording.channels[0].samples().len(), bytes.len() / frame);
        } else {
            prop_assert!(outcome.is_err());
        }
    }
}
