//! Two voices in one stretch.

use emotone::features::FeatureSpec;
use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use crate::network::{Frames, SPREAD_EPSILON, by_level, shares};

/// How often a stretch is made of pieces of two clips that follow each other by chance. Both have one emotion, so neither
/// the voice nor what is said tells it: few people and few sentences are all that some corpora have. The second clip may be of
/// any speaker, the same one too, and of any corpus; what is to be answered is the first one's.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Mingle {
    /// Part of the stretches.
    pub share: f64,
    /// Frames of the shortest piece and of the longest; all of a stretch are alike but for the first and the last.
    pub frames: [usize; 2],
}

impl Mingle {
    /// Whether this stretch is to be mingled.
    pub fn strikes(&self, random: &mut StdRng) -> bool {
        random.random_bool(self.share.clamp(0.0, 1.0))
    }

    /// Pieces of two stretches, each of the same place in either by chance, in any order. The cepstra of each are made relative
    /// to it first, so that no step between channels or vocal tracts tells where the voice changes. The loudest frames of both
    /// may be left out, so that no level is as high as it would be in a recording.
    pub fn join(&self, mut voices: [Vec<f32>; 2], spec: &FeatureSpec, random: &mut StdRng) -> Vec<f32> {
        voices.iter_mut().for_each(|voice| make_relative(voice, spec));
        let (width, length) = (spec.width(), voices[0].len());
        let piece = random.random_range(self.frames[0]..=self.frames[1]) * width;
        let first = random.random_range(0..=piece / width) * width;
        let cuts: Vec<usize> =
            [0].into_iter().chain((first..length).step_by(piece.max(width))).chain([length]).collect();
        let either = |cut: &[usize]| &voices[usize::from(random.random::<bool>())][cut[0]..cut[1]];
        let mut pieces: Vec<&[f32]> = cuts.windows(2).map(either).collect();
        pieces.shuffle(random);
        pieces.concat()
    }
}

/// Cepstra less their mean, over their deviation, frames counting by their level: what the networks that hear two voices
/// begin with.
fn make_relative(stretch: &mut [f32], spec: &FeatureSpec) {
    let (width, count) = (spec.width(), spec.n_mfcc);
    let (column, [slope, offset]) = by_level(spec);
    let level = |row: &[f32]| row.get(column).copied().unwrap_or(0.0);
    let highest = stretch.chunks_exact(width).map(level).fold(f32::MIN, f32::max);
    let weight = |row: &[f32]| ((level(row) - highest) * slope + offset).clamp(0.0, 1.0);
    let shares = shares(stretch.chunks_exact(width).map(weight).collect(), 0.0);
    let cepstra = stretch.chunks_exact(width).flat_map(|row| row[..count].iter().copied()).collect();
    let frames = Frames { x: cepstra, columns: count };
    let means = frames.mean(&shares, |value, _| value);
    let squares = frames.mean(&shares, |value, column| (value - means[column]).powi(2));
    for row in stretch.chunks_exact_mut(width) {
        for ((value, mean), square) in row.iter_mut().zip(&means).zip(&squares) {
            *value = (*value - mean) / (square + SPREAD_EPSILON).sqrt();
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Tensor, TensorData};
    use rand::SeedableRng;

    use super::*;
    use crate::network::{Layer, LayerSpec, Mode, Signal};
    use crate::recipe::Recipe;

    /// A voice whose frames tell their number in the last column but the level, and who speaks in the one before.
    fn voice(spec: &FeatureSpec, who: f32) -> Vec<f32> {
        let width = spec.width();
        (0..160)
            .flat_map(|frame| {
                let mut row = vec![who + (frame as f32 * 0.3).sin(); width];
                (row[width - 1], row[width - 2], row[width - 3]) = (0.0, frame as f32, who);
                row
            })
            .collect()
    }

    #[test]
    fn pieces_of_two_voices_are_whole_and_relative_to_their_own() {
        let spec = Recipe::Robust.features();
        let width = spec.width();
        let mingle = Mingle { share: 1.0, frames: [15, 50] };
        let mut both = 0;
        for seed in 0..50 {
            let voices = [voice(&spec, 3.0), voice(&spec, -5.0)];
            let joined = mingle.join(voices, &spec, &mut StdRng::seed_from_u64(seed));
            let mut frames: Vec<(f32, f32)> =
                joined.chunks_exact(width).map(|row| (row[width - 2], row[width - 3])).collect();
            // Pieces are of 15 frames at least, so that not more frames than this have another before them.
            let breaks = frames.windows(2).filter(|pair| pair[0].0 + 1.0 != pair[1].0).count();
            assert!(breaks <= 160 / 15 + 1, "{breaks}");
            both += usize::from(frames.iter().any(|frame| frame.1 != frames[0].1));
            frames.sort_by(|one, other| one.0.total_cmp(&other.0));
            assert!(frames.iter().enumerate().all(|(number, frame)| frame.0 == number as f32), "seed {seed}");
            // Cepstra were 3 + sin and -5 + sin.
            assert!(joined.chunks_exact(width).all(|row| row[0].abs() < 2.0), "seed {seed}");
        }
        assert!(both > 40, "{both} of 50 have both voices");
        assert!(!Mingle { share: 0.0, ..mingle }.strikes(&mut StdRng::seed_from_u64(1)));
    }

    #[test]
    fn a_voice_is_relative_as_the_first_layers_make_it() {
        let spec = Recipe::Robust.features();
        let (width, (level, line)) = (spec.width(), by_level(&spec));
        let mut random = StdRng::seed_from_u64(2);
        let mut rows: Vec<f32> = (0..40 * width).map(|_| random.random_range(-3.0..3.0)).collect();
        // Some frames weigh nothing, some a part, some all.
        rows.chunks_exact_mut(width).for_each(|row| row[level] = random.random_range(-60.0..0.0));
        let input = Tensor::from_data(TensorData::new(rows.clone(), [1, 40, width]), &Device::flex());
        let front =
            [LayerSpec::Weigh { column: level, line }, LayerSpec::Centre { columns: spec.n_mfcc, scaled: true }];
        let expected = front.iter().fold(Signal::new(input), |signal, layer| {
            Layer::new(layer, width, &mut random, &Device::flex()).forward(signal, &mut Mode::Inference)
        });
        make_relative(&mut rows, &spec);
        let expected: Vec<f32> = expected.values.into_data().iter::<f32>().collect();
        for (place, (ours, expected)) in rows.iter().zip(expected).enumerate() {
            assert!((ours - expected).abs() < 1e-4, "{place}: {ours} instead of {expected}");
        }
    }
}
