//! How loud a frame is.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};

use crate::features::decibel::to_decibel;
use crate::features::spectrum::hann;

/// Level of a frame within the mel bank's band, in dB.
///
/// `10·log10` of the mean square of the samples, as estimated through the window:
/// `2·Σ power[b] / (n_fft · Σ window²)` over the bins of the band. A sine of amplitude 1 within the band has -3 dB; the
/// floor is -100 dB. A constant offset and the hum below the band don't count, nor does what a telephone lacks.
#[derive(Debug, Clone)]
pub struct BandLevel {
    bins: Range<usize>,
    scale: f32,
}

impl BandLevel {
    /// For `n_fft`-point spectra at `sample_rate` Hz and the band `fmin..=fmax` Hz.
    pub fn new(sample_rate: u32, n_fft: usize, fmin: f32, fmax: f32) -> Self {
        let bins_per_hz = n_fft as f64 / f64::from(sample_rate);
        let first = (f64::from(fmin) * bins_per_hz).ceil() as usize;
        let last = (f64::from(fmax) * bins_per_hz).floor() as usize;
        let window_energy: f64 = hann(n_fft).iter().map(|weight| weight * weight).sum();
        Self { bins: first..(last + 1).max(first), scale: (2.0 / (n_fft as f64 * window_energy)) as f32 }
    }

    /// From the power of each bin, `[n_fft/2 + 1]`.
    pub fn decibels(&self, power: &[f32]) -> f32 {
        Arch::new().dispatch(Sum { power: power.get(self.bins.clone()).unwrap_or_default(), scale: self.scale })
    }
}

/// [`BandLevel::decibels`] in the widest vector registers there are.
struct Sum<'a> {
    power: &'a [f32],
    scale: f32,
}

impl WithSimd for Sum<'_> {
    type Output = f32;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f32 {
        let (groups, rest) = S::as_simd_f32s(self.power);
        let (pairs, odd) = groups.as_chunks::<2>();
        let (mut one, mut two) = (simd.splat_f32s(0.0), simd.splat_f32s(0.0));
        for [first, second] in pairs {
            (one, two) = (simd.add_f32s(one, *first), simd.add_f32s(two, *second));
        }
        odd.iter().for_each(|group| one = simd.add_f32s(one, *group));
        to_decibel((simd.reduce_sum_f32s(simd.add_f32s(one, two)) + rest.iter().sum::<f32>()) * self.scale)
    }
}
