//! The plain dialect: `{"type":"start", …}`, binary frames, `{"type":"stop"}`; and jambonz, which speaks much the same.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use super::dialect::{BadFrame, Dialect, Wish};
use super::opening::{Start, Wishes};
use crate::audio::{RawDecoder, RawEncoding, RawFormat};

/// A call of binary frames.
#[derive(Debug)]
pub struct Plain {
    decoder: RawDecoder,
    /// Text that is not understood is no mistake: jambonz tells of keys pressed, marks, and what else may come.
    talkative: bool,
}

/// The first frame of the plain dialect.
#[derive(Debug, Deserialize)]
struct PlainStart {
    #[serde(rename = "type")]
    _kind: IgnoredAny,
    encoding: RawEncoding,
    sample_rate_hz: u32,
    #[serde(default = "one")]
    channels: u16,
    call_id: Option<String>,
    #[serde(flatten)]
    wishes: Wishes,
    /// What is left: wishes that nobody would hear.
    #[serde(flatten)]
    unknown: Map<String, Value>,
}

/// The first frame of jambonz' `listen`: the call's data, and what the sound is like.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct JambonzStart {
    sample_rate: u32,
    #[serde(default)]
    mix_type: String,
    call_sid: Option<String>,
    /// What the verb's `metadata` says stands beside the call's data.
    #[serde(flatten)]
    wishes: Wishes,
}

fn one() -> u16 {
    1
}

/// Reads `{"type":"start", …}`.
///
/// # Errors
/// [`BadFrame`] if something is missing, of the wrong kind, or not known, and for rules about a channel that is not there.
pub(super) fn start(value: &Value) -> Result<Start, BadFrame> {
    let start = PlainStart::deserialize(value).map_err(|error| BadFrame(error.to_string()))?;
    let PlainStart { encoding, sample_rate_hz, channels, call_id, wishes, unknown, .. } = start;
    if let Some(name) = unknown.keys().next() {
        return Err(BadFrame(format!("unknown field `{name:.100}`")));
    }
    let format = RawFormat { encoding, sample_rate_hz, channels };
    let named = wishes.rules()?.into_iter().filter_map(|rule| rule.channel);
    if let Some(beyond) = named.max().filter(|named| *named >= usize::from(channels)) {
        let problem = format!("an alert rule is for channel {beyond}, the call has {channels}, counted from 0");
        return Err(BadFrame(problem));
    }
    Ok(Start { format, wishes, call_id, dialect: dialect(format) })
}

/// Binary frames of that format.
pub(super) fn dialect(format: RawFormat) -> Dialect {
    Dialect::Plain(Plain { decoder: RawDecoder::new(format), talkative: false })
}

/// Reads jambonz' first frame: 16-bit samples follow, of two channels if it mixes `stereo`.
///
/// # Errors
/// [`BadFrame`] if something is of the wrong kind.
pub(super) fn jambonz_start(value: &Value) -> Result<Start, BadFrame> {
    let start = JambonzStart::deserialize(value).map_err(|error| BadFrame(error.to_string()))?;
    let channels = if start.mix_type == "stereo" { 2 } else { 1 };
    let format = RawFormat { encoding: RawEncoding::PcmS16le, sample_rate_hz: start.sample_rate, channels };
    let dialect = Dialect::Plain(Plain { decoder: RawDecoder::new(format), talkative: true });
    Ok(Start { format, wishes: start.wishes, call_id: start.call_sid, dialect })
}

impl Plain {
    pub(super) fn text(&self, text: &str) -> Result<Wish, BadFrame> {
        #[derive(Deserialize)]
        struct Word {
            r#type: Option<String>,
        }
        let word = serde_json::from_str::<Word>(text).map_err(|error| BadFrame(format!("not understood: {error}")));
        match word.map(|word| word.r#type) {
            Ok(Some(kind)) if kind == "stop" => Ok(Wish::Stop),
            _ if self.talkative => Ok(Wish::GoOn),
            Ok(kind) => Err(BadFrame(format!("`{}` means nothing here", kind.unwrap_or_default()))),
            Err(bad) => Err(bad),
        }
    }

    pub(super) fn binary(&mut self, bytes: &[u8], sound: &mut [Vec<f32>]) {
        self.decoder.push(bytes, sound);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// What is said of a start of two channels that also holds that.
    fn told(more: Value) -> Result<usize, String> {
        let mut frame = json!({"type": "start", "encoding": "mulaw", "sample_rate_hz": 8000, "channels": 2});
        frame.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let rules = start(&frame).and_then(|start| start.wishes.rules());
        rules.map(|rules| rules.len()).map_err(|BadFrame(problem)| problem)
    }

    #[test]
    fn wishes_that_nobody_would_hear_are_refused() {
        let rule = |more: Value| {
            let mut rule = json!({"emotion": "angry", "threshold": 0.5, "hold_seconds": 1});
            rule.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            json!({"alerts": [rule]})
        };
        for fine in [rule(json!({})), rule(json!({"channel": 1})), rule(json!({"track": "outbound"}))] {
            assert_eq!(told(fine.clone()), Ok(1), "{fine}");
        }
        for (wrong, said) in [
            (json!({"window_second": 2}), "unknown field `window_second`"),
            (json!({"channel": 1}), "unknown field `channel`"),
            (rule(json!({"chanel": 1})), "unknown field `chanel`"),
            (rule(json!({"channel": 2})), "channel 2, the call has 2"),
            (rule(json!({"track": "sideways"})), "inbound or outbound"),
            (
                json!({"channels": 1, "alerts": rule(json!({"track": "outbound"}))["alerts"]}),
                "channel 1, the call has 1",
            ),
        ] {
            let problem = told(wrong.clone()).unwrap_err();
            assert!(problem.contains(said), "{wrong}: {problem}");
        }
    }

    #[test]
    fn jambonz_may_say_what_it_likes() {
        let frame = json!({"sampleRate": 8000, "mixType": "mono", "callSid": "c", "from": "+1", "window_seconds": 2});
        assert_eq!(jambonz_start(&frame).unwrap().call_id.as_deref(), Some("c"));
    }
}
