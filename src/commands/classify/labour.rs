//! Files shared among threads.

use std::collections::BTreeMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;

use emotone::http::ApiError;
use emotone::http::answer::Classification;
use emotone::pipeline::{Pipeline, Request};

/// Files of each thread that may be begun before what is due is written: behind one long recording so many answers wait, and no
/// more, however large the archive.
const AHEAD: usize = 64;

/// How the words for a file that cannot be read begin.
pub const UNREADABLE: &str = "cannot be read: ";

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
    #[error("{UNREADABLE}{0}")]
    Unreadable(#[from] io::Error),
    /// What the service would have said, and what its log would.
    #[error("{}", .0.detail().map_or_else(|| .0.to_string(), str::to_string))]
    Refused(#[from] ApiError),
}

/// Has files judged on so many threads, and each written once: in the order of the files, or as they are done. Whoever has done
/// the file that is due writes it, and those that wait behind it.
///
/// # Errors
/// The first of `write`; nothing more is begun then.
pub fn share(
    judge: impl Fn(&Path) -> Result<Classification, Failure> + Sync,
    files: &[PathBuf],
    threads: usize,
    in_order: bool,
    write: impl FnMut(Done) -> io::Result<()> + Send,
) -> io::Result<()> {
    let next = AtomicUsize::new(0);
    let desk = Desk {
        pile: Mutex::new(Pile { early: BTreeMap::new(), due: 0, write, failed: None }),
        moved: Condvar::new(),
        room: threads * AHEAD,
        in_order,
    };
    thread::scope(|scope| {
        for _ in 0..threads.min(files.len()) {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(file) = files.get(number) else { return };
                    if !desk.has_room_for(number) {
                        return;
                    }
                    // A number that never comes would be waited for for ever.
                    let answer = catch_unwind(AssertUnwindSafe(|| judge(file)))
                        .unwrap_or_else(|_| Err(ApiError::Internal("the work on this file panicked".into()).into()));
                    desk.hand_in(number, Done { file: file.clone(), answer });
                }
            });
        }
    });
    desk.pile.into_inner().unwrap_or_else(PoisonError::into_inner).failed.map_or(Ok(()), Err)
}

/// Where answers are handed in.
struct Desk<Write> {
    pile: Mutex<Pile<Write>>,
    /// Told when more is due, or nothing is any more.
    moved: Condvar,
    /// How many files may be begun from the one that is due on.
    room: usize,
    in_order: bool,
}

struct Pile<Write> {
    /// What waits for what is due.
    early: BTreeMap<usize, Done>,
    due: usize,
    write: Write,
    failed: Option<io::Error>,
}

impl<Write: FnMut(Done) -> io::Result<()>> Desk<Write> {
    /// Waits until a file may be begun; false if none is to be any more.
    fn has_room_for(&self, number: usize) -> bool {
        let pile = self.pile.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = |pile: &mut Pile<Write>| pile.failed.is_none() && self.in_order && number >= pile.due + self.room;
        let pile = self.moved.wait_while(pile, is_full).unwrap_or_else(PoisonError::into_inner);
        pile.failed.is_none()
    }

    fn hand_in(&self, number: usize, done: Done) {
        let mut pile = self.pile.lock().unwrap_or_else(PoisonError::into_inner);
        if self.in_order {
            pile.early.insert(number, done);
            while let Some(done) = pile.take_due() {
                pile.write(done);
            }
        } else {
            pile.write(done);
        }
        self.moved.notify_all();
    }
}

impl<Write: FnMut(Done) -> io::Result<()>> Pile<Write> {
    fn take_due(&mut self) -> Option<Done> {
        let done = self.early.remove(&self.due)?;
        self.due += 1;
        Some(done)
    }

    fn write(&mut self, done: Done) {
        if self.failed.is_none() {
            self.failed = (self.write)(done).err();
        }
    }
}

/// What is heard in a file.
///
/// # Errors
/// Why nothing is.
pub fn judge(pipeline: &Pipeline, file: &Path) -> Result<Classification, Failure> {
    let bytes = std::fs::read(file)?;
    if bytes.is_empty() {
        return Err(ApiError::EmptyUpload("the file is empty").into());
    }
    let (recording, judgement) = pipeline.classify(bytes.into(), Request::default()).map_err(ApiError::from)?;
    Ok(Classification::new(&recording, &judgement, pipeline.classifier().card(), None))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn behind_one_long_recording_no_more_files_wait_than_may() {
        const THREADS: usize = 2;
        let files: Vec<PathBuf> = (0..3 * THREADS * AHEAD).map(|number| number.to_string().into()).collect();
        let number = |file: &Path| -> usize { file.to_str().unwrap().parse().unwrap() };
        let (waits, first_waits) = mpsc::channel();
        let (waits, first_waits) = (Mutex::new(waits), Mutex::new(first_waits));
        let (first_is_done, too_many) = (AtomicBool::new(false), AtomicBool::new(false));
        let judge = |file: &Path| {
            match number(file) {
                // As long as all that may be begun beside it.
                0 => {
                    let first_waits = first_waits.lock().unwrap();
                    (1..THREADS * AHEAD).for_each(|_| first_waits.recv().unwrap());
                    first_is_done.store(true, Ordering::SeqCst);
                }
                number => {
                    let is_early = number >= THREADS * AHEAD && !first_is_done.load(Ordering::SeqCst);
                    too_many.fetch_or(is_early, Ordering::SeqCst);
                    waits.lock().unwrap().send(()).unwrap();
                }
            }
            Err(Failure::Unreadable(io::Error::other("not there")))
        };
        let mut written = Vec::new();
        let write = |done: Done| {
            written.push(number(&done.file));
            Ok(())
        };
        share(judge, &files, THREADS, true, write).unwrap();
        assert!(!too_many.into_inner());
        assert_eq!(written, (0..files.len()).collect::<Vec<_>>());
    }

    #[test]
    fn who_cannot_write_begins_nothing_more() {
        let files: Vec<PathBuf> = (0..1000).map(|number| number.to_string().into()).collect();
        let begun = AtomicUsize::new(0);
        let judge = |_: &Path| {
            begun.fetch_add(1, Ordering::SeqCst);
            Err(Failure::Unreadable(io::Error::other("not there")))
        };
        assert!(share(judge, &files, 2, true, |_| Err(io::Error::other("the disk is full"))).is_err());
        assert!(begun.into_inner() <= 2 * AHEAD);
    }
}
