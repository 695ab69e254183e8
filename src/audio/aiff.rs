//! AIFF and AIFF-C files: the same samples as in WAV, chunked in big-endian order.
//!
//! (Symphonia has a reader for them, but refuses files that were cut off.)
//!
//! Source: Apple, "Audio Interchange File Format: AIFF", version 1.3, 1989, and the AIFF-C draft of 1991.

use bytes::Bytes;

use super::AudioError;
use super::decoder::{Interleaved, Opened};
use super::pcm::SampleEncoding::{self, *};
use super::riff::{ByteOrder, Chunk};

/// Whether `bytes` start like such a file.
pub(super) fn is_aiff(bytes: &[u8]) -> bool {
    bytes.starts_with(b"FORM") && matches!(bytes.get(8..12), Some(b"AIFF" | b"AIFC"))
}

/// Opens a file for which [`is_aiff`] holds.
///
/// # Errors
/// [`AudioError::Invalid`] for a header without the necessary chunks, [`AudioError::Unsupported`] for a compression
/// beside linear, floating-point and G.711.
pub(super) fn open(bytes: &Bytes) -> Result<Opened, AudioError> {
    let (mut format, mut data) = (None, None);
    let mut at = 12_usize;
    while let (true, Some(chunk)) = (format.is_none() || data.is_none(), Chunk::at(bytes, at, ByteOrder::Big)) {
        match chunk.id {
            b"COMM" => format = Some(Common::read(chunk.content())?),
            b"SSND" => {
                let offset = ByteOrder::Big.u32(chunk.content(), 0).unwrap_or(0) as usize;
                let start = chunk.start.saturating_add(8).saturating_add(offset).min(bytes.len());
                // Size 0 or too large is what a pipe leaves behind.
                let end = if chunk.size == 0 { bytes.len() } else { chunk.start.saturating_add(chunk.size as usize) };
                data = Some(bytes.slice(start..end.clamp(start, bytes.len())));
            }
            _ => {}
        }
        at = chunk.next();
    }
    let missing = |chunk| AudioError::Invalid { reason: format!("its AIFF header has no `{chunk}` chunk") };
    let format = format.ok_or_else(|| missing("COMM"))?;
    let data = data.ok_or_else(|| missing("SSND"))?;
    Ok(Interleaved::open(format.encoding, format.sample_rate_hz, format.channels, data))
}

/// The `COMM` chunk.
struct Common {
    encoding: SampleEncoding,
    sample_rate_hz: u32,
    channels: u16,
}

impl Common {
    fn read(content: &[u8]) -> Result<Self, AudioError> {
        let invalid = |reason: &str| AudioError::Invalid { reason: reason.into() };
        let fields = || {
            let (channels, bits) = (ByteOrder::Big.u16(content, 0)?, ByteOrder::Big.u16(content, 6)?);
            Some((channels, bits, content.get(8..18)?))
        };
        let (channels, bits, rate) = fields().ok_or_else(|| invalid("its `COMM` chunk is cut off"))?;
        let no_rate = || invalid("its `COMM` chunk has no sample rate that is a whole number of Hz");
        let sample_rate_hz = rate_hz(rate).ok_or_else(no_rate)?;
        // Plain AIFF has no compression type and ends here.
        let compression = content.get(18..22).unwrap_or(b"NONE");
        let encoding = match (compression, bits) {
            (b"NONE" | b"twos" | b"sowt", 1..=8) => PcmS8,
            (b"raw ", 1..=8) => PcmU8,
            (b"NONE" | b"twos", 9..=16) => PcmS16be,
            (b"NONE" | b"twos" | b"in24", 17..=24) => PcmS24be,
            (b"NONE" | b"twos" | b"in32", 25..=32) => PcmS32be,
            (b"sowt", 9..=16) => PcmS16le,
            (b"sowt", 17..=24) => PcmS24le,
            (b"sowt", 25..=32) => PcmS32le,
            (b"fl32" | b"FL32", _) => PcmF32be,
            (b"fl64" | b"FL64", _) => PcmF64be,
            (b"ulaw" | b"ULAW", _) => Mulaw,
            (b"alaw" | b"ALAW", _) => Alaw,
            _ => {
                let what = format!("an AIFF file with compression `{}`, {bits} bits", compression.escape_ascii());
                return Err(AudioError::Unsupported { what });
            }
        };
        Ok(Self { encoding, sample_rate_hz, channels })
    }
}

