//! Everything that shaped a run, written beside its model.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result};
use emotone::config::REVISION;
use rayon::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::features::hex;
use crate::dataset::{Dataset, Names, Split};

/// Version of the training framework, which shapes what comes out; Cargo.toml names the same.
const BURN: &str = "0.22.1";

/// Clips whose bytes are digested in parallel before their digests are joined.
const CHUNK: usize = 256;

/// A digest of all clips: their names and every byte. Files that cannot be read count by their names.
pub fn data_hash(dataset: &Dataset) -> String {
    let digest = |index: u32| {
        let clip = dataset.clip(index);
        let mut digest = Sha256::new();
        digest.update(clip.name.as_bytes());
        digest.update(std::fs::read(&clip.path).unwrap_or_default());
        digest.finalize()
    };
    let mut all = Sha256::new();
    for start in dataset.indices().step_by(CHUNK) {
        let chunk = start..dataset.indices().end.min(start + CHUNK as u32);
        let digests: Vec<_> = chunk.into_par_iter().map(digest).collect();
        digests.iter().for_each(|digest| all.update(digest));
    }
    hex(&all.finalize())
}

/// What shaped a run, apart from the networks. Its lists of names are not kept anywhere, but written one by one.
#[derive(Serialize)]
pub struct Run<'a> {
    arguments: Vec<String>,
    data: Data<'a>,
    git_revision: &'static str,
    more: Value,
    split: Parts<'a>,
    versions: Value,
}

#[derive(Serialize)]
struct Data<'a> {
    clips: usize,
    sha256: &'a str,
    #[serde(serialize_with = "each")]
    unlabelled: &'a Names,
}

#[derive(Serialize)]
struct Parts<'a> {
    test: Part<'a>,
    train: Part<'a>,
    validation: Part<'a>,
}

struct Part<'a>(&'a Dataset, &'a [u32]);

impl<'a> Run<'a> {
    /// `more` is kept as it is.
    pub fn new(dataset: &'a Dataset, data_hash: &'a str, split: &'a Split, more: Value) -> Self {
        let part = |indices| Part(dataset, indices);
        Self {
            arguments: std::env::args().collect(),
            data: Data { clips: dataset.len(), sha256: data_hash, unlabelled: dataset.unlabelled() },
            git_revision: REVISION,
            more,
            split: Parts { test: part(&split.test), train: part(&split.train), validation: part(&split.validation) },
            versions: json!({ "emotone-train": env!("CARGO_PKG_VERSION"), "burn": BURN }),
        }
    }
}

impl Serialize for Part<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.1.iter().map(|index| self.0.name(*index)))
    }
}

fn each<S: Serializer>(names: &Names, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(names.iter())
}

/// Reads a file of JSON.
///
/// # Errors
/// With its name, if it cannot be read or holds something else.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let name = || path.display().to_string();
    serde_json::from_slice(&std::fs::read(path).with_context(name)?).with_context(name)
}

/// Writes a file of JSON, piece by piece.
///
/// # Errors
/// With its name, if it cannot be written.
pub fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
    let write = || -> Result<()> {
        let mut out = BufWriter::new(File::create(path)?);
        serde_json::to_writer_pretty(&mut out, value)?;
        Ok(out.flush()?)
    };
    write().with_context(|| format!("{}: cannot be written", path.display()))
}

/// Writes a file.
///
/// # Errors
/// With its name, if it cannot be written.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    std::fs::write(path, bytes).with_context(|| format!("{}: cannot be written", path.display()))
}

/// Stands for something that can be written as JSON.
pub fn key(everything: &Value) -> String {
    hex(&Sha256::digest(everything.to_string().as_bytes()))
}

#[cfg(test)]
mod tests {
    use emotone::model::Emotion;

    use super::*;
    use crate::dataset::DatasetBuilder;

    /// A clip more than fills a chunk, so that the digests of two are joined.
    fn dataset(folder: &Path) -> Dataset {
        let mut builder = DatasetBuilder::default();
        builder.folder(folder);
        for clip in 0..=CHUNK {
            let name = format!("{clip}.wav");
            if clip.is_multiple_of(2) {
                std::fs::write(folder.join(&name), &name).unwrap();
            }
            builder.clip(&name, Emotion::Sad, "made", "somebody");
        }
        builder.unlabelled(Path::new("else.wav"));
        builder.build()
    }

    #[test]
    fn the_digest_is_that_of_all_digests_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let one = |clip: usize| {
            let content = if clip.is_multiple_of(2) { format!("{clip}.wav") } else { String::new() };
            Sha256::digest(format!("made/{clip}.wav{content}"))
        };
        let joined: Vec<u8> = (0..=CHUNK).flat_map(one).collect();
        assert_eq!(data_hash(&dataset(folder.path())), hex(&Sha256::digest(joined)));
    }

    #[test]
    fn a_run_lists_its_clips_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let dataset = dataset(folder.path());
        let split = Split { train: vec![0, 2], validation: vec![1], test: Vec::new() };
        let path = folder.path().join("run.json");
        write_json(&path, &Run::new(&dataset, "abc", &split, json!({ "features": 3 }))).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let run: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(run["split"]["train"], json!(["made/0.wav", "made/2.wav"]));
        assert_eq!(run["split"]["validation"], json!(["made/1.wav"]));
        assert_eq!(run["data"], json!({ "sha256": "abc", "clips": CHUNK + 1, "unlabelled": ["else.wav"] }));
        assert_eq!(run["more"]["features"], 3);
        assert_eq!(run["git_revision"], REVISION, "whatever repository it is run in");
        // Keys stand in alphabetical order.
        assert_eq!(text, serde_json::to_string_pretty(&run).unwrap());
    }
}
