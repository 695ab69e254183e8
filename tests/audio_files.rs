//! Recordings that other programs wrote (`fixtures/audio/make.py`): each is recognized by its content, and sounds as it
//! should.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::path::Path;

use emotone::audio::{AudioError, AudioLimits, Recording, Resampler, decode};

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/audio").join(name)).unwrap()
}

fn decoded(bytes: Vec<u8>) -> Result<Recording, AudioError> {
    decode(bytes.into(), None, &AudioLimits::default())
}

fn recording(name: &str) -> Recording {
    decoded(bytes(name)).unwrap()
}

fn samples(recording: &Recording) -> Vec<&[f32]> {
    recording.channels.iter().map(|channel| channel.samples()).collect()
}

/// Encoding, file name, name in the answer.
const EXACT: [(&str, &str, &str); 11] = [
    ("mono8k.wav", "sox-24.wav", "pcm_s24le"),
    ("mono8k.wav", "sox-float64.wav", "pcm_f64le"),
    ("mono8k.wav", "sox-pipe.wav", "pcm_s16le"),
    ("mono8k.wav", "ffmpeg-rf64.wav", "pcm_s24le"),
    ("mono8k.wav", "sox.aiff", "pcm_s16be"),
    ("mono8k.wav", "ffmpeg-flac.mkv", "flac"),
    ("mono8k.wav", "ffmpeg-chapters.mka", "flac"),
    ("mono8k.wav", "ffmpeg-s24be.mov", "pcm_s24be"),
    ("stereo16k.wav", "flac.flac", "flac"),
    ("stereo16k.wav", "ffmpeg-alac.m4a", "alac"),
    ("sox-mulaw.wav", "sox-mulaw.au", "mulaw"),
];

#[test]
fn lossless_files_hold_exactly_the_same_samples() {
    for (original, name, format) in EXACT {
        let (expected, got) = (recording(original), recording(name));
        assert_eq!(got.format, format, "{name}");
        assert_eq!(got.sample_rate_hz, expected.sample_rate_hz, "{name}");
        assert!(samples(&got) == samples(&expected), "{name} has other samples");
    }
}

/// Lossy encodings: original, file, name in the answer, least signal-to-noise ratio in dB after the best alignment
/// within `delay` samples, and how many samples longer than the original the recording may be.
const LOSSY: [(&str, &str, &str, f64, usize); 15] = [
    ("mono8k.wav", "sox-mulaw.wav", "mulaw", 35.0, 0),
    ("mono8k.wav", "sox-alaw.wav", "alaw", 35.0, 0),
    ("mono8k.wav", "ffmpeg-pipe-mulaw.wav", "mulaw", 35.0, 0),
    ("mono8k.wav", "ffmpeg-mulaw.aifc", "mulaw", 35.0, 0),
    ("mono8k.wav", "sox-ima-adpcm.wav", "adpcm_ima_wav", 12.0, 0),
    ("mono8k.wav", "sox-ms-adpcm.wav", "adpcm_ms", 20.0, 0),
    ("stereo16k.wav", "ffmpeg-stereo-ima-adpcm.wav", "adpcm_ima_wav", 25.0, 2041),
    ("stereo16k.wav", "ffmpeg-stereo-ms-adpcm.wav", "adpcm_ms", 25.0, 2036),
    ("mono8k.wav", "sox-gsm.wav", "gsm", 8.0, 320),
    ("mono8k.wav", "ffmpeg-gsm.wav", "gsm", 8.0, 320),
    ("stereo16k.wav", "ffmpeg.mp3", "mp3", 15.0, 2304),
    ("stereo16k.wav", "ffmpeg-vorbis.ogg", "vorbis", 15.0, 0),
    ("stereo16k.wav", "ffmpeg-aac.m4a", "aac", 15.0, 0),
    ("stereo16k.wav", "ffmpeg-aac-fragmented.mp4", "aac", 15.0, 2048),
    ("stereo16k.wav", "ffmpeg.aac", "aac", 15.0, 2048),
];

