//! What a training begins with: clips, their parts, their features.

use anyhow::{Result, ensure};
use emotone::features::FeatureSpec;

use super::features::{self, Features};
use super::fit::FitArguments;
use super::record;
use crate::dataset::{Dataset, Split, split};
use crate::ensemble::Member;
use crate::recipe::Changes;
use crate::say::tell;
use crate::training::{Examples, ToldApart};

/// Windows that verify a model which has no test part.
const VERIFIED: usize = 300;

/// Clips that are read, divided and computed.
pub struct Prepared {
    /// All clips.
    pub dataset: Dataset,
    /// A digest of them.
    pub hash: String,
    /// Which of them train, validate and test.
    pub parts: Split,
    /// Of all clips and their copies.
    pub features: Features,
    /// What the model judges, standardized by the training part.
    pub spec: FeatureSpec,
}

impl Prepared {
    /// Reads the folders, and says what is in them.
    ///
    /// # Errors
    /// If they cannot be read or divided, or hold nothing to train on.
    pub fn new(arguments: &FitArguments) -> Result<Self> {
        let dataset = Dataset::read_once(&arguments.data)?;
        tell(format!(
            "{} clips of {} speakers ({}); {} audio files name none of the seven emotions",
            dataset.len(),
            dataset.speakers().len(),
            first_few(dataset.speakers()),
            dataset.unlabelled().len()
        ));
        let parts = split(&dataset, arguments.split, arguments.seed)?;
        let hash = record::data_hash(&dataset);
        let (cache, recipe, seed) = (arguments.cache(), arguments.recipe, arguments.seed);
        let features = features::compute(&cache, &hash, recipe, &dataset, &parts.train, seed)?;
        let spec = features.like.measured(&recipe.features(), &parts.train)?;
        let prepared = Self { dataset, hash, parts, features, spec };
        let (train, validation, test) = (prepared.train(), prepared.validation(), prepared.test());
        ensure!(!train.is_empty(), "no readable clip is left to train on");
        tell(format!("{} clips train, {} validate, {} test", train.len(), validation.len(), test.len()));
        Ok(prepared)
    }

    /// The networks that the recipe trains on them.
    ///
    /// # Errors
    /// If its groups of speakers cannot be told.
    pub fn members(&self, arguments: &FitArguments) -> Result<Vec<Member>> {
        let changes = Changes { epochs: arguments.epochs, batch_size: arguments.batch_size, seed: arguments.seed };
        Ok(arguments.recipe.members(arguments.arch, &self.spec, &ToldApart::of(&self.train())?, changes))
    }

    fn train(&self) -> Examples<'_> {
        self.examples(&self.parts.train)
    }

    /// What epochs and calibration are chosen on.
    pub fn validation(&self) -> Examples<'_> {
        self.examples(&self.parts.validation)
    }

    /// What is measured once.
    pub fn test(&self) -> Examples<'_> {
        self.examples(&self.parts.test)
    }

    /// What the exported model is compared on: the test part, or some of the training part where there is none.
    pub fn verified(&self) -> Examples<'_> {
        let (train, test) = (&self.parts.train, self.test());
        if test.is_empty() { self.examples(&train[..train.len().min(VERIFIED)]) } else { test }
    }

    fn examples(&self, part: &[u32]) -> Examples<'_> {
        Examples::new(&self.features.like, &self.spec, &self.dataset, part)
    }
}

/// Some names, for whoever sees at once that they are no people.
fn first_few(names: &[String]) -> String {
    const FEW: usize = 4;
    let more = if names.len() > FEW { ", ..." } else { "" };
    names[..names.len().min(FEW)].join(", ") + more
}
