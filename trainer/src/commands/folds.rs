//! Who is left out of training, and tested.

use anyhow::ensure;

use crate::dataset::{Dataset, by_chance};
use crate::training::Examples;

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
    pub train: Vec<u32>,
    /// Clips tested.
    pub test: Vec<u32>,
    /// Clips whose voices may babble in the background of copies: nobody who is tested in a fold of this corpus.
    pub voices: Vec<u32>,
}

impl Fold {
    /// Refuses a fold in which nothing can be read on one of both sides, whose figures would say nothing.
    ///
    /// # Errors
    /// With its name.
    pub fn ensure_usable(&self, train: &Examples, test: &Examples) -> anyhow::Result<()> {
        ensure!(!train.is_empty(), "{}: no readable clip is left to train on", self.name);
        ensure!(!test.is_empty(), "{}: no readable clip is left to test", self.name);
        Ok(())
    }
}

/// Folds over the speakers of each corpus, everybody else training: a corpus of two gives both directions, a larger one
/// `count` groups of speakers. A corpus of two also gives one random split, the paper's measure; and where there are
/// others, each corpus is tested as a whole by a training on the others.
///
/// # Errors
/// If a random split is not possible.
pub fn folds(dataset: &Dataset, count: usize, seed: u64) -> anyhow::Result<Vec<Fold>> {
    let mut folds = Vec::new();
    for (corpus, speakers) in &dataset.by_corpus() {
        let own = |index: &u32| dataset.corpus(*index) == *corpus;
        let all = dataset.indices();
        let elsewhere: Vec<u32> = all.clone().filter(|index| !own(index)).collect();
        if !elsewhere.is_empty() {
            folds.push(Fold {
                row: format!("{corpus}, unheard corpus"),
                name: format!("{corpus}-whole"),
                train: elsewhere.clone(),
                test: all.clone().filter(own).collect(),
                voices: elsewhere.clone(),
            });
        }
        let people: Vec<&Vec<u32>> = speakers.values().collect();
        let groups = people.len().min(if people.len() == 2 { 2 } else { count });
        if groups < 2 {
            continue;
        }
        for group in 0..groups {
            let tested = &people[group * people.len() / groups..(group + 1) * people.len() / groups];
            let test: Vec<u32> = tested.iter().flat_map(|clips| clips.iter().copied()).collect();
            folds.push(Fold {
                row: format!("{corpus}, {UNHEARD}"),
                name: format!("{corpus}-{}", group + 1),
                train: all.clone().filter(|index| !test.contains(index)).collect(),
                test,
                voices: elsewhere.clone(),
            });
        }
        if people.len() == 2 {
            let test = by_chance(dataset, &all.clone().filter(own).collect::<Vec<_>>(), seed)?.test;
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
    use crate::dataset::DatasetBuilder;

    #[test]
    fn everybody_is_tested_once_by_a_training_without_them() {
        let mut builder = DatasetBuilder::default();
        for (corpus, speakers, clips) in [("two", 2, 140), ("many", 10, 14)] {
            for (speaker, clip) in (0..speakers).flat_map(|speaker| (0..clips).map(move |clip| (speaker, clip))) {
                builder.clip(&format!("{speaker}{clip}"), Emotion::ALL[clip % 7], corpus, &speaker.to_string());
            }
        }
        let dataset = builder.build();
        let folds = folds(&dataset, 4, 1).unwrap();
        let names: Vec<&str> = folds.iter().map(|fold| fold.name.as_str()).collect();
        assert_eq!(
            names,
            ["many-whole", "many-1", "many-2", "many-3", "many-4", "two-whole", "two-1", "two-2", "two-random",]
        );
        let speakers = |part: &[u32]| -> BTreeSet<&str> { part.iter().map(|index| dataset.speaker(*index)).collect() };
        let mut tested: Vec<u32> = Vec::new();
        for fold in folds.iter().filter(|fold| fold.row.ends_with("unheard speakers")) {
            assert!(speakers(&fold.train).is_disjoint(&speakers(&fold.test)), "{}", fold.name);
            assert!(speakers(&fold.voices).is_disjoint(&speakers(&fold.test)), "{}", fold.name);
            assert_eq!(fold.train.len() + fold.test.len(), dataset.len());
            tested.extend(&fold.test);
        }
        tested.sort_unstable();
        assert_eq!(tested, dataset.indices().collect::<Vec<_>>());
        for fold in folds.iter().filter(|fold| fold.row.ends_with("unheard corpus")) {
            let corpora =
                |part: &[u32]| -> BTreeSet<&str> { part.iter().map(|index| dataset.corpus(*index)).collect() };
            assert_eq!(corpora(&fold.test).len(), 1, "{}", fold.name);
            assert!(corpora(&fold.train).is_disjoint(&corpora(&fold.test)), "{}", fold.name);
            assert_eq!(fold.train.len() + fold.test.len(), dataset.len());
        }
    }
}
