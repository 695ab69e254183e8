//! Features of whole data folders, computed once and kept.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use emotone::features::{FeatureSpec, Normalization};
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use serde_json::json;

use super::{progress, record};
use crate::augment::{self, Augmenter, Babble, Voice, Voices};
use crate::dataset::{Clip, Copies, Dataset, Extracted, extract, read};
use crate::recipe::Recipe;
use crate::say::tell;

/// Clips that babble is mixed of.
const VOICES: usize = 80;
/// Rate of the voices in the babble, in Hz.
const BABBLE_RATE_HZ: u32 = 16_000;

/// What the members of a recipe learn from.
pub struct Features {
    /// Every clip, and where the recipe has copies, those with voices like the clips' own.
    pub like: Extracted,
    /// The same clips with other copies; none where the recipe has no copies.
    unlike: Option<Extracted>,
}

impl Features {
    /// Those that a member asks for.
    pub fn of(&self, voices: Voices) -> &Extracted {
        match voices {
            Voices::Like => &self.like,
            Voices::Unlike => self.unlike.as_ref().unwrap_or(&self.like),
        }
    }
}

/// Computes the copies that a recipe asks for, unless `folder` holds them already; other people's voices in the background
/// come from the clips at `babblers` alone.
///
/// # Errors
/// If the store cannot be written, or the features cannot be set up.
pub fn compute(
    folder: &Path,
    data_hash: &str,
    recipe: Recipe,
    dataset: &Dataset,
    babblers: &[u32],
    seed: u64,
) -> Result<Features> {
    let one = |voices| compute_copies(folder, data_hash, recipe, voices, dataset, babblers, seed);
    let like = one(Voices::Like)?;
    for clip in &like.unreadable {
        tell(format!("left out: {}", clip.problem));
    }
    if !like.unreadable.is_empty() {
        tell(format!("{} clips could not be read and are left out", like.unreadable.len()));
    }
    let unlike = recipe.random_copies().map(|_| one(Voices::Unlike)).transpose()?;
    Ok(Features { like, unlike })
}

fn compute_copies(
    folder: &Path,
    data_hash: &str,
    recipe: Recipe,
    voices: Voices,
    dataset: &Dataset,
    babblers: &[u32],
    seed: u64,
) -> Result<Extracted> {
    fs::create_dir_all(folder).with_context(|| format!("{}: cannot be made", folder.display()))?;
    let spec = recipe.features();
    let mut key = json!({ "data": data_hash, "features": without_normalization(&spec) });
    let copies = match recipe.random_copies() {
        None => Copies::Plain,
        Some(random) => {
            let chosen = choose(babblers, seed);
            let sources: Vec<String> = chosen.iter().map(|index| dataset.name(*index)).collect();
            let augmentation = augment::Recipe::robust(voices);
            key["copies"] = json!({ "random": random, "seed": seed, "by": augmentation, "voices": sources });
            let speaking = chosen.iter().filter_map(|index| voice(dataset.clip(*index)));
            Copies::varied(Augmenter::new(augmentation, Babble::new(speaking, BABBLE_RATE_HZ)?), random, seed)
        }
    };
    let key = record::key(&key);
    let bar = progress::bar("features", dataset.len());
    let path = folder.join(format!("{}.f32", &key[..16]));
    let extracted = extract(&path, &key, &spec, dataset, &copies, |done| bar.set_position(done.into()))?;
    bar.finish_and_clear();
    Ok(extracted)
}

/// What is computed does not depend on how it is standardized and padded afterwards.
fn without_normalization(spec: &FeatureSpec) -> FeatureSpec {
    FeatureSpec { normalization: Normalization::Recording { epsilon: 1.0 }, frames: 1, ..spec.clone() }
}

fn choose(voices: &[u32], seed: u64) -> Vec<u32> {
    let mut chosen = voices.to_vec();
    chosen.shuffle(&mut StdRng::seed_from_u64(seed));
    chosen.truncate(VOICES);
    chosen.sort_unstable();
    chosen
}

/// A clip that cannot be read is told when its features are computed.
fn voice(clip: Clip) -> Option<Voice> {
    Some(Voice { waveform: read(&clip.path).ok()?, speaker: clip.speaker })
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
