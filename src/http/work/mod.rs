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
    small: VecDeque<Small>,
    closing: bool,
}

type Small = Box<dyn FnOnce() + Send>;

/// What a thread does next.
enum Task {
    Small(Small),
    Turn(Turn<Job>),
}

impl Workers {
    /// Starts the threads.
    ///
    /// # Errors
    /// If the system does not give a thread.
    pub fn start(limits: RotaLimits) -> io::Result<Self> {
        let rota = Rota::new(limits);
        let state = State { rota, small: VecDeque::new(), closing: false };
        let workers = Self { shared: Arc::new(Shared { state: Mutex::new(state), work_to_do: Condvar::new() }) };
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

    /// Does a small piece of work, some milliseconds at most, before the next turn of a recording: what a live call needs.
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

    /// Pieces of live calls that wait for a thread.
    pub fn small_waiting(&self) -> usize {
        self.shared.lock().small.len()
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

impl State {
    /// Small work comes first, but not twice in a row where recordings wait: calls that stream faster than they are heard would
    /// leave them no turn.
    fn next(&mut self, after_small: bool, now: Instant) -> Option<Task> {
        let small_first = if after_small { None } else { self.small.pop_front() };
        let next = small_first.map(Task::Small).or_else(|| self.rota.next(now).map(Task::Turn));
        next.or_else(|| self.small.pop_front().map(Task::Small))
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // No work is done under the lock, so a panic cannot have left it half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        let (mut state, mut after_small) = (self.lock(), false);
        loop {
            if state.closing {
                return;
            }
            let now = Instant::now();
            let (job, first) = match state.next(after_small, now) {
                Some(Task::Small(small)) => {
                    drop(state);
                    // The panic itself has been logged by the hook; its receiver sees the channel closed.
                    let _ = catch_unwind(AssertUnwindSafe(small));
                    (state, after_small) = (self.lock(), true);
                    continue;
                }
                Some(Task::Turn(Turn::First(job))) => (job, true),
                Some(Task::Turn(Turn::Next(job))) => (job, false),
                Some(Task::Turn(Turn::Late(job))) => {
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
            (state, after_small) = (self.lock(), false);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Stage;

    /// A recording without an end.
    struct Endless;

    impl Stepwise for Endless {
        type Answer = ();

        fn step(&mut self) -> Result<Stepped<()>, ApiError> {
            Ok(Stepped::Working(Stage::Inference))
        }
    }

    fn busy(max_wait: Duration, small: usize) -> (State, oneshot::Receiver<job::Answer<()>>, Instant) {
        let limits = RotaLimits { max_at_work: 1, max_waiting: 10, threads: 1, max_wait };
        let mut state = State { rota: Rota::new(limits), small: VecDeque::new(), closing: false };
        (0..small).for_each(|_| state.small.push_back(Box::new(|| {})));
        let now = Instant::now();
        let deadline = Deadline { at: now + Duration::from_secs(3600), limit: Duration::from_secs(3600) };
        let (job, answer) = Job::new(Endless, deadline, Box::new(()), now);
        assert!(state.rota.enter(job, now).is_ok());
        (state, answer, now)
    }

    #[test]
    fn neither_small_work_nor_recordings_starve() {
        let (mut state, _answer, now) = busy(Duration::from_secs(5), 3);
        let (mut after_small, mut done) = (false, Vec::new());
        for _ in 0..7 {
            let task = state.next(after_small, now).unwrap();
            after_small = matches!(task, Task::Small(_));
            done.push(after_small);
            if let Task::Turn(Turn::First(job) | Turn::Next(job)) = task {
                state.rota.again(job);
            }
        }
        assert_eq!(done, [true, false, true, false, true, false, false]);
        let mut idle = busy(Duration::from_secs(5), 2).0;
        idle.rota.clear();
        assert!((0..2).all(|_| matches!(idle.next(true, now), Some(Task::Small(_)))), "there is nothing else");
        assert!(idle.next(true, now).is_none());
    }

    #[test]
    fn who_waits_for_too_long_is_told_so_while_calls_stream() {
        let (mut state, _answer, now) = busy(Duration::from_secs(5), 100);
        assert!(matches!(state.next(false, now), Some(Task::Small(_))));
        let task = state.next(true, now + Duration::from_secs(6));
        assert!(matches!(task, Some(Task::Turn(Turn::Late(_)))));
    }

    #[tokio::test]
    async fn threads_take_turns_between_the_two() {
        let limits = RotaLimits { max_at_work: 1, max_waiting: 1, threads: 1, max_wait: Duration::from_secs(5) };
        let workers = Workers::start(limits).unwrap();
        let (release, released) = std::sync::mpsc::channel::<()>();
        let order = Arc::new(Mutex::new(Vec::new()));
        let note = |what: &'static str| {
            let order = order.clone();
            move || order.lock().unwrap().push(what)
        };
        let deadline = Deadline { at: Instant::now() + Duration::from_secs(60), limit: Duration::from_secs(60) };
        // The first holds the thread until all have come.
        let held = workers.run(move || released.recv().is_ok());
        let recording = workers.work(Once(note("recording")), deadline, ());
        let (one, other) = (workers.run(note("small")), workers.run(note("small")));
        let all_came = async {
            let waiting = workers.small_waiting();
            release.send(()).is_ok().then_some(waiting)
        };
        let (.., waiting) = tokio::join!(held, one, other, recording, all_came);
        assert!(waiting.is_some_and(|waiting| waiting >= 2) && workers.small_waiting() == 0, "{waiting:?}");
        assert_eq!(*order.lock().unwrap(), ["recording", "small", "small"]);
    }

    /// A recording of a single step.
    struct Once<F>(F);

    impl<F: FnMut() + Send + 'static> Stepwise for Once<F> {
        type Answer = ();

        fn step(&mut self) -> Result<Stepped<()>, ApiError> {
            (self.0)();
            Ok(Stepped::Done(()))
        }
    }
}
