//! What is done to every number of a block, in the widest vector registers there are.

use pulp::{Simd, WithSimd};
use rustfft::num_complex::Complex;

/// Two blocks become one of complex numbers.
pub(super) struct Join<'a> {
    pub(super) earlier: &'a [f32],
    pub(super) later: &'a [f32],
    pub(super) pair: &'a mut [Complex<f32>],
}

impl WithSimd for Join<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for ((both, earlier), later) in self.pair.iter_mut().zip(self.earlier).zip(self.later) {
            *both = Complex::new(*earlier, *later);
        }
    }
}

/// Writes each bin times its gain.
pub(super) struct Weigh<'a> {
    pub(super) bins: &'a [Complex<f32>],
    pub(super) gains: &'a [f32],
    pub(super) out: &'a mut [Complex<f32>],
}

impl WithSimd for Weigh<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for ((out, bin), gain) in self.out.iter_mut().zip(self.bins).zip(self.gains) {
            *out = Complex::new(bin.re * gain, bin.im * gain);
        }
    }
}

/// Appends the two blocks, one after the other.
pub(super) struct Part<'a> {
    pub(super) pair: &'a [Complex<f32>],
    pub(super) output: &'a mut Vec<f32>,
}

impl WithSimd for Part<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        self.output.extend(self.pair.iter().map(|both| both.re));
        self.output.extend(self.pair.iter().map(|both| both.im));
    }
}
