//! How an MP4 file describes samples that stand for themselves.
//!
//! (Symphonia takes all but 16 bits for little-endian, refuses more than two channels, and knows no G.711 here.)
//!
//! Sources: Apple, "QuickTime File Format", chapter on sound media; ISO/IEC 23003-5 (`ipcm` and `fpcm`).

use super::super::AudioError;
use super::super::pcm::SampleEncoding::{self, *};
use super::super::riff::ByteOrder;
use super::boxes::inside;

/// A sound description, of any of its three versions.
#[derive(Debug, PartialEq)]
pub(super) struct SampleEntry {
    pub(super) encoding: SampleEncoding,
    /// Samples a second of each channel, in Hz.
    pub(super) sample_rate_hz: u32,
    pub(super) channels: u16,
}

/// The rate of a description that has no room for it is the track's timescale.
const NO_RATE: u32 = 0;
/// Flags of version 2, whose format is `lpcm`.
const IS_FLOAT: u32 = 1;
const IS_BIG_ENDIAN: u32 = 2;
const IS_SIGNED: u32 = 4;

/// Whether a format is one of these.
pub(super) fn is_linear(kind: &[u8; 4]) -> bool {
    const KINDS: [&[u8; 4]; 12] =
        [b"raw ", b"twos", b"sowt", b"in24", b"in32", b"fl32", b"fl64", b"lpcm", b"ulaw", b"alaw", b"ipcm", b"fpcm"];
    KINDS.contains(&kind)
}

impl SampleEntry {
    /// Reads the description of a format for which [`is_linear`] holds.
    ///
    /// # Errors
    /// [`AudioError::Invalid`] for one that is cut off, [`AudioError::Unsupported`] for other numbers of bits.
    pub(super) fn read(kind: &[u8; 4], content: &[u8], timescale: u32) -> Result<Self, AudioError> {
        let cut_off = || AudioError::Invalid { reason: "the description of its samples is cut off".into() };
        let fields = Fields::read(content).ok_or_else(cut_off)?;
        let encoding = fields.encoding(kind).ok_or_else(|| AudioError::Unsupported {
            what: format!("an MP4 file with `{}` samples of {} bits", kind.escape_ascii(), fields.bits),
        })?;
        let sample_rate_hz = if fields.sample_rate_hz == NO_RATE { timescale } else { fields.sample_rate_hz };
        Ok(Self { encoding, sample_rate_hz, channels: fields.channels })
    }
}

/// What the versions have in common.
struct Fields {
    channels: u16,
    bits: u32,
    sample_rate_hz: u32,
    is_little_endian: bool,
    /// Of version 2, if it is that.
    flags: Option<u32>,
    /// Bytes of a sample, where they are said.
    bytes: Option<u32>,
}

impl Fields {
    fn read(content: &[u8]) -> Option<Self> {
        let big = ByteOrder::Big;
        let (version, channels, bits) = (big.u16(content, 8)?, big.u16(content, 16)?, big.u16(content, 18)?);
        let rate = u32::from(big.u16(content, 24)?);
        let inner = content.get(
            match version {
                0 => 28,
                1 => 44,
                _ => 64,
            }..,
        )?;
        if version > 1 {
            let channels = big.u32(content, 40)?;
            return Some(Self {
                channels: u16::try_from(channels).unwrap_or(u16::MAX),
                bits: big.u32(content, 48)?,
                sample_rate_hz: f64::from_bits(big.u64(content, 32)?) as u32,
                is_little_endian: false,
                flags: Some(big.u32(content, 52)?),
                bytes: big.u32(content, 56)?.checked_div(channels),
            });
        }
        let said = inside(inner, b"enda").or_else(|| inside(inside(inner, b"wave")?, b"enda"));
        let mut fields = Self {
            channels,
            bits: u32::from(bits),
            sample_rate_hz: rate,
            is_little_endian: said.and_then(|order| big.u16(order, 0)) == Some(1),
            flags: None,
            bytes: None,
        };
        if let Some([_, _, _, _, flags, bits, ..]) = inside(inner, b"pcmC") {
            (fields.is_little_endian, fields.bits) = (flags & 1 == 1, u32::from(*bits));
        }
        Some(fields)
    }

    fn encoding(&self, kind: &[u8; 4]) -> Option<SampleEncoding> {
        let ordered = |big, little| Some(if self.is_little_endian { little } else { big });
        match (kind, self.bits) {
            (b"lpcm", bits) => self.by_flags(bits),
            (b"ulaw", _) => Some(Mulaw),
            (b"alaw", _) => Some(Alaw),
            (b"raw ", 8) => Some(PcmU8),
            (b"twos" | b"sowt", 8) => Some(PcmS8),
            (b"twos", 16) => Some(PcmS16be),
            (b"twos", 24) => Some(PcmS24be),
            (b"twos", 32) => Some(PcmS32be),
            (b"sowt", 16) => Some(PcmS16le),
            (b"sowt", 24) => Some(PcmS24le),
            (b"sowt", 32) => Some(PcmS32le),
            (b"ipcm", 16) => ordered(PcmS16be, PcmS16le),
            // Those of QuickTime have their bits in their names, and 16 in the field.
            (b"in24", _) | (b"ipcm", 24) => ordered(PcmS24be, PcmS24le),
            (b"in32", _) | (b"ipcm", 32) => ordered(PcmS32be, PcmS32le),
            (b"fl32", _) | (b"fpcm", 32) => ordered(PcmF32be, PcmF32le),
            (b"fl64", _) | (b"fpcm", 64) => ordered(PcmF64be, PcmF64le),
            _ => None,
        }
    }

    fn by_flags(&self, bits: u32) -> Option<SampleEncoding> {
        let flags = self.flags?;
        let encoding = match (flags & IS_FLOAT != 0, flags & IS_SIGNED != 0, bits, flags & IS_BIG_ENDIAN != 0) {
            (false, false, 8, _) => PcmU8,
            (false, true, 8, _) => PcmS8,
            (false, true, 16, false) => PcmS16le,
            (false, true, 16, true) => PcmS16be,
            (false, true, 24, false) => PcmS24le,
            (false, true, 24, true) => PcmS24be,
            (false, true, 32, false) => PcmS32le,
            (false, true, 32, true) => PcmS32be,
            (true, _, 32, false) => PcmF32le,
            (true, _, 32, true) => PcmF32be,
            (true, _, 64, false) => PcmF64le,
            (true, _, 64, true) => PcmF64be,
            _ => return None,
        };
        // Samples in more bytes than they need may lie at either end of them.
        self.bytes.is_none_or(|bytes| bytes as usize == encoding.bytes()).then_some(encoding)
    }
}
