//! What is hung on recordings to say whose they are.
//!
//! Sources: ID3 tag version 2.4.0, sections 3.1 and 3.4; APE tag version 2, its footer.

use bytes::Bytes;

use super::riff::ByteOrder;

/// Length of ID3v1's tag, which stands at the end.
const OLD_TAG_BYTES: usize = 128;
const OLD_MAGIC: &[u8] = b"TAG";
const APE_FOOTER_BYTES: usize = 32;
const APE_MAGIC: &[u8] = b"APETAGEX";

/// Skips ID3v2 tags, which stand before MP3 and AAC, and sometimes before FLAC and others, and the zeros that may follow them.
pub(super) fn without_first(mut bytes: Bytes) -> Bytes {
    while let Some([b'I', b'D', b'3', _, _, flags, size @ ..]) = bytes.first_chunk::<10>() {
        let size = size.iter().fold(0_usize, |size, byte| size << 7 | usize::from(byte & 0x7F));
        let footer = if flags & 0x10 == 0 { 0 } else { 10 };
        let end = size.saturating_add(10).saturating_add(footer);
        let zeros = bytes.get(end..).unwrap_or_default().iter().take_while(|byte| **byte == 0).count();
        // A tag that claims more than the file has cannot be skipped.
        if end.saturating_add(zeros) >= bytes.len() {
            break;
        }
        bytes = bytes.slice(end.saturating_add(zeros)..);
    }
    bytes
}

/// Leaves out the tags that some programs write behind the sound, ID3v1 and APE, one of each.
pub(super) fn without_last(mut bytes: Bytes) -> Bytes {
    if let Some(tag) = ending(&bytes, OLD_TAG_BYTES, OLD_MAGIC) {
        bytes.truncate(tag);
    }
    if let Some(footer) = ending(&bytes, APE_FOOTER_BYTES, APE_MAGIC) {
        // The size that it says has the footer in it, but not the header.
        let size = ByteOrder::Little.u32(&bytes, footer.saturating_add(12)).unwrap_or_default();
        let has_header = ByteOrder::Little.u32(&bytes, footer.saturating_add(20)).unwrap_or_default() >> 31 == 1;
        let header = if has_header { APE_FOOTER_BYTES } else { 0 };
        let length = usize::try_from(size).unwrap_or(usize::MAX).saturating_add(header);
        bytes.truncate(bytes.len().checked_sub(length).unwrap_or(footer));
    }
    bytes
}

/// Where the last `length` bytes are, if they begin with `magic`.
fn ending(bytes: &[u8], length: usize, magic: &[u8]) -> Option<usize> {
    let start = bytes.len().checked_sub(length)?;
    bytes.get(start..)?.starts_with(magic).then_some(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ape(text: &[u8], has_header: bool) -> Vec<u8> {
        let frame = |is_header: u32| {
            let size = (text.len() + APE_FOOTER_BYTES) as u32;
            let flags = u32::from(has_header) << 31 | is_header << 29;
            [
                APE_MAGIC,
                &2000_u32.to_le_bytes(),
                &size.to_le_bytes(),
                &1_u32.to_le_bytes(),
                &flags.to_le_bytes(),
                &[0; 8],
            ]
            .concat()
        };
        let header = if has_header { frame(1) } else { Vec::new() };
        [header, text.to_vec(), frame(0)].concat()
    }

    #[test]
    fn tags_behind_the_sound_are_left_out() {
        let sound = vec![9; 300];
        let old = [b"TAG".to_vec(), vec![b'x'; 125]].concat();
        for tags in [Vec::new(), old.clone(), ape(b"Title", true), ape(b"Title", false), [ape(b"", true), old].concat()]
        {
            assert_eq!(without_last([sound.clone(), tags].concat().into()), sound);
        }
        // One that claims more than there is takes itself along at most.
        let mut false_size = ape(b"", false);
        false_size[12..16].fill(0xFF);
        assert_eq!(without_last([sound.clone(), false_size].concat().into()), sound);
        assert_eq!(without_last(Bytes::from_static(b"TAG")), &b"TAG"[..]);
    }
}
