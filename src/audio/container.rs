//! The content decides what a recording is, never its name or its declared type.

use bytes::Bytes;

use super::blocks::{BlockFormat, Blocks};
use super::decoder::{Interleaved, Opened};
use super::link::Container;
use super::packets::Packets;
use super::riff::{self, WavCodec, WavFile};
use super::{AudioError, RawFormat, aiff, au, mp4, ogg, sync, tags};

/// Looks at the first bytes and opens what they promise.
///
/// With a [`RawFormat`] the bytes are samples from the first one on, unless they start with a WAV header, which no
/// telephone line says by chance: then the header knows better.
///
/// # Errors
/// [`AudioError::Unsupported`] that names what was seen, or [`AudioError::Invalid`] for a header without sense.
pub(super) fn open(bytes: Bytes, raw: Option<RawFormat>) -> Result<Opened, AudioError> {
    let bytes = if raw.is_none() { tags::without_first(bytes) } else { bytes };
    if riff::is_wav(&bytes) {
        return open_wav(riff::read(&bytes)?);
    }
    if let Some(raw) = raw {
        return Ok(Interleaved::open(raw.encoding.into(), raw.sample_rate_hz, raw.channels, bytes));
    }
    if au::is_au(&bytes) {
        return au::open(&bytes);
    }
    if aiff::is_aiff(&bytes) {
        return aiff::open(&bytes);
    }
    match recognize(&bytes) {
        Some(Container::Ogg) => Packets::open(Container::Ogg, ogg::with_whole_end(bytes)),
        // The reader takes what follows the last frame for a part of it.
        Some(Container::Flac) => Packets::open(Container::Flac, tags::without_last(bytes)),
        Some(Container::Mp4) => mp4::open(bytes),
        Some(container) if !container.is_mpeg() => Packets::open(container, bytes),
        // A single header of MPEG audio says little, and none at the beginning either: frames must follow each other.
        mpeg => match (sync::find(&bytes), mpeg) {
            (Some((container, start)), _) if is_nothing_else(&bytes) => Packets::open(container, bytes.slice(start..)),
            (_, Some(container)) => Packets::open(container, bytes),
            (_, None) => Err(AudioError::Unsupported { what: describe(&bytes) }),
        },
    }
}

fn open_wav(file: WavFile) -> Result<Opened, AudioError> {
    let format = file.format;
    match format.codec {
        WavCodec::Samples(encoding) => {
            Ok(Interleaved::open(encoding, format.sample_rate_hz, format.channels, file.data))
        }
        WavCodec::Blocks(codec) => {
            let (sample_rate_hz, channels, bytes) = (format.sample_rate_hz, format.channels, format.block_bytes);
            Blocks::open(BlockFormat { codec, sample_rate_hz, channels, bytes }, file.data, file.frames_declared)
        }
        WavCodec::Mp3 => Packets::open(Container::Mp3, file.data),
    }
}

fn recognize(bytes: &[u8]) -> Option<Container> {
    match *bytes.first_chunk::<12>()? {
        [b'f', b'L', b'a', b'C', ..] => Some(Container::Flac),
        [b'O', b'g', b'g', b'S', ..] => Some(Container::Ogg),
        [0x1A, 0x45, 0xDF, 0xA3, ..] => Some(Container::Matroska),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => Some(Container::Mp4),
        // MPEG audio: eleven bits set, then version, layer, bit rate and sample rate, none of them the reserved one.
        [0xFF, second, ..] if second & 0xF6 == 0xF0 => Some(Container::Adts),
        [0xFF, second, third, ..]
            if second & 0xE0 == 0xE0
                && second & 0x18 != 0x08
                && second & 0x06 == 0x02
                && third & 0xF0 != 0xF0
                && third & 0xF0 != 0
                && third & 0x0C != 0x0C =>
        {
            Some(Container::Mp3)
        }
        _ => None,
    }
}

/// How other files begin.
const OTHERS: [(&[u8], &str); 17] = [
    (b"ID3", "an ID3 tag without sound behind it"),
    (b"FORM", "an IFF file of another type than AIFF"),
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

/// Whether no other kind of file begins so, in which sound may lie like anything else; one byte alone says nothing.
fn is_nothing_else(bytes: &[u8]) -> bool {
    let is_other = |magic: &[u8]| magic.len() > 1 && bytes.starts_with(magic);
    !bytes.starts_with(b"RIFF") && !OTHERS.iter().any(|(magic, _)| is_other(magic))
}

/// What bytes that are no recording look like, for the message.
fn describe(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "nothing, 0 bytes".into();
    }
    if bytes.starts_with(b"RIFF") {
        return match bytes.get(8..12) {
            Some(form) => format!("a RIFF file of type `{}`, not `WAVE`", form.escape_ascii()),
            None => "the first bytes of a RIFF file".into(),
        };
    }
    let start = bytes.get(..bytes.len().min(256)).unwrap_or_default();
    match OTHERS.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        Some((_, name)) => (*name).into(),
        None if start.is_ascii() && !start.iter().any(|byte| matches!(byte, 0..=8 | 14..=31)) => "text".into(),
        None => {
            let head: Vec<String> = start.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
            format!("no audio format is known that starts with the bytes {}", head.join(" "))
        }
    }
}
