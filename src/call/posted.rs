//! A call that lies there whole.

use std::collections::VecDeque;

use super::channel::mean;
use super::{ChannelAnalyzer, ChannelJudgement, Judgement, Segment, Smoothing, Timeline, Window, WindowPlan};
use crate::audio::{AudioError, Recording};
use crate::features::FeatureExtractor;
use crate::model::{Classifier, ModelError};

/// Sound that one step turns into features, in seconds.
const STEP_SECONDS: usize = 2;

/// The channels of a recording, judged in steps of some milliseconds each.
///
/// Channels of the same samples are one speaker: judged once, and counted once in the sum.
pub struct PostedCall {
    recording: Recording,
    voices: Vec<Voice>,
    /// For each channel of the recording, which of the voices it is.
    voice_of: Vec<usize>,
    /// Complete segments of a voice that are not judged yet, in order.
    waiting: VecDeque<(usize, Window)>,
    rejection_threshold: f32,
}

/// A channel that differs from all before it.
struct Voice {
    channel: usize,
    analyzer: ChannelAnalyzer,
    /// Samples that went into the analyzer.
    position: usize,
    finished: bool,
    timeline: Timeline,
    segments: Vec<Segment>,
}

/// What a step of a [`PostedCall`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Turned some seconds of sound into windows of features.
    Features,
    /// Judged a segment.
    Inference,
    /// Nothing: everything is judged.
    Done,
}

impl PostedCall {
    /// A recording of which nothing was heard yet.
    ///
    /// # Errors
    /// [`AudioError`] if its sample rate cannot be resampled to the features'.
    pub fn new(
        recording: Recording,
        classifier: &Classifier,
        extractor: &FeatureExtractor,
        plan: WindowPlan,
        smoothing: Smoothing,
    ) -> Result<Self, AudioError> {
        let rejection_threshold = classifier.card().rejection_threshold;
        let (mut voices, mut voice_of) = (Vec::<Voice>::new(), Vec::new());
        for (channel, waveform) in recording.channels.iter().enumerate() {
            let samples = |voice: &Voice| recording.channels[voice.channel].samples();
            let known = voices.iter().position(|voice| samples(voice) == waveform.samples());
            voice_of.push(known.unwrap_or(voices.len()));
            if known.is_none() {
                voices.push(Voice {
                    channel,
                    analyzer: ChannelAnalyzer::new(extractor, plan, recording.sample_rate_hz)?,
                    position: 0,
                    finished: false,
                    timeline: Timeline::new(rejection_threshold, smoothing),
                    segments: Vec::new(),
                });
            }
        }
        Ok(Self { recording, voices, voice_of, waiting: VecDeque::new(), rejection_threshold })
    }

    /// Does the next piece of work.
    ///
    /// # Errors
    /// [`ModelError`] if the network fails.
    pub fn step(&mut self, classifier: &Classifier) -> Result<Step, ModelError> {
        if let Some((number, Window { span, inputs })) = self.waiting.pop_front() {
            let answers = classifier.probabilities(&inputs)?;
            let voice = &mut self.voices[number];
            voice.segments.push(voice.timeline.push(span, mean(answers)));
            return Ok(Step::Inference);
        }
        match self.voices.iter().position(|voice| !voice.finished) {
            Some(unfinished) => {
                self.hear(unfinished);
                Ok(Step::Features)
            }
            None => Ok(Step::Done),
        }
    }

    /// The recording back, and what is said of it; complete once [`step`](Self::step) had nothing more to do.
    pub fn finish(self) -> (Recording, Judgement) {
        let mut judged: Vec<ChannelJudgement> = Vec::new();
        for voice in self.voices {
            judged.push(ChannelJudgement { verdict: voice.timeline.verdict(), segments: voice.segments });
        }
        let whole = Judgement::new(judged, self.rejection_threshold);
        let channels = self.voice_of.iter().map(|voice| whole.channels[*voice].clone()).collect();
        (self.recording, Judgement { verdict: whole.verdict, channels })
    }

    /// Turns the next seconds of a voice into windows.
    fn hear(&mut self, number: usize) {
        let voice = &mut self.voices[number];
        let samples = self.recording.channels[voice.channel].samples();
        let rest = &samples[voice.position..];
        let piece = &rest[..rest.len().min(STEP_SECONDS * self.recording.sample_rate_hz as usize)];
        let mut windows = Vec::new();
        voice.analyzer.push(piece, &mut windows);
        voice.position += piece.len();
        if piece.len() == rest.len() {
            voice.analyzer.finish(&mut windows);
            voice.finished = true;
        }
        self.waiting.extend(windows.into_iter().map(|window| (number, window)));
    }
}
