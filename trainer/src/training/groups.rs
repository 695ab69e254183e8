//! Groups of speakers that networks tell apart while they learn.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use emotone::features::{Column, FeatureSpec};

use super::Examples;

/// Of more corpora than these each has too small a part of what is heard to be learned by itself.
const MOST_CORPORA: usize = 4;

/// A voice whose pitch is below this more often than above is low: between the highest man's, at 165 Hz, and the lowest
/// woman's, at 199 Hz, of TESS and RAVDESS.
const LOW_BELOW_HZ: f32 = 180.0;
/// Frames from this voicing on have a pitch.
const VOICED: f32 = 0.6;
/// Pitch of the column's zero, in Hz.
const PITCH_UNIT_HZ: f32 = 100.0;

/// A number for each speaker, from 0 on; all are of one group by default.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Groups {
    numbers: Vec<usize>,
}

/// The groups that there may be units for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ToldApart {
    /// Corpora.
    pub corpora: Groups,
    /// Low and high voices of each.
    pub voices: Groups,
}

impl Groups {
    /// Speakers of the same name are of one group; there is only one where there are as many groups as speakers, which a
    /// network that tells them apart learns instead of emotions.
    fn new<T: Ord>(examples: &Examples, named: &BTreeMap<u32, T>) -> Self {
        let names: BTreeSet<&T> = named.values().collect();
        if names.len() == named.len() {
            return Self::default();
        }
        let number = |name: &T| names.iter().position(|one| *one == name);
        let speakers = 0..examples.dataset.speakers().len() as u32;
        Self { numbers: speakers.map(|speaker| named.get(&speaker).and_then(number).unwrap_or(0)).collect() }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        1 + self.numbers.iter().max().copied().unwrap_or(0)
    }

    /// That of a speaker of the dataset.
    pub fn of(&self, speaker: u32) -> usize {
        self.numbers.get(speaker as usize).copied().unwrap_or(0)
    }
}

impl ToldApart {
    /// Among those who speak in the examples. Of a dataset of more than four corpora none are told apart, and of features
    /// without pitch no voices.
    ///
    /// # Errors
    /// If features cannot be read.
    pub fn of(examples: &Examples) -> Result<Self> {
        let dataset = examples.dataset;
        let is_few = dataset.by_corpus().len() <= MOST_CORPORA;
        let corpus = |clip: &u32| if is_few { dataset.corpus(*clip) } else { "" };
        let corpora: BTreeMap<u32, &str> =
            examples.clips.iter().map(|clip| (dataset.spoken_by(*clip), corpus(clip))).collect();
        let mut pitches: BTreeMap<u32, Vec<f32>> = BTreeMap::new();
        for (place, clip) in examples.places().zip(&examples.clips) {
            pitches.entry(dataset.spoken_by(*clip)).or_default().extend(pitch(examples, place)?);
        }
        let is_high = |pitch: f32| pitch >= (LOW_BELOW_HZ / PITCH_UNIT_HZ).ln();
        let voices = pitches.into_iter().map(|(speaker, pitches)| {
            (speaker, (corpora.get(&speaker).copied().unwrap_or_default(), median(pitches).is_some_and(is_high)))
        });
        Ok(Self { corpora: Groups::new(examples, &corpora), voices: Groups::new(examples, &voices.collect()) })
    }
}

/// The usual pitch of a clip, as the natural logarithm of its part of 100 Hz; `None` if nothing is voiced.
fn pitch(examples: &Examples, place: u32) -> Result<Option<f32>> {
    let Some([pitch, voicing]) = columns(examples.spec) else { return Ok(None) };
    let clip = examples.clips[place as usize] as usize;
    let matrix = examples.store.read(clip * examples.each + examples.served)?;
    let rows = matrix.values().chunks_exact(examples.spec.width());
    Ok(median(rows.filter(|row| row[voicing] >= VOICED).map(|row| row[pitch]).collect()))
}

