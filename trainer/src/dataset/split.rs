//! Who trains, who chooses, who tests.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use clap::ValueEnum;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use super::Dataset;

/// Part of all clips that is kept for the test, and again for validation.
const HELD_OUT: f64 = 0.1;

/// Part of a corpus' speakers that is kept for the test, and again for validation.
const HELD_OUT_SPEAKERS: f64 = 0.2;

/// How clips are divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SplitKind {
    /// By chance, every speaker and emotion in the same proportion everywhere.
    Random,
    /// By speaker: nobody who is tested was heard in training.
    Speaker,
    /// Not at all: everything trains, and the figures come from a cross-validation.
    Whole,
}

/// Indices into a dataset's clips; no clip is in two parts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Split {
    /// What the network learns from.
    pub train: Vec<u32>,
    /// What epochs, temperature and threshold are chosen on.
    pub validation: Vec<u32>,
    /// What is measured once, at the end.
    pub test: Vec<u32>,
}

/// Divides a dataset; the same seed gives the same parts.
///
/// # Errors
/// If a part would be empty.
pub fn split(dataset: &Dataset, kind: SplitKind, seed: u64) -> Result<Split> {
    match kind {
        SplitKind::Random => by_chance(dataset, &dataset.indices().collect::<Vec<_>>(), seed),
        SplitKind::Speaker => by_speaker(dataset, seed),
        SplitKind::Whole => Ok(Split { train: dataset.indices().collect(), ..Split::default() }),
    }
}

/// Divides the clips at `indices` by chance.
///
/// # Errors
/// As [`split`].
pub fn by_chance(dataset: &Dataset, indices: &[u32], seed: u64) -> Result<Split> {
    let mut random = StdRng::seed_from_u64(seed);
    let (rest, test) = take_stratified(dataset, indices, &mut random);
    let (train, validation) = take_stratified(dataset, &rest, &mut random);
    checked(Split { train, validation, test })
}

fn checked(mut split: Split) -> Result<Split> {
    for (part, name) in
        [(&mut split.train, "training"), (&mut split.validation, "validation"), (&mut split.test, "test")]
    {
        ensure!(!part.is_empty(), "too few clips or speakers: the {name} part would be empty");
        part.sort_unstable();
    }
    Ok(split)
}

/// Takes [`HELD_OUT`] of all clips by chance, in proportion from each speaker and emotion; gives the rest and what was taken.
///
/// Groups too small to give a whole clip are served by largest remainder, so that the total is right.
fn take_stratified(dataset: &Dataset, indices: &[u32], random: &mut StdRng) -> (Vec<u32>, Vec<u32>) {
    let mut groups: BTreeMap<_, Vec<u32>> = BTreeMap::new();
    for &index in indices {
        groups.entry((dataset.spoken_by(index), dataset.emotion(index))).or_default().push(index);
    }
    let (mut rest, mut taken, mut owed) = (Vec::new(), Vec::new(), 0.0);
    for group in groups.values_mut() {
        group.shuffle(random);
        owed += group.len() as f64 * HELD_OUT;
        let share = (owed.round() as usize).min(group.len());
        owed -= share as f64;
        taken.extend_from_slice(&group[..share]);
        rest.extend_from_slice(&group[share..]);
    }
    (rest, taken)
}

/// Gives whole speakers of each corpus to the test and to validation. A corpus of two gives one of them to the test, and
/// a stratified part of the other's clips validates.
fn by_speaker(dataset: &Dataset, seed: u64) -> Result<Split> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut split = Split::default();
    for speakers in dataset.by_corpus().into_values() {
        let mut speakers: Vec<Vec<u32>> = speakers.into_values().collect();
        speakers.shuffle(&mut random);
        let held_out = ((speakers.len() as f64 * HELD_OUT_SPEAKERS).round() as usize).max(1);
        match speakers.len() {
            0 | 1 => split.train.extend(speakers.concat()),
            2 => {
                split.test.extend(&speakers[0]);
                let (train, validation) = take_stratified(dataset, &speakers[1], &mut random);
                split.train.extend(train);
                split.validation.extend(validation);
            }
            _ => {
                split.test.extend(speakers[..held_out].concat());
                split.validation.extend(speakers[held_out..2 * held_out].concat());
                split.train.extend(speakers[2 * held_out..].concat());
            }
        }
    }
    checked(split)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use emotone::model::Emotion;

    use super::*;
    use crate::dataset::DatasetBuilder;

    fn dataset(speakers: usize, clips_each: usize) -> Dataset {
        let mut builder = DatasetBuilder::default();
        for (speaker, index) in (0..speakers).flat_map(|speaker| (0..clips_each).map(move |index| (speaker, index))) {
            let emotion = Emotion::ALL[index % Emotion::COUNT];
            builder.clip(&format!("{speaker}/{index}"), emotion, "made", &speaker.to_string());
        }
        builder.build()
    }

    #[test]
    fn a_random_split_keeps_proportions_and_the_seed() {
        let dataset = dataset(2, 700);
        let parts = split(&dataset, SplitKind::Random, 1).unwrap();
        assert_eq!((parts.train.len(), parts.validation.len(), parts.test.len()), (1134, 126, 140));
        let fearful = parts.test.iter().filter(|index| dataset.emotion(**index) == Emotion::Fear).count();
        assert_eq!(fearful, 20);
        assert_eq!(parts, split(&dataset, SplitKind::Random, 1).unwrap());
        assert_ne!(parts, split(&dataset, SplitKind::Random, 2).unwrap());
        let everything: BTreeSet<u32> =
            parts.train.iter().chain(&parts.validation).chain(&parts.test).copied().collect();
        assert_eq!(everything.len(), 1400);
    }

    #[test]
    fn nobody_is_heard_on_both_sides_of_a_speaker_split() {
        for speakers in [2, 3, 10] {
            let dataset = dataset(speakers, 70);
            let parts = split(&dataset, SplitKind::Speaker, 5).unwrap();
            let voices =
                |part: &[u32]| -> BTreeSet<u32> { part.iter().map(|index| dataset.spoken_by(*index)).collect() };
            assert!(voices(&parts.train).is_disjoint(&voices(&parts.test)), "{speakers} speakers");
            assert!(
                speakers == 2 || voices(&parts.train).is_disjoint(&voices(&parts.validation)),
                "{speakers} speakers"
            );
        }
    }

    #[test]
    fn one_speaker_alone_cannot_be_split_by_speaker() {
        assert!(split(&dataset(1, 70), SplitKind::Speaker, 1).is_err());
    }
}
