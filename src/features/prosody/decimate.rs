//! The band of the voice's fundamental at a low rate, where a pitch search costs little.

use std::f64::consts::PI;
use std::sync::Arc;

/// The decimated rate is at least this, in Hz, if the original is.
const LOWEST_RATE_HZ: u32 = 4000;
/// Where the low-pass is down by 6 dB: above the first harmonics of any voice.
const CUTOFF_HZ: f64 = 1200.0;
/// Filter taps for each sample of the step.
const TAPS_PER_STEP: usize = 8;

/// Low-pass and decimation by a whole number, delay compensated: output `m` is centred on sample `m·step`, and silence
/// lies before and after the recording.
#[derive(Debug, Clone)]
pub struct Decimator {
    step: usize,
    /// Windowed sinc, filled up with a zero to a multiple of 8.
    taps: Arc<[f32]>,
    signal: Vec<f32>,
    next: usize,
}

impl Decimator {
    /// For signals at `sample_rate` Hz; they leave at `sample_rate / step()` Hz.
    pub fn new(sample_rate: u32) -> Self {
        let step = (sample_rate / LOWEST_RATE_HZ).max(1) as usize;
        let count = TAPS_PER_STEP * step - 1;
        let reach = (count / 2) as f64;
        let cutoff = (CUTOFF_HZ / f64::from(sample_rate)).min(0.4);
        let mut taps: Vec<f64> = (0..count)
            .map(|tap| {
                let x = tap as f64 - reach;
                let sinc = if x == 0.0 { 2.0 * cutoff } else { (2.0 * PI * cutoff * x).sin() / (PI * x) };
                sinc * (0.54 + 0.46 * (PI * x / (reach + 1.0)).cos())
            })
            .collect();
        let gain: f64 = taps.iter().sum();
        taps.iter_mut().for_each(|tap| *tap /= gain);
        taps.push(0.0);
        let taps: Arc<[f32]> = taps.into_iter().map(|tap| tap as f32).collect();
        Self { step, signal: vec![0.0; count / 2], taps, next: 0 }
    }

    /// Input samples for each output sample.
    pub fn step(&self) -> usize {
        self.step
    }

    /// Takes samples and appends what they complete to `out`.
    pub fn push(&mut self, samples: &[f32], out: &mut Vec<f32>) {
        self.signal.extend_from_slice(samples);
        while let Some(span) = self.signal.get(self.next..self.next + self.taps.len()) {
            out.push(filtered(&self.taps, span));
            self.next += self.step;
        }
        let done = self.next.min(self.signal.len());
        self.signal.drain(..done);
        self.next -= done;
    }

    /// Ends the recording: appends what still hears its last samples.
    pub fn finish(&mut self, out: &mut Vec<f32>) {
        self.push(&vec![0.0; self.taps.len()], out);
    }
}

fn filtered(taps: &[f32], span: &[f32]) -> f32 {
    let mut lanes = [0.0; 8];
    for (taps, span) in taps.as_chunks::<8>().0.iter().zip(span.as_chunks::<8>().0) {
        for ((lane, tap), sample) in lanes.iter_mut().zip(taps).zip(span) {
            *lane += tap * sample;
        }
    }
    let [a, b, c, d, e, f, g, h] = lanes;
    ((a + e) + (c + g)) + ((b + f) + (d + h))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimated(samples: &[f32], piece: usize) -> (usize, Vec<f32>) {
        let mut decimator = Decimator::new(8000);
        let mut out = Vec::new();
        for piece in samples.chunks(piece) {
            decimator.push(piece, &mut out);
        }
        decimator.finish(&mut out);
        (decimator.step(), out)
    }

    #[test]
    fn low_tones_keep_their_time_and_high_ones_vanish() {
        let tone = |hz: f64| (0..800).map(|n| (2.0 * PI * hz * f64::from(n) / 8000.0).cos() as f32).collect::<Vec<_>>();
        let (step, low) = decimated(&tone(200.0), 800);
        assert_eq!(step, 2);
        for (m, sample) in low.iter().enumerate().take(390).skip(10) {
            assert!((sample - (2.0 * PI * 200.0 * (2 * m) as f64 / 8000.0).cos() as f32).abs() < 0.03);
        }
        let (_, high) = decimated(&tone(3000.0), 800);
        assert!(high[10..390].iter().all(|sample| sample.abs() < 0.01));
    }

    #[test]
    fn pieces_join_without_a_trace() {
        let samples: Vec<f32> = (0..301_u32).map(|n| ((n * n) % 97) as f32).collect();
        let (_, whole) = decimated(&samples, 301);
        for piece in [1, 2, 7, 100] {
            assert_eq!(decimated(&samples, piece).1, whole);
        }
    }
}
