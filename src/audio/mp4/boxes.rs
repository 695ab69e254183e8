//! The end of an MP4 file.
//!
//! Source: ISO/IEC 14496-12, section 4.2: a file is a series of boxes, each with its size and type.

use bytes::Bytes;

use super::riff::ByteOrder;

/// Boxes whose loss is the loss of sound.
const SOUND: [&[u8]; 2] = [b"mdat", b"moof"];

/// The boxes that arrived whole, and whether sound was cut off behind them. What is no box, such as a tag that was hung on,
/// is left out where the table of contents came before it; else it may be the table itself, cut off.
pub(super) fn whole_boxes(bytes: Bytes) -> (Bytes, bool) {
    let (mut at, mut has_contents) = (0_usize, false);
    while let Some(size) = ByteOrder::Big.u32(&bytes, at) {
        let size = match size {
            0 => return (bytes, false),
            1 => ByteOrder::Big.u64(&bytes, at.saturating_add(8)).unwrap_or(u64::MAX),
            size => u64::from(size),
        };
        let kind = bytes.get(at.saturating_add(4)..at.saturating_add(8)).unwrap_or_default();
        let end = at.saturating_add(usize::try_from(size.max(8)).unwrap_or(usize::MAX));
        if end > bytes.len() {
            let is_cut = !has_contents || SOUND.contains(&kind);
            return (if is_cut { bytes } else { bytes.slice(..at) }, is_cut);
        }
        has_contents |= kind == b"moov";
        at = end;
    }
    (bytes, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(kind: &str, length: usize) -> Vec<u8> {
        [&(length as u32 + 8).to_be_bytes()[..], kind.as_bytes(), &vec![7; length]].concat()
    }

    #[test]
    fn what_was_hung_on_is_left_out_and_what_was_cut_is_told() {
        let (sound, contents) = (one("mdat", 100), one("moov", 30));
        for (whole, hung_on) in [
            (vec![sound.clone(), contents.clone()], &b"TAGa title and more"[..]),
            (vec![contents.clone(), sound.clone()], b"\r\n--a-boundary--"),
            (vec![sound.clone(), contents.clone()], b"\0\0\0"),
            (vec![sound.clone(), contents.clone()], b""),
        ] {
            let whole = whole.concat();
            let (boxes, is_cut) = whole_boxes([&whole[..], hung_on].concat().into());
            assert!(boxes.starts_with(&whole) && boxes.len() < whole.len() + 4 && !is_cut);
        }
        for parts in [[&contents[..], &sound[..90]], [&sound[..], &contents[..20]]] {
            let cut = Bytes::from(parts.concat());
            assert_eq!(whole_boxes(cut.clone()), (cut, true));
        }
    }
}
