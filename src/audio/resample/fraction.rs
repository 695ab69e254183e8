//! The fractional stage: from the block stage's rate to any other, by reading between the samples.

use std::sync::LazyLock;

use pulp::{Arch, Simd, WithSimd};

use super::design::Interpolator;
use super::ratio::Ratio;

/// Taps of the fractional stage.
pub(super) const TAPS: usize = 16;
/// Band that the kernels are made for, in cycles an intermediate sample. The block stage gives at least 1.6 samples for each of
/// the lower rate, so that what it passes ends at 91.3 % of 0.3125, which is 0.285.
const BAND: f64 = 0.3;
/// Steps from one sample to the next that the fractional stage has kernels for. Between them it interpolates
/// linearly; up to there both together err by less than -95 dB.
const PHASES: usize = 1 << PHASE_BITS;
const PHASE_BITS: u32 = 8;
/// Places between two kernels that are told apart.
const OFFSET_BITS: u32 = 23;

/// Steps of a constant length through intermediate samples, with a kernel for each place between two of them.
pub(super) struct Fraction {
    step: Place,
    /// Parts of one intermediate sample.
    parts: u32,
    /// 2^63 over `parts`.
    places_per_part: u64,
    kernels: &'static [Kernel],
}

/// A place in time: whole samples, and parts of a sample behind them, below [`Fraction::parts`].
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place {
    pub(super) whole: usize,
    part: u32,
}

/// The taps at one phase and what they change by with each of 2^[`OFFSET_BITS`] offsets until the next.
#[repr(align(64))]
struct Kernel {
    taps: [f32; TAPS],
    slopes: [f32; TAPS],
}

/// The same for all rates.
static KERNELS: LazyLock<Vec<Kernel>> = LazyLock::new(|| {
    let interpolator = Interpolator::for_band(BAND);
    let phases = 0..=PHASES;
    let rows: Vec<[f64; TAPS]> = phases.map(|phase| interpolator.taps(phase as f64 / PHASES as f64)).collect();
    let kernels = rows.iter().zip(rows.iter().skip(1)).map(|(here, next)| {
        let mut kernel = Kernel { taps: here.map(|tap| tap as f32), slopes: [0.0; TAPS] };
        for ((slope, tap), after) in kernel.slopes.iter_mut().zip(here).zip(next) {
            *slope = ((after - tap) / f64::from(1 << OFFSET_BITS)) as f32;
        }
        kernel
    });
    kernels.collect()
});

impl Kernel {
    /// The output sample that lies so many offsets behind this kernel's phase.
    #[inline(always)]
    fn apply<S: Simd>(&self, simd: S, window: &[f32; TAPS], offset: f32) -> f32 {
        const { assert!(S::F32_LANES <= TAPS, "a register holds no more than the taps") };
        let offset = simd.splat_f32s(offset);
        let (taps, slopes) = (S::as_simd_f32s(&self.taps).0, S::as_simd_f32s(&self.slopes).0);
        let mut sums = simd.splat_f32s(0.0);
        for ((sample, tap), slope) in S::as_simd_f32s(window).0.iter().zip(taps).zip(slopes) {
            sums = simd.mul_add_e_f32s(*sample, simd.mul_add_e_f32s(*slope, offset, *tap), sums);
        }
        simd.reduce_sum_f32s(sums)
    }
}

impl Fraction {
    pub(super) fn new(ratio: Ratio, from_hz: u32, to_hz: u32) -> Self {
        // Intermediate rate over outgoing rate, in integers: from * up / (to * down). Below 2^31 for all rates.
        let advance = from_hz.saturating_mul(ratio.up as u32);
        let parts = to_hz.saturating_mul(ratio.down as u32);
        Self {
            step: Place {
                whole: advance.checked_div(parts).unwrap_or(0) as usize,
                part: advance.checked_rem(parts).unwrap_or(0),
            },
            parts,
            places_per_part: (1_u64 << 63).checked_div(parts.into()).unwrap_or(0),
            kernels: &KERNELS,
        }
    }

    /// The kernel for an output sample that lies `part / parts` after an input sample, and its offset from there.
    #[inline(always)]
    fn kernel(&self, part: u32) -> Option<(&Kernel, f32)> {
        // In whole numbers: conversions from floating point check for what cannot be here. 31 bits are left of 63.
        let place = (u64::from(part).wrapping_mul(self.places_per_part) >> (63 - PHASE_BITS - OFFSET_BITS)) as u32;
        let offset = place & ((1 << OFFSET_BITS) - 1);
        // Signed conversions are one instruction, unsigned ones are not.
        Some((self.kernels.get((place >> OFFSET_BITS) as usize)?, offset as i32 as f32))
    }

    /// Appends the samples at `from`, one step on, two steps on, as long as `samples` reach; gives the place of the next.
    ///
    /// Sample number `TAPS / 2 - 1` of `samples` is the one at place 0.
    pub(super) fn interpolate(&self, samples: &[f32], from: Place, output: &mut Vec<f32>) -> Place {
        let first = output.len();
        output.resize(first.saturating_add(self.reach(samples.len(), from)), 0.0);
        let output = output.get_mut(first..).unwrap_or_default();
        Arch::new().dispatch(Interpolation { fraction: self, samples, from, output })
    }

    /// How many steps from `place` on have all their taps within `length` samples.
    fn reach(&self, length: usize, place: Place) -> usize {
        let parts = |place: Place| {
            (place.whole as u64).saturating_mul(u64::from(self.parts)).saturating_add(u64::from(place.part))
        };
        let end = Place { whole: length.saturating_sub(TAPS - 1), part: 0 };
        parts(end).saturating_sub(parts(place)).div_ceil(parts(self.step).max(1)) as usize
    }
}

/// [`Fraction::interpolate`] in the widest vector registers there are.
struct Interpolation<'a> {
    fraction: &'a Fraction,
    samples: &'a [f32],
    from: Place,
    output: &'a mut [f32],
}

impl WithSimd for Interpolation<'_> {
    type Output = Place;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Place {
        let Self { fraction: Fraction { step, parts, .. }, samples, .. } = self;
        let mut place = self.from;
        for sample in self.output {
            let window = samples.get(place.whole..).and_then(|window| window.first_chunk::<TAPS>());
            let (Some(window), Some((kernel, offset))) = (window, self.fraction.kernel(place.part)) else { break };
            *sample = kernel.apply(simd, window, offset);
            // Part and step are below `parts`, which is below 2^31.
            let part = place.part.wrapping_add(step.part);
            let carry = part >= *parts;
            place.part = part.wrapping_sub(if carry { *parts } else { 0 });
            place.whole = place.whole.wrapping_add(step.whole).wrapping_add(usize::from(carry));
        }
        place
    }
}
