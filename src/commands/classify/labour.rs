//! Files shared among threads.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use emotone::http::ApiError;
use emotone::http::answer::Classification;
use emotone::pipeline::{Pipeline, Request};

/// Answers that may wait to be written, for each thread.
const UNWRITTEN: usize = 4;

/// A file that was dealt with.
pub struct Done {
    /// The file.
    pub file: PathBuf,
    /// What was heard in it, or why it could not be judged.
    pub answer: Result<Classification, Failure>,
}

/// Why a file could not be judged.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It cannot be read.
    #[error("{0}")]
    Unreadable(#[from] io::Error),
    /// What the service would have said, and what its log would.
    #[error("{}", .0.detail().map_or_else(|| .0.to_string(), str::to_string))]
    Refused(#[from] ApiError),
}

/// Judges files on so many threads, and hands each over on this one: in the order of the files, or as they are done.
///
/// # Errors
/// The first of `write`; nothing more is begun then.
pub fn share(
    pipeline: &Pipeline,
    files: &[PathBuf],
    threads: usize,
    in_order: bool,
    mut write: impl FnMut(Done) -> io::Result<()>,
) -> io::Result<()> {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        let (sender, receiver) = mpsc::sync_channel(threads * UNWRITTEN);
        for _ in 0..threads.min(files.len()) {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(file) = files.get(number) else { return };
                    let done = Done { file: file.clone(), answer: judge(pipeline, file) };
                    if sender.send((number, done)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let (mut early, mut due) = (BTreeMap::new(), 0);
        for (number, done) in receiver {
            if !in_order {
                write(done)?;
                continue;
            }
            early.insert(number, done);
            while let Some(done) = early.remove(&due) {
                write(done)?;
                due += 1;
            }
        }
        Ok(())
    })
}

fn judge(pipeline: &Pipeline, file: &Path) -> Result<Classification, Failure> {
    let bytes = std::fs::read(file)?;
    if bytes.is_empty() {
        return Err(ApiError::EmptyUpload("the file is empty").into());
    }
    let (recording, judgement) = pipeline.classify(bytes.into(), Request::default()).map_err(ApiError::from)?;
    Ok(Classification::new(&recording, &judgement, pipeline.classifier().card(), None))
}
