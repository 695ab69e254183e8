//! The RIFF family of WAV files: RIFF, RF64, BW64, and big-endian RIFX.
//!
//! Recorders that write to a pipe, crash, or count wrongly leave headers that lie about sizes; telephony codecs and
//! broadcast chunks fill the rest. So this walker takes each chunk's size as a wish: what is there is the audio.
//! (hound reads plain files only, takes a `data` size of 0 for silence, does not skip pad bytes, and needs 11 ns a
//! sample where a sweep needs 0.1; the tests hold this code against it for every file that it does read.)
//!
//! Sources: Microsoft "Multimedia Programming Interface and Data Specifications 1.0" and mmreg.h; EBU Tech 3306 (RF64);
//! ITU-R BS.2088 (BW64).

use bytes::Bytes;

use super::AudioError;
use super::blocks::BlockCodec;
use super::pcm::SampleEncoding;

/// What a WAV file holds, as far as the headers can be believed.
#[derive(Debug)]
pub(super) struct WavFile {
    pub(super) format: WavFormat,
    /// Samples a channel, as the `fact` chunk has it.
    pub(super) frames_declared: Option<u32>,
    /// The content of the `data` chunk that has arrived.
    pub(super) data: Bytes,
}

/// The `fmt ` chunk.
#[derive(Debug)]
pub(super) struct WavFormat {
    pub(super) codec: WavCodec,
    pub(super) channels: u16,
    pub(super) sample_rate_hz: u32,
    pub(super) block_bytes: u16,
}

/// What the samples are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WavCodec {
    /// Fixed bytes a sample.
    Samples(SampleEncoding),
    /// Fixed bytes a block of samples.
    Blocks(BlockCodec),
    /// MP3 frames as in a file of their own.
    Mp3,
}

/// Whether `bytes` start like a file of this family.
pub(super) fn is_wav(bytes: &[u8]) -> bool {
    let magics: [&[u8]; 4] = [b"RIFF", b"RF64", b"BW64", b"RIFX"];
    magics.iter().any(|magic| bytes.starts_with(magic)) && bytes.get(8..12) == Some(b"WAVE")
}

/// Finds format and samples in a file for which [`is_wav`] holds.
///
/// # Errors
/// [`AudioError::Invalid`] if one of them is missing or makes no sense, [`AudioError::Unsupported`] for other codecs.
pub(super) fn read(bytes: &Bytes) -> Result<WavFile, AudioError> {
    let order = if bytes.starts_with(b"RIFX") { ByteOrder::Big } else { ByteOrder::Little };
    let mut format = None;
    let mut data: Option<Bytes> = None;
    let (mut size_in_ds64, mut frames_declared) = (None, None);
    let mut at = 12_usize;
    while let Some(chunk) = Chunk::at(bytes, at, order) {
        match chunk.id {
            b"fmt " => format = Some(chunk.content()),
            b"fact" => frames_declared = order.u32(chunk.content(), 0),
            b"ds64" => size_in_ds64 = order.u64(chunk.content(), 8),
            b"data" if data.as_ref().is_none_or(Bytes::is_empty) => {
                let length = data_length(&chunk, size_in_ds64);
                let start = chunk.start;
                data = Some(bytes.slice(start..start.saturating_add(length)));
            }
            _ => {}
        }
        if format.is_some() && data.as_ref().is_some_and(|data| !data.is_empty()) {
            break;
        }
        at = chunk.next();
    }
    let format = format.ok_or_else(|| invalid("its WAV header has no `fmt ` chunk"))?;
    let format = WavFormat::read(format, order)?;
    let data = data.ok_or_else(|| invalid("its WAV header is followed by no `data` chunk"))?;
    Ok(WavFile { format, frames_declared, data })
}

fn invalid(reason: &str) -> AudioError {
    AudioError::Invalid { reason: reason.into() }
}

