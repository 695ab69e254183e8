//! Mel filter bank: triangles that are narrow where hearing is sharp.

use std::sync::Arc;

use pulp::{Simd, WithSimd};

use crate::registers::in_eights;

/// Up to here the mel scale of Slaney's Auditory Toolbox is linear, above logarithmic.
const BREAK_HZ: f64 = 1000.0;
/// Width of a mel below the break.
const LINEAR_HZ_PER_MEL: f64 = 200.0 / 3.0;
/// Mels over which frequency grows by a factor of 6.4 above the break.
const MELS_PER_LOG_STEP: f64 = 27.0;
const LOG_STEP: f64 = 6.4;

/// Hz to mel on Slaney's scale, as `librosa.hz_to_mel(htk=False)`.
pub fn hz_to_mel(hz: f64) -> f64 {
    if hz < BREAK_HZ {
        hz / LINEAR_HZ_PER_MEL
    } else {
        BREAK_HZ / LINEAR_HZ_PER_MEL + (hz / BREAK_HZ).ln() * MELS_PER_LOG_STEP / LOG_STEP.ln()
    }
}

/// Mel to Hz, the inverse of [`hz_to_mel`].
pub fn mel_to_hz(mel: f64) -> f64 {
    let break_mel = BREAK_HZ / LINEAR_HZ_PER_MEL;
    if mel < break_mel {
        mel * LINEAR_HZ_PER_MEL
    } else {
        BREAK_HZ * ((mel - break_mel) * LOG_STEP.ln() / MELS_PER_LOG_STEP).exp()
    }
}

/// Edges of `n_mels` bands between `fmin` and `fmax` Hz, equally spaced in mel: band `k` reaches from edge `k` to edge `k + 2`, and is
/// centred on the one between, as in `librosa.mel_frequencies(n_mels + 2, fmin, fmax)`.
pub fn mel_edges(n_mels: usize, fmin: f32, fmax: f32) -> Vec<f64> {
    let (low, high) = (hz_to_mel(f64::from(fmin)), hz_to_mel(f64::from(fmax)));
    (0..n_mels + 2).map(|edge| mel_to_hz(low + (high - low) * edge as f64 / (n_mels + 1) as f64)).collect()
}

/// Weights of a band are filled up with zeros to a multiple of this, for loops without a rest.
const LANES: usize = 8;

/// Triangles of equal area, equally spaced in mel, as `librosa.filters.mel(norm="slaney", htk=False)`. Only the bins
/// under each triangle are kept.
#[derive(Debug, Clone)]
pub struct MelBank {
    bands: Arc<[Band]>,
    /// Groups of weights of all bands, one band after the other.
    weights: Arc<[[f32; LANES]]>,
}

#[derive(Debug)]
struct Band {
    first_bin: usize,
    /// Number of groups of weights.
    groups: usize,
}

impl MelBank {
    /// `n_mels` bands between `fmin` and `fmax` Hz over the bins of an `n_fft`-point spectrum at `sample_rate` Hz.
    pub fn new(sample_rate: u32, n_fft: usize, n_mels: usize, fmin: f32, fmax: f32) -> Self {
        let (mut bands, mut weights) = (Vec::with_capacity(n_mels), Vec::new());
        for edges in mel_edges(n_mels, fmin, fmax).windows(3) {
            let (left, centre, right) = (edges[0], edges[1], edges[2]);
            let weight = |bin: usize| {
                let hz = bin as f64 * f64::from(sample_rate) / n_fft as f64;
                let triangle = ((hz - left) / (centre - left)).min((right - hz) / (right - centre));
                (triangle.max(0.0) * 2.0 / (right - left)) as f32
            };
            let under = |bin: &usize| weight(*bin) > 0.0;
            let first = (0..=n_fft / 2).find(under).unwrap_or(0);
            let count = (first..=n_fft / 2).take_while(under).count();
            let groups = count.div_ceil(LANES);
            // A group reaches beyond the last bin only where even the first bin is too late for it to begin.
            let first_bin = first.min((n_fft / 2 + 1).saturating_sub(groups * LANES));
            bands.push(Band { first_bin, groups });
            weights.extend((0..groups).map(|group| {
                std::array::from_fn(|lane| {
                    let bin = first_bin + group * LANES + lane;
                    if bin <= n_fft / 2 { weight(bin) } else { 0.0 }
                })
            }));
        }
        Self { bands: bands.into(), weights: weights.into() }
    }

