//! Stretches of copies instead of whole windows, each time another.

use anyhow::Result;
use emotone::features::{Column, Dct, FeatureMatrix, FeatureSpec};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use serde::{Deserialize, Serialize};

use super::{Examples, Mingle};
use crate::network::scale;

/// How a stretch is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Variation {
    /// Frames of a stretch.
    pub frames: usize,
    /// Part of the stretches that come from the clip as it is or over the telephone, not from a random copy.
    pub original_share: f64,
    /// Largest logarithm of a change of pace.
    pub pace: f32,
    /// Largest change of scale along the mel axis: vocal tracts of another length.
    pub mel_scale: f32,
    /// Largest shift along the mel axis, in bands.
    pub mel_shift: f32,
    /// Largest shift of the logarithm of pitch in Hz.
    pub pitch_shift: f32,
    /// Joins pieces of two voices, in stretches that are drawn anew each time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mingle: Option<Mingle>,
}

impl Variation {
    /// A stretch of one of an example's copies, `frames` x width, row-major; a copy that is shorter goes round. A second voice
    /// is one of `among` with the same emotion, or the same where there is none.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn draw(&self, examples: &Examples, place: u32, among: &[u32], seed: u64) -> Result<Vec<f32>> {
        let mut random = StdRng::seed_from_u64(seed);
        let of_any_copy = |place, random: &mut StdRng| {
            let copy = examples.any_copy(self.original_share, random);
            self.of_copy(examples, place, copy, random)
        };
        let stretch = of_any_copy(place, &mut random)?;
        let Some(mingle) = self.mingle.filter(|mingle| mingle.strikes(&mut random)) else { return Ok(stretch) };
        let is_alike = |other: &u32| *other != place && examples.emotion(*other) == examples.emotion(place);
        let alike: Vec<u32> = among.iter().copied().filter(is_alike).collect();
        let other = of_any_copy(alike.choose(&mut random).copied().unwrap_or(place), &mut random)?;
        Ok(mingle.join([stretch, other], examples.spec, &mut random))
    }

    /// A stretch of this copy.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn of_copy(&self, examples: &Examples, place: u32, copy: usize, random: &mut StdRng) -> Result<Vec<f32>> {
        let rows = examples.rows(place, copy)?;
        let mut stretch = self.cut(&rows, random);
        count_level_from_loudest(&mut stretch, examples.spec);
        self.move_along_mel(&mut stretch, examples.spec, random);
        self.move_pitch(&mut stretch, examples.spec, random);
        Ok(stretch)
    }

    fn cut(&self, rows: &FeatureMatrix, random: &mut StdRng) -> Vec<f32> {
        let (length, columns) = (rows.frames(), rows.columns());
        if length == 0 {
            return vec![0.0; self.frames * columns];
        }
        let pace = symmetric(self.pace, random).exp();
        let spare = length as f32 - self.frames as f32 * pace;
        let from = match spare > 0.0 {
            true => random.random_range(0.0..spare),
            false if random.random() => random.random_range(0.0..length as f32),
            false => 0.0,
        };
        let frame = |index: usize| (from + index as f32 * pace) as usize % length;
        let mut stretch = Vec::with_capacity(self.frames * columns);
        (0..self.frames)
            .for_each(|index| stretch.extend_from_slice(&rows.values()[frame(index) * columns..][..columns]));
        stretch
    }

    /// Moves what mel bands hold to their neighbours: band `k` reads what is at `k·(1 + scale) + shift`. Up to a constant,
    /// which the network takes off anyway.
    fn move_along_mel(&self, stretch: &mut [f32], spec: &FeatureSpec, random: &mut StdRng) {
        if self.mel_scale <= 0.0 && self.mel_shift <= 0.0 {
            return;
        }
        let (scale, shift) = (symmetric(self.mel_scale, random), symmetric(self.mel_shift, random));
        apply(&warp(spec, scale, shift), stretch, spec);
    }

    fn move_pitch(&self, stretch: &mut [f32], spec: &FeatureSpec, random: &mut StdRng) {
        let Some(place) = spec.columns.iter().position(|column| *column == Column::LogPitch) else { return };
        let column = spec.n_mfcc + place;
        let shift = symmetric(self.pitch_shift, random) / scale(spec, column).1;
        stretch.chunks_exact_mut(spec.width()).for_each(|row| row[column] += shift);
    }
}

fn symmetric(largest: f32, random: &mut StdRng) -> f32 {
    if largest > 0.0 { random.random_range(-largest..=largest) } else { 0.0 }
}

/// Levels are relative to the loudest frame of what is judged, which in a stretch may be another than in the recording.
fn count_level_from_loudest(stretch: &mut [f32], spec: &FeatureSpec) {
    let Some(place) = spec.columns.iter().position(|column| *column == Column::Energy) else { return };
    let column = spec.n_mfcc + place;
    let (mean, deviation) = scale(spec, column);
    let loudest = stretch.chunks_exact(spec.width()).map(|row| row[column]).fold(f32::MIN, f32::max);
    let higher = -mean / deviation - loudest;
    stretch.chunks_exact_mut(spec.width()).for_each(|row| row[column] += higher);
}

/// Takes every row's cepstra to the sums of the columns of `map`, each as often as its cepstrum says.
fn apply(map: &[f32], rows: &mut [f32], spec: &FeatureSpec) {
    let count = spec.n_mfcc;
    let columns: Vec<f32> = (0..count * count).map(|place| map[place % count * count + place / count]).collect();
    let mut moved = vec![0.0; count];
    for row in rows.chunks_exact_mut(spec.width()) {
        moved.fill(0.0);
        for (value, column) in row.iter().zip(columns.chunks_exact(count)) {
            moved.iter_mut().zip(column).for_each(|(moved, weight)| *moved += weight * value);
        }
        row[..count].copy_from_slice(&moved);
    }
}

