//! All computing: plain threads that take turns among the recordings at work, so that no async thread ever computes
//! and no short clip waits behind a long call.

mod rota;
mod pressure;
mod job;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};
use std::{collections::VecDeque, io};

use tokio::sync::oneshot;

pub use job::{Deadline, Stepped, Stepwise, Timing};
pub use rota::RotaLimits;

use self::job::Job;
use self::rota::{Rota, Turn};
use super::error::ApiError;

/// What the refused are told about when to come again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Worker threads and the order of their work. Dropping it ends the threads after their present turn.
pub struct Workers {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    work_to_do: Condvar,
}

struct State {
    rota: Rota<Job>,
    small: VecDeque<Box<dyn FnOnce() + Send>>,
    closing: bool,
}

impl Workers {
    /// Starts the threads.
    ///
    /// # Errors
    /// If the system does not give a thread.
    pub fn start(limits: RotaLimits) -> io::Result<Self> {
        let rota = Rota::new(limits);
        let state = Mutex::new(State { rota, small: VecDeque::new(), closing: false });
        let workers = Self { shared: Arc::new(Shared { state, work_to_do: Condvar::new() }) };
        for number in 0..limits.threads.max(1) {
            let shared = workers.shared.clone();
            thread::Builder::new().name(format!("worker-{number}")).spawn(move || shared.work())?;
        }
        Ok(workers)
    }

    /// Refuses at once if there is no room for one more recording; asked before its body is read.
    ///
    /// # Errors
    /// [`ApiError::Overloaded`].
    pub fn check_room(&self) -> Result<(), ApiError> {
        if self.shared.lock().rota.refuses(Instant::now()) { Err(overloaded()) } else { Ok(()) }
    }

    /// Has some work done, such as a recording judged. `kept` is dropped when the work is over; dropping the future abandons the work.
    ///
    /// # Errors
    /// [`ApiError::Overloaded`] at once or after the longest wait, [`ApiError::DeadlineExceeded`], [`ApiError::Internal`]
    /// if the work panicked, or whatever is wrong with the audio.
    pub async fn work<W: Stepwise>(
        &self,
        work: W,
        deadline: Deadline,
        kept: impl Send + 'static,
    ) -> Result<(W::Answer, Timing), ApiError> {
        let now = Instant::now();
        let (job, answer) = Job::new(work, deadline, Box::new(kept), now);
        self.shared.lock().rota.enter(job, now).map_err(|_| overloaded())?;
        self.shared.work_to_do.notify_one();
        match tokio::time::timeout_at(deadline.at.into(), answer).await {
            Ok(Ok(result)) => result,
            Ok(Err(_gone)) => Err(ApiError::Internal("the work on this request ended without an answer".into())),
            Err(_elapsed) => Err(ApiError::DeadlineExceeded { limit: deadline.limit }),
        }
    }

    /// Does a small piece of work, some milliseconds at most, before all recordings: what a live call needs.
    /// `None` if it panicked. Dropping the future does not undo it.
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let (answer, receiver) = oneshot::channel();
        self.shared.lock().small.push_back(Box::new(move || {
            // Who has left needs no answer.
            let _ = answer.send(work());
        }));
        self.shared.work_to_do.notify_one();
        receiver.await.ok()
    }

    /// Recordings that wait for their first turn.
    pub fn waiting(&self) -> usize {
        self.shared.lock().rota.waiting()
    }

    /// Recordings at work.
    pub fn at_work(&self) -> usize {
        self.shared.lock().rota.at_work()
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.closing = true;
        state.small.clear();
        state.rota.clear();
        self.shared.work_to_do.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // No work is done under the lock, so a panic cannot have left it half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        let mut state = self.lock();
        loop {
            if state.closing {
                return;
            }
            if let Some(small) = state.small.pop_front() {
                drop(state);
                // The panic itself has been logged by the hook; its receiver sees the channel closed.
                let _ = catch_unwind(AssertUnwindSafe(small));
                state = self.lock();
                continue;
            }
            let now = Instant::now();
            let (job, first) = match state.rota.next(now) {
                Some(Turn::First(job)) => (job, true),
                Some(Turn::Next(job)) => (job, false),
                Some(Turn::Late(job)) => {
                    job.refuse(overloaded());
                    continue;
                }
                None => {
                    state = self.work_to_do.wait(state).unwrap_or_else(PoisonError::into_inner);
                    continue;
                }
            };
            drop(state);
            let rest = catch_unwind(AssertUnwindSafe(|| job.work())).unwrap_or(None);
            state = self.lock();
            if first {
                state.rota.begun(now, Instant::now());
            }
            match rest {
                Some(job) => state.rota.again(job),
                None => state.rota.finished(),
            }
            // What waits may have become possible; another thread sleeps because it was not.
            self.work_to_do.notify_one();
        }
    }
}

fn overloaded() -> ApiError {
    ApiError::Overloaded { reason: "as many recordings as possible are at work", retry_after: RETRY_AFTER }
}