    /// Number of bands.
    pub fn bands(&self) -> usize {
        self.bands.len()
    }

    /// Writes the energy of each band into `mel` (`[bands]`) from the power of each bin (`[n_fft/2 + 1]`, finite).
    pub fn apply(&self, power: &[f32], mel: &mut [f32]) {
        in_eights(Sums { bank: self, power, mel });
    }
}

/// [`MelBank::apply`] in vector registers.
struct Sums<'a> {
    bank: &'a MelBank,
    power: &'a [f32],
    mel: &'a mut [f32],
}

impl WithSimd for Sums<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        const { assert!(S::F32_LANES <= LANES, "a register holds no more than a group") };
        let mut weights = &self.bank.weights[..];
        for (energy, band) in self.mel.iter_mut().zip(self.bank.bands.iter()) {
            let (bins, rest) = self.power.get(band.first_bin..).unwrap_or_default().as_chunks::<LANES>();
            let (own, others) = weights.split_at(band.groups);
            weights = others;
            let mut sums = simd.splat_f32s(0.0);
            for (power, weights) in bins.iter().zip(own) {
                for (power, weights) in S::as_simd_f32s(power).0.iter().zip(S::as_simd_f32s(weights).0) {
                    sums = simd.mul_add_e_f32s(*power, *weights, sums);
                }
            }
            // A triangle over nearly all bins ends in less than a group.
            let beyond =
                own.get(bins.len()).map_or(0.0, |own| rest.iter().zip(own).map(|(bin, weight)| bin * weight).sum());
            *energy = simd.reduce_sum_f32s(sums) + beyond;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_passes_its_fixed_points_and_comes_back() {
        assert!((hz_to_mel(1000.0) - 15.0).abs() < 1e-12);
        assert!((hz_to_mel(6400.0) - 42.0).abs() < 1e-12);
        for hz in [0.0, 60.0, 999.0, 1001.0, 3900.0, 11_025.0] {
            assert!((mel_to_hz(hz_to_mel(hz)) - hz).abs() < 1e-8);
        }
    }

    #[test]
    fn a_flat_spectrum_gives_equal_bands_where_bins_are_dense() {
        let bank = MelBank::new(8000, 4096, 20, 100.0, 3900.0);
        let mut mel = vec![0.0; bank.bands()];
        bank.apply(&vec![1.0; 2049], &mut mel);
        let bin_hz = 8000.0 / 4096.0;
        assert!(mel.iter().all(|energy| (energy * bin_hz - 1.0).abs() < 0.01), "{mel:?}");
    }

    #[test]
    fn no_bin_is_left_out_however_few_there_are() {
        for n_fft in (16..=64).step_by(2) {
            for n_mels in 1..4 {
                let bank = MelBank::new(8000, n_fft, n_mels, 0.0, 4000.0);
                for bin in 0..=n_fft / 2 {
                    let mut power = vec![0.0; n_fft / 2 + 1];
                    power[bin] = 1.0;
                    let mut mel = vec![0.0; n_mels];
                    bank.apply(&power, &mut mel);
                    // Inside the band, every bin lies under one triangle or two.
                    let is_inside = (1..n_fft / 2).contains(&bin);
                    assert!(
                        !is_inside || mel.iter().any(|energy| *energy > 0.0),
                        "bin {bin} of {n_fft}, {n_mels} bands"
                    );
                }
            }
        }
    }
}
