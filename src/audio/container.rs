//! The content decides what a recording is, never its name or its declared type.

use bytes::Bytes;

use super::decoder::{Interleaved, Opened};
use super::riff::{self, WavCodec};
use super::{AudioError, RawFormat, au};

/// Looks at the first bytes and opens what they promise.
///
/// With a [`RawFormat`] the bytes are samples from the first one on, unless they start with a WAV header, which no
/// telephone line says by chance: then the header knows better.
///
/// # Errors
/// [`AudioError::Unsupported`] that names what was seen, or [`AudioError::Invalid`] for a header without sense.
pub(super) fn open(bytes: Bytes, raw: Option<RawFormat>) -> Result<Opened, AudioError> {
    if riff::is_wav(&bytes) {
        let file = riff::read(&bytes)?;
        let WavCodec::Samples(encoding) = file.format.codec;
        return Ok(Interleaved::open(encoding, file.format.sample_rate_hz, file.format.channels, file.data));
    }
    if let Some(raw) = raw {
        return Ok(Interleaved::open(raw.encoding.into(), raw.sample_rate_hz, raw.channels, bytes));
    }
    if au::is_au(&bytes) {
        return au::open(&bytes);
    }
    Err(AudioError::Unsupported { what: describe(&bytes) })
}

/// What bytes that are no recording look like, for the message.
fn describe(bytes: &[u8]) -> String {
    let magics: [(&[u8], &str); 20] = [
        (b"fLaC", "a FLAC file"),
        (b"OggS", "an Ogg file"),
        (b"ID3", "an MP3 file"),
        (b"FORM", "an IFF file"),
        (b"\x1A\x45\xDF\xA3", "a Matroska or WebM file"),
        (b"#!AMR", "an AMR file"),
        (b"#!SILK", "a SILK file"),
        (b"MThd", "a MIDI file"),
        (b"\x30\x26\xB2\x75", "a Windows Media file"),
        (b"wvpk", "a WavPack file"),
        (b"MAC ", "a Monkey's Audio file"),
        (b"caff", "a Core Audio file"),
        (b"PK\x03\x04", "a zip archive"),
        (b"\x1F\x8B", "gzip-compressed data"),
        (b"\x89PNG", "a PNG picture"),
        (b"\xFF\xD8\xFF", "a JPEG picture"),
        (b"GIF8", "a GIF picture"),
        (b"%PDF", "a PDF document"),
        (b"{", "JSON"),
        (b"<", "markup, such as HTML"),
    ];
    if bytes.is_empty() {
        return "nothing, 0 bytes".into();
    }
    if bytes.starts_with(b"RIFF") {
        return match bytes.get(8..12) {
            Some(form) => format!("a RIFF file of type `{}`, not `WAVE`", form.escape_ascii()),
            None => "the first bytes of a RIFF file".into(),
        };
    }
    if bytes.get(4..8) == Some(b"ftyp") {
        return "an MP4 file".into();
    }
    let start = bytes.get(..bytes.len().min(256)).unwrap_or_default();
    match magics.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        Some((_, name)) => (*name).into(),
        None if start.is_ascii() && !start.iter().any(|byte| matches!(byte, 0..=8 | 14..=31)) => "text".into(),
        None => {
            let head: Vec<String> = start.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
            format!("no audio format is known that starts with the bytes {}", head.join(" "))
        }
    }
}
