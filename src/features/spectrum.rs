//! Power spectrum of a frame.

use std::f64::consts::TAU;
use std::fmt;
use std::sync::Arc;

use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};

/// Periodic Hann window, `0.5 - 0.5·cos(2πn/length)`, as `scipy.signal.get_window("hann", length)`.
pub fn hann(length: usize) -> Vec<f64> {
    (0..length).map(|n| 0.5 - 0.5 * (TAU * n as f64 / length as f64).cos()).collect()
}

/// `|FFT(window · frame)|²` with the plan and the buffers kept from frame to frame.
///
/// The transform runs in double precision: a tone is 100 dB and more above the far bins of its own frame, and in single
/// precision those would hold rounding noise, which the logarithm then makes as loud as all else.
#[derive(Clone)]
pub struct PowerSpectrum {
    plan: Arc<dyn RealToComplex<f64>>,
    window: Arc<[f64]>,
    windowed: Vec<f64>,
    transformed: Vec<Complex<f64>>,
    scratch: Vec<Complex<f64>>,
}

impl PowerSpectrum {
    /// For frames of `n_fft` samples.
    pub fn new(n_fft: usize) -> Self {
        let plan = RealFftPlanner::new().plan_fft_forward(n_fft);
        let (windowed, transformed, scratch) = (plan.make_input_vec(), plan.make_output_vec(), plan.make_scratch_vec());
        Self { plan, window: hann(n_fft).into(), windowed, transformed, scratch }
    }

    /// Number of bins, `n_fft/2 + 1`; bin `b` lies at `b·sample_rate/n_fft` Hz.
    pub fn bins(&self) -> usize {
        self.transformed.len()
    }

    /// Writes the power of each bin, at least 0 and finite, into `power` (`[bins]`). `frame` holds `n_fft` samples.
    pub fn apply(&mut self, frame: &[f32], power: &mut [f32]) {
        for ((windowed, sample), weight) in self.windowed.iter_mut().zip(frame).zip(self.window.iter()) {
            *windowed = f64::from(*sample) * weight;
        }
        let done = self.plan.process_with_scratch(&mut self.windowed, &mut self.transformed, &mut self.scratch);
        debug_assert!(done.is_ok(), "the buffers were made by the plan");
        for (power, bin) in power.iter_mut().zip(&self.transformed) {
            // Samples far beyond [-1, 1] are still numbers, and so must their power be.
            *power = ((bin.re * bin.re + bin.im * bin.im) as f32).min(f32::MAX);
        }
    }
}

impl fmt::Debug for PowerSpectrum {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("PowerSpectrum").field("n_fft", &self.window.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