/// Of pitch and voicing.
fn columns(spec: &FeatureSpec) -> Option<[usize; 2]> {
    let place = |wanted| Some(spec.n_mfcc + spec.columns.iter().position(|column| *column == wanted)?);
    Some([place(Column::LogPitch)?, place(Column::Voicing)?])
}

fn median(mut values: Vec<f32>) -> Option<f32> {
    let middle = values.len() / 2;
    (!values.is_empty()).then(|| *values.select_nth_unstable_by(middle, f32::total_cmp).1)
}

#[cfg(test)]
mod tests {
    use emotone::features::FeatureMatrix;
    use emotone::model::Emotion;

    use super::*;
    use crate::dataset::{DatasetBuilder, StoreWriter};
    use crate::recipe::Recipe;

    /// Numbers of corpora and of voices for people of a corpus, a name and a pitch in Hz, in their order.
    fn numbers(people: &[(&str, &str, f32)]) -> [Vec<usize>; 2] {
        let (spec, folder) = (Recipe::Robust.features(), tempfile::tempdir().unwrap());
        let [pitch, voicing] = columns(&spec).unwrap();
        let mut builder = DatasetBuilder::default();
        let mut store = StoreWriter::unnamed(folder.path(), spec.width()).unwrap();
        for (corpus, speaker, hz) in people {
            builder.clip(speaker, Emotion::Sad, corpus, speaker);
            // More frames without a voice than with one, which say nothing.
            let rows = [(hz * 3.0, 0.1), (*hz, 0.9), (hz * 3.0, 0.2), (hz * 1.01, 0.8), (hz * 3.0, 0.0)];
            let rows = rows.iter().flat_map(|(hz, is_voiced)| {
                let mut row = vec![0.0; spec.width()];
                (row[pitch], row[voicing]) = ((hz / 100.0).ln(), *is_voiced);
                row
            });
            store.push(&FeatureMatrix::new(spec.width(), rows.collect())).unwrap();
        }
        let (dataset, store) = (builder.build(), store.finish().unwrap());
        let clips: Vec<u32> = dataset.indices().collect();
        let examples = Examples { dataset: &dataset, store: &store, spec: &spec, each: 1, served: 0, clips };
        let told = ToldApart::of(&examples).unwrap();
        [told.corpora, told.voices]
            .map(|groups| dataset.indices().map(|clip| groups.of(dataset.spoken_by(clip))).collect())
    }

    #[test]
    fn corpora_and_their_voices_are_numbered_by_name_the_low_ones_first() {
        let people = [("b", "4", 220.0), ("a", "1", 120.0), ("a", "3", 130.0), ("b", "2", 210.0), ("b", "5", 150.0)];
        assert_eq!(numbers(&people), [vec![1, 0, 0, 1, 1], vec![2, 0, 0, 2, 1]]);
    }

    #[test]
    fn who_speaks_alone_in_a_corpus_is_told_apart_if_others_are_not() {
        assert_eq!(numbers(&[("a", "1", 120.0), ("a", "2", 130.0), ("b", "3", 140.0)]), [[0, 0, 1], [0, 0, 1]]);
        assert_eq!(numbers(&[("a", "1", 120.0), ("b", "2", 130.0), ("c", "3", 140.0)]), [[0; 3], [0; 3]]);
        // Voices of one corpus, but not where each is a speaker.
        assert_eq!(numbers(&[("a", "1", 120.0), ("a", "2", 230.0), ("a", "3", 240.0)]), [[0; 3], [0, 1, 1]]);
        assert_eq!(numbers(&[("a", "1", 120.0), ("a", "2", 230.0)]), [[0; 2], [0; 2]]);
    }

    #[test]
    fn of_many_corpora_voices_alone_are_told_apart() {
        let people = ["a", "b", "c", "d", "e"].map(|corpus| (corpus, corpus, if corpus < "c" { 250.0 } else { 100.0 }));
        assert_eq!(numbers(&people), [vec![0; 5], vec![1, 1, 0, 0, 0]]);
    }
}