/// A sample rate as the 80-bit float that AIFF writes; None if it is negative or no whole number of Hz.
fn rate_hz(float: &[u8]) -> Option<u32> {
    let exponent = ByteOrder::Big.u16(float, 0)?;
    let mantissa = ByteOrder::Big.u64(float, 2)?;
    // Value: mantissa * 2^(exponent - 16383 - 63).
    let shift = 16446_u32.checked_sub(u32::from(exponent))?;
    u32::try_from(mantissa.checked_shr(shift)?).ok()
}

#[cfg(test)]
mod tests {
    use super::super::{AudioLimits, Recording, decode};
    use super::*;

    /// 8 kHz as the 80-bit float that AIFF writes.
    const EIGHT_KHZ: [u8; 10] = [0x40, 0x0B, 0xFA, 0, 0, 0, 0, 0, 0, 0];

    fn aiff(compression: &[u8], bits: u16, data: &[u8], data_bytes: u32) -> Result<Recording, AudioError> {
        aiff_at(EIGHT_KHZ, compression, bits, data, data_bytes)
    }

    fn aiff_at(
        rate: [u8; 10],
        compression: &[u8],
        bits: u16,
        data: &[u8],
        data_bytes: u32,
    ) -> Result<Recording, AudioError> {
        let mut file = b"FORM\0\0\0\0AIFCCOMM\0\0\0".to_vec();
        file.push(18 + compression.len() as u8);
        file.extend([0, 1, 0, 0, 0, 9]);
        file.extend(bits.to_be_bytes());
        file.extend(rate);
        file.extend(compression);
        file.extend(b"SSND");
        file.extend(data_bytes.to_be_bytes());
        file.extend([0; 8]);
        file.extend(data);
        decode(file.into(), None, &AudioLimits { min_seconds: 0.0, ..AudioLimits::default() })
    }

    #[test]
    fn samples_of_either_byte_order_are_read_even_if_the_size_is_missing_or_too_large() {
        for size in [12, 0, 9999] {
            let big = aiff(b"", 16, &[0x40, 0, 0xC0, 0], size).unwrap();
            assert_eq!((big.format.as_str(), big.sample_rate_hz), ("pcm_s16be", 8000));
            assert_eq!(big.channels[0].samples(), [0.5, -0.5]);
            let little = aiff(b"sowt\0\0", 16, &[0, 0x40, 0, 0xC0], size).unwrap();
            assert_eq!(little.channels[0].samples(), [0.5, -0.5]);
        }
        assert_eq!(aiff(b"raw \0\0", 8, &[0x80, 0xC0], 10).unwrap().channels[0].samples(), [0.0, 0.5]);
        assert_eq!(aiff(b"ulaw\0\0", 16, &[0xFF, 0x80], 10).unwrap().channels[0].samples(), [0.0, 32124.0 / 32768.0]);
    }

    #[test]
    fn senseless_headers_are_refused() {
        assert!(matches!(aiff(b"ima4\0\0", 16, &[0; 4], 12), Err(AudioError::Unsupported { .. })));
        assert!(matches!(aiff(b"", 0, &[0; 4], 12), Err(AudioError::Unsupported { .. })));
        let silent = aiff_at([0; 10], b"", 16, &[0; 4], 12).unwrap_err().to_string();
        assert!(silent.contains("sample rate"), "{silent}");
        assert_eq!(rate_hz(&[0x40, 0x0E, 0xAC, 0x44, 0, 0, 0, 0, 0, 0]), Some(44_100));
        assert_eq!(rate_hz(&[0xC0, 0x0E, 0xAC, 0x44, 0, 0, 0, 0, 0, 0]), None);
        assert_eq!(rate_hz(&[0x40, 0x3F, 0xFF, 0, 0, 0, 0, 0, 0, 0]), None);
    }
}
