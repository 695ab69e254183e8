//! What the server says on a live call's socket.

use serde::Serialize;
use utoipa::ToSchema;

use crate::call::{Alert, Summary};
use crate::http::answer::{ModelName, SegmentBody, VerdictBody, to_microseconds};
use crate::model::Emotion;

/// A text frame of the server.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[schema(as = StreamFrame)]
pub enum Frame {
    /// The call has begun.
    Ready {
        /// Its name, as in the log.
        session_id: String,
        /// The model that judges.
        model: ModelName,
    },
    /// The next segment of a channel.
    Segment {
        /// Which channel.
        #[serde(flatten)]
        whose: Whose,
        /// What was heard.
        #[serde(flatten)]
        segment: SegmentBody,
    },
    /// An emotion has lasted as long as a rule asks.
    Alert {
        /// Which channel.
        #[serde(flatten)]
        whose: Whose,
        /// What lasted.
        #[serde(flatten)]
        alert: AlertBody,
    },
    /// The call is over.
    Summary(SummaryBody),
    /// A frame was not understood, or the call ends early.
    Error {
        /// For programs: `bad_start`, `bad_frame`, `too_many_bad_frames`, `frame_too_large`, `bad_protocol`, `idle`, `too_long`,
        /// `ending`, `internal`.
        code: &'static str,
        /// For people.
        message: String,
    },
}

/// A channel of a live call.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct Whose {
    /// Its number, from 0.
    pub channel: usize,
    /// Its name where the dialect has one: `inbound`, what the caller says, or `outbound`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub track: Option<&'static str>,
}

/// An emotion that lasted.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AlertBody {
    /// Which.
    pub emotion: Emotion,
    /// Where it began, in seconds from the start of the channel.
    pub since_seconds: f64,
    /// Where it had lasted long enough, in seconds.
    pub at_seconds: f64,
    /// Its mean probability over that time.
    pub confidence: f32,
}

/// What is said of a call in the end.
#[derive(Debug, Serialize, ToSchema)]
pub struct SummaryBody {
    /// Duration of the longest channel, in seconds.
    pub duration_seconds: f64,
    /// Every channel.
    pub channels: Vec<ChannelSummary>,
}

/// What is said of a channel in the end.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChannelSummary {
    /// Which channel.
    #[serde(flatten)]
    pub whose: Whose,
    /// The mean of its windows, weighted by their speech.
    #[serde(flatten)]
    pub verdict: VerdictBody,
}

impl From<&Alert> for AlertBody {
    fn from(alert: &Alert) -> Self {
        Self {
            emotion: alert.emotion,
            since_seconds: to_microseconds(alert.since_seconds),
            at_seconds: to_microseconds(alert.at_seconds),
            confidence: alert.confidence,
        }
    }
}

impl SummaryBody {
    /// Puts a summary into words; `whose` names a channel.
    pub fn new(summary: &Summary, whose: impl Fn(usize) -> Whose) -> Self {
        let channel = |(number, verdict)| ChannelSummary { whose: whose(number), verdict: VerdictBody::from(verdict) };
        Self {
            duration_seconds: to_microseconds(summary.duration_seconds),
            channels: summary.channels.iter().enumerate().map(channel).collect(),
        }
    }
}
