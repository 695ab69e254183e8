//! What an MP4 file is made of.
//!
//! Source: ISO/IEC 14496-12, section 4.2: a file is a series of boxes, each with its size and type.

use bytes::Bytes;

use super::super::riff::ByteOrder;

/// Types and contents of boxes that follow each other; the last is cut to what arrived.
pub(super) fn boxes(bytes: &[u8]) -> impl Iterator<Item = (&[u8; 4], &[u8])> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (size, kind) = (ByteOrder::Big.u32(rest, 0)?, rest.get(4..8)?.first_chunk::<4>()?);
        let (size, header) = match size {
            0 => (rest.len(), 8),
            1 => (usize::try_from(ByteOrder::Big.u64(rest, 8)?).unwrap_or(usize::MAX), 16),
            size => (size as usize, 8),
        };
        let (this, next) = rest.split_at(size.min(rest.len()));
        rest = next;
        // One that is smaller than its header ends the series.
        Some((kind, this.get(header..)?))
    })
}

/// The content of the first box of that type.
pub(super) fn inside<'a>(bytes: &'a [u8], kind: &[u8; 4]) -> Option<&'a [u8]> {
    boxes(bytes).find_map(|(found, content)| (found == kind).then_some(content))
}

/// Boxes whose loss is the loss of sound.
const SOUND: [&[u8]; 2] = [b"mdat", b"moof"];

/// The boxes that arrived whole, and whether sound was cut off behind them. What is no box, such as a tag that was hung on,
/// is left out where the table of contents came before it; else it may be the table itself, cut off.
pub(in crate::audio) fn whole_boxes(bytes: Bytes) -> (Bytes, bool) {
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
    fn boxes_follow_each_other_as_far_as_they_make_sense() {
        let wide = [&[0, 0, 0, 1][..], b"wide", &18_u64.to_be_bytes(), &[5; 2]].concat();
        let all = [one("moov", 3), wide, one("cut ", 9)[..12].to_vec()].concat();
        let found: Vec<(&[u8; 4], &[u8])> = boxes(&all).collect();
        assert_eq!(found, [(b"moov", &[7; 3][..]), (b"wide", &[5; 2]), (b"cut ", &[7; 4])]);
        assert_eq!(inside(&all, b"wide"), Some(&[5; 2][..]));
        let without_sense = [&[0, 0, 0, 3][..], b"tiny", &one("moov", 3)].concat();
        assert_eq!(boxes(&without_sense).count(), 0);
        assert_eq!(boxes(&[0, 0, 0, 1]).count(), 0);
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