/// How many of the bytes behind the `data` header are samples: as many as declared if that many arrived, and all
/// for the sizes that writers leave who never came back to fill them in (0, 0x7FFFF000, 0xFFFFFFFF).
fn data_length(chunk: &Chunk<'_>, size_in_ds64: Option<u64>) -> usize {
    let declared = match (chunk.size, size_in_ds64) {
        (u32::MAX, Some(size)) if size != 0 => usize::try_from(size).unwrap_or(usize::MAX),
        (0, _) if !Chunk::is_known_id(chunk.rest) => usize::MAX,
        (size, _) => size as usize,
    };
    declared.min(chunk.rest.len())
}

/// One chunk of the file, cut to what arrived.
pub(super) struct Chunk<'a> {
    pub(super) id: &'a [u8; 4],
    /// Size as declared, in bytes.
    pub(super) size: u32,
    /// Where its content starts in the file.
    pub(super) start: usize,
    /// All bytes of the file from there on.
    rest: &'a [u8],
}

impl<'a> Chunk<'a> {
    pub(super) fn at(bytes: &'a [u8], at: usize, order: ByteOrder) -> Option<Self> {
        let (id, after) = bytes.get(at..)?.split_first_chunk::<4>()?;
        let size = order.u32(after, 0)?;
        Some(Self { id, size, start: at.saturating_add(8), rest: after.get(4..)? })
    }

    pub(super) fn content(&self) -> &'a [u8] {
        self.rest.get(..self.size as usize).unwrap_or(self.rest)
    }

    /// Where the next chunk starts. Chunks are padded to even sizes, but some writers forget it.
    pub(super) fn next(&self) -> usize {
        let end = self.size as usize;
        let unpadded = self.rest.get(end..).unwrap_or_default();
        let padding = match unpadded.first() {
            Some(0) => 1,
            _ if Self::is_known_id(unpadded) => 0,
            _ => 1,
        };
        self.start.saturating_add(end).saturating_add(if end.is_multiple_of(2) { 0 } else { padding })
    }

    /// Whether `bytes` start with the name of a chunk that is common in WAV files.
    fn is_known_id(bytes: &[u8]) -> bool {
        const IDS: [&[u8; 4]; 22] = [
            b"fmt ", b"data", b"fact", b"LIST", b"bext", b"cue ", b"smpl", b"inst", b"JUNK", b"junk", b"PAD ", b"PEAK",
            b"id3 ", b"ID3 ", b"iXML", b"axml", b"chna", b"levl", b"afsp", b"DISP", b"wavl", b"_PMX",
        ];
        bytes.first_chunk::<4>().is_some_and(|id| IDS.contains(&id))
    }
}

impl WavFormat {
    fn read(content: &[u8], order: ByteOrder) -> Result<Self, AudioError> {
        let fields = || {
            let (tag, channels) = (order.u16(content, 0)?, order.u16(content, 2)?);
            let (rate, block_bytes, bits) = (order.u32(content, 4)?, order.u16(content, 12)?, order.u16(content, 14)?);
            Some((tag, channels, rate, block_bytes, bits))
        };
        let (tag, channels, sample_rate_hz, block_bytes, bits) =
            fields().ok_or_else(|| invalid("its `fmt ` chunk is cut off"))?;
        let tag = if tag == EXTENSIBLE { extended_tag(content, order)? } else { tag };
        let samples = |little, big| {
            let encoding = if order == ByteOrder::Big { big } else { little };
            Ok(WavCodec::Samples(encoding))
        };
        use SampleEncoding::*;
        // Block size and byte rate are often wrong and never needed, but for 24 bits in 4 bytes.
        let wide = u32::from(block_bytes) == u32::from(channels).saturating_mul(4);
        let codec = match (tag, bits) {
            (PCM, 8) => samples(PcmU8, PcmU8),
            (PCM, 9..=16) => samples(PcmS16le, PcmS16be),
            (PCM, 17..=24) if !wide => samples(PcmS24le, PcmS24be),
            (PCM, 17..=32) => samples(PcmS32le, PcmS32be),
            (FLOAT, 32) => samples(PcmF32le, PcmF32be),
            (FLOAT, 64) => samples(PcmF64le, PcmF64be),
            (ALAW, _) => samples(Alaw, Alaw),
            (MULAW, _) => samples(Mulaw, Mulaw),
            (ADPCM_MS, 4) => Ok(WavCodec::Blocks(BlockCodec::AdpcmMs)),
            (ADPCM_IMA, 4) => Ok(WavCodec::Blocks(BlockCodec::AdpcmIma)),
            (GSM, _) => Ok(WavCodec::Blocks(BlockCodec::Gsm)),
            (MPEG_LAYER_3, _) => Ok(WavCodec::Mp3),
            (PCM, _) => Err(unsupported(format!("a WAV file with linear samples of {bits} bits"))),
            (FLOAT, _) => Err(unsupported(format!("a WAV file with floating-point samples of {bits} bits"))),
            _ => Err(unsupported(format!("a WAV file with {} (format tag {tag:#06x})", tag_name(tag)))),
        }?;
        Ok(Self { codec, channels, sample_rate_hz, block_bytes })
    }
}

