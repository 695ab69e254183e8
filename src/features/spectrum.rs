//! Power spectrum of a frame.

use std::f64::consts::TAU;
use std::fmt;
use std::sync::Arc;

use pulp::bytemuck::cast_slice_mut;
use pulp::{Arch, Simd, WithSimd};
use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};

/// Bins that are unpacked together, in registers.
const LANES: usize = 4;

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
    /// Of half the length: a frame's even samples are real parts, its odd ones imaginary parts.
    plan: Arc<dyn Fft<f64>>,
    window: Arc<[f64]>,
    /// `-i·exp(-2πi·bin/n_fft)` from bin 1 on, for a quarter of the circle.
    turns: Arc<[Complex<f64>]>,
    packed: Vec<Complex<f64>>,
    scratch: Vec<Complex<f64>>,
}

impl PowerSpectrum {
    /// For frames of `n_fft` samples, an even number.
    pub fn new(n_fft: usize) -> Self {
        let plan = FftPlanner::new().plan_fft_forward(n_fft / 2);
        let turn = |bin: usize| Complex::cis(-TAU * (bin as f64 / n_fft as f64 + 0.25));
        Self {
            window: hann(n_fft).into(),
            turns: (1..n_fft.div_ceil(4)).map(turn).collect(),
            packed: vec![Complex::default(); n_fft / 2],
            scratch: vec![Complex::default(); plan.get_inplace_scratch_len()],
            plan,
        }
    }

    /// Number of bins, `n_fft/2 + 1`; bin `b` lies at `b·sample_rate/n_fft` Hz.
    pub fn bins(&self) -> usize {
        self.packed.len() + 1
    }

    /// Writes the power of each bin, at least 0 and finite, into `power` (`[bins]`). `frame` holds `n_fft` samples.
    pub fn apply(&mut self, frame: &[f32], power: &mut [f32]) {
        let registers = Arch::new();
        registers.dispatch(Weigh { frame, window: &self.window, weighed: cast_slice_mut(&mut self.packed) });
        self.plan.process_with_scratch(&mut self.packed, &mut self.scratch);
        registers.dispatch(Unpack { packed: &self.packed, turns: &self.turns, power });
    }
}

/// The frame times its window.
struct Weigh<'a> {
    frame: &'a [f32],
    window: &'a [f64],
    weighed: &'a mut [f64],
}

impl WithSimd for Weigh<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for ((weighed, sample), weight) in self.weighed.iter_mut().zip(self.frame).zip(self.window) {
            *weighed = f64::from(*sample) * weight;
        }
    }
}

/// The power of each bin of the frame from the transform of its pairs.
///
/// The even samples' spectrum is the part of it that mirrors to its conjugate, the odd ones' the other part, which lies a
/// sample later: a bin is the one plus the other turned by that, its mirror image the one minus the other.
struct Unpack<'a> {
    packed: &'a [Complex<f64>],
    turns: &'a [Complex<f64>],
    power: &'a mut [f32],
}

impl WithSimd for Unpack<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let ([lowest, inner @ .., highest], Some((zeroth, packed))) = (self.power, self.packed.split_first()) else {
            return;
        };
        *lowest = to_single((zeroth.re + zeroth.im).powi(2));
        *highest = to_single((zeroth.re - zeroth.im).powi(2));
        let half = packed.len() / 2;
        let ((below, middle), (power_below, power_middle)) = (packed.split_at(half), inner.split_at_mut(half));
        let (middle, above) = middle.split_at(middle.len() - half);
        let (power_middle, power_above) = power_middle.split_at_mut(middle.len());
        // The bin that is its own mirror image, if there is one.
        power_middle.iter_mut().zip(middle).for_each(|(power, bin)| *power = to_single(bin.norm_sqr()));
        let (groups, rest) = below.as_chunks::<LANES>();
        let (power_groups, power_rest) = power_below.as_chunks_mut::<LANES>();
        let (turn_groups, turn_rest) = self.turns.as_chunks::<LANES>();
        let (mirrored_rest, mirrored_groups) = above.as_rchunks::<LANES>();
        let (mirrored_power_rest, mirrored_power_groups) = power_above.as_rchunks_mut::<LANES>();
        let powers = power_groups.iter_mut().zip(mirrored_power_groups.iter_mut().rev());
        let bins = groups.iter().zip(mirrored_groups.iter().rev()).zip(turn_groups);
        for ((power, mirrored_power), ((bins, mirrored), turns)) in powers.zip(bins) {
            unpack(bins, mirrored, turns, power, mirrored_power);
        }
        let powers = power_rest.iter_mut().zip(mirrored_power_rest.iter_mut().rev());
        let bins = rest.iter().zip(mirrored_rest.iter().rev()).zip(turn_rest);
        for ((power, mirrored_power), ((bin, mirrored), turn)) in powers.zip(bins) {
            unpack(&[*bin], &[*mirrored], &[*turn], std::array::from_mut(power), std::array::from_mut(mirrored_power));
        }
    }
}

/// Some bins with their mirror images, which lie the other way round.
#[inline(always)]
fn unpack<const N: usize>(
    bins: &[Complex<f64>; N],
    mirrored: &[Complex<f64>; N],
    turns: &[Complex<f64>; N],
    power: &mut [f32; N],
    mirrored_power: &mut [f32; N],
) {
    let (mut plus, mut minus) = ([0.0; N], [0.0; N]);
    for lane in 0..N {
        let (bin, mirrored, turn) = (bins[lane], mirrored[N - 1 - lane], turns[lane]);
        let (even, odd) = (bin + mirrored.conj(), bin - mirrored.conj());
        let turned = odd * turn;
        plus[lane] = (even + turned).norm_sqr();
        minus[lane] = (even - turned).norm_sqr();
    }
    for lane in 0..N {
        power[lane] = to_single(0.25 * plus[lane]);
        mirrored_power[N - 1 - lane] = to_single(0.25 * minus[lane]);
    }
}

/// Samples far beyond [-1, 1] are still numbers, and so must their power be.
#[inline(always)]
fn to_single(power: f64) -> f32 {
    (power as f32).min(f32::MAX)
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
    fn powers_are_those_of_the_definition_for_every_even_length() {
        for n_fft in (4..=64).step_by(2) {
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
