//! Sun/NeXT `.au` files, the `audio/basic` of telephone systems on Unix.
//!
//! Source: RFC 2046, section 4.2, and Sun's audio_filehdr.h: six big-endian words, then the samples.

use bytes::Bytes;

use super::AudioError;
use super::decoder::{Interleaved, Opened};
use super::pcm::SampleEncoding::{self, *};
use super::riff::ByteOrder;

/// Whether `bytes` start like such a file.
pub(super) fn is_au(bytes: &[u8]) -> bool {
    bytes.starts_with(b".snd")
}

/// Opens a file for which [`is_au`] holds.
///
/// # Errors
/// [`AudioError::Invalid`] for a header that is cut off, [`AudioError::Unsupported`] for an encoding beside linear,
/// floating-point and G.711.
pub(super) fn open(bytes: &Bytes) -> Result<Opened, AudioError> {
    let word = |number: usize| ByteOrder::Big.u32(bytes, number.saturating_mul(4));
    let (Some(start), Some(length), Some(encoding), Some(rate), Some(channels)) =
        (word(1), word(2), word(3), word(4), word(5))
    else {
        return Err(AudioError::Invalid { reason: "its AU header is cut off".into() });
    };
    let encoding: SampleEncoding = match encoding {
        1 => Mulaw,
        2 => PcmS8,
        3 => PcmS16be,
        4 => PcmS24be,
        5 => PcmS32be,
        6 => PcmF32be,
        7 => PcmF64be,
        27 => Alaw,
        other => return Err(AudioError::Unsupported { what: format!("an AU file with encoding number {other}") }),
    };
    let start = (start as usize).min(bytes.len());
    // 0xFFFFFFFF stands for an unknown length, some write 0; a length that did not arrive is worth no more.
    let length = if length == 0 { u32::MAX } else { length };
    let end = start.saturating_add(length as usize).min(bytes.len());
    let channels = u16::try_from(channels).unwrap_or(u16::MAX);
    Ok(Interleaved::open(encoding, rate, channels, bytes.slice(start..end)))
}

#[cfg(test)]
mod tests {
    use super::super::{AudioLimits, Recording, decode};
    use super::*;

    fn au(words: [u32; 5], data: &[u8]) -> Result<Recording, AudioError> {
        let mut file = b".snd".to_vec();
        words.iter().for_each(|word| file.extend(word.to_be_bytes()));
        file.extend(data);
        decode(file.into(), None, &AudioLimits { min_seconds: 0.0, ..AudioLimits::default() })
    }

    #[test]
    fn a_telephone_recording_of_unknown_length_is_read_to_its_end() {
        for length in [u32::MAX, 0] {
            let recording = au([24, length, 1, 8000, 1], &[0x00, 0xFF, 0x80]).unwrap();
            assert_eq!((recording.format.as_str(), recording.sample_rate_hz), ("mulaw", 8000));
            assert_eq!(recording.channels[0].samples(), [-32124.0 / 32768.0, 0.0, 32124.0 / 32768.0]);
        }
    }

    #[test]
    fn samples_start_where_the_header_says_and_end_there() {
        let recording = au([28, 4, 3, 16_000, 2], &[9, 9, 9, 9, 0x40, 0, 0xC0, 0, 7, 7]).unwrap();
        assert_eq!(recording.channels[0].samples(), [0.5]);
        assert_eq!(recording.channels[1].samples(), [-0.5]);
    }

    #[test]
    fn senseless_headers_are_refused() {
        assert!(matches!(au([24, 4, 23, 8000, 1], &[0; 4]), Err(AudioError::Unsupported { .. })));
        assert!(matches!(au([24, 4, 1, 8000, 65_536], &[0; 4]), Err(AudioError::Invalid { .. })));
        assert!(matches!(au([u32::MAX, 4, 1, 8000, 1], &[0; 4]), Err(AudioError::Invalid { .. })));
    }
}
