//! What a network is to answer.

use burn::tensor::{Device, Tensor, TensorData};
use emotone::model::Emotion;

use super::Examples;
use crate::dataset::Dataset;

/// Of more corpora than these each has too small a part of what is heard to be learned by itself.
const MOST_CORPORA: usize = 4;

/// Corpora that networks are to tell apart when the clips at `train` are learned from: those of the clips, or one where the
/// dataset has more than four, or where corpora are no more than another name for speakers, which a network that tells them
/// apart learns instead of emotions.
pub fn told_apart(dataset: &Dataset, train: &[u32]) -> usize {
    let corpora = dataset.corpora(train);
    let speakers: usize = corpora.iter().map(|corpus| corpus.speakers).sum();
    let is_worth_it = dataset.by_corpus().len() <= MOST_CORPORA && speakers > corpora.len();
    if is_worth_it { corpora.len() } else { 1 }
}

/// The emotion of each example, and of which corpus it is if that is told apart.
pub struct Targets {
    /// Which of the units is right for each.
    right: Vec<usize>,
    units: usize,
    smoothing: f32,
}

impl Targets {
    /// For a network of so many corpora, numbered by their sorted names; where it tells none apart, all are the first.
    pub fn new(examples: &Examples, corpora: usize, smoothing: f32) -> Self {
        let known = examples.dataset.corpora(&examples.clips);
        let number = |name: &str| known.iter().take(corpora).position(|corpus| corpus.name == name).unwrap_or(0);
        let of = |clip: &u32| {
            number(examples.dataset.corpus(*clip)) * Emotion::COUNT + examples.dataset.emotion(*clip) as usize
        };
        Self { right: examples.clips.iter().map(of).collect(), units: corpora * Emotion::COUNT, smoothing }
    }

    /// One-hot rows `[places, 7 · corpora]`, smoothed: each emotion of the right corpus gets its share of `smoothing`, and the
    /// right one the rest.
    pub fn of(&self, places: &[u32], device: &Device) -> Tensor<2> {
        let share = self.smoothing / Emotion::COUNT as f32;
        let mut values = vec![0.0; places.len() * self.units];
        for (row, place) in values.chunks_exact_mut(self.units).zip(places) {
            let right = self.right[*place as usize];
            let corpus = right / Emotion::COUNT * Emotion::COUNT;
            row[corpus..][..Emotion::COUNT].fill(share);
            row[right] = 1.0 - self.smoothing + share;
        }
        Tensor::from_data(TensorData::new(values, [places.len(), self.units]), device)
    }
}

/// From the logits of each corpus' emotions, one corpus after another, to those of the emotions: logarithms of the sums of
/// their exponentials over corpora. Of one corpus they are what they were.
pub fn over_corpora(logits: &[f32]) -> [f32; Emotion::COUNT] {
    std::array::from_fn(|emotion| {
        let of_each = || logits.iter().skip(emotion).step_by(Emotion::COUNT);
        let highest = of_each().copied().fold(f32::MIN, f32::max);
        highest + of_each().map(|logit| (logit - highest).exp()).sum::<f32>().ln()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{DatasetBuilder, StoreWriter};
    use crate::recipe::Recipe;
    use crate::temperature::softmax;

    #[test]
    fn an_emotion_is_right_in_its_own_corpus_alone() {
        let mut builder = DatasetBuilder::default();
        for (corpus, emotion) in [("west", Emotion::Sad), ("east", Emotion::Fear), ("west", Emotion::Angry)] {
            builder.clip(&format!("{emotion:?}"), emotion, corpus, "anybody");
        }
        let (dataset, spec, folder) = (builder.build(), Recipe::Robust.features(), tempfile::tempdir().unwrap());
        let store = StoreWriter::unnamed(folder.path(), spec.width()).unwrap().finish().unwrap();
        let clips = dataset.indices().collect();
        let examples = Examples { dataset: &dataset, store: &store, spec: &spec, each: 1, served: 0, clips };
        let rows = |corpora: usize| -> Vec<Vec<f32>> {
            let targets = Targets::new(&examples, corpora, 0.07).of(&[0, 1, 2], &Device::flex());
            let values: Vec<f32> = targets.into_data().iter::<f32>().collect();
            values.chunks_exact(corpora * Emotion::COUNT).map(<[f32]>::to_vec).collect()
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
        for (row, expected) in rows(2).iter().zip(&expected) {
            assert!(close(row, expected.as_flattened()), "{row:?}");
        }
        for (row, emotion) in rows(1).iter().zip([Emotion::Sad, Emotion::Fear, Emotion::Angry]) {
            assert!(close(row, &own(emotion)), "{row:?}");
        }
    }

    #[test]
    fn over_corpora_probabilities_are_added() {
        let one = [0.5, 0.0, -3.0, 8.0, 1.0, 0.25, -1.0];
        assert_eq!(over_corpora(&one), one);
        let two: Vec<f32> = (0..2 * Emotion::COUNT).map(|unit| (unit as f32 * 1.7).sin() * 3.0).collect();
        let total: f32 = two.iter().map(|logit| logit.exp()).sum();
        for (emotion, probability) in softmax(over_corpora(&two)).into_iter().enumerate() {
            let expected = (two[emotion].exp() + two[Emotion::COUNT + emotion].exp()) / total;
            assert!((probability - expected).abs() < 1e-6, "{emotion}: {probability} instead of {expected}");
        }
    }

    #[test]
    fn corpora_are_told_apart_where_they_are_few_and_more_than_a_voice_each() {
        let of = |people: &[(&str, &str)]| {
            let mut builder = DatasetBuilder::default();
            people.iter().for_each(|(corpus, speaker)| builder.clip(speaker, Emotion::Sad, corpus, speaker));
            let dataset = builder.build();
            told_apart(&dataset, &dataset.indices().collect::<Vec<_>>())
        };
        assert_eq!(of(&[("a", "1"), ("a", "2"), ("b", "3")]), 2);
        assert_eq!(of(&[("a", "1"), ("a", "2")]), 1);
        assert_eq!(of(&[("a", "1"), ("b", "2"), ("c", "3")]), 1);
        assert_eq!(of(&[("a", "1"), ("a", "2"), ("b", "3"), ("c", "4"), ("d", "5"), ("e", "6")]), 1);
    }
}
