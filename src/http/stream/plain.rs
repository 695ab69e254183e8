//! The plain dialect: `{"type":"start", …}`, binary frames, `{"type":"stop"}`; and jambonz, which speaks much the same.

use serde::Deserialize;
use serde_json::Value;

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
    encoding: RawEncoding,
    sample_rate_hz: u32,
    #[serde(default = "one")]
    channels: u16,
    call_id: Option<String>,
    #[serde(flatten)]
    wishes: Wishes,
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
/// [`BadFrame`] if something is missing or of the wrong kind.
pub(super) fn start(value: &Value) -> Result<Start, BadFrame> {
    let start = PlainStart::deserialize(value).map_err(|error| BadFrame(error.to_string()))?;
    let PlainStart { encoding, sample_rate_hz, channels, .. } = start;
    let format = RawFormat { encoding, sample_rate_hz, channels };
    Ok(Start { format, wishes: start.wishes, call_id: start.call_id, dialect: dialect(format) })
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
