//! Discrete cosine transform: log mel bands to cepstral coefficients.

use std::f64::consts::PI;

/// Bands taken together in one pass over the coefficients, so that these are loaded and stored less often.
const BANDS_AT_ONCE: usize = 4;

/// The first coefficients of the orthonormal DCT-II, as `scipy.fft.dct(type=2, norm="ortho")`:
/// `c[k] = s(k) · Σ_m x[m] · cos(πk(2m+1) / 2M)` with `s(0) = √(1/M)` and `s(k) = √(2/M)`.
#[derive(Debug, Clone)]
pub struct Dct {
    coefficients: usize,
    /// `[bands, coefficients]`, the bands filled up with zeros to a multiple of [`BANDS_AT_ONCE`].
    table: Vec<f32>,
}

impl Dct {
    /// From `bands` values to the first `coefficients` of their transform.
    pub fn new(bands: usize, coefficients: usize) -> Self {
        let count = bands as f64;
        let entry = |band: usize, k: usize| {
            let scale = if k == 0 { (1.0 / count).sqrt() } else { (2.0 / count).sqrt() };
            (scale * (PI * k as f64 * (2 * band + 1) as f64 / (2.0 * count)).cos()) as f32
        };
        let mut table: Vec<f32> =
            (0..bands).flat_map(|band| (0..coefficients).map(move |k| (band, k))).map(|(b, k)| entry(b, k)).collect();
        table.resize(bands.next_multiple_of(BANDS_AT_ONCE) * coefficients, 0.0);
        Self { coefficients, table }
    }

    /// Writes the transform of `levels` (`[bands]`) into `cepstrum` (`[coefficients]`).
    pub fn apply(&self, levels: &[f32], cepstrum: &mut [f32]) {
        let width = self.coefficients;
        cepstrum.fill(0.0);
        for (levels, rows) in levels.chunks(BANDS_AT_ONCE).zip(self.table.chunks_exact(BANDS_AT_ONCE * width)) {
            let level = |index: usize| levels.get(index).copied().unwrap_or(0.0);
            let (first, second, third, fourth) = (level(0), level(1), level(2), level(3));
            let (a, rows) = rows.split_at(width);
            let (b, rows) = rows.split_at(width);
            let (c, d) = rows.split_at(width);
            for ((((out, a), b), c), d) in cepstrum.iter_mut().zip(a).zip(b).zip(c).zip(d) {
                *out += (first * a + second * b) + (third * c + fourth * d);
            }
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
