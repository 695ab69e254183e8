//! The first frames of a live call: which dialect, which sound, which wishes.

use serde::Deserialize;
use serde_json::Value;

use super::dialect::{BadFrame, Dialect};
use super::{plain, twilio};
use crate::audio::{AudioLimits, RawFormat};
use crate::call::{AlertRule, Smoothing, Windowing, channel_of_track};
use crate::model::Emotion;
use crate::pipeline::Pipeline;

/// Most alert rules of one call.
const MOST_RULES: usize = 32;

/// What has been settled once a call begins.
#[derive(Debug)]
pub struct Start {
    /// How the samples of each channel come.
    pub format: RawFormat,
    /// What the caller wishes.
    pub wishes: Wishes,
    /// Name of the call at the caller's, if there is one.
    pub call_id: Option<String>,
    /// How the frames after this one are to be read.
    pub dialect: Dialect,
}

/// What a caller may wish, in any dialect.
#[derive(Debug, Default, Deserialize)]
pub struct Wishes {
    window_seconds: Option<f64>,
    hop_seconds: Option<f64>,
    smoothing: Option<bool>,
    /// Say nothing on the socket but what goes wrong: the webhook is enough, and Twilio takes exception to words.
    #[serde(default)]
    quiet: bool,
    #[serde(default)]
    alerts: Vec<AlertWish>,
}

/// An alert rule as it is written in JSON.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AlertWish {
    emotion: Emotion,
    threshold: f32,
    hold_seconds: f64,
    channel: Option<usize>,
    track: Option<String>,
}

impl Wishes {
    /// Wishes that did not come as JSON.
    pub(super) fn written(
        window_seconds: Option<f64>,
        hop_seconds: Option<f64>,
        quiet: bool,
        rules: Vec<AlertRule>,
    ) -> Self {
        let wish = |rule: AlertRule| AlertWish {
            emotion: rule.emotion,
            threshold: rule.threshold,
            hold_seconds: rule.hold_seconds,
            channel: rule.channel,
            track: None,
        };
        Self { window_seconds, hop_seconds, smoothing: None, quiet, alerts: rules.into_iter().map(wish).collect() }
    }

    /// Other windows than the model's own, where they are wished for.
    ///
    /// # Errors
    /// [`BadFrame`] if the model can't judge such windows.
    pub fn windowing(&self, pipeline: &Pipeline) -> Result<Option<Windowing>, BadFrame> {
        pipeline.windowing(self.window_seconds, self.hop_seconds).map_err(|error| BadFrame(error.to_string()))
    }

    /// Whether the socket is to hear nothing but errors.
    pub fn quiet(&self) -> bool {
        self.quiet
    }

    /// Whether and how segments are smoothed.
    pub fn smoothing(&self) -> Smoothing {
        if self.smoothing.unwrap_or(true) { Smoothing::default() } else { Smoothing::OFF }
    }

    /// The alert rules.
    ///
    /// # Errors
    /// [`BadFrame`] if one makes no sense, or if there are too many.
    pub fn rules(&self) -> Result<Vec<AlertRule>, BadFrame> {
        if self.alerts.len() > MOST_RULES {
            return Err(BadFrame(format!("{} alert rules, at most {MOST_RULES} are possible", self.alerts.len())));
        }
        self.alerts.iter().map(AlertWish::rule).collect()
    }
}

impl AlertWish {
    fn rule(&self) -> Result<AlertRule, BadFrame> {
        let channel = match &self.track {
            None => self.channel,
            Some(track) => {
                Some(channel_of_track(track).ok_or_else(|| BadFrame("`track` is inbound or outbound".into()))?)
            }
        };
        let &Self { emotion, threshold, hold_seconds, .. } = self;
        let rule = AlertRule { emotion, threshold, hold_seconds, channel };
        rule.check().map_err(|error| BadFrame(error.to_string()))?;
        Ok(rule)
    }
}

/// A call whose dialect is not settled yet.
#[derive(Debug, Default)]
pub struct Opening {
    /// Twilio has said that it is connected; its `start` comes next.
    twilio_connected: bool,
}

impl Opening {
    /// Reads a text frame; `None` if the dialect has more to say before the call begins.
    ///
    /// # Errors
    /// [`BadFrame`] for what begins no call.
    pub fn read(&mut self, text: &str, limits: &AudioLimits) -> Result<Option<Start>, BadFrame> {
        let value: Value = serde_json::from_str(text).map_err(|error| BadFrame(format!("not JSON: {error}")))?;
        let word = |key| value.get(key).and_then(Value::as_str);
        let start = match (word("event"), word("type")) {
            (Some("connected"), _) => {
                self.twilio_connected = true;
                return Ok(None);
            }
            (Some("start"), _) => twilio::start(&value)?,
            (Some(event), _) if self.twilio_connected && !matches!(event, "media" | "stop") => return Ok(None),
            (Some(event), _) => return Err(BadFrame(format!("`{event}` before `start`"))),
            (None, Some("start")) => plain::start(&value)?,
            (None, Some(kind)) => return Err(BadFrame(format!("`{kind}` before `start`"))),
            (None, None) if value.get("sampleRate").is_some() => plain::jambonz_start(&value)?,
            (None, None) => {
                return Err(BadFrame(
                    "begins no call: Twilio's `connected`, jambonz' metadata, or {\"type\":\"start\", …} is expected"
                        .into(),
                ));
            }
        };
        check(start.format, limits)?;
        Ok(Some(start))
    }
}

fn check(format: RawFormat, limits: &AudioLimits) -> Result<(), BadFrame> {
    let RawFormat { sample_rate_hz, channels, .. } = format;
    let (low, high, most) = (limits.min_sample_rate_hz, limits.max_sample_rate_hz, limits.max_channels);
    if !(low..=high).contains(&sample_rate_hz) {
        return Err(BadFrame(format!("{sample_rate_hz} Hz, {low} to {high} Hz are possible")));
    }
    if !(1..=most).contains(&channels) {
        return Err(BadFrame(format!("{channels} channels, 1 to {most} are possible")));
    }
    Ok(())
}
