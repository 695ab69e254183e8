//! Discrete cosine transform: log mel bands to cepstral coefficients.

use std::f64::consts::PI;

use pulp::{Simd, WithSimd};

use crate::registers::in_eights;

/// Coefficients computed together, in registers: [`GROUPS`] times [`LANES`].
const TILE: usize = GROUPS * LANES;
const GROUPS: usize = 5;
const LANES: usize = 8;

/// The first coefficients of the orthonormal DCT-II, as `scipy.fft.dct(type=2, norm="ortho")`:
/// `c[k] = s(k) · Σ_m x[m] · cos(πk(2m+1) / 2M)` with `s(0) = √(1/M)` and `s(k) = √(2/M)`.
#[derive(Debug, Clone)]
pub struct Dct {
    bands: usize,
    /// `[tiles, bands, TILE]`: the coefficients in tiles, the last filled up with zeros.
    table: Vec<[[f32; LANES]; GROUPS]>,
}

impl Dct {
    /// From `bands` values to the first `coefficients` of their transform.
    pub fn new(bands: usize, coefficients: usize) -> Self {
        let count = bands as f64;
        let entry = |band: usize, k: usize| {
            let scale = if k == 0 { (1.0 / count).sqrt() } else { (2.0 / count).sqrt() };
            (scale * (PI * k as f64 * (2 * band + 1) as f64 / (2.0 * count)).cos()) as f32
        };
        let row = |first: usize, band: usize| {
            let at = |k: usize| if k < coefficients { entry(band, k) } else { 0.0 };
            std::array::from_fn(|group| std::array::from_fn(|lane| at(first + group * LANES + lane)))
        };
        let tiles = (0..coefficients).step_by(TILE);
        Self { bands, table: tiles.flat_map(|first| (0..bands).map(move |band| row(first, band))).collect() }
    }

    /// Writes the transform of `levels` (`[bands]`) into `cepstrum` (`[coefficients]`).
    pub fn apply(&self, levels: &[f32], cepstrum: &mut [f32]) {
        for (tile, cepstrum) in self.table.chunks_exact(self.bands.max(1)).zip(cepstrum.chunks_mut(TILE)) {
            let mut whole = [[0.0; LANES]; GROUPS];
            in_eights(Transform { tile, levels, cepstrum: &mut whole });
            cepstrum.iter_mut().zip(whole.as_flattened()).for_each(|(out, sum)| *out = *sum);
        }
    }
}

/// A tile's coefficients, in vector registers.
struct Transform<'a> {
    tile: &'a [[[f32; LANES]; GROUPS]],
    levels: &'a [f32],
    cepstrum: &'a mut [[f32; LANES]; GROUPS],
}

impl WithSimd for Transform<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        const { assert!(S::F32_LANES <= LANES, "a register holds no more than a group") };
        let (cepstrum, _) = S::as_mut_simd_f32s(self.cepstrum.as_flattened_mut());
        for (place, cepstrum) in cepstrum.as_chunks_mut::<GROUPS>().0.iter_mut().enumerate() {
            let mut sums = [simd.splat_f32s(0.0); GROUPS];
            for (row, level) in self.tile.iter().zip(self.levels) {
                let (factors, _) = S::as_simd_f32s(row.as_flattened());
                let (factors, _) = factors.as_chunks::<GROUPS>();
                let Some(factors) = factors.get(place) else { break };
                let level = simd.splat_f32s(*level);
                for (sum, factor) in sums.iter_mut().zip(factors) {
                    *sum = simd.mul_add_e_f32s(level, *factor, *sum);
                }
            }
            *cepstrum = sums;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_levels_have_one_coefficient() {
        let mut cepstrum = [9.0; 5];
        Dct::new(6, 5).apply(&[2.0; 6], &mut cepstrum);
        assert!((cepstrum[0] - 2.0 * 6_f32.sqrt()).abs() < 1e-6);
        assert!(cepstrum[1..].iter().all(|value| value.abs() < 1e-6));
    }

    #[test]
    fn lengths_are_kept_when_all_coefficients_are() {
        let levels = [1.0, -3.0, 0.5, 7.0, -2.0, 4.0, 0.0];
        let mut cepstrum = [0.0; 7];
        Dct::new(7, 7).apply(&levels, &mut cepstrum);
        let energy = |values: &[f32]| values.iter().map(|value| value * value).sum::<f32>();
        assert!((energy(&levels) - energy(&cepstrum)).abs() < 1e-4);
    }
}
