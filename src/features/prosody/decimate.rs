//! The band of the voice's fundamental at a low rate, where a pitch search costs little.

use std::f64::consts::PI;
use std::sync::Arc;

/// The decimated rate is at least this, in Hz, if the original is.
const LOWEST_RATE_HZ: u32 = 4000;
/// Where the low-pass is down by 6 dB: above the first harmonics of any voice.
const CUTOFF_HZ: f64 = 1600.0;
/// Filter taps for each sample of the step.
const TAPS_PER_STEP: usize = 8;

/// Outputs computed together, in registers.
const TILE: usize = 16;

/// Low-pass and decimation by a whole number, delay compensated: output `m` is centred on sample `m·step`, and silence
/// lies before and after the recording.
#[derive(Debug, Clone)]
pub struct Decimator {
    /// Windowed sinc, `[step, TAPS_PER_STEP]`: those for the samples of each phase, the first filled up with a zero.
    taps: Arc<[[f32; TAPS_PER_STEP]]>,
    /// Every `step`-th sample from the 0th, 1st … on, from the first that is still needed.
    phases: Vec<Vec<f32>>,
    /// Phase of the next sample.
    next_phase: usize,
}

impl Decimator {
    /// For signals at `sample_rate` Hz; they leave at `sample_rate / step()` Hz.
    pub fn new(sample_rate: u32) -> Self {
        let step = (sample_rate / LOWEST_RATE_HZ).max(1) as usize;
        let count = TAPS_PER_STEP * step;
        let reach = (count / 2) as f64;
        let cutoff = (CUTOFF_HZ / f64::from(sample_rate)).min(0.4);
        let tap = |index: usize| {
            let x = index as f64 - reach;
            let sinc = if x == 0.0 { 2.0 * cutoff } else { (2.0 * PI * cutoff * x).sin() / (PI * x) };
            if index == 0 { 0.0 } else { sinc * (0.54 + 0.46 * (PI * x / reach).cos()) }
        };
        let gain: f64 = (0..count).map(tap).sum();
        let phase = |phase: usize| std::array::from_fn(|index| (tap(index * step + phase) / gain) as f32);
        let before = vec![0.0; count / 2 / step];
        Self { taps: (0..step).map(phase).collect(), phases: vec![before; step], next_phase: 0 }
    }

    /// Input samples for each output sample.
    pub fn step(&self) -> usize {
        self.taps.len()
    }

    /// Takes samples and appends what they complete to `out`.
    pub fn push(&mut self, samples: &[f32], out: &mut Vec<f32>) {
        for (index, phase) in self.phases.iter_mut().enumerate() {
            let first = (index + self.taps.len() - self.next_phase) % self.taps.len();
            phase.extend(samples.iter().skip(first).step_by(self.taps.len()));
        }
        self.next_phase = (self.next_phase + samples.len()) % self.taps.len();
        let shortest = self.phases.iter().map(Vec::len).min().unwrap_or(0);
        let count = (shortest + 1).saturating_sub(TAPS_PER_STEP);
        let start = out.len();
        out.resize(start + count, 0.0);
        filter(&self.taps, &self.phases, &mut out[start..]);
        for phase in &mut self.phases {
            phase.drain(..count);
        }
    }

    /// Ends the recording: appends what still hears its last samples.
    pub fn finish(&mut self, out: &mut Vec<f32>) {
        self.push(&vec![0.0; TAPS_PER_STEP * self.step()], out);
    }
}

fn filter(taps: &[[f32; TAPS_PER_STEP]], phases: &[Vec<f32>], out: &mut [f32]) {
    let (tiles, rest) = out.as_chunks_mut::<TILE>();
    let rest_at = tiles.len() * TILE;
    for (tile, out) in tiles.iter_mut().enumerate() {
        let mut lanes = [0.0; TILE];
        for (taps, phase) in taps.iter().zip(phases) {
            for (tap, samples) in taps.iter().zip(phase[tile * TILE..].array_windows::<TILE>()) {
                for (lane, sample) in lanes.iter_mut().zip(samples) {
                    *lane += tap * sample;
                }
            }
        }
        *out = lanes;
    }
    for (index, sum) in rest.iter_mut().enumerate() {
        for (taps, phase) in taps.iter().zip(phases) {
            for (tap, sample) in taps.iter().zip(&phase[rest_at + index..]) {
                *sum += tap * sample;
            }
        }
    }
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
