//! The whole way of a recording, one line an arrow: bytes, waveform, features, model, judgement.

use crate::audio::{AudioError, AudioLimits, RawFormat, Recording};
use crate::call::{Judgement, Windowing};
use crate::features::FeatureError;
use crate::model::{Classifier, ModelError};

/// What can go wrong on the way.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// The caller's audio.
    #[error(transparent)]
    Audio(#[from] AudioError),
    /// Our features.
    #[error(transparent)]
    Features(#[from] FeatureError),
    /// Our model.
    #[error(transparent)]
    Model(#[from] ModelError),
}

/// A model and the limits it works under; cheap to clone, shared by all requests.
#[derive(Clone)]
pub struct Pipeline {
    classifier: Classifier,
    limits: AudioLimits,
}

/// Part of the work, so that a caller who has a clock can tell where the time went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Bytes to waveforms.
    Decode,
    /// Waveforms to features.
    Features,
    /// Features to probabilities.
    Inference,
}

/// What one step of an [`Analysis`] did.
#[derive(Debug)]
pub enum Progress {
    /// A bounded piece of that stage; call again.
    Working(Stage),
    /// The answer; there is nothing more to do.
    Done(Box<(Recording, Judgement)>),
}

/// How a body of bytes is to be understood and judged.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Headerless telephony samples instead of a file.
    pub raw: Option<RawFormat>,
    /// Other windows than the model's own.
    pub windowing: Option<Windowing>,
}

/// A recording at work, in steps of some milliseconds each, so that long ones can take turns with short ones.
pub struct Analysis {}

impl Pipeline {
    /// Joins a model and limits.
    ///
    /// # Errors
    /// [`FeatureError`] if the model's features cannot be set up.
    pub fn new(classifier: Classifier, limits: AudioLimits) -> Result<Self, FeatureError> {
        Ok(Self { classifier, limits })
    }

    /// The model at work.
    pub fn classifier(&self) -> &Classifier {
        &self.classifier
    }

    /// The limits at work.
    pub fn limits(&self) -> &AudioLimits {
        &self.limits
    }

    /// Begins with a body of bytes.
    pub fn start(&self, _bytes: bytes::Bytes, _request: Request) -> Analysis {
        Analysis {}
    }

    /// All steps in a row.
    ///
    /// # Errors
    /// Any [`PipelineError`].
    pub fn classify(&self, bytes: bytes::Bytes, request: Request) -> Result<(Recording, Judgement), PipelineError> {
        let mut analysis = self.start(bytes, request);
        loop {
            if let Progress::Done(answer) = analysis.step()? {
                return Ok(*answer);
            }
        }
    }
}

impl Analysis {
    /// Does the next piece of work.
    ///
    /// # Errors
    /// Any [`PipelineError`]; the analysis is over then.
    pub fn step(&mut self) -> Result<Progress, PipelineError> {
        Err(AudioError::Invalid { reason: "not built yet".into() }.into())
    }
}