/// Best ratio of `original` to what `got` differs by, over all delays up to `most_delay` samples, in dB.
fn signal_to_noise_db(original: &[f32], got: &[f32], most_delay: usize) -> f64 {
    let energy = |samples: &mut dyn Iterator<Item = f32>| samples.map(|sample| f64::from(sample).powi(2)).sum::<f64>();
    let noise = |delay: usize| {
        let pairs = original.iter().zip(got.iter().skip(delay));
        // Where the recording ends early, the rest of the original counts as lost.
        let lost = energy(&mut original.iter().skip(got.len().saturating_sub(delay)).copied());
        energy(&mut pairs.map(|(original, got)| got - original)) + lost
    };
    let least = (0..=most_delay).map(noise).fold(f64::INFINITY, f64::min);
    10.0 * (energy(&mut original.iter().copied()) / least).log10()
}

#[test]
fn lossy_files_sound_like_the_original() {
    for (original, name, format, least_db, longer) in LOSSY {
        let (expected, got) = (recording(original), recording(name));
        assert_eq!(got.format, format, "{name}");
        assert_eq!(got.sample_rate_hz, expected.sample_rate_hz, "{name}");
        assert_eq!(got.channels.len(), expected.channels.len(), "{name}");
        for (expected, got) in samples(&expected).into_iter().zip(samples(&got)) {
            let ratio_db = signal_to_noise_db(expected, got, longer);
            assert!(ratio_db >= least_db, "{name}: {ratio_db:.1} dB");
            assert!((expected.len()..=expected.len() + longer).contains(&got.len()), "{name}: {} samples", got.len());
        }
    }
}

#[test]
fn opus_is_heard_in_every_container_without_its_encoder_delay() {
    let expected = recording("mono8k.wav");
    for (name, longer) in [("opusenc.opus", 0), ("ffmpeg-opus.webm", 160), ("ffmpeg-opus.mp4", 160)] {
        let got = recording(name);
        assert_eq!((got.format.as_str(), got.sample_rate_hz, got.channels.len()), ("opus", 48_000, 1), "{name}");
        let mut telephone = Vec::new();
        let mut resampler = Resampler::new(48_000, 8_000).unwrap();
        resampler.push(got.channels[0].samples(), &mut telephone);
        resampler.finish(&mut telephone);
        let expected = expected.channels[0].samples();
        let ratio_db = signal_to_noise_db(expected, &telephone, 4);
        assert!(ratio_db > 10.0, "{name}: {ratio_db:.1} dB");
        assert!((expected.len()..=expected.len() + longer).contains(&telephone.len()), "{name}: {}", telephone.len());
    }
}

#[test]
fn an_id3_tag_before_the_sound_is_skipped() {
    let plain = recording("ffmpeg.aac");
    let mut tagged = b"ID3\x04\0\0\0\0\x01\x05".to_vec();
    tagged.extend([b'x'; 133]);
    tagged.extend([0; 7]);
    tagged.extend(bytes("ffmpeg.aac"));
    assert!(decoded(tagged).unwrap() == plain);
}

#[test]
fn mp3_inside_wav_is_heard() {
    let mp3 = bytes("ffmpeg.mp3");
    let sound = &mp3[20..];
    let mut wav = b"RIFF\0\0\0\0WAVEfmt \x1e\0\0\0\x55\0\x02\0\x80\x3e\0\0\x40\x1f\0\0\x01\0\0\0".to_vec();
    wav.extend([12, 0, 1, 0, 2, 0, 0, 0, 0x20, 1, 1, 0, 0x71, 5]);
    wav.extend(b"data");
    wav.extend((sound.len() as u32).to_le_bytes());
    wav.extend(sound);
    assert!(decoded(wav).unwrap() == decoded(mp3).unwrap());
}

#[test]
fn files_cut_in_the_middle_give_what_arrived() {
    for (_, name, ..) in EXACT {
        let (whole, file) = (recording(name), bytes(name));
        if name.ends_with("m4a") {
            continue; // Its index stands at the end.
        }
        let cut = decoded(file[..file.len() * 6 / 10].to_vec()).unwrap();
        let heard = samples(&cut)[0].len();
        // FLAC's unit is a block of 4096 samples.
        assert!(heard * 10 >= samples(&whole)[0].len() * 3, "{name}: {heard} samples of {}", samples(&whole)[0].len());
        assert!(samples(&cut)[0] == &samples(&whole)[0][..heard], "{name} has other samples");
    }
}

