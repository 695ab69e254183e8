//! Who is left out of training, and tested.

use std::collections::BTreeMap;

use crate::dataset::{Dataset, SplitKind, split};

/// How rows end whose people no training had heard.
pub const UNHEARD: &str = "unheard speakers";

/// One training of a cross-validation.
#[derive(Debug, Clone, PartialEq)]
pub struct Fold {
    /// Which figure it counts for, such as `RAVDESS, unheard speakers`.
    pub row: String,
    /// Its own name, fit for a file.
    pub name: String,
    /// Clips trained on.
    pub train: Vec<usize>,
    /// Clips tested.
    pub test: Vec<usize>,
    /// Clips whose voices may babble in the background of copies: nobody who is tested in a fold of this corpus.
    pub voices: Vec<usize>,
}

/// Folds over the speakers of each corpus, everybody else training: a corpus of two gives both directions, a larger one
/// `count` groups of speakers. A corpus of two also gives one random split, the paper's measure.
///
/// # Errors
/// If a random split is not possible.
pub fn folds(dataset: &Dataset, count: usize, seed: u64) -> anyhow::Result<Vec<Fold>> {
    let mut corpora: BTreeMap<&str, BTreeMap<&str, Vec<usize>>> = BTreeMap::new();
    for (index, clip) in dataset.clips.iter().enumerate() {
        corpora.entry(&clip.corpus).or_default().entry(&clip.speaker).or_default().push(index);
    }
    let mut folds = Vec::new();
    for (corpus, speakers) in &corpora {
        let own = |index: &usize| dataset.clips[*index].corpus == *corpus;
        let all = 0..dataset.clips.len();
        let elsewhere: Vec<usize> = all.clone().filter(|index| !own(index)).collect();
        let people: Vec<&Vec<usize>> = speakers.values().collect();
        let groups = people.len().min(if people.len() == 2 { 2 } else { count });
        if groups < 2 {
            continue;
        }
        for group in 0..groups {
            let tested = &people[group * people.len() / groups..(group + 1) * people.len() / groups];
            let test: Vec<usize> = tested.iter().flat_map(|clips| clips.iter().copied()).collect();
            folds.push(Fold {
                row: format!("{corpus}, {UNHEARD}"),
                name: format!("{corpus}-{}", group + 1),
                train: all.clone().filter(|index| !test.contains(index)).collect(),
                test,
                voices: elsewhere.clone(),
            });
        }
        if people.len() == 2 {
            let alone = Dataset {
                clips: dataset.clips.iter().filter(|clip| clip.corpus == *corpus).cloned().collect(),
                unlabelled: Vec::new(),
            };
            let places: Vec<usize> = all.clone().filter(own).collect();
            let parts = split(&alone, SplitKind::Random, seed)?;
            let test: Vec<usize> = parts.test.iter().map(|index| places[*index]).collect();
            folds.push(Fold {
                row: format!("{corpus}, random split"),
                name: format!("{corpus}-random"),
                train: all.filter(|index| !test.contains(index)).collect(),
                test,
                voices: elsewhere,
            });
        }
    }
    Ok(folds)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use emotone::model::Emotion;

    use super::*;
    use crate::dataset::Clip;

    #[test]
    fn everybody_is_tested_once_by_a_training_without_them() {
        let clip = |corpus: &str, speaker: usize, index: usize| Clip {
            path: "x".into(),
            name: format!("{corpus}{speaker}{index}"),
            emotion: Emotion::ALL[index % 7],
            speaker: format!("{corpus}/{speaker}"),
            corpus: corpus.into(),
        };
        let two = (0..2).flat_map(|speaker| (0..140).map(move |index| clip("two", speaker, index)));
        let many = (0..10).flat_map(|speaker| (0..14).map(move |index| clip("many", speaker, index)));
        let dataset = Dataset { clips: two.chain(many).collect(), unlabelled: Vec::new() };
        let folds = folds(&dataset, 4, 1).unwrap();
        let names: Vec<&str> = folds.iter().map(|fold| fold.name.as_str()).collect();
        assert_eq!(names, ["many-1", "many-2", "many-3", "many-4", "two-1", "two-2", "two-random"]);
        let speakers = |part: &[usize]| -> BTreeSet<&str> {
            part.iter().map(|index| dataset.clips[*index].speaker.as_str()).collect()
        };
        let mut tested: Vec<usize> = Vec::new();
        for fold in folds.iter().filter(|fold| fold.row.ends_with("unheard speakers")) {
            assert!(speakers(&fold.train).is_disjoint(&speakers(&fold.test)), "{}", fold.name);
            assert!(speakers(&fold.voices).is_disjoint(&speakers(&fold.test)), "{}", fold.name);
            assert_eq!(fold.train.len() + fold.test.len(), dataset.clips.len());
            tested.extend(&fold.test);
        }
        tested.sort_unstable();
        assert_eq!(tested, (0..dataset.clips.len()).collect::<Vec<_>>());
    }
}
