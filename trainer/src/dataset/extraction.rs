//! Clips to features, on all cores.

use std::fs::{File, TryLockError};
use std::path::Path;

use anyhow::{Context, Result};
use emotone::features::{FeatureExtractor, FeatureMatrix, FeatureSpec, Normalization, RunningStats};
use rayon::prelude::*;

use super::{Copies, Dataset, FeatureStore, StoreWriter, read};
use crate::say::tell;

/// Clips that are computed in parallel before they are written: what bounds the memory.
const CHUNK: usize = 32;

/// A clip that could not be used, and why.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Unreadable {
    /// Index in the dataset.
    pub index: u32,
    /// The file's name and what is wrong with it.
    pub problem: String,
}

/// The features of some clips as they are before standardization and padding, several copies of each.
pub struct Extracted {
    /// Stands for everything that the records depend on.
    pub key: String,
    /// Records of the first clip's copies, then of the second's, and so on; without rows where a clip is unreadable.
    pub store: FeatureStore,
    /// Records of each clip.
    pub each: usize,
    /// What could not be used, sorted.
    pub unreadable: Vec<Unreadable>,
}

/// Computes the copies of all clips and writes them to `path`. If a store with the same `key` is there already, it is
/// taken as it is; if another run is about to make it, that is waited for.
///
/// # Errors
/// If the features cannot be set up, or the store cannot be written.
pub fn extract(
    path: &Path,
    key: &str,
    spec: &FeatureSpec,
    dataset: &Dataset,
    copies: &Copies,
    mut done: impl FnMut(u32),
) -> Result<Extracted> {
    let (each, note) = (copies.each(), path.with_extension("json"));
    let known = || -> Option<Extracted> {
        let (known, unreadable) = serde_json::from_str(&std::fs::read_to_string(&note).ok()?).ok()?;
        let store = FeatureStore::open(path, spec.width()).ok()?;
        (known == key && store.len() == dataset.len() * each).then_some(Extracted {
            key: known,
            store,
            each,
            unreadable,
        })
    };
    if let Some(known) = known() {
        return Ok(known);
    }
    // Held until they are written; who waited for it finds them.
    let lock_path = path.with_extension("lock");
    let lock = File::create(&lock_path).with_context(|| format!("{}: cannot be written", lock_path.display()))?;
    if let Err(TryLockError::WouldBlock) = lock.try_lock() {
        tell("another run computes these features, which is waited for");
        lock.lock().with_context(|| format!("{}: cannot be locked", lock_path.display()))?;
    }
    if let Some(known) = known() {
        return Ok(known);
    }
    let extractor = FeatureExtractor::new(spec)?;
    let compute = |index: u32| -> Result<Vec<FeatureMatrix>> {
        let clip = dataset.clip(index);
        let sound = read(&clip.path)?;
        let one = |number| -> Result<FeatureMatrix> {
            let track = extractor.frames(&copies.make(&clip, index, &sound, number, spec.sample_rate)?)?;
            Ok(extractor.coefficients(&track, 0..track.frames()))
        };
        (0..each).map(one).collect::<Result<_>>().with_context(|| clip.path.display().to_string())
    };
    let (mut writer, mut unreadable) = (StoreWriter::create(path, spec.width())?, Vec::new());
    for start in dataset.indices().step_by(CHUNK) {
        let chunk = start..dataset.indices().end.min(start + CHUNK as u32);
        let computed: Vec<_> = chunk.clone().into_par_iter().map(compute).collect();
        for (index, result) in chunk.clone().zip(computed) {
            let matrices = result.unwrap_or_else(|problem| {
                unreadable.push(Unreadable { index, problem: format!("{problem:#}") });
                vec![FeatureMatrix::new(spec.width(), Vec::new()); each]
            });
            matrices.iter().try_for_each(|matrix| writer.push(matrix))?;
        }
        done(chunk.end);
    }
    let store = writer.finish()?;
    std::fs::write(&note, serde_json::to_string(&(key, &unreadable))?)
        .with_context(|| format!("{}: cannot be written", note.display()))?;
    Ok(Extracted { key: key.to_owned(), store, each, unreadable })
}

impl Extracted {
    /// Whether a clip could be used.
    pub fn is_readable(&self, clip: u32) -> bool {
        self.unreadable.binary_search_by_key(&clip, |unreadable| unreadable.index).is_err()
    }

    /// `spec` with mean and spread of the frames that reach the model in some clips' first copies, padding left out; in
    /// one pass and without keeping them. Normalization by the recording needs no such figures and stays.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn measured(&self, spec: &FeatureSpec, clips: &[u32]) -> Result<FeatureSpec> {
        if matches!(spec.normalization, Normalization::Recording { .. }) {
            return Ok(spec.clone());
        }
        let mut stats = RunningStats::new(spec.width());
        for clip in clips {
            let matrix = self.store.read(*clip as usize * self.each)?;
            let reached = matrix.frames().min(spec.frames) * spec.width();
            stats.add(&FeatureMatrix::new(spec.width(), matrix.values()[..reached].to_vec()));
        }
        // A column that never changes becomes 0 by any divisor.
        let std = stats.std().into_iter().map(|std| if std > 0.0 { std } else { 1.0 }).collect();
        Ok(FeatureSpec { normalization: Normalization::Global { mean: stats.mean(), std }, ..spec.clone() })
    }
}
