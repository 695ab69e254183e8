//! What audio costs before any model sees it: decoding, resampling, and the memory of an hour.
//!
//! ```sh
//! cargo run --release --example measure-audio
//! ```
//!
//! Times are the best of many runs, in microseconds; the hour is decoded once, as a telephone exchange records it:
//! stereo, 8 kHz, mu-law, about 58 MB.

#![allow(clippy::unwrap_used, reason = "a measurement that cannot go on has failed")]

#[path = "../stopwatch.rs"]
mod stopwatch;

use std::time::Instant;

use bytes::Bytes;
use emotone::audio::{AudioLimits, Decoder, Resampler, Waveform, decode, resample};
use stopwatch::best;

fn main() {
    println!("2 s of mono, 16 bits, 24414 Hz");
    let clip = wav(1, 24_414, 1, 16, &tone(48_828).flat_map(|sample| sample.to_le_bytes()).collect::<Vec<_>>());
    println!("  decode                       {:8.1} us", best(1000, || decode(clip.clone(), None, &limits()).unwrap()));
    for (from_hz, to_hz) in [(24_414, 8_000), (16_000, 8_000), (44_100, 8_000), (48_000, 16_000), (24_414, 22_050)] {
        let samples = tone(2 * from_hz as usize).map(|sample| f32::from(sample) / 32768.0).collect();
        let waveform = Waveform::new(samples, from_hz).unwrap();
        let start = Instant::now();
        let resampler = Resampler::new(from_hz, to_hz).unwrap();
        let design_us = start.elapsed().as_secs_f64() * 1e6;
        drop(resampler);
        let time_us = best(300, || resample(&waveform, to_hz).unwrap());
        println!(
            "  {from_hz:6} Hz to {to_hz:5} Hz         {time_us:8.1} us, filters designed once in {design_us:.0} us"
        );
    }
    hour();
}

fn hour() {
    let data: Vec<u8> =
        (0..2 * 8_000 * 3_600_u32).map(|sample| (sample.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let file = wav(7, 8_000, 2, 8, &data);
    drop(data);
    let file_mib = file.len() as f64 / MIB;
    let before_mib = resident_mib("VmRSS");
    let start = Instant::now();
    let mut decoder = Decoder::new(file, None, &limits()).unwrap();
    let mut slowest = 0.0_f64;
    loop {
        let step = Instant::now();
        let more = decoder.step().unwrap();
        slowest = slowest.max(step.elapsed().as_secs_f64() * 1e3);
        if !more {
            break;
        }
    }
    let recording = decoder.finish().unwrap();
    let seconds = start.elapsed().as_secs_f64();
    let samples: usize = recording.channels.iter().map(|channel| channel.samples().len()).sum();
    let decoded_mib = samples as f64 * 4.0 / MIB;
    let peak_mib = resident_mib("VmHWM") - before_mib;
    println!("1 h of stereo, mu-law, 8 kHz: {file_mib:.1} MiB of file, {decoded_mib:.1} MiB of samples");
    println!("  decode                       {seconds:8.3} s, slowest step {slowest:.2} ms");
    println!("  memory beside the file       {peak_mib:8.1} MiB, {:.2} x the samples", peak_mib / decoded_mib);
    println!(
        "  memory with the file         {:8.1} MiB, {:.2} x",
        peak_mib + file_mib,
        (peak_mib + file_mib) / decoded_mib
    );
}

const MIB: f64 = 1_048_576.0;

fn limits() -> AudioLimits {
    AudioLimits::default()
}

fn tone(samples: usize) -> impl Iterator<Item = i16> {
    (0..samples).map(|sample| ((sample as f64 * 0.05).sin() * 9_000.0) as i16)
}

fn wav(tag: u16, rate_hz: u32, channels: u16, bits: u16, data: &[u8]) -> Bytes {
    let block = channels * bits / 8;
    let mut file = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0".to_vec();
    file.extend(tag.to_le_bytes());
    file.extend(channels.to_le_bytes());
    file.extend(rate_hz.to_le_bytes());
    file.extend((rate_hz * u32::from(block)).to_le_bytes());
    file.extend(block.to_le_bytes());
    file.extend(bits.to_le_bytes());
    file.extend(b"data");
    file.extend((data.len() as u32).to_le_bytes());
    file.extend(data);
    file.into()
}

/// A figure of /proc/self/status in MiB; 0 where there is no such file.
fn resident_mib(name: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}
