//! A piece of work in steps, and who waits for it.

use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::rota::Rotating;
use crate::audio::Recording;
use crate::call::Judgement;
use crate::http::error::ApiError;
use crate::pipeline::{Analysis, Progress, Stage};

/// New work runs for this long at once before it takes turns with others: enough for a clip of some seconds.
const FIRST_TURN: Duration = Duration::from_millis(20);

/// Work that is done in steps of some milliseconds.
pub trait Stepwise: Send + 'static {
    /// What it comes to.
    type Answer: Send;

    /// Does the next step.
    ///
    /// # Errors
    /// Whatever ends the work early.
    fn step(&mut self) -> Result<Stepped<Self::Answer>, ApiError>;
}

/// What a step did.
pub enum Stepped<A> {
    /// A piece of that stage; there is more to do.
    Working(Stage),
    /// The last one.
    Done(A),
}

/// Where the time of a request went.
#[derive(Debug, Clone, Copy, Default)]
pub struct Timing {
    /// Before its first turn.
    pub queue: Duration,
    /// Bytes to waveforms.
    pub decode: Duration,
    /// Waveforms to features.
    pub features: Duration,
    /// Features to probabilities.
    pub inference: Duration,
}

/// When an answer is of no use any more.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    /// The moment.
    pub at: Instant,
    /// What the caller was granted, for the error's text.
    pub limit: Duration,
}

/// An answer and how long it took.
pub(super) type Answer<A> = Result<(A, Timing), ApiError>;

/// Some work, and who waits for it.
pub(super) struct Job {
    work: Box<dyn Waited>,
    entered: Instant,
    begun: Option<Instant>,
    deadline: Deadline,
    timing: Timing,
    /// Kept as long as the work lasts, such as the room its bytes take.
    _kept: Box<dyn Send>,
}

impl Job {
    pub(super) fn new<W: Stepwise>(
        work: W,
        deadline: Deadline,
        kept: Box<dyn Send>,
        now: Instant,
    ) -> (Self, oneshot::Receiver<Answer<W::Answer>>) {
        let (answer, receiver) = oneshot::channel();
        let work = Box::new(Waiting { work, answer });
        (Self { work, entered: now, begun: None, deadline, timing: Timing::default(), _kept: kept }, receiver)
    }

    /// Refuses the job.
    pub(super) fn refuse(self, reason: ApiError) {
        self.work.refuse(reason);
    }

    /// Works for one turn: a while at first, then a step at a time. Gives itself back if there is more to do.
    pub(super) fn work(mut self) -> Option<Self> {
        let start = Instant::now();
        let turn_ends = match self.begun {
            None => {
                self.timing.queue = start.duration_since(self.entered);
                start + FIRST_TURN
            }
            Some(_) => start,
        };
        self.begun = self.begun.or(Some(start));
        let mut now = start;
        loop {
            if self.work.is_abandoned() {
                return None;
            }
            if now > self.deadline.at {
                let limit = self.deadline.limit;
                self.work.refuse(ApiError::DeadlineExceeded { limit });
                return None;
            }
            self.work = self.work.step(&mut self.timing)?;
            now = Instant::now();
            if now >= turn_ends {
                return Some(self);
            }
        }
    }
}

impl Rotating for Job {
    fn is_abandoned(&self) -> bool {
        self.work.is_abandoned()
    }
}

/// Work of any kind that somebody waits for.
trait Waited: Send {
    /// Does a step, and gives itself back if there is more to do.
    fn step(self: Box<Self>, timing: &mut Timing) -> Option<Box<dyn Waited>>;
    fn refuse(self: Box<Self>, reason: ApiError);
    fn is_abandoned(&self) -> bool;
}

struct Waiting<W: Stepwise> {
    work: W,
    answer: oneshot::Sender<Answer<W::Answer>>,
}

impl<W: Stepwise> Waited for Waiting<W> {
    fn step(mut self: Box<Self>, timing: &mut Timing) -> Option<Box<dyn Waited>> {
        let start = Instant::now();
        // Who has left needs no answer, so that it does not matter whether it can be sent.
        let _ = match self.work.step() {
            Ok(Stepped::Working(stage)) => {
                timing.add(stage, start.elapsed());
                return Some(self);
            }
            Ok(Stepped::Done(answer)) => {
                timing.add(Stage::Inference, start.elapsed());
                self.answer.send(Ok((answer, *timing)))
            }
            Err(error) => self.answer.send(Err(error)),
        };
        None
    }

    fn refuse(self: Box<Self>, reason: ApiError) {
        let _ = self.answer.send(Err(reason));
    }

    fn is_abandoned(&self) -> bool {
        self.answer.is_closed()
    }
}

impl Stepwise for Analysis {
    type Answer = (Recording, Judgement);

    fn step(&mut self) -> Result<Stepped<Self::Answer>, ApiError> {
        Ok(match Analysis::step(self)? {
            Progress::Working(stage) => Stepped::Working(stage),
            Progress::Done(answer) => Stepped::Done(*answer),
        })
    }
}

impl Timing {
    /// Its parts by the names that metrics, traces and `Server-Timing` have for them, in their order.
    pub fn stages(&self) -> [(&'static str, Duration); 4] {
        [("queue", self.queue), ("decode", self.decode), ("features", self.features), ("inference", self.inference)]
    }

    fn add(&mut self, stage: Stage, took: Duration) {
        match stage {
            Stage::Decode => self.decode += took,
            Stage::Features => self.features += took,
            Stage::Inference => self.inference += took,
        }
    }
}
