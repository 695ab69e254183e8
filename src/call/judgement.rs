//! What is said of a call in the end.

use crate::model::{Emotion, Probabilities};

/// What was heard in a stretch of one channel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Verdict {
    /// Nothing that could be judged.
    NoSpeech,
    /// Speech, but the best emotion is below the model's rejection threshold.
    Uncertain(Probabilities),
    /// Speech, and an emotion to rely on.
    Ok(Probabilities),
}

impl Verdict {
    /// Judges probabilities by the model's rejection threshold; `None` is no speech.
    pub fn new(probabilities: Option<Probabilities>, rejection_threshold: f32) -> Self {
        match probabilities {
            None => Verdict::NoSpeech,
            Some(probabilities) if probabilities.best().1 < rejection_threshold => Verdict::Uncertain(probabilities),
            Some(probabilities) => Verdict::Ok(probabilities),
        }
    }

    /// `ok`, `uncertain` or `no_speech`, as answers spell it.
    pub fn status(&self) -> &'static str {
        match self {
            Verdict::NoSpeech => "no_speech",
            Verdict::Uncertain(_) => "uncertain",
            Verdict::Ok(_) => "ok",
        }
    }

    /// How likely each emotion is, where there was speech.
    pub fn probabilities(&self) -> Option<Probabilities> {
        match self {
            Verdict::NoSpeech => None,
            Verdict::Uncertain(probabilities) | Verdict::Ok(probabilities) => Some(*probabilities),
        }
    }

    /// The likeliest emotion and its probability, where there was speech.
    pub fn best(&self) -> Option<(Emotion, f32)> {
        self.probabilities().map(|probabilities| probabilities.best())
    }
}

/// A stretch of one channel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Segment {
    /// Where it begins, in seconds from the start of the recording.
    pub start_seconds: f64,
    /// Where it ends, in seconds.
    pub end_seconds: f64,
    /// Speech in it, in seconds: its weight in sums.
    pub speech_seconds: f64,
    /// What was heard in it.
    pub verdict: Verdict,
}

/// One channel: its timeline and the sum of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ChannelJudgement {
    /// Mean of the windows its segments were judged on, weighted by the segments' speech.
    pub verdict: Verdict,
    /// The whole recording in order, without gap or overlap.
    pub segments: Vec<Segment>,
}

/// A whole recording.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// Mean of the channels, weighted by their speech.
    pub verdict: Verdict,
    /// Every channel, in the file's order.
    pub channels: Vec<ChannelJudgement>,
}

impl ChannelJudgement {
    /// Speech in the channel, in seconds.
    pub fn speech_seconds(&self) -> f64 {
        self.segments.iter().map(|segment| segment.speech_seconds).sum()
    }
}

impl Judgement {
    /// Sums up channels, each weighted by its speech.
    pub fn new(channels: Vec<ChannelJudgement>, rejection_threshold: f32) -> Self {
        let heard = |channel: &ChannelJudgement| Some((channel.verdict.probabilities()?, channel.speech_seconds()));
        let mean = Probabilities::weighted_mean(channels.iter().filter_map(heard));
        Self { verdict: Verdict::new(mean, rejection_threshold), channels }
    }
}
