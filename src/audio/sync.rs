//! Where the frames of an MPEG stream begin that does not begin with one: it was cut out of a longer one, or something
//! stands before it.
//!
//! Sources: ISO/IEC 11172-3 and 13818-3, section 2.4 (MP3); ISO/IEC 14496-3, section 1.A.2 (ADTS).

use super::link::Container;

/// So far behind the beginning a stream is looked for: a frame has at most 8191 bytes.
const LONGEST_LEAD: usize = 16 * 1024;
/// Frames that must follow each other before a stream is believed; by chance they hardly ever do.
const FRAMES: usize = 3;
/// Bit rates of layer III in kbit/s by their index, of MPEG 1 and of the later ones.
const BIT_RATES: [[usize; 16]; 2] = [
    [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0],
    [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0],
];
/// Sample rates of MPEG 1 in Hz by their index.
const SAMPLE_RATES: [usize; 4] = [44_100, 48_000, 32_000, 0];

/// What kind of stream begins somewhere in the first bytes, and where.
pub(super) fn find(bytes: &[u8]) -> Option<(Container, usize)> {
    let starts = bytes.windows(2).take(LONGEST_LEAD).enumerate();
    starts.filter(|(_, pair)| matches!(pair, [0xFF, second] if second & 0xE0 == 0xE0)).find_map(|(start, _)| {
        let mut rest = bytes.get(start..)?;
        let (container, kind, mut length) = frame(rest)?;
        for _ in 1..FRAMES {
            rest = rest.get(length..)?;
            (_, _, length) = frame(rest).filter(|next| (next.0, next.1) == (container, kind))?;
        }
        Some((container, start))
    })
}

/// Container, what all headers of a stream have in common, and length in bytes of the frame that begins here.
fn frame(bytes: &[u8]) -> Option<(Container, [u8; 2], usize)> {
    let [first, second, third, fourth, fifth, sixth] = bytes.first_chunk::<6>()?.map(usize::from);
    if first != 0xFF {
        return None;
    }
    if second & 0xF6 == 0xF0 {
        let length = (fourth & 0x03) << 11 | fifth << 3 | sixth >> 5;
        let kind = [bytes.get(1)?, bytes.get(2)?].map(|byte| byte & 0xFE);
        return (length > 7 && third & 0x3C < 13 << 2).then_some((Container::Adts, kind, length));
    }
    // Version 1 of MPEG is 3, version 2 is 2, version 2.5 is 0; layer III is 1.
    let (version, layer) = (second >> 3 & 3, second >> 1 & 3);
    if second & 0xE0 != 0xE0 || version == 1 || layer != 1 {
        return None;
    }
    let (rates, shift, slots) = match version {
        3 => (BIT_RATES.first()?, 0, 144_000),
        2 => (BIT_RATES.last()?, 1, 72_000),
        _ => (BIT_RATES.last()?, 2, 72_000),
    };
    let (bit_rate, sample_rate) = (*rates.get(third >> 4)?, SAMPLE_RATES.get(third >> 2 & 3)? >> shift);
    let length = bit_rate.saturating_mul(slots).checked_div(sample_rate)?.saturating_add(third >> 1 & 1);
    let kind = [*bytes.get(1)? & 0xFE, *bytes.get(2)? & 0x0C];
    (bit_rate > 0).then_some((Container::Mp3, kind, length))
}

#[cfg(test)]
mod tests {
    use super::super::{AudioLimits, decode};
    use super::*;

    const MP3: &[u8] = include_bytes!("../../tests/fixtures/audio/ffmpeg.mp3");
    const AAC: &[u8] = include_bytes!("../../tests/fixtures/audio/ffmpeg.aac");

    #[test]
    fn a_stream_that_was_cut_out_of_another_is_found_and_heard() {
        for (file, format) in [(MP3, "mp3"), (AAC, "aac")] {
            for cut in 1..file.len() / 3 {
                let recording = decode(file[cut..].to_vec().into(), None, &AudioLimits::default());
                let heard = recording.map(|recording| recording.format);
                assert_eq!(heard.as_deref().ok(), Some(format), "{cut}: {heard:?}");
            }
            let behind_zeros = [&[0; 300], file].concat();
            assert_eq!(decode(behind_zeros.into(), None, &AudioLimits::default()).unwrap().format, format);
        }
    }

    #[test]
    fn what_lies_in_another_file_is_not_dug_out() {
        let archive = [b"PK\x03\x04".as_slice(), &[0; 26], MP3].concat();
        let told = decode(archive.into(), None, &AudioLimits::default()).unwrap_err().to_string();
        assert!(told.contains("zip"), "{told}");
    }

    #[test]
    fn one_frame_or_two_are_no_stream() {
        let (container, start) = find(MP3).unwrap();
        let length = frame(&MP3[start..]).unwrap().2;
        assert!(container == Container::Mp3 && find(&MP3[..start + 2 * length]).is_none());
        assert!(find(&[]).is_none() && find(&[0xFF; 100_000]).is_none() && find(&[0; 100_000]).is_none());
    }
}