/// The change of mel bands as one of standardized cepstra, `[n_mfcc, n_mfcc]`: back to bands, over, and forth again.
fn warp(spec: &FeatureSpec, stretch: f32, shift: f32) -> Vec<f32> {
    let (bands, count) = (spec.n_mels, spec.n_mfcc);
    let dct = Dct::new(bands, count);
    // Column `k` of the cosine transform is what a single band gives.
    let (mut band, mut basis) = (vec![0.0; bands], vec![0.0; bands * count]);
    for (index, cepstrum) in basis.chunks_exact_mut(count).enumerate() {
        band[index] = 1.0;
        dct.apply(&band, cepstrum);
        band[index] = 0.0;
    }
    let mut map = vec![0.0; count * count];
    for target in 0..bands {
        let source = (target as f32 * (1.0 + stretch) + shift).clamp(0.0, (bands - 1) as f32);
        let (low, part) = (source.floor() as usize, source.fract());
        let (below, above) = (&basis[low * count..][..count], &basis[(low + 1).min(bands - 1) * count..][..count]);
        let forth = &basis[target * count..][..count];
        for (row, forth) in map.chunks_exact_mut(count).zip(forth) {
            for (weight, (below, above)) in row.iter_mut().zip(below.iter().zip(above)) {
                *weight += forth * ((1.0 - part) * below + part * above);
            }
        }
    }
    for (row, weights) in map.chunks_exact_mut(count).enumerate() {
        for (column, weight) in weights.iter_mut().enumerate() {
            *weight *= scale(spec, column).1 / scale(spec, row).1;
        }
    }
    map
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use emotone::model::Emotion;

    use super::*;
    use crate::dataset::{DatasetBuilder, StoreWriter};
    use crate::recipe::Recipe;

    #[test]
    fn a_second_voice_has_the_same_emotion() {
        let spec = FeatureSpec { frames: 100, ..Recipe::Robust.features() };
        let (width, pitch) = (spec.width(), spec.n_mfcc);
        let folder = tempfile::tempdir().unwrap();
        let mut writer = StoreWriter::create(&folder.path().join("rows"), width).unwrap();
        let mut builder = DatasetBuilder::default();
        // A column that nothing moves tells the clip.
        for clip in 0..12 {
            let mut rows = vec![0.5; 100 * width];
            rows.chunks_exact_mut(width).for_each(|row| row[pitch] = clip as f32);
            writer.push(&FeatureMatrix::new(width, rows)).unwrap();
            builder.clip(&clip.to_string(), Emotion::ALL[clip % 3], "made", "anybody");
        }
        let (store, dataset) = (writer.finish().unwrap(), builder.build());
        let clips = dataset.indices().collect();
        let examples = Examples { dataset: &dataset, store: &store, spec: &spec, each: 1, served: 0, clips };
        let mingle = Some(Mingle { share: 1.0, frames: [5, 10] });
        let still = Variation {
            pace: 0.0,
            mel_scale: 0.0,
            mel_shift: 0.0,
            pitch_shift: 0.0,
            frames: 100,
            original_share: 1.0,
            mingle,
        };
        let among: Vec<u32> = examples.places().collect();
        let heard = |place: u32, among: &[u32], seed: u64| -> BTreeSet<u32> {
            let stretch = still.draw(&examples, place, among, seed).unwrap();
            stretch.chunks_exact(width).map(|row| row[pitch] as u32).collect()
        };
        let mut others = BTreeSet::new();
        for seed in 0..30 {
            let voices = heard(4, &among, seed);
            assert!(voices.len() <= 2 && voices.iter().all(|clip| clip % 3 == 1), "{voices:?}");
            others.extend(voices);
            assert_eq!(heard(4, &[3, 4, 5], seed), [4].into(), "nobody else has its emotion");
        }
        assert_eq!(others, [1, 4, 7, 10].into());
    }

    #[test]
    fn no_move_along_the_mel_axis_leaves_cepstra_as_they_are() {
        let spec = Recipe::Robust.features();
        let map = warp(&spec, 0.0, 0.0);
        for (index, weight) in map.iter().enumerate() {
            let expected = if index / spec.n_mfcc == index % spec.n_mfcc { 1.0 } else { 0.0 };
            assert!((weight - expected).abs() < 1e-4, "{index}: {weight}");
        }
    }

    #[test]
    fn a_shift_by_one_band_is_one_by_one_band() {
        let spec = Recipe::Robust.features();
        let dct = Dct::new(spec.n_mels, spec.n_mfcc);
        let smooth =
            |shift: f32| -> Vec<f32> { (0..spec.n_mels).map(|band| (0.2 * (band as f32 + shift)).sin()).collect() };
        let (mut before, mut after) = (vec![0.0; spec.n_mfcc], vec![0.0; spec.n_mfcc]);
        dct.apply(&smooth(0.0), &mut before);
        dct.apply(&smooth(1.0), &mut after);
        let map = warp(&spec, 0.0, 1.0);
        for (row, expected) in map.chunks_exact(spec.n_mfcc).zip(&after).take(20) {
            let moved: f32 = row.iter().zip(&before).map(|(weight, value)| weight * value).sum();
            assert!((moved - expected).abs() < 0.2, "{moved} instead of {expected}");
        }
    }
}