fn unsupported(what: String) -> AudioError {
    AudioError::Unsupported { what }
}

const PCM: u16 = 0x0001;
const ADPCM_MS: u16 = 0x0002;
const FLOAT: u16 = 0x0003;
const ALAW: u16 = 0x0006;
const MULAW: u16 = 0x0007;
const ADPCM_IMA: u16 = 0x0011;
const GSM: u16 = 0x0031;
const MPEG_LAYER_3: u16 = 0x0055;
const EXTENSIBLE: u16 = 0xFFFE;

/// The tag behind WAVE_FORMAT_EXTENSIBLE: the head of a GUID whose tail is the same for all of them.
fn extended_tag(content: &[u8], order: ByteOrder) -> Result<u16, AudioError> {
    const GUID_TAIL: [u8; 8] = [0x80, 0x00, 0x00, 0xAA, 0x00, 0x38, 0x9B, 0x71];
    match (order.u32(content, 24), content.get(32..40)) {
        (Some(head), Some(tail)) if tail == GUID_TAIL => Ok(u16::try_from(head).unwrap_or(u16::MAX)),
        (Some(_), Some(_)) => Err(unsupported("an extensible WAV file with a sub-format of its own".into())),
        _ => Err(invalid("its extensible `fmt ` chunk has no sub-format")),
    }
}

/// Names of the tags that are met in the wild (mmreg.h).
fn tag_name(tag: u16) -> &'static str {
    match tag {
        ADPCM_MS | ADPCM_IMA => "ADPCM of another depth than 4 bits",
        0x0040 | 0x0045 | 0x0064 => "G.726 ADPCM",
        0x0022 => "TrueSpeech",
        0x0042 | 0x0111 => "G.723.1",
        0x0050 => "MPEG layer 2",
        0x0083 | 0x0133 => "G.729",
        0x00FF | 0x1600 | 0x1610 => "AAC",
        0x0160..=0x0163 => "Windows Media Audio",
        0x2000 => "AC-3",
        EXTENSIBLE => "an extensible format inside another",
        _ => "a codec unknown here",
    }
}

/// The order of bytes in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ByteOrder {
    Little,
    Big,
}

impl ByteOrder {
    pub(super) fn u16(self, bytes: &[u8], at: usize) -> Option<u16> {
        let number = *bytes.get(at..)?.first_chunk()?;
        Some(if self == Self::Little { u16::from_le_bytes(number) } else { u16::from_be_bytes(number) })
    }

    pub(super) fn u32(self, bytes: &[u8], at: usize) -> Option<u32> {
        let number = *bytes.get(at..)?.first_chunk()?;
        Some(if self == Self::Little { u32::from_le_bytes(number) } else { u32::from_be_bytes(number) })
    }

    pub(super) fn u64(self, bytes: &[u8], at: usize) -> Option<u64> {
        let number = *bytes.get(at..)?.first_chunk()?;
        Some(if self == Self::Little { u64::from_le_bytes(number) } else { u64::from_be_bytes(number) })
    }
}