#[test]
fn what_is_not_audio_is_named() {
    for (start, name) in [
        (b"".as_slice(), "0 bytes"),
        (b"<!doctype html>", "HTML"),
        (b"{\"audio\": 1}", "JSON"),
        (b"PK\x03\x04....", "zip"),
        (b"\x89PNG\r\n", "PNG"),
        (b"Dear Sir or Madam,\n", "text"),
        (b"RIFF\0\0\0\0AVI LIST", "`AVI `"),
        (b"#!AMR\n", "AMR"),
        (b"\x01\x02\x03\x04\x05", "01 02 03 04"),
    ] {
        match decoded(start.to_vec()) {
            Err(AudioError::Unsupported { what }) => assert!(what.contains(name), "`{what}` does not say `{name}`"),
            other => panic!("{other:?}"),
        }
    }
}

/// What an encoder fills up around a recording, and the frame that counts the others, in seconds.
const MOST_FILLED_S: f64 = 0.16;

/// Whether an MP3 of several recordings has at least as many seconds as they.
fn assert_lasts(bytes: Vec<u8>, seconds: f64, recordings: u32, what: &str) {
    let lasts = decoded(bytes).unwrap().channels[0].seconds();
    let most = seconds + f64::from(recordings) * MOST_FILLED_S;
    assert!((seconds..most).contains(&lasts), "{what}: {lasts} s instead of {seconds} to {most}");
}

#[test]
fn an_mp3_is_heard_to_its_end_whatever_its_header_counts() {
    // Its first frame, which counts the others, is gone; half a second of noise takes more room than the two seconds behind it.
    assert_lasts(bytes("sndfile-vbr-headless.mp3"), 2.5, 1, "without a count");
    let whole = bytes("ffmpeg.mp3");
    assert_eq!(recording("ffmpeg.mp3").channels[0].samples().len(), 6400, "what the encoder filled up is no sound");
    let count = whole.windows(4).position(|tag| tag == b"Info" || tag == b"Xing").unwrap() + 8;
    for recordings in [2, 4] {
        let mut many = whole.repeat(recordings as usize);
        let seconds = 0.4 * f64::from(recordings);
        assert_lasts(many.clone(), seconds, recordings, "the first counts its own");
        for wrong in [0_u32, 5] {
            many[count..count + 4].copy_from_slice(&wrong.to_be_bytes());
            assert_lasts(many.clone(), seconds, recordings, "a wrong count");
        }
    }
}

/// Root of the mean square between two times, in seconds.
fn level(recording: &Recording, from_s: f64, to_s: f64) -> f64 {
    let at = |seconds: f64| (seconds * f64::from(recording.sample_rate_hz)) as usize;
    let heard = &recording.channels[0].samples()[at(from_s)..at(to_s)];
    (heard.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / heard.len() as f64).sqrt()
}

#[test]
fn a_pause_of_which_a_recorder_wrote_nothing_is_silence() {
    for name in ["ffmpeg-opus-pause.webm", "ffmpeg-aac-pause.m4a", "ffmpeg-flac-pause.mkv"] {
        let recording = recording(name);
        let seconds = recording.channels[0].seconds();
        assert!((1.35..1.6).contains(&seconds), "{name} lasts {seconds} s");
        let [before, silence, after] =
            [(0.05, 0.15), (0.35, 1.1), (1.25, 1.35)].map(|(from, to)| level(&recording, from, to));
        assert!(before > 0.05 && silence < 1e-6 && after > 0.05, "{name}: {before}, {silence}, {after}");
    }
}

/// Samples at another rate.
fn resampled(samples: &[f32], from_hz: u32, to_hz: u32) -> Vec<f32> {
    let (mut resampler, mut resampled) = (Resampler::new(from_hz, to_hz).unwrap(), Vec::new());
    resampler.push(samples, &mut resampled);
    resampler.finish(&mut resampled);
    resampled
}

