//! Features on disk, so that memory does not grow with the corpus.

use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, ensure};
use emotone::features::{FeatureExtractor, FeatureMatrix, FeatureSpec, Normalization, RunningStats};
use rayon::prelude::*;

use super::{Clip, load};

/// Clips that are computed in parallel before they are written: what bounds the memory.
const CHUNK: usize = 64;

/// A clip that could not be used, and why.
#[derive(Debug, Clone)]
pub struct Unreadable {
    /// Index in the list of clips that was asked for.
    pub index: usize,
    /// The file's name and what is wrong with it.
    pub problem: String,
}

/// Windows of equal shape, one record each, in a file of their own.
pub struct FeatureStore {
    file: Mutex<File>,
    path: PathBuf,
    frames: usize,
    width: usize,
    records: usize,
}

impl FeatureStore {
    /// Computes `windows(clip)` for each clip on all cores and writes them in order to `path`; each clip gives the same
    /// number of windows of `spec`'s shape. A clip that fails is reported and filled with zeros, so that indices hold.
    ///
    /// # Errors
    /// If the file cannot be written (the disk is full, say).
    pub fn build(
        path: &Path,
        spec: &FeatureSpec,
        clips: &[&Clip],
        each: usize,
        windows: impl Fn(usize, &Clip) -> Result<Vec<FeatureMatrix>> + Sync,
        mut done: impl FnMut(usize),
    ) -> Result<(Self, Vec<Unreadable>)> {
        let (frames, width) = (spec.frames, spec.width());
        let cannot = || format!("{}: cannot be written", path.display());
        let file =
            File::options().read(true).write(true).create(true).truncate(true).open(path).with_context(cannot)?;
        let mut out = BufWriter::new(&file);
        let mut unreadable = Vec::new();
        for (chunk_index, chunk) in clips.chunks(CHUNK).enumerate() {
            let start = chunk_index * CHUNK;
            let computed: Vec<Result<Vec<FeatureMatrix>>> =
                chunk.par_iter().enumerate().map(|(place, clip)| windows(start + place, clip)).collect();
            for (place, result) in computed.into_iter().enumerate() {
                let given = result.unwrap_or_else(|problem| {
                    unreadable.push(Unreadable { index: start + place, problem: format!("{problem:#}") });
                    vec![FeatureMatrix::new(width, vec![0.0; frames * width]); each]
                });
                ensure!(given.len() == each, "{} windows instead of {each}", given.len());
                for window in given {
                    ensure!(window.values().len() == frames * width, "a window of another shape than the features");
                    out.write_all(&to_bytes(window.values())).with_context(cannot)?;
                }
            }
            done(start + chunk.len());
        }
        out.flush().with_context(cannot)?;
        drop(out);
        let store = Self { file: Mutex::new(file), path: path.into(), frames, width, records: clips.len() * each };
        Ok((store, unreadable))
    }

    /// Frames of each window.
    pub fn frames(&self) -> usize {
        self.frames
    }

    /// Values of each frame.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Windows in it.
    pub fn len(&self) -> usize {
        self.records
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// Reads windows, one after the other in the order asked for: shape `[indices, frames, width]`.
    ///
    /// # Errors
    /// If an index is beyond the end, or the file cannot be read.
    pub fn read(&self, indices: &[usize]) -> Result<Vec<f32>> {
        let cannot = || format!("{}: cannot be read", self.path.display());
        let record = self.frames * self.width;
        let mut bytes = vec![0; record * size_of::<f32>()];
        let mut values = Vec::with_capacity(indices.len() * record);
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        for &index in indices {
            ensure!(index < self.records, "window {index} of {}", self.records);
            file.seek(SeekFrom::Start((index * bytes.len()) as u64)).with_context(cannot)?;
            file.read_exact(&mut bytes).with_context(cannot)?;
            values.extend(bytes.as_chunks().0.iter().map(|chunk| f32::from_le_bytes(*chunk)));
        }
        Ok(values)
    }

    /// Reads one window as the serving side takes it.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn window(&self, index: usize) -> Result<FeatureMatrix> {
        Ok(FeatureMatrix::new(self.width, self.read(&[index])?))
    }
}

fn to_bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// Mean and spread of each column over the frames of `clips` that reach the model, before padding, in one pass and
/// without keeping them. Clips that cannot be read are passed over: whoever computes their features reports them.
///
/// # Errors
/// If the features cannot be set up.
pub fn statistics(spec: &FeatureSpec, clips: &[&Clip]) -> Result<Normalization> {
    let extractor = FeatureExtractor::new(spec)?;
    let rows_of = |clip: &&Clip| -> Result<FeatureMatrix> {
        let track = extractor.frames(&load(&clip.path, spec.sample_rate)?)?;
        Ok(extractor.coefficients(&track, 0..spec.frames))
    };
    let mut stats = RunningStats::new(spec.width());
    for chunk in clips.chunks(CHUNK) {
        let computed: Vec<Result<FeatureMatrix>> = chunk.par_iter().map(rows_of).collect();
        computed.iter().flatten().for_each(|matrix| stats.add(matrix));
    }
    // A column that never changes becomes 0 by any divisor.
    let std = stats.std().into_iter().map(|std| if std > 0.0 { std } else { 1.0 }).collect();
    Ok(Normalization::Global { mean: stats.mean(), std })
}
