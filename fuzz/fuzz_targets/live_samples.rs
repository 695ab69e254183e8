//! A live stream of raw samples in pieces of any length: the same samples, resampled and framed, as in one piece.
#![no_main]
#![allow(dead_code, unused_imports)]

#[path = "../../src/audio/mod.rs"]
mod audio;

use audio::{AudioLimits, RawDecoder, RawEncoding, RawFormat, Resampler, decode};
use libfuzzer_sys::fuzz_target;

const RATES_HZ: [u32; 8] = [4_000, 8_000, 8_001, 11_025, 16_000, 24_414, 44_100, 192_000];

fuzz_target!(|input: (u8, u8, u8, Vec<u8>, Vec<u8>)| {
    let (encoding, rate, channels, cuts, bytes) = input;
    let encodings = [RawEncoding::PcmS16le, RawEncoding::Mulaw, RawEncoding::Alaw];
    let sample_rate_hz = RATES_HZ[usize::from(rate) % RATES_HZ.len()];
    let channels = 1 + u16::from(channels) % 8;
    let format = RawFormat { encoding: encodings[usize::from(encoding) % encodings.len()], sample_rate_hz, channels };

    let mut decoder = RawDecoder::new(format);
    let mut resampler = Resampler::new(sample_rate_hz, 8_000).expect("the rate can be resampled");
    let (mut live, mut output) = (vec![Vec::new(); usize::from(channels)], Vec::new());
    let (mut rest, mut cuts, mut taken) = (bytes.as_slice(), cuts.into_iter().cycle(), 0);
    while !rest.is_empty() {
        let (piece, others) = rest.split_at(usize::from(cuts.next().unwrap_or(255)).clamp(1, rest.len()));
        rest = others;
        decoder.push(piece, &mut live);
        resampler.push(&live[0][taken..], &mut output);
        taken = live[0].len();
    }
    resampler.finish(&mut output);

    let limits = AudioLimits { min_seconds: 0.0, ..AudioLimits::default() };
    // Not one whole frame, or a WAV header after all: then there is nothing to compare.
    let Ok(recording) = decode(bytes.clone().into(), Some(format), &limits) else { return };
    if bytes.get(8..12) == Some(b"WAVE") {
        return;
    }
    for (live, posted) in live.iter().zip(&recording.channels) {
        assert!(live == posted.samples());
    }
    let posted = audio::resample(&recording.channels[0], 8_000).expect("the rate can be resampled");
    assert!(output == posted.samples());
});