#[test]
fn parts_of_another_rate_or_with_other_channels_are_heard_as_the_first() {
    let (stereo, mono) = ("ffmpeg-vorbis.ogg", "opusenc.opus");
    let [stereo_first, mono_first] =
        [[stereo, mono], [mono, stereo]].map(|names| decoded(names.map(bytes).concat()).unwrap());
    let (stereo, mono) = (recording(stereo), recording(mono));
    let expected = resampled(mono.channels[0].samples(), 48_000, 16_000);
    for (heard, first) in samples(&stereo_first).into_iter().zip(samples(&stereo)) {
        assert!(heard == [first, &expected].concat());
    }
    let [left, right] = samples(&stereo)[..] else { panic!("not stereo") };
    let mean: Vec<f32> = left.iter().zip(right).map(|(left, right)| left * 0.5 + right * 0.5).collect();
    assert_eq!(mono_first.channels.len(), 1);
    assert!(samples(&mono_first)[0] == [samples(&mono)[0], &resampled(&mean, 16_000, 48_000)].concat());
}

#[test]
fn an_mp3_goes_on_where_its_frames_change() {
    let (stereo, mono) = (bytes("ffmpeg.mp3"), bytes("sndfile-vbr-headless.mp3"));
    assert_lasts([&stereo[..], &mono].concat(), 2.9, 2, "mono behind stereo");
    assert_lasts([&mono[..], &stereo].concat(), 2.9, 2, "stereo behind mono");
}

#[test]
fn a_codec_that_is_unknown_in_a_container_is_not_supported() {
    let known = bytes("ffmpeg-alac.m4a");
    let mut unknown = known.clone();
    for at in 0..known.len() - 4 {
        if &known[at..at + 4] == b"alac" {
            unknown[at..at + 4].copy_from_slice(b"zzzz");
        }
    }
    assert!(matches!(decoded(unknown), Err(AudioError::Unsupported { .. })));
    // AAC by its name, and Vorbis by the number behind it.
    let mut number = bytes("ffmpeg-aac.m4a");
    let place = number.windows(2).position(|bytes| bytes == [0x40, 0x15]).unwrap();
    number[place] = 0xDD;
    assert!(matches!(decoded(number), Err(AudioError::Unsupported { .. })));
}

#[test]
fn more_channels_of_aac_than_decoders_know_are_not_supported() {
    let mut file = bytes("ffmpeg-aac.m4a");
    // The object type and rate of this file, and its number of channels.
    let config = file.windows(3).position(|bytes| bytes == [0x02, 0x14, 0x10] || bytes == [0x05, 0x14, 0x10]).unwrap();
    file[config + 2] = 0x78;
    let told = decoded(file).unwrap_err();
    assert!(matches!(&told, AudioError::Unsupported { what } if what.contains("channels")), "{told:?}");
}

/// The place of a box's content in a file that has one of it.
fn content_of(file: &[u8], kind: &[u8; 4]) -> usize {
    file.windows(4).position(|bytes| bytes == kind).unwrap() + 4
}

#[test]
fn sound_that_was_cut_away_and_left_in_an_mp4_is_not_heard() {
    for name in ["ffmpeg-aac.m4a", "ffmpeg-alac.m4a"] {
        let mut file = bytes(name);
        // Behind version and number of edits: the duration in ms, and where it begins in the track.
        let edit = content_of(&file, b"elst") + 8;
        let mut edited = |duration_ms: u32, begins: i32| {
            file[edit..edit + 4].copy_from_slice(&duration_ms.to_be_bytes());
            file[edit + 4..edit + 8].copy_from_slice(&begins.to_be_bytes());
            decoded(file.clone()).unwrap()
        };
        let whole = edited(0, 0);
        for (duration_ms, begins) in [(150, 0), (150, 3000), (110, 1025), (0, 2047), (5000, 2048)] {
            let heard = edited(duration_ms, begins);
            for (heard, whole) in samples(&heard).into_iter().zip(samples(&whole)) {
                let frames = if duration_ms == 0 { usize::MAX } else { duration_ms as usize * 16 };
                let expected = &whole[begins as usize..];
                assert!(heard == &expected[..expected.len().min(frames)], "{name}: {duration_ms} ms at {begins}");
            }
        }
        // A late start is none.
        assert!(edited(5000, -1) == whole, "{name}");
    }
}

#[test]
fn an_mp4_whose_table_of_contents_did_not_arrive_is_audio_that_cannot_be_judged() {
    let whole = bytes("ffmpeg-aac.m4a");
    let cut = whole[..whole.len() / 2].to_vec();
    assert!(matches!(decoded(cut), Err(AudioError::Invalid { .. })));
}
