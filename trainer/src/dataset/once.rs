//! Clips that are one recording.

use std::collections::HashSet;
use std::path::Path;

use anyhow::Result;
use emotone::audio::Waveform;
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::Dataset;
use super::sound::{channels_differ, mean, recording};

/// Clips that are decoded in parallel before their digests are compared, and samples that are digested at a time.
const CHUNK: usize = 256;

/// What is left of a dataset when each recording counts once.
#[derive(Debug, Default)]
pub(super) struct Once {
    /// The first clip of each recording.
    pub clips: Vec<u32>,
    /// How many of them have channels that differ.
    pub mixed: usize,
}

/// A file as it counts here.
struct Heard {
    /// Equal for two files that training cannot tell apart; none of one that holds nothing.
    digest: Option<[u8; 32]>,
    channels_differ: bool,
}

impl Once {
    /// Decodes every clip and leaves out those of the same sound as an earlier one, whatever they are packed in. What cannot
    /// be decoded is compared by its bytes.
    pub fn of(dataset: &Dataset) -> Self {
        let (mut seen, mut once) = (HashSet::new(), Self::default());
        for start in dataset.indices().step_by(CHUNK) {
            let chunk = start..dataset.indices().end.min(start + CHUNK as u32);
            let heard: Vec<Heard> =
                chunk.clone().into_par_iter().map(|index| hear(&dataset.clip(index).path)).collect();
            for (index, heard) in chunk.zip(heard) {
                // What cannot be read, or is empty, is told when it is to be used.
                if heard.digest.is_none_or(|digest| seen.insert(digest)) {
                    once.clips.push(index);
                    once.mixed += usize::from(heard.channels_differ);
                }
            }
        }
        once
    }
}

fn hear(path: &Path) -> Heard {
    let decoded = || -> Result<Heard> {
        let recording = recording(path)?;
        let channels_differ = channels_differ(&recording);
        Ok(Heard { digest: Some(digest(&mean(recording)?)), channels_differ })
    };
    decoded().unwrap_or_else(|_| {
        let bytes = std::fs::read(path).ok().filter(|bytes| !bytes.is_empty());
        Heard { digest: bytes.map(|bytes| Sha256::digest(bytes).into()), channels_differ: false }
    })
}

fn digest(sound: &Waveform) -> [u8; 32] {
    let mut digest = Sha256::new();
    digest.update(sound.sample_rate_hz().to_le_bytes());
    for samples in sound.samples().chunks(CHUNK) {
        let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        digest.update(bytes);
    }
    digest.finalize().into()
}
