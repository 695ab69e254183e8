//! Ogg files: where one of several in a row ends, and the end of one that was cut.
//!
//! A page counts only as a whole, by its checksum, and may hold a second of sound: of a short recording that was cut all
//! of it. The packets that arrived whole are worth a page of their own.
//!
//! Source: RFC 3533, section 6.

use bytes::Bytes;

const MAGIC: &[u8] = b"OggS";
/// Bytes before the table of segments.
const HEADER_BYTES: usize = 27;
/// Where the flags stand in the header, and that of a stream's first page.
const FLAGS: usize = 5;
const FIRST_OF_STREAM: u8 = 2;
/// Where the checksum stands in the header, and where it ends.
const CHECKSUM: std::ops::Range<usize> = 22..26;
/// A segment of so many bytes is not the last of its packet.
const FULL_SEGMENT: u8 = 255;
/// The checksum's generator polynomial; highest bit first, nothing inverted.
const POLYNOMIAL: u32 = 0x04C1_1DB7;

/// Where the pages of the first of several files in a row end: before streams begin anew behind others' pages.
pub(super) fn first_end(bytes: &[u8]) -> usize {
    let (mut at, mut has_begun) = (0_usize, false);
    while let Some((header, segments, _)) = page(bytes.get(at..).unwrap_or_default()) {
        let is_first = header.get(FLAGS).is_some_and(|flags| flags & FIRST_OF_STREAM != 0);
        if is_first && has_begun {
            return at;
        }
        has_begun |= !is_first;
        at = at.saturating_add(HEADER_BYTES).saturating_add(segments.len()).saturating_add(length(segments));
    }
    bytes.len()
}

/// The same file, but that its last page, if it was cut, has the packets that arrived whole.
pub(super) fn with_whole_end(bytes: Bytes) -> Bytes {
    let mut at = 0_usize;
    loop {
        let Some((header, segments, body)) = page(bytes.get(at..).unwrap_or_default()) else { return bytes };
        let length = length(segments);
        if body.len() >= length {
            at = at.saturating_add(HEADER_BYTES).saturating_add(segments.len()).saturating_add(length);
            continue;
        }
        let Some(page) = shortened(header, segments, body) else { return bytes };
        return [bytes.get(..at).unwrap_or_default(), &page].concat().into();
    }
}

/// Header, table of segments, and what follows of a page that begins here.
fn page(bytes: &[u8]) -> Option<(&[u8; HEADER_BYTES], &[u8], &[u8])> {
    let (header, rest) = bytes.split_first_chunk::<HEADER_BYTES>()?;
    let (segments, body) = rest.split_at_checked(usize::from(*header.last()?))?;
    header.starts_with(MAGIC).then_some((header, segments, body))
}

/// Bytes of a page's segments.
fn length(segments: &[u8]) -> usize {
    segments.iter().fold(0, |sum: usize, segment| sum.saturating_add(usize::from(*segment)))
}

/// The page of the packets that end in what arrived; `None` if there is none.
fn shortened(header: &[u8; HEADER_BYTES], segments: &[u8], body: &[u8]) -> Option<Vec<u8>> {
    let (mut length, mut whole) = (0_usize, None);
    for (place, segment) in segments.iter().enumerate() {
        length = length.saturating_add(usize::from(*segment));
        if length > body.len() {
            break;
        }
        if *segment < FULL_SEGMENT {
            whole = Some((place.saturating_add(1), length));
        }
    }
    let (count, length) = whole?;
    let mut page = header.to_vec();
    *page.last_mut()? = u8::try_from(count).ok()?;
    page.extend_from_slice(segments.get(..count)?);
    page.extend_from_slice(body.get(..length)?);
    page.get_mut(CHECKSUM)?.fill(0);
    let checksum = checksum(&page).to_le_bytes();
    page.get_mut(CHECKSUM)?.copy_from_slice(&checksum);
    Some(page)
}

fn checksum(page: &[u8]) -> u32 {
    page.iter().fold(0, |sum: u32, byte| {
        (0..8).fold(sum ^ u32::from(*byte) << 24, |sum, _| sum << 1 ^ if sum >> 31 == 0 { 0 } else { POLYNOMIAL })
    })
}

#[cfg(test)]
mod tests {
    use super::super::{AudioLimits, decode};
    use super::*;

    const OPUS: &[u8] = include_bytes!("../../tests/fixtures/audio/opusenc.opus");
    const VORBIS: &[u8] = include_bytes!("../../tests/fixtures/audio/ffmpeg-vorbis.ogg");

    #[test]
    fn a_page_that_encoders_wrote_has_this_checksum() {
        let (header, segments, body) = page(OPUS).unwrap();
        let mut first = [header, segments, &body[..usize::from(segments[0])]].concat();
        first[CHECKSUM].fill(0);
        assert_eq!(checksum(&first).to_le_bytes(), header[CHECKSUM]);
    }

