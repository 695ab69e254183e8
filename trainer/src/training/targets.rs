//! What a network is to answer.

use burn::tensor::{Device, Tensor, TensorData};
use emotone::model::Emotion;

use super::{Examples, Groups};

/// The emotion of each example, and of which group its speaker is.
pub struct Targets {
    /// Which of the units is right for each.
    right: Vec<usize>,
    units: usize,
    smoothing: f32,
}

impl Targets {
    /// For a network that tells groups apart.
    pub fn new(examples: &Examples, groups: &Groups, smoothing: f32) -> Self {
        let dataset = examples.dataset;
        let of = |clip: &u32| groups.of(dataset.spoken_by(*clip)) * Emotion::COUNT + dataset.emotion(*clip) as usize;
        Self { right: examples.clips.iter().map(of).collect(), units: groups.count() * Emotion::COUNT, smoothing }
    }

    /// One-hot rows `[places, 7 · groups]`, smoothed: each emotion of the right group gets its share of `smoothing`, and the
    /// right one the rest.
    pub fn of(&self, places: &[u32], device: &Device) -> Tensor<2> {
        let share = self.smoothing / Emotion::COUNT as f32;
        let mut values = vec![0.0; places.len() * self.units];
        for (row, place) in values.chunks_exact_mut(self.units).zip(places) {
            let right = self.right[*place as usize];
            let group = right / Emotion::COUNT * Emotion::COUNT;
            row[group..][..Emotion::COUNT].fill(share);
            row[right] = 1.0 - self.smoothing + share;
        }
        Tensor::from_data(TensorData::new(values, [places.len(), self.units]), device)
    }
}

/// From the logits of each group's emotions, one group after another, to those of the emotions: logarithms of the sums of
/// their exponentials over groups. Of one group they are what they were.
pub fn over_groups(logits: &[f32]) -> [f32; Emotion::COUNT] {
    std::array::from_fn(|emotion| {
        let of_each = || logits.iter().skip(emotion).step_by(Emotion::COUNT);
        let highest = of_each().copied().fold(f32::MIN, f32::max);
        highest + of_each().map(|logit| (logit - highest).exp()).sum::<f32>().ln()
    })
}

#[cfg(test)]
mod tests {
    use emotone::features::FeatureMatrix;

    use super::*;
    use crate::dataset::{DatasetBuilder, StoreWriter};
    use crate::recipe::Recipe;
    use crate::temperature::softmax;
    use crate::training::ToldApart;

    #[test]
    fn an_emotion_is_right_in_its_own_corpus_alone() {
        let mut builder = DatasetBuilder::default();
        for (corpus, emotion) in [("west", Emotion::Sad), ("east", Emotion::Fear), ("west", Emotion::Angry)] {
            builder.clip(&format!("{emotion:?}"), emotion, corpus, &format!("{emotion:?}"));
        }
        let (dataset, spec, folder) = (builder.build(), Recipe::Robust.features(), tempfile::tempdir().unwrap());
        let mut store = StoreWriter::unnamed(folder.path(), spec.width()).unwrap();
        dataset.indices().for_each(|_| store.push(&FeatureMatrix::new(spec.width(), Vec::new())).unwrap());
        let store = store.finish().unwrap();
        let clips = dataset.indices().collect();
        let examples = Examples { dataset: &dataset, store: &store, spec: &spec, each: 1, served: 0, clips };
        let told = ToldApart::of(&examples).unwrap();
        let rows = |groups: &Groups| -> Vec<Vec<f32>> {
            let targets = Targets::new(&examples, groups, 0.07).of(&[0, 1, 2], &Device::flex());
            let values: Vec<f32> = targets.into_data().iter::<f32>().collect();
            values.chunks_exact(groups.count() * Emotion::COUNT).map(<[f32]>::to_vec).collect()
        };
        // East is the first corpus by name.
        let own = |emotion: Emotion| {
            let mut row = [0.01; Emotion::COUNT];
            row[emotion as usize] = 0.94;
            row
        };
        let (none, close) = ([0.0; Emotion::COUNT], |a: &[f32], b: &[f32]| {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-6)
        });
        let expected = [[none, own(Emotion::Sad)], [own(Emotion::Fear), none], [none, own(Emotion::Angry)]];
        for (row, expected) in rows(&told.corpora).iter().zip(&expected) {
            assert!(close(row, expected.as_flattened()), "{row:?}");
        }
        for (row, emotion) in rows(&Groups::default()).iter().zip([Emotion::Sad, Emotion::Fear, Emotion::Angry]) {
            assert!(close(row, &own(emotion)), "{row:?}");
        }
    }

    #[test]
    fn over_groups_probabilities_are_added() {
        let one = [0.5, 0.0, -3.0, 8.0, 1.0, 0.25, -1.0];
        assert_eq!(over_groups(&one), one);
        let two: Vec<f32> = (0..2 * Emotion::COUNT).map(|unit| (unit as f32 * 1.7).sin() * 3.0).collect();
        let total: f32 = two.iter().map(|logit| logit.exp()).sum();
        for (emotion, probability) in softmax(over_groups(&two)).into_iter().enumerate() {
            let expected = (two[emotion].exp() + two[Emotion::COUNT + emotion].exp()) / total;
            assert!((probability - expected).abs() < 1e-6, "{emotion}: {probability} instead of {expected}");
        }
    }
}
