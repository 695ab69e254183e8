//! Twilio Media Streams: `connected`, `start`, `media`, `mark`, `dtmf`, `stop`, all of them JSON, numbers as strings.
//!
//! <https://www.twilio.com/docs/voice/media-streams/websocket-messages>

use std::borrow::Cow;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::dialect::{BadFrame, Dialect, Wish};
use super::opening::{Start, Wishes};
use super::order::{Next, Order, Piece};
use crate::audio::{RawDecoder, RawEncoding, RawFormat};
use crate::call::{AlertRule, channel_of_track};

/// Base64 as Twilio writes it, and without padding too.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
/// Twilio's own format, where `start` does not say it.
const TELEPHONE_HZ: u32 = 8_000;
/// Longest gap that is filled with silence, and all that is filled in advance of sound.
const LONGEST_GAP_SECONDS: usize = 10;

/// A call at Twilio.
#[derive(Debug)]
pub struct Twilio {
    tracks: Vec<Track>,
    bytes_per_sample: usize,
}

#[derive(Debug)]
struct Track {
    order: Order,
    decoder: RawDecoder,
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow)]
    event: Cow<'a, str>,
}

/// `media`, read only where it is said to be: other events may call something else so.
#[derive(Deserialize)]
struct Sound<'a> {
    #[serde(borrow)]
    media: Option<Media<'a>>,
}

#[derive(Deserialize)]
struct Media<'a> {
    #[serde(borrow)]
    track: Option<Cow<'a, str>>,
    #[serde(default, deserialize_with = "number")]
    chunk: Option<u64>,
    #[serde(default, deserialize_with = "number")]
    timestamp: Option<u64>,
    #[serde(borrow)]
    payload: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StartData {
    tracks: Option<Vec<String>>,
    call_sid: Option<String>,
    media_format: Option<MediaFormat>,
    custom_parameters: Option<Map<String, Value>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct MediaFormat {
    encoding: Option<String>,
    #[serde(default, deserialize_with = "number")]
    sample_rate: Option<u64>,
}

/// A number, or a number as a string, or nothing that counts.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(u64),
        Text(String),
        Other(serde::de::IgnoredAny),
    }
    Ok(match Written::deserialize(deserializer)? {
        Written::Number(number) => Some(number),
        Written::Text(text) => text.parse().ok(),
        Written::Other(_) => None,
    })
}

/// Reads Twilio's `start`. Wishes are its custom parameters `alerts` (`angry:0.6:3`, several separated by commas),
/// `window_seconds`, `hop_seconds` and `quiet`.
///
/// # Errors
/// [`BadFrame`] if there is nothing to start with, or an encoding that isn't known.
pub(super) fn start(value: &Value) -> Result<Start, BadFrame> {
    let data = value.get("start").ok_or_else(|| BadFrame::new("`start` without its data"))?;
    let data = StartData::deserialize(data).map_err(BadFrame::new)?;
    // `null` says nothing, as a missing member does.
    let (tracks, media_format) = (data.tracks.unwrap_or_default(), data.media_format.unwrap_or_default());
    let encoding = match media_format.encoding.as_deref().map(str::to_ascii_lowercase).as_deref() {
        None | Some("audio/x-mulaw" | "audio/mulaw" | "pcmu") => RawEncoding::Mulaw,
        Some("audio/x-alaw" | "audio/alaw" | "pcma") => RawEncoding::Alaw,
        Some("audio/x-l16" | "audio/l16" | "l16") => RawEncoding::PcmS16le,
        Some(other) => return Err(BadFrame::new(format!("encoding `{other}` is not known"))),
    };
    let sample_rate_hz = match media_format.sample_rate {
        None => TELEPHONE_HZ,
        // What does not fit is no possible rate either.
        Some(rate) => u32::try_from(rate).unwrap_or(u32::MAX),
    };
    let channels = if tracks.iter().any(|track| track == "outbound") { 2 } else { 1 };
    let format = RawFormat { encoding, sample_rate_hz, channels };
    let bytes_per_sample = if encoding == RawEncoding::PcmS16le { 2 } else { 1 };
    let longest_gap = (sample_rate_hz as usize).saturating_mul(LONGEST_GAP_SECONDS * bytes_per_sample);
    let bytes_per_ms = f64::from(sample_rate_hz) * bytes_per_sample as f64 / 1000.0;
    let track = || Track {
        order: Order::new(bytes_per_ms, longest_gap),
        decoder: RawDecoder::new(RawFormat { channels: 1, ..format }),
    };
    let twilio = Twilio { tracks: (0..channels).map(|_| track()).collect(), bytes_per_sample };
    let wishes = wishes(&data.custom_parameters.unwrap_or_default())?;
    Ok(Start { format, wishes, call_id: data.call_sid, dialect: Dialect::Twilio(twilio) })
}