    #[test]
    fn of_a_page_that_was_cut_the_packets_that_arrived_are_heard() {
        let seconds = |bytes: &[u8]| {
            let limits = AudioLimits { min_seconds: 0.0, ..AudioLimits::default() };
            let recording = decode(Bytes::copy_from_slice(bytes), None, &limits).ok()?;
            Some(recording.channels[0].samples().len() as f64 / f64::from(recording.sample_rate_hz))
        };
        for file in [OPUS, VORBIS] {
            // Where its sound begins: behind the last page that has none.
            let whole = seconds(file).unwrap();
            let heard: Vec<Option<f64>> = (file.len() / 2..file.len()).map(|end| seconds(&file[..end])).collect();
            let known: Vec<f64> = heard.iter().copied().flatten().collect();
            assert!(known.len() > file.len() / 4, "{} of {}", known.len(), heard.len());
            assert!(known.windows(2).all(|pair| pair[0] <= pair[1]) && known[0] < 0.5 * whole, "{known:?}");
            assert!(*known.last().unwrap() > 0.9 * whole && *known.last().unwrap() <= whole + 0.03);
        }
    }

    #[test]
    fn files_in_a_row_are_heard_one_after_the_other() {
        for file in [OPUS, VORBIS] {
            let heard = |bytes: Vec<u8>| {
                let mut channels = decode(bytes.into(), None, &AudioLimits::default()).unwrap().channels;
                channels.remove(0).samples().to_vec()
            };
            let once = heard(file.to_vec());
            assert_eq!(first_end(file), file.len());
            assert_eq!(heard(file.repeat(3)), once.repeat(3));
            // What is no whole file cannot follow.
            assert_eq!(heard([file, &file[..40]].concat()), once);
        }
        let mixed = [OPUS, VORBIS].concat();
        assert_eq!(first_end(&mixed), OPUS.len());
    }

    #[test]
    fn what_was_not_cut_and_what_is_no_page_stay_as_they_are() {
        for bytes in [OPUS, VORBIS, b"OggS", b"", b"OggS\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x05ab"] {
            assert_eq!(with_whole_end(Bytes::from_static(bytes)), bytes);
        }
    }

    /// The fixture with a page for each packet, whose counts of samples are changed.
    fn paged(count: impl Fn(u64) -> u64) -> Vec<u8> {
        let (mut at, mut packets, mut file) = (0, Vec::new(), Vec::new());
        while let Some((header, segments, body)) = page(&OPUS[at..]) {
            let (mut from, mut to) = (0, 0);
            for segment in segments {
                to += usize::from(*segment);
                if *segment < FULL_SEGMENT {
                    packets.push(body[from..to].to_vec());
                    from = to;
                }
            }
            at += HEADER_BYTES + segments.len() + length(segments);
            assert!(from == to && header.len() == HEADER_BYTES, "no packet goes on on another page");
        }
        let last = packets.len() - 1;
        for (number, packet) in packets.iter().enumerate() {
            // Header and comment come before the sound; the last page ends with it, and not with its packet.
            let counted = (number as u64).saturating_sub(1) * 960;
            let counted = if number == last { counted - 100 } else { counted };
            let granule = if number < 2 { 0 } else { count(counted) };
            let flags = if number == 0 {
                2
            } else if number == last {
                4
            } else {
                0
            };
            let segments = [vec![255; packet.len() / 255], vec![(packet.len() % 255) as u8]].concat();
            let mut page = [&b"OggS\0"[..], &[flags], &granule.to_le_bytes(), &[7, 0, 0, 0]].concat();
            page.extend(
                [&(number as u32).to_le_bytes()[..], &[0; 4], &[segments.len() as u8], &segments, packet].concat(),
            );
            let checksum = checksum(&page).to_le_bytes();
            page[CHECKSUM].copy_from_slice(&checksum);
            file.extend(page);
        }
        file
    }

    #[test]
    fn a_wrong_count_of_samples_costs_the_last_page_at_most() {
        let frames =
            |file: Vec<u8>| decode(file.into(), None, &AudioLimits::default()).unwrap().channels[0].samples().len();
        let right = frames(paged(|count| count));
        let all = frames(paged(|count| count.next_multiple_of(960)));
        assert_eq!(all - right, 100, "what an encoder filled up is left out");
        for (what, heard) in [
            ("a third", frames(paged(|count| count / 3))),
            ("nothing", frames(paged(|_| 0))),
            ("always the same", frames(paged(|_| 4800))),
            ("a packet less", frames(paged(|count| count.saturating_sub(960)))),
        ] {
            assert!((all - 960..=all).contains(&heard), "{what}: {heard} of {all}");
        }
    }
}
