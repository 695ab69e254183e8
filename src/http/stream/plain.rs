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
    /// One if it is not said.
    channels: Option<u16>,
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
    mix_type: Option<String>,
    call_sid: Option<String>,
    /// What the verb's `metadata` says stands beside the call's data.
    #[serde(flatten)]
    wishes: Wishes,
}

/// Reads `{"type":"start", …}`.
///
/// # Errors
/// [`BadFrame`] if something is missing, of the wrong kind, or not known.
pub(super) fn start(value: &Value) -> Result<Start, BadFrame> {
    let start = PlainStart::deserialize(value).map_err(BadFrame::new)?;
    let PlainStart { encoding, sample_rate_hz, channels, call_id, wishes, unknown, .. } = start;
    if let Some(name) = unknown.keys().next() {
        return Err(BadFrame::new(format!("unknown field `{name}`")));
    }
    let format = RawFormat { encoding, sample_rate_hz, channels: channels.unwrap_or(1) };
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
    let start = JambonzStart::deserialize(value).map_err(BadFrame::new)?;
    let channels = if start.mix_type.as_deref() == Some("stereo") { 2 } else { 1 };
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
        let word =
            serde_json::from_str::<Word>(text).map_err(|error| BadFrame::new(format!("not understood: {error}")));
        match word.map(|word| word.r#type) {
            Ok(Some(kind)) if kind == "stop" => Ok(Wish::Stop),
            _ if self.talkative => Ok(Wish::GoOn),
            Ok(kind) => Err(BadFrame::new(format!("`{}` means nothing here", kind.unwrap_or_default()))),
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
        let started = start(&frame).map_err(|bad| bad.to_string())?;
        let rules = started.wishes.rules(usize::from(started.format.channels));
        rules.map(Iterator::count).map_err(|bad| bad.to_string())
    }

    #[test]
    fn what_is_null_is_as_if_it_were_not_there() {
        assert_eq!(told(json!({"alerts": null, "quiet": null, "window_seconds": null, "call_id": null})), Ok(0));
        let frame =
            json!({"type": "start", "encoding": "mulaw", "sample_rate_hz": 8000, "channels": null, "quiet": null});
        let start = start(&frame).unwrap();
        assert_eq!((start.format.channels, start.wishes.quiet()), (1, false));
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
            (rule(json!({"track": "inbound", "channel": 0})), "not both"),
            (rule(json!({"threshold": 2})), "threshold of 2"),
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
