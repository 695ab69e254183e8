//! Samples that stand for themselves, in an MP4 file.
//!
//! (To Symphonia each of them is a packet.)
//!
//! Source: ISO/IEC 14496-12, sections 8.7.4 and 8.7.5.

use bytes::Bytes;

use super::super::AudioError;
use super::super::decoder::{Opened, STEP_SAMPLES, Source, append};
use super::super::link::Container;
use super::super::packets::Packets;
use super::super::pcm::SampleEncoding;
use super::super::riff::ByteOrder;
use super::boxes::inside;
use super::edits::Edits;
use super::entry::{SampleEntry, is_linear};
use super::tracks::Movie;

/// Formats of sound that Symphonia reads.
const PACKED: [&[u8; 4]; 5] = [b"mp4a", b"alac", b"fLaC", b"Opus", b".mp3"];

/// Opens the first track of sound in a known format.
///
/// # Errors
/// As [`Packets::open`], and [`AudioError::Unsupported`] for samples in fragments that Symphonia would misread.
pub(in crate::audio) fn open(file: Bytes) -> Result<Opened, AudioError> {
    match Chunks::open(&file)? {
        Some(opened) => Ok(opened),
        None => Packets::open(Container::Mp4, file),
    }
}

/// Samples in pieces of the file; each piece has a place in one table, and its number of samples in another.
struct Chunks {
    file: Bytes,
    /// Where pieces begin, in entries of as many bytes.
    places: Bytes,
    place_bytes: usize,
    /// From which piece on pieces have how many samples a channel.
    runs: Bytes,
    /// Pieces that were begun.
    begun: u32,
    /// What is left of the last of them.
    piece: Bytes,
    encoding: SampleEncoding,
    sample_rate_hz: u32,
    /// Bytes of a sample of each channel.
    frame_bytes: usize,
    /// Samples a channel before what is left.
    frames: u64,
    edits: Option<Edits>,
}

impl Chunks {
    /// `None` for a file whose sound is something else.
    fn open(file: &Bytes) -> Result<Option<Opened>, AudioError> {
        let Some(movie) = Movie::of(file) else { return Ok(None) };
        let known = movie.sound_tracks().find_map(|track| {
            let (kind, content) = track.entry()?;
            (is_linear(kind) || PACKED.contains(&kind)).then_some((track, kind, content))
        });
        let Some((track, kind, content)) = known.filter(|(_, kind, _)| is_linear(kind)) else { return Ok(None) };
        if movie.is_fragmented {
            let what = format!("an MP4 file with `{}` samples in fragments", kind.escape_ascii());
            return if matches!(kind, b"sowt" | b"twos") { Ok(None) } else { Err(AudioError::Unsupported { what }) };
        }
        let SampleEntry { encoding, sample_rate_hz, channels } = SampleEntry::read(kind, content, track.timescale)?;
        let table = |kind: &[u8; 4]| inside(track.table, kind)?.get(8..).map(|content| file.slice_ref(content));
        let (places, place_bytes) = match table(b"stco") {
            Some(places) => (places, 4),
            None => (table(b"co64").unwrap_or_default(), 8),
        };
        let source = Self {
            file: file.clone(),
            places,
            place_bytes,
            runs: table(b"stsc").unwrap_or_default(),
            begun: 0,
            piece: Bytes::new(),
            encoding,
            sample_rate_hz,
            frame_bytes: encoding.bytes().saturating_mul(usize::from(channels)),
            frames: 0,
            edits: Edits::of_track(&movie, &track),
        };
        // The tables may claim any piece any number of times.
        let (format, frames) = (encoding.name().into(), None);
        Ok(Some(Opened { format, sample_rate_hz, channels, frames, source: Box::new(source) }))
    }

    /// The next piece, as far as it arrived; `None` behind the last.
    fn next(&mut self) -> Option<Bytes> {
        let big = ByteOrder::Big;
        let entry = (self.begun as usize).saturating_mul(self.place_bytes);
        let place = match self.place_bytes {
            4 => u64::from(big.u32(&self.places, entry)?),
            _ => big.u64(&self.places, entry)?,
        };
        self.begun = self.begun.saturating_add(1);
        // Each run goes on until the next begins.
        const RUN_BYTES: usize = 12;
        while big.u32(&self.runs, RUN_BYTES).is_some_and(|first| first <= self.begun) {
            self.runs = self.runs.slice(RUN_BYTES..);
        }
        let frames = big.u32(&self.runs, 4)? as usize;
        let start = usize::try_from(place).unwrap_or(usize::MAX).min(self.file.len());
        let end = start.saturating_add(frames.saturating_mul(self.frame_bytes)).min(self.file.len());
        Some(self.file.slice(start..end))
    }
}

