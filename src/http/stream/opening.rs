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
/// Longest name of a call, in characters, as of a request; longer ones would only bloat logs and webhooks.
const LONGEST_CALL_ID: usize = 128;

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

/// What a caller may wish, in any dialect; null says nothing.
#[derive(Debug, Default, Deserialize)]
pub struct Wishes {
    window_seconds: Option<f64>,
    hop_seconds: Option<f64>,
    smoothing: Option<bool>,
    /// Say nothing on the socket but what goes wrong: the webhook is enough, and Twilio takes exception to words.
    quiet: Option<bool>,
    alerts: Option<Vec<WishedRule>>,
}

#[derive(Debug, Deserialize)]
#[serde(try_from = "AlertWish")]
struct WishedRule(AlertRule);

/// An alert rule as it is written in JSON.
#[derive(Deserialize)]
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
        quiet: Option<bool>,
        rules: Vec<AlertRule>,
    ) -> Self {
        let alerts = Some(rules.into_iter().map(WishedRule).collect());
        Self { window_seconds, hop_seconds, smoothing: None, quiet, alerts }
    }

    /// Other windows than the model's own, where they are wished for.
    ///
    /// # Errors
    /// [`BadFrame`] if the model can't judge such windows.
    pub fn windowing(&self, pipeline: &Pipeline) -> Result<Option<Windowing>, BadFrame> {
        pipeline.windowing(self.window_seconds, self.hop_seconds).map_err(BadFrame::new)
    }

    /// Whether the socket is to hear nothing but errors.
    pub fn quiet(&self) -> bool {
        self.quiet.unwrap_or(false)
    }

    /// Whether and how segments are smoothed.
    pub fn smoothing(&self) -> Smoothing {
        if self.smoothing.unwrap_or(true) { Smoothing::default() } else { Smoothing::OFF }
    }

    /// The alert rules of a call of so many channels.
    ///
    /// # Errors
    /// [`BadFrame`] if there are too many, or one is for a channel that is not there: nobody would hear of it.
    pub fn rules(&self, channels: usize) -> Result<impl Iterator<Item = &AlertRule>, BadFrame> {
        let alerts = self.alerts.as_deref().unwrap_or_default();
        if alerts.len() > MOST_RULES {
            return Err(BadFrame::new(format!("{} alert rules, at most {MOST_RULES} are possible", alerts.len())));
        }
        let rules = alerts.iter().map(|WishedRule(rule)| rule);
        if let Some(beyond) = rules.clone().filter_map(AlertRule::channel).find(|channel| *channel >= channels) {
            let problem = format!("an alert rule is for channel {beyond}, the call has {channels}, counted from 0");
            return Err(BadFrame::new(problem));
        }
        Ok(rules)
    }
}

impl TryFrom<AlertWish> for WishedRule {
    type Error = BadFrame;

    fn try_from(wish: AlertWish) -> Result<Self, BadFrame> {
        let channel = match (wish.channel, &wish.track) {
            (Some(_), Some(_)) => return Err(BadFrame::new("an alert rule has `channel` or `track`, not both")),
            (channel, None) => channel,
            (None, Some(track)) => {
                Some(channel_of_track(track).ok_or_else(|| BadFrame::new("`track` is inbound or outbound"))?)
            }
        };
        let rule = AlertRule::new(wish.emotion, wish.threshold, wish.hold_seconds, channel);
        rule.map(WishedRule).map_err(BadFrame::new)
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
        let value: Value = serde_json::from_str(text).map_err(|error| BadFrame::new(format!("not JSON: {error}")))?;
        let word = |key| value.get(key).and_then(Value::as_str);
        let start = match (word("event"), word("type")) {
            (Some("connected"), _) => {
                self.twilio_connected = true;
                return Ok(None);
            }
            (Some("start"), _) => twilio::start(&value)?,
            (Some(event), _) if self.twilio_connected && !matches!(event, "media" | "stop") => return Ok(None),
            (Some(event), _) => return Err(BadFrame::new(format!("`{event}` before `start`"))),
            (None, Some("start")) => plain::start(&value)?,
            (None, Some(kind)) => return Err(BadFrame::new(format!("`{kind}` before `start`"))),
            (None, None) if value.get("sampleRate").is_some() => plain::jambonz_start(&value)?,
            (None, None) => {
                return Err(BadFrame::new(
                    "begins no call: Twilio's `connected`, jambonz' metadata, or {\"type\":\"start\", …} is expected",
                ));
            }
        };
        check(start.format, limits)?;
        if start.call_id.as_ref().is_some_and(|id| id.chars().count() > LONGEST_CALL_ID) {
            return Err(BadFrame::new(format!("a call's name has at most {LONGEST_CALL_ID} characters")));
        }
        Ok(Some(start))
    }
}

fn check(format: RawFormat, limits: &AudioLimits) -> Result<(), BadFrame> {
    let RawFormat { sample_rate_hz, channels, .. } = format;
    let (low, high, most) = (limits.min_sample_rate_hz, limits.max_sample_rate_hz, limits.max_channels);
    if !(low..=high).contains(&sample_rate_hz) {
        return Err(BadFrame::new(format!("{sample_rate_hz} Hz, {low} to {high} Hz are possible")));
    }
    if !(1..=most).contains(&channels) {
        return Err(BadFrame::new(format!("{channels} channels, 1 to {most} are possible")));
    }
    Ok(())
}
