//! Everything that shaped a run, written beside its model.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use rayon::prelude::*;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::features::hex;
use crate::dataset::{Dataset, Split};

/// Version of the training framework, which shapes what comes out.
const BURN: &str = "0.22.1";

/// A digest of all clips: their names and every byte. Files that cannot be read count by their names.
pub fn data_hash(dataset: &Dataset) -> String {
    let digests: Vec<_> = dataset
        .clips
        .par_iter()
        .map(|clip| {
            let mut digest = Sha256::new();
            digest.update(clip.name.as_bytes());
            digest.update(std::fs::read(&clip.path).unwrap_or_default());
            digest.finalize()
        })
        .collect();
    let mut all = Sha256::new();
    digests.iter().for_each(|digest| all.update(digest));
    hex(&all.finalize())
}

/// What shaped a run, apart from the networks.
pub fn describe(dataset: &Dataset, data_hash: &str, split: &Split, more: Value) -> Value {
    let names =
        |part: &[usize]| -> Vec<&str> { part.iter().map(|index| dataset.clips[*index].name.as_str()).collect() };
    let unlabelled: Vec<String> = dataset.unlabelled.iter().map(|path| path.display().to_string()).collect();
    json!({
        "arguments": std::env::args().collect::<Vec<String>>(),
        "versions": { "emotone-train": env!("CARGO_PKG_VERSION"), "burn": BURN },
        "git_revision": git_revision(),
        "data": { "sha256": data_hash, "clips": dataset.clips.len(), "unlabelled": unlabelled },
        "split": { "train": names(&split.train), "validation": names(&split.validation), "test": names(&split.test) },
        "more": more,
    })
}

/// Writes a file.
///
/// # Errors
/// With its name, if it cannot be written.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    std::fs::write(path, bytes).with_context(|| format!("{}: cannot be written", path.display()))
}

/// The checked-out commit, marked if the tree is changed; null outside a repository.
pub fn git_revision() -> Option<String> {
    let output = Command::new("git").args(["describe", "--always", "--dirty", "--abbrev=40"]).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