impl Source for Chunks {
    fn step(&mut self, channels: &mut [Vec<f32>]) -> Result<bool, AudioError> {
        let mut wanted = STEP_SAMPLES.checked_div(channels.len()).unwrap_or(0);
        while wanted > 0 {
            if self.piece.len() < self.frame_bytes {
                let Some(piece) = self.next() else { return Ok(false) };
                self.piece = piece;
                continue;
            }
            let whole = self.piece.len().checked_div(self.frame_bytes).unwrap_or(0).min(wanted);
            let piece = self.piece.split_to(whole.saturating_mul(self.frame_bytes));
            let mut planes = vec![Vec::with_capacity(whole); channels.len()];
            self.encoding.decode(&piece, &mut planes);
            if let Some(edits) = &mut self.edits {
                let starts_s = self.frames as f64 / f64::from(self.sample_rate_hz);
                if edits.are_over(starts_s) {
                    return Ok(false);
                }
                edits.cut(starts_s, self.sample_rate_hz, &mut planes);
            }
            append(&planes, channels)?;
            wanted = wanted.saturating_sub(whole);
            self.frames = self.frames.saturating_add(whole as u64);
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::{AudioLimits, Recording, decode};
    use super::*;

    fn one(kind: &[u8], parts: &[&[u8]]) -> Vec<u8> {
        let content = parts.concat();
        [&(content.len() as u32 + 8).to_be_bytes()[..], kind, &content].concat()
    }

    /// A description of version 0 or, with what it has more in front, 1.
    fn entry(kind: &[u8], version: u16, channels: u16, bits: u16, inner: &[u8]) -> Vec<u8> {
        let head =
            [&[0; 6][..], &[0, 1], &version.to_be_bytes(), &[0; 6], &channels.to_be_bytes(), &bits.to_be_bytes()];
        one(kind, &[&head.concat(), &[0; 4], &8000_u32.to_be_bytes()[2..], &[0; 2], inner])
    }

    /// A description of version 2, with its rate of 8 kHz.
    fn lpcm(channels: u32, bits: u32, flags: u32, bytes: u32) -> Vec<u8> {
        let words = [channels, 0x7F00_0000, bits, flags, bytes, 1].map(u32::to_be_bytes).concat();
        entry(b"lpcm", 2, 3, 16, &[&72_u32.to_be_bytes()[..], &8000_f64.to_be_bytes(), &words].concat())
    }

    /// A file whose samples lie in pieces of so many samples a channel, with the first of them behind the others.
    fn file(entry: &[u8], edits: &[u8], data: &[u8], frame_bytes: usize, frames: [u32; 3]) -> Vec<u8> {
        let start = one(b"ftyp", &[b"qt  \0\0\0\0qt  "]);
        let first = frames[0] as usize * frame_bytes;
        let mdat = one(b"mdat", &[&data[first..], &data[..first]]);
        let here = start.len() as u32 + 8;
        let second = here + frames[1] * frame_bytes as u32;
        let places = [here + (data.len() - first) as u32, here, second].map(u32::to_be_bytes).concat();
        let runs = [1, frames[0], 1, 2, frames[1], 1, 3, frames[2], 1].map(u32::to_be_bytes).concat();
        let table = one(
            b"stbl",
            &[
                &one(b"stsd", &[&[0, 0, 0, 0, 0, 0, 0, 1], entry]),
                &one(b"stsc", &[&[0, 0, 0, 0, 0, 0, 0, 3], &runs]),
                &one(b"stco", &[&[0, 0, 0, 0, 0, 0, 0, 3], &places]),
            ],
        );
        let times = [0, 0, 0, 8000, 0].map(u32::to_be_bytes).concat();
        let handler = one(b"hdlr", &[&[0; 8], b"soun", &[0; 13]]);
        let media = one(b"mdia", &[&one(b"mdhd", &[&times]), &handler, &one(b"minf", &[&table])]);
        let header = one(b"tkhd", &[&[0, 0, 0, 0, 1, 0, 0, 0].map(u32::to_be_bytes).concat()]);
        let track = one(b"trak", &[&header, edits, &media]);
        [start, mdat, one(b"moov", &[&one(b"mvhd", &[&times]), &track])].concat()
    }

    fn decoded(file: Vec<u8>) -> Result<Recording, AudioError> {
        decode(file.into(), None, &AudioLimits { min_seconds: 0.0, ..AudioLimits::default() })
    }

    #[test]
    fn samples_of_any_order_and_width_are_read() {
        let little = one(b"wave", &[&one(b"frma", &[b"in24"]), &one(b"enda", &[&[0, 1]])]);
        let little = [&[0; 16][..], &little].concat();
        let ipcm = one(b"pcmC", &[&[0, 0, 0, 0, 1, 24]]);
        for (entry, name, data) in [
            (entry(b"in24", 1, 1, 16, &[0; 16]), "pcm_s24be", &[0x40, 0, 0, 0xC0, 0, 0, 0x20, 0, 0][..]),
            (entry(b"in24", 1, 1, 16, &little), "pcm_s24le", &[0, 0, 0x40, 0, 0, 0xC0, 0, 0, 0x20]),
            (entry(b"ipcm", 0, 1, 16, &ipcm), "pcm_s24le", &[0, 0, 0x40, 0, 0, 0xC0, 0, 0, 0x20]),
            (entry(b"in32", 0, 1, 16, &[]), "pcm_s32be", &[0x40, 0, 0, 0, 0xC0, 0, 0, 0, 0x20, 0, 0, 0]),
            (entry(b"fl32", 0, 1, 16, &[]), "pcm_f32be", &[0x3F, 0, 0, 0, 0xBF, 0, 0, 0, 0x3E, 0x80, 0, 0]),
            (entry(b"twos", 0, 1, 8, &[]), "pcm_s8", &[0x40, 0xC0, 0x20]),
            (entry(b"raw ", 0, 1, 8, &[]), "pcm_u8", &[0xC0, 0x40, 0xA0]),
            (entry(b"sowt", 0, 1, 16, &[]), "pcm_s16le", &[0, 0x40, 0, 0xC0, 0, 0x20]),
            (lpcm(1, 16, 6, 2), "pcm_s16be", &[0x40, 0, 0xC0, 0, 0x20, 0]),
        ] {
            let recording = decoded(file(&entry, &[], data, data.len() / 3, [1, 1, 1])).unwrap();
            assert_eq!((recording.format.as_str(), recording.sample_rate_hz), (name, 8000));
            assert_eq!(recording.channels[0].samples(), [0.5, -0.5, 0.25], "{name}");
        }
        let mulaw = decoded(file(&entry(b"ulaw", 1, 2, 16, &[0; 16]), &[], &[0xFF; 12], 2, [2, 1, 3])).unwrap();
        assert_eq!((mulaw.format.as_str(), mulaw.channels.len()), ("mulaw", 2));
        assert_eq!(mulaw.channels[1].samples(), [0.0; 6]);
    }

    #[test]
    fn what_would_be_misread_is_refused() {
        for entry in [entry(b"twos", 0, 1, 12, &[]), lpcm(1, 24, 4, 4), lpcm(1, 16, 0, 2)] {
            let told = decoded(file(&entry, &[], &[0; 12], 2, [1, 1, 1]));
            assert!(matches!(told, Err(AudioError::Unsupported { .. })), "{told:?}");
        }
    }

    #[test]
    fn pieces_come_in_the_order_of_their_table_as_edited_and_as_far_as_they_arrived() {
        let data: Vec<u8> = (0..100).collect();
        let entry = entry(b"twos", 0, 1, 8, &[]);
        let heard = |file: Vec<u8>| {
            let recording = decoded(file).unwrap();
            recording.channels[0].samples().iter().map(|sample| (sample * 128.0) as u8).collect::<Vec<_>>()
        };
        assert_eq!(heard(file(&entry, &[], &data, 1, [30, 60, 10])), data);
        let edit = [0, 1, 40, 20, 65_536].map(u32::to_be_bytes).concat();
        let edits = one(b"edts", &[&one(b"elst", &[&edit])]);
        assert_eq!(heard(file(&entry, &edits, &data, 1, [30, 60, 10])), data[20..60]);
        // A table that claims more than there is.
        assert_eq!(heard(file(&entry, &[], &data, 1, [30, 60, 10_000_000])).get(..90), data.get(..90));
    }
}
