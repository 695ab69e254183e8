//! Sounds that the tests of this module are made with.

use std::f64::consts::TAU;

use emotone::audio::Waveform;
use rand::{RngExt, SeedableRng, rngs::StdRng};

/// A tone.
pub fn sine(hz: f64, rate_hz: u32, samples: usize, peak: f32) -> Vec<f32> {
    (0..samples).map(|n| peak * (TAU * hz * n as f64 / f64::from(rate_hz)).sin() as f32).collect()
}

/// A buzz of 150 Hz, its level swelling four times a second, with a little noise: the coarse shape of a vowel.
pub fn voice(rate_hz: u32, samples: usize, seed: u64) -> Vec<f32> {
    let mut rng = StdRng::seed_from_u64(seed);
    let harmonics = (1..=20).map(|harmonic| sine(150.0 * f64::from(harmonic), rate_hz, samples, 0.3 / harmonic as f32));
    let mut sum = vec![0.0; samples];
    for harmonic in harmonics {
        sum.iter_mut().zip(harmonic).for_each(|(total, value)| *total += value);
    }
    let swell = sine(4.0, rate_hz, samples, 0.45);
    sum.iter().zip(swell).map(|(value, swell)| value * (0.5 + swell) + rng.random_range(-0.005..0.005)).collect()
}

/// Samples at 8 kHz.
pub fn waveform(samples: Vec<f32>) -> Waveform {
    at(8_000, samples)
}

/// Samples at a rate in Hz.
pub fn at(rate_hz: u32, samples: Vec<f32>) -> Waveform {
    Waveform::new(samples, rate_hz).unwrap()
}

/// Amplitude of the component at `hz`, by correlation with it; a full-scale sine has 1.
pub fn amplitude_at(hz: f64, rate_hz: u32, samples: &[f32]) -> f64 {
    let (mut real, mut imaginary) = (0.0, 0.0);
    for (n, sample) in samples.iter().enumerate() {
        let phase = TAU * hz * n as f64 / f64::from(rate_hz);
        real += f64::from(*sample) * phase.cos();
        imaginary += f64::from(*sample) * phase.sin();
    }
    2.0 * real.hypot(imaginary) / samples.len() as f64
}
