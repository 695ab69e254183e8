//! Stretches of time and coefficients that the network has to do without.

use std::ops::Range;

use emotone::features::FeatureMatrix;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde::{Deserialize, Serialize};

/// How much is hidden: SpecAugment without its warping (Park et al., Interspeech 2019). On cepstra, neighbouring
/// coefficients stand for neighbouring ripples of the spectrum, not for neighbouring frequencies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MaskSettings {
    /// Number of stretches of time.
    pub time_masks: usize,
    /// Longest stretch, in frames; each is drawn evenly from 0 to this.
    pub max_frames: usize,
    /// Number of stretches of coefficients.
    pub column_masks: usize,
    /// Widest stretch, in coefficients; each is drawn evenly from 0 to this.
    pub max_columns: usize,
    /// Columns that are never hidden from the end on, such as pitch and energy beside the cepstra; 0 hides any.
    pub spared_columns: usize,
}

impl Default for MaskSettings {
    fn default() -> Self {
        Self { time_masks: 2, max_frames: 20, column_masks: 2, max_columns: 6, spared_columns: 0 }
    }
}

/// What was hidden, in frames and in columns.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Masks {
    /// Stretches of frames.
    pub frames: Vec<Range<usize>>,
    /// Stretches of columns.
    pub columns: Vec<Range<usize>>,
}

/// Puts stretches of standardized features to 0, which is their mean, and says which.
pub fn mask(features: &mut FeatureMatrix, settings: &MaskSettings, seed: u64) -> Masks {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut stretch = |longest: usize, length: usize| {
        let width = rng.random_range(0..=longest.min(length));
        let start = rng.random_range(0..=length - width);
        start..start + width
    };
    let (frames, columns) = (features.frames(), features.columns());
    let masks = Masks {
        frames: (0..settings.time_masks).map(|_| stretch(settings.max_frames, frames)).collect(),
        columns: (0..settings.column_masks)
            .map(|_| stretch(settings.max_columns, columns.saturating_sub(settings.spared_columns)))
            .collect(),
    };
    for (frame, row) in features.values_mut().chunks_exact_mut(columns.max(1)).enumerate() {
        let whole = masks.frames.iter().any(|stretch| stretch.contains(&frame));
        for (column, value) in row.iter_mut().enumerate() {
            if whole || masks.columns.iter().any(|stretch| stretch.contains(&column)) {
                *value = 0.0;
            }
        }
    }
    masks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_to_be_hidden_is_and_nothing_else() {
        let settings = MaskSettings { spared_columns: 3, ..MaskSettings::default() };
        for seed in 0..50 {
            let mut features = FeatureMatrix::new(12, vec![1.0; 12 * 80]);
            let masks = mask(&mut features, &settings, seed);
            assert_eq!((masks.frames.len(), masks.columns.len()), (2, 2));
            assert!(masks.frames.iter().all(|stretch| stretch.len() <= 20 && stretch.end <= 80));
            assert!(masks.columns.iter().all(|stretch| stretch.len() <= 6 && stretch.end <= 9));
            for (frame, row) in features.rows().enumerate() {
                for (column, value) in row.iter().enumerate() {
                    let hidden = masks.frames.iter().any(|stretch| stretch.contains(&frame))
                        || masks.columns.iter().any(|stretch| stretch.contains(&column));
                    assert_eq!(*value, if hidden { 0.0 } else { 1.0 });
                }
            }
        }
    }

    #[test]
    fn an_empty_matrix_and_a_small_one_are_no_trouble() {
        mask(&mut FeatureMatrix::new(0, vec![]), &MaskSettings::default(), 1);
        mask(&mut FeatureMatrix::new(2, vec![1.0; 4]), &MaskSettings::default(), 1);
    }
}
