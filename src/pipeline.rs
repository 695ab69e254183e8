//! The whole way of a recording, one line an arrow: bytes, waveforms, windows of features, probabilities, judgement.

use std::mem;

use crate::audio::{AudioError, AudioLimits, Decoder, RawFormat, Recording};
use crate::call::{Judgement, PostedCall, Smoothing, Step, WindowPlan, Windowing, WindowingError};
use crate::features::{FeatureError, FeatureExtractor};
use crate::model::{Classifier, ModelError};

/// What can go wrong on the way.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// The caller's audio.
    #[error(transparent)]
    Audio(#[from] AudioError),
    /// The windows the caller asked for.
    #[error(transparent)]
    Windowing(#[from] WindowingError),
    /// Our features.
    #[error(transparent)]
    Features(#[from] FeatureError),
    /// Our model.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A step after the last one: a fault of the caller's.
    #[error("asked for a step after the last")]
    Finished,
}

/// A model and the limits it works under; cheap to clone, shared by all requests.
#[derive(Clone)]
pub struct Pipeline {
    classifier: Classifier,
    extractor: FeatureExtractor,
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
    /// How segments count what was before them.
    pub smoothing: Smoothing,
}

impl Pipeline {
    /// Joins a model and limits.
    ///
    /// # Errors
    /// [`FeatureError`] if the model's features cannot be set up.
    pub fn new(classifier: Classifier, limits: AudioLimits) -> Result<Self, FeatureError> {
        let extractor = FeatureExtractor::new(classifier.features())?;
        Ok(Self { classifier, extractor, limits })
    }

    /// The model at work.
    pub fn classifier(&self) -> &Classifier {
        &self.classifier
    }

    /// The features at work.
    pub fn extractor(&self) -> &FeatureExtractor {
        &self.extractor
    }

    /// The limits at work.
    pub fn limits(&self) -> &AudioLimits {
        &self.limits
    }

    /// The windows asked for, or the model's own.
    ///
    /// # Errors
    /// [`WindowingError`] if the model can't judge such windows.
    pub fn plan(&self, windowing: Option<Windowing>) -> Result<WindowPlan, WindowingError> {
        WindowPlan::new(windowing, self.classifier.card(), self.classifier.features())
    }

    /// Windows of which only the length or only the hop is asked for; the other is the model's own, if it fits.
    ///
    /// # Errors
    /// [`WindowingError`] if the model can't judge such windows.
    pub fn windowing(
        &self,
        window_seconds: Option<f64>,
        hop_seconds: Option<f64>,
    ) -> Result<Option<Windowing>, WindowingError> {
        if window_seconds.is_none() && hop_seconds.is_none() {
            return Ok(None);
        }
        let own = self.plan(None)?.windowing();
        let window_seconds = window_seconds.unwrap_or(own.window_seconds);
        let hop_seconds = hop_seconds.unwrap_or(own.hop_seconds.min(window_seconds));
        let asked = Some(Windowing { window_seconds, hop_seconds });
        self.plan(asked)?;
        Ok(asked)
    }

    /// Begins with a body of bytes.
    pub fn start(&self, bytes: bytes::Bytes, request: Request) -> Analysis {
        Analysis { pipeline: self.clone(), request, state: State::Received(bytes) }
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

/// A recording at work, in steps of some milliseconds each, so that long ones can take turns with short ones.
pub struct Analysis {
    pipeline: Pipeline,
    request: Request,
    state: State,
}

/// How far an analysis is.
enum State {
    Received(bytes::Bytes),
    Decoding(WindowPlan, Box<Decoder>),
    Judging(Box<PostedCall>),
    Over,
}

impl Analysis {
    /// Does the next piece of work.
    ///
    /// # Errors
    /// Any [`PipelineError`]; the analysis is over then, and every further step is [`PipelineError::Finished`].
    pub fn step(&mut self) -> Result<Progress, PipelineError> {
        let Pipeline { classifier, extractor, limits } = &self.pipeline;
        let (state, progress) = match mem::replace(&mut self.state, State::Over) {
            State::Received(bytes) => {
                let plan = self.pipeline.plan(self.request.windowing)?;
                let decoder = Decoder::new(bytes, self.request.raw, limits)?;
                (State::Decoding(plan, decoder.into()), Progress::Working(Stage::Decode))
            }
            State::Decoding(plan, mut decoder) => {
                let state = if decoder.step()? {
                    State::Decoding(plan, decoder)
                } else {
                    let recording = decoder.finish()?;
                    let call = PostedCall::new(recording, classifier, extractor, plan, self.request.smoothing)?;
                    State::Judging(call.into())
                };
                (state, Progress::Working(Stage::Decode))
            }
            State::Judging(mut call) => match call.step(classifier)? {
                Step::Comparison => (State::Judging(call), Progress::Working(Stage::Decode)),
                Step::Features => (State::Judging(call), Progress::Working(Stage::Features)),
                Step::Inference => (State::Judging(call), Progress::Working(Stage::Inference)),
                Step::Done => (State::Over, Progress::Done(Box::new(call.finish()))),
            },
            State::Over => return Err(PipelineError::Finished),
        };
        self.state = state;
        Ok(progress)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_has_no_further_step() {
        let model = include_bytes!("../models/emotone-cnn.onnx");
        let pipeline = Pipeline::new(Classifier::from_onnx(model).unwrap(), AudioLimits::default()).unwrap();
        let mut analysis = pipeline.start("no audio".into(), Request::default());
        assert!(matches!(analysis.step(), Err(PipelineError::Audio(_))));
        assert!(matches!(analysis.step(), Err(PipelineError::Finished)));
    }
}
