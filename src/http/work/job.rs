//! A recording at work.

use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::rota::Rotating;
use crate::audio::Recording;
use crate::call::Judgement;
use crate::http::error::ApiError;
use crate::pipeline::{Analysis, Progress, Stage};

/// A new recording runs for this long at once before it takes turns with others: enough for a clip of some seconds.
const FIRST_TURN: Duration = Duration::from_millis(20);

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

/// A recording that was judged.
#[derive(Debug)]
pub struct Judged {
    /// What was heard in.
    pub recording: Recording,
    /// What was heard.
    pub judgement: Judgement,
    /// How long it took.
    pub timing: Timing,
}

/// A recording at work, and who waits for it.
pub(super) struct Job {
    analysis: Analysis,
    answer: oneshot::Sender<Result<Judged, ApiError>>,
    entered: Instant,
    begun: Option<Instant>,
    deadline: Deadline,
    timing: Timing,
    _kept: Box<dyn Send>,
}

/// When an answer is of no use any more.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    /// The moment.
    pub at: Instant,
    /// What the caller was granted, for the error's text.
    pub limit: Duration,
}

impl Job {
    pub(super) fn new(
        analysis: Analysis,
        deadline: Deadline,
        kept: Box<dyn Send>,
        now: Instant,
    ) -> (Self, oneshot::Receiver<Result<Judged, ApiError>>) {
        let (answer, receiver) = oneshot::channel();
        let timing = Timing::default();
        (Self { analysis, answer, entered: now, begun: None, deadline, timing, _kept: kept }, receiver)
    }

    /// Refuses the job.
    pub(super) fn refuse(self, reason: ApiError) {
        // Who has left needs no answer.
        let _ = self.answer.send(Err(reason));
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
            if self.answer.is_closed() {
                return None;
            }
            if now > self.deadline.at {
                let limit = self.deadline.limit;
                self.refuse(ApiError::DeadlineExceeded { limit });
                return None;
            }
            let progress = self.analysis.step();
            let took = now.elapsed();
            match progress {
                Ok(Progress::Working(stage)) => self.timing.add(stage, took),
                Ok(Progress::Done(answer)) => {
                    let (recording, judgement) = *answer;
                    self.timing.add(Stage::Inference, took);
                    let _ = self.answer.send(Ok(Judged { recording, judgement, timing: self.timing }));
                    return None;
                }
                Err(error) => {
                    self.refuse(error.into());
                    return None;
                }
            }
            now += took;
            if now >= turn_ends {
                return Some(self);
            }
        }
    }
}

impl Rotating for Job {
    fn is_abandoned(&self) -> bool {
        self.answer.is_closed()
    }
}

impl Timing {
    fn add(&mut self, stage: Stage, took: Duration) {
        match stage {
            Stage::Decode => self.decode += took,
            Stage::Features => self.features += took,
            Stage::Inference => self.inference += took,
        }
    }
}