fn wishes(parameters: &Map<String, Value>) -> Result<Wishes, BadFrame> {
    let text = |key| parameters.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let seconds = |key| -> Result<Option<f64>, BadFrame> {
        let parse = |text: &str| text.parse().map_err(|_| BadFrame::new(format!("`{key}` is not a number of seconds")));
        text(key).map(parse).transpose()
    };
    let rules = text("alerts").into_iter().flat_map(|rules| rules.split(','));
    let rules: Result<Vec<AlertRule>, _> = rules.map(|rule| rule.trim().parse()).collect();
    let rules = rules.map_err(BadFrame::new)?;
    Ok(Wishes::written(seconds("window_seconds")?, seconds("hop_seconds")?, quiet(parameters.get("quiet"))?, rules))
}

/// Twilio's parameters are texts, but who passes them on may know better.
fn quiet(written: Option<&Value>) -> Result<Option<bool>, BadFrame> {
    match written {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(quiet)) => Ok(Some(*quiet)),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
        Some(Value::String(text)) if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
        Some(_) => Err(BadFrame::new("`quiet` is true or false")),
    }
}

impl Twilio {
    pub(super) fn text(&mut self, text: &str, sound: &mut [Vec<f32>]) -> Result<Wish, BadFrame> {
        let not_understood = |error| BadFrame::new(format!("not understood: {error}"));
        let event: Event<'_> = serde_json::from_str(text).map_err(not_understood)?;
        match &*event.event {
            "media" => {
                let said: Sound<'_> = serde_json::from_str(text).map_err(not_understood)?;
                let media = said.media.ok_or_else(|| BadFrame::new("`media` without its data"))?;
                self.media(&media, sound).map(|()| Wish::GoOn)
            }
            "stop" => Ok(Wish::Stop),
            "start" => Err(BadFrame::new("a second `start`")),
            _ => Ok(Wish::GoOn),
        }
    }

    fn media(&mut self, media: &Media<'_>, sound: &mut [Vec<f32>]) -> Result<(), BadFrame> {
        let name = media.track.as_deref().unwrap_or("inbound");
        let channel = channel_of_track(name).filter(|channel| *channel < self.tracks.len());
        let channel = channel.ok_or_else(|| BadFrame::new(format!("track `{name}` was not announced")))?;
        let payload = media.payload.as_deref().ok_or_else(|| BadFrame::new("`media` without `payload`"))?;
        let bytes =
            BASE64.decode(payload).map_err(|error| BadFrame::new(format!("`payload` is not base64: {error}")))?;
        if let Some(time_ms) = media.timestamp {
            self.tracks.iter_mut().for_each(|track| track.order.begin(time_ms));
        }
        let Track { order, decoder } = &mut self.tracks[channel];
        let piece = Piece { time_ms: media.timestamp, bytes };
        order.take(media.chunk, piece, hear(decoder, self.bytes_per_sample, &mut sound[channel..=channel]));
        Ok(())
    }

    pub(super) fn finish(&mut self, sound: &mut [Vec<f32>]) {
        for (channel, Track { order, decoder }) in self.tracks.iter_mut().enumerate() {
            order.finish(hear(decoder, self.bytes_per_sample, &mut sound[channel..=channel]));
        }
    }
}

