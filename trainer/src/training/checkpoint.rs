//! A training on disk, so that one that was killed can go on.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use burn::module::Module;
use burn::optim::{ModuleOptimizer, OptimizerRecord};
use burn::store::ModuleRecord;
use serde::{Deserialize, Serialize};

use super::{EpochFigures, TrainingOptions, WeightAverage};
use crate::network::Network;

/// Where a training is kept after each epoch.
pub struct Checkpoint {
    folder: PathBuf,
    key: String,
}

/// Everything that the next epoch depends on.
pub struct State {
    /// Weights after the last epoch.
    pub network: Network,
    /// What the optimizer remembers.
    pub optimizer: ModuleOptimizer,
    /// Mean of the weights.
    pub average: Option<WeightAverage>,
    /// Weights of the best epoch, and its figures.
    pub best: Option<(EpochFigures, Network)>,
    /// Every epoch so far.
    pub history: Vec<EpochFigures>,
}

#[derive(Serialize, Deserialize)]
struct Note {
    key: String,
    options: TrainingOptions,
    history: Vec<EpochFigures>,
    best: Option<EpochFigures>,
    averaged_steps: Option<usize>,
}

impl Checkpoint {
    /// In a folder of its own; `key` stands for the data, the features and the network.
    pub fn new(folder: &Path, key: String) -> Self {
        Self { folder: folder.into(), key }
    }

    /// Whether a training was kept there.
    pub fn exists(&self) -> bool {
        self.kept().is_some()
    }

    /// Where it is: beside its place if whoever kept it was killed while putting the next one there.
    fn kept(&self) -> Option<PathBuf> {
        [self.folder.clone(), self.old()].into_iter().find(|folder| folder.join("note.json").is_file())
    }

    fn old(&self) -> PathBuf {
        self.folder.with_extension("old")
    }

    /// Forgets it.
    ///
    /// # Errors
    /// If the folder cannot be removed.
    pub fn remove(&self) -> Result<()> {
        for folder in [self.old(), self.folder.clone()].iter().filter(|folder| folder.exists()) {
            fs::remove_dir_all(folder).with_context(|| self.cannot("removed"))?;
        }
        Ok(())
    }

    /// Keeps a training; what was kept before is only given up once everything is written.
    ///
    /// # Errors
    /// With the folder's name, if it cannot be written.
    pub fn save(&self, state: &State, options: &TrainingOptions) -> Result<()> {
        let cannot = || self.cannot("written");
        let fresh = self.folder.with_extension("new");
        if fresh.exists() {
            fs::remove_dir_all(&fresh).with_context(cannot)?;
        }
        fs::create_dir_all(&fresh).with_context(cannot)?;
        let put = |network: &Network, name: &str| {
            network.clone().into_record().save(fresh.join(name)).map_err(|error| anyhow!("{}: {error}", cannot()))
        };
        put(&state.network, "network.bpk")?;
        if let Some((_, network)) = &state.best {
            put(network, "best.bpk")?;
        }
        if let Some(average) = &state.average {
            // A clone would share its running moments with the network, and hand the mean's on to it.
            put(&average.apply(state.network.valid()), "average.bpk")?;
        }
        state.optimizer.save(fresh.join("optimizer.bpk")).map_err(|error| anyhow!("{}: {error}", cannot()))?;
        let note = Note {
            key: self.key.clone(),
            options: options.clone(),
            history: state.history.clone(),
            best: state.best.as_ref().map(|(figures, _)| *figures),
            averaged_steps: state.average.as_ref().map(WeightAverage::steps),
        };
        fs::write(fresh.join("note.json"), serde_json::to_vec(&note)?).with_context(cannot)?;
        let old = self.old();
        if old.exists() {
            fs::remove_dir_all(&old).with_context(cannot)?;
        }
        if self.folder.exists() {
            fs::rename(&self.folder, &old).with_context(cannot)?;
        }
        fs::rename(&fresh, &self.folder).with_context(cannot)?;
        if old.exists() { fs::remove_dir_all(&old).with_context(cannot) } else { Ok(()) }
    }

    /// Reads a training into networks and an optimizer of the same make.
    ///
    /// # Errors
    /// If there is none, it was one with other options, or a file is damaged.
    pub fn load(&self, network: Network, optimizer: ModuleOptimizer, options: &TrainingOptions) -> Result<State> {
        let cannot = || self.cannot("read");
        let folder = self.kept().unwrap_or_else(|| self.folder.clone());
        let note: Note =
            serde_json::from_slice(&fs::read(folder.join("note.json")).with_context(cannot)?).with_context(cannot)?;
        if note.options != *options || note.key != self.key {
            anyhow::bail!("{}: it was begun with other options or data", self.folder.display());
        }
        let get = |network: Network, name: &str| -> Result<Network> {
            let wrong = |error| anyhow!("{}: {error}", cannot());
            let record = ModuleRecord::load(folder.join(name)).map_err(wrong)?;
            network.try_load_record(record).map_err(wrong)
        };
        let record = OptimizerRecord::load(folder.join("optimizer.bpk"));
        let optimizer = optimizer.load_record(record.map_err(|error| anyhow!("{}: {error}", cannot()))?);
        let average = match (note.averaged_steps, options.average) {
            (Some(steps), Some(decay)) => {
                Some(WeightAverage::resume(decay, steps, &get(network.clone(), "average.bpk")?))
            }
            _ => None,
        };
        let best = match note.best {
            Some(figures) => Some((figures, get(network.valid(), "best.bpk")?)),
            None => None,
        };
        let network = get(network, "network.bpk")?;
        Ok(State { network, optimizer, average, best, history: note.history })
    }

    fn cannot(&self, be: &str) -> String {
        format!("{}: cannot be {be}", self.folder.display())
    }
}
