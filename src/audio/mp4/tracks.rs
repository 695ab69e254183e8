//! The tracks of an MP4 file that hold sound.
//!
//! Source: ISO/IEC 14496-12, sections 8.2 to 8.7.

use super::super::riff::ByteOrder;
use super::boxes::{boxes, inside};

/// What a file says of its sound.
pub(super) struct Movie<'a> {
    content: &'a [u8],
    /// Units a second of durations that are not a track's own; never 0.
    pub(super) timescale: u32,
    /// Whether sound lies in fragments, which tell their times and places themselves.
    pub(super) is_fragmented: bool,
}

/// A track with sound.
pub(super) struct SoundTrack<'a> {
    pub(super) id: u32,
    /// Units a second of the track's own times; never 0.
    pub(super) timescale: u32,
    /// The content of its edit list.
    pub(super) edits: Option<&'a [u8]>,
    /// What says where its samples lie.
    pub(super) table: &'a [u8],
}

impl<'a> Movie<'a> {
    /// What stands in a whole file.
    pub(super) fn of(file: &'a [u8]) -> Option<Self> {
        let content = inside(file, b"moov")?;
        let timescale = timescale(inside(content, b"mvhd")?)?;
        Some(Self { content, timescale, is_fragmented: inside(content, b"mvex").is_some() })
    }

    /// Its tracks with sound, in their order.
    pub(super) fn sound_tracks(&self) -> impl Iterator<Item = SoundTrack<'a>> {
        boxes(self.content).filter(|(kind, _)| *kind == b"trak").filter_map(|(_, track)| SoundTrack::read(track))
    }
}

impl<'a> SoundTrack<'a> {
    fn read(track: &'a [u8]) -> Option<Self> {
        let (header, media) = (inside(track, b"tkhd")?, inside(track, b"mdia")?);
        let handler = inside(media, b"hdlr")?;
        if handler.get(8..12) != Some(b"soun") {
            return None;
        }
        Some(Self {
            id: ByteOrder::Big.u32(header, behind_times(header))?,
            timescale: timescale(inside(media, b"mdhd")?)?,
            edits: inside(track, b"edts").and_then(|edits| inside(edits, b"elst")),
            table: inside(inside(media, b"minf")?, b"stbl")?,
        })
    }

    /// How its samples are written: type and content of its only description.
    pub(super) fn entry(&self) -> Option<(&'a [u8; 4], &'a [u8])> {
        boxes(inside(self.table, b"stsd")?.get(8..)?).next()
    }
}

/// The timescale of a movie or of a track's media.
fn timescale(header: &[u8]) -> Option<u32> {
    ByteOrder::Big.u32(header, behind_times(header)).filter(|timescale| *timescale > 0)
}

/// Where a header goes on behind the times at which it was written and changed: those of version 1 are wider.
fn behind_times(header: &[u8]) -> usize {
    if header.first() == Some(&1) { 20 } else { 12 }
}
