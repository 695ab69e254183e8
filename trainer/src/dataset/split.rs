//! Who trains, who chooses, who tests.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use clap::ValueEnum;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use super::{Clip, Dataset};

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
    pub train: Vec<usize>,
    /// What epochs, temperature and threshold are chosen on.
    pub validation: Vec<usize>,
    /// What is measured once, at the end.
    pub test: Vec<usize>,
}

/// Divides a dataset; the same seed gives the same parts.
///
/// # Errors
/// If a part would be empty.
pub fn split(dataset: &Dataset, kind: SplitKind, seed: u64) -> Result<Split> {
    let mut random = StdRng::seed_from_u64(seed);
    let all: Vec<usize> = (0..dataset.clips.len()).collect();
    let mut split = match kind {
        SplitKind::Random => {
            let (rest, test) = take_stratified(&dataset.clips, &all, &mut random);
            let (train, validation) = take_stratified(&dataset.clips, &rest, &mut random);
            Split { train, validation, test }
        }
        SplitKind::Speaker => by_speaker(dataset, &mut random),
        SplitKind::Whole => return Ok(Split { train: all, ..Split::default() }),
    };
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
fn take_stratified(clips: &[Clip], indices: &[usize], random: &mut StdRng) -> (Vec<usize>, Vec<usize>) {
    let mut groups: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for &index in indices {
        groups.entry((&clips[index].speaker, clips[index].emotion)).or_default().push(index);
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
fn by_speaker(dataset: &Dataset, random: &mut StdRng) -> Split {
    let mut corpora: BTreeMap<&str, BTreeMap<&str, Vec<usize>>> = BTreeMap::new();
    for (index, clip) in dataset.clips.iter().enumerate() {
        corpora.entry(&clip.corpus).or_default().entry(&clip.speaker).or_default().push(index);
    }
    let mut split = Split::default();
    for speakers in corpora.into_values() {
        let mut speakers: Vec<Vec<usize>> = speakers.into_values().collect();
        speakers.shuffle(random);
        let held_out = ((speakers.len() as f64 * HELD_OUT_SPEAKERS).round() as usize).max(1);
        match speakers.len() {
            0 | 1 => split.train.extend(speakers.concat()),
            2 => {
                split.test.extend(&speakers[0]);
                let (train, validation) = take_stratified(&dataset.clips, &speakers[1], random);
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
    split
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use emotone::model::Emotion;

    use super::*;

    fn dataset(speakers: usize, clips_each: usize) -> Dataset {
        let clips = (0..speakers).flat_map(|speaker| {
            (0..clips_each).map(move |index| Clip {
                path: format!("{speaker}/{index}").into(),
                name: format!("{speaker}/{index}"),
                emotion: Emotion::ALL[index % Emotion::COUNT],
                speaker: format!("made/{speaker}"),
                corpus: "made".into(),
            })
        });
        Dataset { clips: clips.collect(), unlabelled: Vec::new() }
    }

    #[test]
    fn a_random_split_keeps_proportions_and_the_seed() {
        let dataset = dataset(2, 700);
        let parts = split(&dataset, SplitKind::Random, 1).unwrap();
        assert_eq!((parts.train.len(), parts.validation.len(), parts.test.len()), (1134, 126, 140));
        let fearful = parts.test.iter().filter(|index| dataset.clips[**index].emotion == Emotion::Fear).count();
        assert_eq!(fearful, 20);
        assert_eq!(parts, split(&dataset, SplitKind::Random, 1).unwrap());
        assert_ne!(parts, split(&dataset, SplitKind::Random, 2).unwrap());
        let everything: BTreeSet<usize> =
            parts.train.iter().chain(&parts.validation).chain(&parts.test).copied().collect();
        assert_eq!(everything.len(), 1400);
    }

    #[test]
    fn nobody_is_heard_on_both_sides_of_a_speaker_split() {
        for speakers in [2, 3, 10] {
            let dataset = dataset(speakers, 70);
            let parts = split(&dataset, SplitKind::Speaker, 5).unwrap();
            let voices = |part: &[usize]| -> BTreeSet<String> {
                part.iter().map(|index| dataset.clips[*index].speaker.clone()).collect()
            };
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
