//! Power spectrum of a frame.

mod pairs;
#[cfg(target_arch = "x86_64")]
mod rows;
#[cfg(target_arch = "x86_64")]
mod tables;
#[cfg(target_arch = "x86_64")]
mod square;
#[cfg(target_arch = "x86_64")]
mod butterflies;

use std::f64::consts::TAU;

use self::pairs::Pairs;
#[cfg(target_arch = "x86_64")]
use self::rows::Rows;

/// Periodic Hann window, `0.5 - 0.5·cos(2πn/length)`, as `scipy.signal.get_window("hann", length)`.
pub fn hann(length: usize) -> Vec<f64> {
    (0..length).map(|n| 0.5 - 0.5 * (TAU * n as f64 / length as f64).cos()).collect()
}

/// `|FFT(window · frame)|²` with the tables and the buffers kept from frame to frame.
///
/// The transform runs in double precision: a tone is 100 dB and more above the far bins of its own frame, and in single
/// precision those would hold rounding noise, which the logarithm then makes as loud as all else.
#[derive(Debug, Clone)]
pub struct PowerSpectrum {
    bins: usize,
    transform: Transform,
}

#[derive(Debug, Clone)]
enum Transform {
    /// For lengths that are powers of two, where there are vector registers.
    #[cfg(target_arch = "x86_64")]
    Rows(Rows),
    /// For all others.
    Pairs(Pairs),
}

impl PowerSpectrum {
    /// For frames of `n_fft` samples, an even number.
    pub fn new(n_fft: usize) -> Self {
        #[cfg(target_arch = "x86_64")]
        let transform = Rows::new(n_fft).map_or_else(|| Transform::Pairs(Pairs::new(n_fft)), Transform::Rows);
        #[cfg(not(target_arch = "x86_64"))]
        let transform = Transform::Pairs(Pairs::new(n_fft));
        Self { bins: n_fft / 2 + 1, transform }
    }

    /// Number of bins, `n_fft/2 + 1`; bin `b` lies at `b·sample_rate/n_fft` Hz.
    pub fn bins(&self) -> usize {
        self.bins
    }

    /// Writes the power of each bin, at least 0 and finite, into `power` (`[bins]`). `frame` holds `n_fft` samples.
    pub fn apply(&mut self, frame: &[f32], power: &mut [f32]) {
        match &mut self.transform {
            #[cfg(target_arch = "x86_64")]
            Transform::Rows(transform) => transform.apply(frame, power),
            Transform::Pairs(transform) => transform.apply(frame, power),
        }
    }
}

/// Samples far beyond [-1, 1] are still numbers, and so must their power be.
#[inline(always)]
fn to_single(power: f64) -> f32 {
    (power as f32).min(f32::MAX)
}

#[cfg(test)]
mod tests {
    use rustfft::num_complex::Complex;

    use super::*;

    #[test]
    fn powers_are_those_of_the_definition_for_every_even_length() {
        for n_fft in (4..=64).step_by(2).chain([128, 200, 256, 512, 1024, 2048]) {
            let frame: Vec<f32> = (0..n_fft).map(|n| ((n * n * 7) % 23) as f32 - 11.0).collect();
            let mut spectrum = PowerSpectrum::new(n_fft);
            let mut power = vec![f32::NAN; spectrum.bins()];
            spectrum.apply(&frame, &mut power);
            for (bin, power) in power.iter().enumerate() {
                let turn = |n: usize| Complex::cis(-TAU * (bin * n) as f64 / n_fft as f64);
                let weighed = frame.iter().zip(hann(n_fft)).map(|(sample, weight)| f64::from(*sample) * weight);
                let sum: Complex<f64> = weighed.enumerate().map(|(n, sample)| turn(n) * sample).sum();
                let expected = sum.norm_sqr() as f32;
                assert!((power - expected).abs() <= 1e-5 * expected.max(1e-3), "{bin} of {n_fft}: {power}, {expected}");
            }
        }
    }

    #[test]
    fn a_tone_on_a_bin_puts_its_power_there_and_in_the_two_beside_it() {
        let tone: Vec<f32> = (0..64).map(|n| (TAU * 8.0 * f64::from(n) / 64.0).sin() as f32).collect();
        let mut spectrum = PowerSpectrum::new(64);
        let mut power = vec![0.0; spectrum.bins()];
        spectrum.apply(&tone, &mut power);
        assert!((power[8] - 256.0).abs() < 1e-3, "{}", power[8]);
        assert!((power[7] - 64.0).abs() < 1e-3 && (power[9] - 64.0).abs() < 1e-3);
        assert!(power.iter().enumerate().all(|(bin, power)| (7..=9).contains(&bin) || *power < 1e-8));
    }
}
