//! A call that lies there whole.

use std::collections::VecDeque;

use super::channel::mean;
use super::twins::Twins;
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
    twins: Twins,
    /// Each channel's; those of channels that turn out to be another's twin are never heard.
    voices: Vec<Voice>,
    /// Complete segments of a voice that are not judged yet, in order.
    waiting: VecDeque<(usize, Window)>,
    rejection_threshold: f32,
}

/// What is heard on a channel.
struct Voice {
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
    /// Looked for channels that are the same.
    Comparison,
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
        let voice = |_| -> Result<Voice, AudioError> {
            Ok(Voice {
                analyzer: ChannelAnalyzer::new(extractor, plan, recording.sample_rate_hz)?,
                position: 0,
                finished: false,
                timeline: Timeline::new(rejection_threshold, smoothing),
                segments: Vec::new(),
            })
        };
        let voices = (0..recording.channels.len()).map(voice).collect::<Result<_, _>>()?;
        let twins = Twins::new(recording.channels.len());
        Ok(Self { recording, twins, voices, waiting: VecDeque::new(), rejection_threshold })
    }

    /// Does the next piece of work.
    ///
    /// # Errors
    /// [`ModelError`] if the network fails.
    pub fn step(&mut self, classifier: &Classifier) -> Result<Step, ModelError> {
        if self.twins.are_open(&self.recording.channels) {
            self.twins.compare(&self.recording.channels);
            return Ok(Step::Comparison);
        }
        if let Some((number, Window { span, inputs })) = self.waiting.pop_front() {
            let answers = classifier.probabilities(&inputs)?;
            let voice = &mut self.voices[number];
            voice.segments.push(voice.timeline.push(span, mean(answers)));
            return Ok(Step::Inference);
        }
        let is_unfinished = |channel: &usize| self.twins.is_first(*channel) && !self.voices[*channel].finished;
        match (0..self.voices.len()).find(is_unfinished) {
            Some(unfinished) => {
                self.hear(unfinished);
                Ok(Step::Features)
            }
            None => Ok(Step::Done),
        }
    }

    /// The recording back, and what is said of it; complete once [`step`](Self::step) had nothing more to do.
    pub fn finish(self) -> (Recording, Judgement) {
        let (mut judged, mut place_of) = (Vec::<ChannelJudgement>::new(), Vec::new());
        for (channel, voice) in self.voices.into_iter().enumerate() {
            if !self.twins.is_first(channel) {
                place_of.push(place_of[self.twins.firsts()[channel]]);
            } else {
                place_of.push(judged.len());
                judged.push(ChannelJudgement { verdict: voice.timeline.verdict(), segments: voice.segments });
            }
        }
        let whole = Judgement::new(judged, self.rejection_threshold);
        let channels = place_of.iter().map(|place| whole.channels[*place].clone()).collect();
        (self.recording, Judgement { verdict: whole.verdict, channels })
    }

    /// Turns the next seconds of a voice into windows.
    fn hear(&mut self, number: usize) {
        let voice = &mut self.voices[number];
        let samples = self.recording.channels[number].samples();
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
