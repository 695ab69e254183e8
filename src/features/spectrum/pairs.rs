//! The power spectrum by a library's transform: any even length, on any processor.

use std::f64::consts::TAU;
use std::fmt;
use std::sync::Arc;

use pulp::bytemuck::cast_slice_mut;
use pulp::{Arch, Simd, WithSimd};
use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};

use super::{hann, to_single};

/// Bins that are unpacked together, in registers.
const LANES: usize = 4;

/// [`PowerSpectrum`](super::PowerSpectrum) with a frame's even samples as real parts, its odd ones as imaginary parts.
#[derive(Clone)]
pub(super) struct Pairs {
    /// Of half the length.
    plan: Arc<dyn Fft<f64>>,
    window: Arc<[f64]>,
    /// `-i·exp(-2πi·bin/n_fft)` from bin 1 on, for a quarter of the circle.
    turns: Arc<[Complex<f64>]>,
    packed: Vec<Complex<f64>>,
    scratch: Vec<Complex<f64>>,
}

impl Pairs {
    /// For frames of `n_fft` samples, an even number.
    pub(super) fn new(n_fft: usize) -> Self {
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

    /// As [`PowerSpectrum::apply`](super::PowerSpectrum::apply).
    pub(super) fn apply(&mut self, frame: &[f32], power: &mut [f32]) {
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

impl fmt::Debug for Pairs {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Pairs").field("n_fft", &self.window.len()).finish_non_exhaustive()
    }
}