/// Turns pieces into samples, and gaps into silence.
fn hear<'a>(
    decoder: &'a mut RawDecoder,
    bytes_per_sample: usize,
    sound: &'a mut [Vec<f32>],
) -> impl FnMut(Next<'_>) + 'a {
    move |next| match next {
        Next::Piece(bytes) => decoder.push(bytes, sound),
        Next::Gap(bytes) => {
            sound.iter_mut().for_each(|samples| samples.resize(samples.len() + bytes / bytes_per_sample, 0.0));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_null_is_as_if_it_were_not_there() {
        let said = start(&json!({"start": {}})).unwrap();
        let nulls = json!({"tracks": null, "customParameters": null, "mediaFormat": null, "callSid": null});
        let format = RawFormat { encoding: RawEncoding::Mulaw, sample_rate_hz: TELEPHONE_HZ, channels: 1 };
        for start in [said, start(&json!({"start": nulls})).unwrap()] {
            assert_eq!((start.format, start.call_id, start.wishes.quiet()), (format, None, false));
        }
        let inside =
            json!({"mediaFormat": {"encoding": null, "sampleRate": null}, "customParameters": {"alerts": null}});
        assert_eq!(start(&json!({"start": inside})).unwrap().format, format);
    }

    #[test]
    fn quiet_is_true_or_false_however_it_is_written() {
        let quiet = |written: Value| {
            let parameters = json!({"customParameters": {"quiet": written}});
            start(&json!({"start": parameters})).map(|start| start.wishes.quiet()).map_err(|bad| bad.to_string())
        };
        for (written, meant) in [("true", true), ("True", true), ("FALSE", false), ("", false)] {
            assert_eq!(quiet(json!(written)), Ok(meant), "{written}");
        }
        assert_eq!(quiet(json!(true)), Ok(true));
        for odd in [json!("yes"), json!("1"), json!(" true"), json!(1)] {
            assert_eq!(quiet(odd.clone()), Err("`quiet` is true or false".into()), "{odd}");
        }
    }

    #[test]
    fn a_rule_for_a_track_that_is_not_sent_is_refused() {
        let rules = |tracks: &[&str]| {
            let data = json!({"tracks": tracks, "customParameters": {"alerts": "angry:0.6:3:outbound"}});
            let start = start(&json!({"start": data})).unwrap();
            start.wishes.rules(usize::from(start.format.channels)).map(Iterator::count).map_err(|bad| bad.to_string())
        };
        assert_eq!(rules(&["inbound", "outbound"]), Ok(1));
        assert!(rules(&["inbound"]).unwrap_err().contains("channel 1, the call has 1"));
    }

    #[test]
    fn tracks_stay_beside_each_other_whenever_they_begin_and_pause() {
        let start = start(&json!({"start": {"tracks": ["inbound", "outbound"]}})).unwrap();
        let (Dialect::Twilio(mut twilio), mut sound) = (start.dialect, vec![Vec::new(); 2]) else { panic!("another") };
        let mut say = |track: &str, chunk: u64, time_ms: u64| {
            let payload = BASE64.encode([0x55; 160]);
            let timestamp = (70_000 + time_ms).to_string();
            let media = json!({"track": track, "chunk": chunk.to_string(), "timestamp": timestamp, "payload": payload});
            twilio.text(&json!({"event": "media", "media": media}).to_string(), &mut sound).unwrap();
        };
        for place in 0..300 {
            say("inbound", 1 + place, 20 * place);
            let spoken = [(100..150, 100), (250..300, 200)];
            if let Some((_, before)) = spoken.iter().find(|(when, _)| when.contains(&place)) {
                say("outbound", 1 + place - before, 20 * place);
            }
        }
        assert_eq!(sound.iter().map(Vec::len).collect::<Vec<_>>(), [48_000; 2]);
        let is_silent = |milliseconds: usize| sound[1][8 * milliseconds] == 0.0;
        assert_eq!(
            [0, 1999, 2000, 2999, 3000, 4999, 5000].map(is_silent),
            [true, true, false, false, true, true, false]
        );
    }
}
