//! A call that lies there whole.

use std::collections::VecDeque;

use super::channel::mean;
use super::{ChannelAnalyzer, ChannelJudgement, Judgement, Segment, Smoothing, Timeline, Window, WindowPlan};
use crate::audio::{AudioError, Recording, Waveform};
use crate::features::FeatureExtractor;
use crate::model::{Classifier, ModelError};

/// Windows that are judged together: the network takes as many at once.
const BATCH: usize = 8;
/// Sound that one step turns into features, in seconds.
const STEP_SECONDS: usize = 2;
/// Channels whose samples nowhere differ by more are one speaker, as a share of full scale: two steps of 16 bits.
const SAME_SAMPLE: f32 = 2.0 / 32_768.0;

/// The channels of a recording, judged in steps of some milliseconds each.
///
/// Windows of all channels go to the network in batches. Channels of the same content are one speaker: judged once, and
/// counted once in the sum.
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
    /// Judged some windows.
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
            let known = voices.iter().position(|voice| same_sound(&recording.channels[voice.channel], waveform));
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
        let to_judge: usize = self.waiting.iter().map(|(_, window)| window.inputs.len()).sum();
        let unfinished = self.voices.iter().position(|voice| !voice.finished);
        match unfinished {
            Some(voice) if to_judge < BATCH => {
                self.hear(voice);
                Ok(Step::Features)
            }
            _ if !self.waiting.is_empty() => {
                self.judge(classifier)?;
                Ok(Step::Inference)
            }
            _ => Ok(Step::Done),
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

    /// Judges the next segments, up to a batch of windows; those without speech need no network.
    fn judge(&mut self, classifier: &Classifier) -> Result<(), ModelError> {
        let (mut batch, mut segments) = (Vec::new(), Vec::new());
        while batch.len() < BATCH
            && let Some((number, Window { span, inputs })) = self.waiting.pop_front()
        {
            segments.push((number, span, inputs.len()));
            batch.extend(inputs);
        }
        let mut answers = classifier.probabilities(&batch)?.into_iter();
        for (number, span, inputs) in segments {
            let voice = &mut self.voices[number];
            let segment = voice.timeline.push(span, mean(answers.by_ref().take(inputs)));
            voice.segments.push(segment);
        }
        Ok(())
    }
}

/// Whether two channels hold the same sound, but for rounding.
fn same_sound(one: &Waveform, other: &Waveform) -> bool {
    one.samples().iter().zip(other.samples()).all(|(one, other)| (one - other).abs() <= SAME_SAMPLE)
}
