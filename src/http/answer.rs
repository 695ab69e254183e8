//! The answer of `/classify`, on the wire and on the command line.

use serde::Serialize;
use utoipa::ToSchema;

use crate::audio::Recording;
use crate::call::{ChannelJudgement, Judgement, Segment, Verdict};
use crate::model::{Emotion, ModelCard, Probabilities};

/// What was heard in a recording.
#[derive(Debug, Serialize, ToSchema)]
pub struct Classification {
    /// The mean of all channels, each weighted by its speech; channels of the same samples count once.
    #[serde(flatten)]
    pub verdict: VerdictBody,
    /// What was sent.
    pub audio: AudioBody,
    /// Every channel, judged on its own.
    pub channels: Vec<ChannelBody>,
    /// The model that judged.
    pub model: ModelName,
    /// The request's `x-request-id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = true, example = "0199c2f0-6c1e-7a60-8000-3f2b8f0c1d2e")]
    pub request_id: Option<String>,
}

/// What was heard in a stretch of sound.
#[derive(Debug, Serialize, ToSchema)]
pub struct VerdictBody {
    /// `ok`; `uncertain`, the best emotion is below the model's rejection threshold; or `no_speech`, nothing to judge.
    #[schema(value_type = Status, example = "ok")]
    pub status: &'static str,
    /// The likeliest emotion; null without speech.
    #[schema(required = true)]
    pub emotion: Option<Emotion>,
    /// Its probability, in [0, 1]; null without speech.
    #[schema(required = true, minimum = 0.0, maximum = 1.0, example = 0.93)]
    pub confidence: Option<f32>,
    /// The probability of each emotion; null without speech.
    #[schema(required = true)]
    pub probabilities: Option<Probabilities>,
}

/// Whether there was speech, and whether its emotion can be relied on.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[allow(dead_code, reason = "describes the strings of Verdict::status")]
enum Status {
    Ok,
    Uncertain,
    NoSpeech,
}

/// What was sent.
#[derive(Debug, Serialize, ToSchema)]
pub struct AudioBody {
    /// The encoding that was found.
    #[schema(example = "pcm_s16le")]
    pub format: String,
    /// Duration in seconds.
    #[schema(minimum = 0.0, example = 2.05)]
    pub duration_seconds: f64,
    /// Samples a second of each channel, in Hz.
    #[schema(minimum = 1, example = 24414)]
    pub sample_rate_hz: u32,
    /// Number of channels.
    #[schema(minimum = 1, example = 1)]
    pub channels: usize,
}

/// One channel: one side of a call.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChannelBody {
    /// Its number, from 0.
    #[schema(minimum = 0, example = 0)]
    pub channel: usize,
    /// The mean of the windows that its segments are judged on, each weighted by its segment's speech. Smoothing does not change
    /// it.
    #[serde(flatten)]
    pub verdict: VerdictBody,
    /// The whole recording in order, without gap or overlap.
    pub segments: Vec<SegmentBody>,
}

/// A stretch of a channel.
#[derive(Debug, Serialize, ToSchema)]
pub struct SegmentBody {
    /// Where it begins, in seconds from the start.
    #[schema(minimum = 0.0, example = 0.0)]
    pub start_seconds: f64,
    /// Where it ends, in seconds.
    #[schema(minimum = 0.0, example = 2.05)]
    pub end_seconds: f64,
    /// Speech in it, in seconds: its weight in sums.
    #[schema(minimum = 0.0, example = 1.62)]
    pub speech_seconds: f64,
    /// What was heard in it.
    #[serde(flatten)]
    pub verdict: VerdictBody,
}

/// The model that judged.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ModelName {
    /// Its name.
    #[schema(example = "emotone-robust")]
    pub name: String,
    /// Its version.
    #[schema(example = "0.1.0+9c2d5ff8")]
    pub version: String,
}

impl Classification {
    /// Puts into words what was heard in `recording`.
    pub fn new(recording: &Recording, judgement: &Judgement, card: &ModelCard, request_id: Option<&str>) -> Self {
        let audio = AudioBody {
            format: recording.format.clone(),
            duration_seconds: to_microseconds(recording.seconds()),
            sample_rate_hz: recording.sample_rate_hz,
            channels: recording.channels.len(),
        };
        let channels = judgement.channels.iter().enumerate().map(ChannelBody::from).collect();
        let request_id = request_id.map(str::to_string);
        Self { verdict: (&judgement.verdict).into(), audio, channels, model: card.into(), request_id }
    }
}

impl From<&Verdict> for VerdictBody {
    fn from(verdict: &Verdict) -> Self {
        let (emotion, confidence) = verdict.best().unzip();
        Self { status: verdict.status(), emotion, confidence, probabilities: verdict.probabilities() }
    }
}

impl From<(usize, &ChannelJudgement)> for ChannelBody {
    fn from((channel, judgement): (usize, &ChannelJudgement)) -> Self {
        let segments = judgement.segments.iter().map(SegmentBody::from).collect();
        Self { channel, verdict: (&judgement.verdict).into(), segments }
    }
}

impl From<&Segment> for SegmentBody {
    fn from(segment: &Segment) -> Self {
        Self {
            start_seconds: to_microseconds(segment.start_seconds),
            end_seconds: to_microseconds(segment.end_seconds),
            speech_seconds: to_microseconds(segment.speech_seconds),
            verdict: (&segment.verdict).into(),
        }
    }
}

impl From<&ModelCard> for ModelName {
    fn from(card: &ModelCard) -> Self {
        Self { name: card.name.clone(), version: card.version.clone() }
    }
}

/// Seconds without the dust of binary fractions.
pub(super) fn to_microseconds(seconds: f64) -> f64 {
    (seconds * 1e6).round() / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_speech_there_is_nothing_but_the_status() {
        let body = serde_json::to_value(VerdictBody::from(&Verdict::NoSpeech)).unwrap();
        assert_eq!(
            body,
            serde_json::json!({"status": "no_speech", "emotion": null, "confidence": null, "probabilities": null})
        );
    }

    #[test]
    fn the_confidence_is_the_best_probability_to_the_last_digit() {
        let probabilities = Probabilities::new([0.11, 0.02, 0.53, 0.04, 0.1, 0.1, 0.1]).unwrap();
        let segment = Segment {
            start_seconds: 0.0,
            end_seconds: 0.1 + 0.2,
            speech_seconds: 0.2,
            verdict: Verdict::new(Some(probabilities), 0.5),
        };
        let body = serde_json::to_value(SegmentBody::from(&segment)).unwrap();
        assert_eq!(body["end_seconds"], 0.3);
        assert_eq!(body["emotion"], "fear");
        assert_eq!(body["confidence"], body["probabilities"]["fear"]);
    }
}
