//! Matroska and WebM files: where one of several in a row ends, where damage ends a part of one, and what their reader needs
//! to know before it reads another part.
//!
//! Its reader gives up at the first bytes that make no sense, and at some that do, such as chapters without numbers.
//!
//! Sources: RFC 8794 (EBML), section 4; RFC 9559 (Matroska), section 5.1.

use bytes::Bytes;

const EBML: u32 = 0x1A45_DFA3;
const SEGMENT: u32 = 0x1853_8067;
const INFO: u32 = 0x1549_A966;
const TRACKS: u32 = 0x1654_AE6B;
const CLUSTER: u32 = 0x1F43_B675;
const SIMPLE_BLOCK: u32 = 0xA3;
const BLOCK_GROUP: u32 = 0xA0;
/// What a segment consists of: seek head, info, tracks, cues, attachments, chapters, tags, and what may be anywhere.
const IN_SEGMENT: [u32; 9] =
    [0x114D_9B74, INFO, TRACKS, 0x1C53_BB6B, 0x1941_A469, 0x1043_A770, 0x1254_C367, VOID, CHECKSUM];
/// What a cluster consists of, its time and sizes before all.
const IN_CLUSTER: [u32; 9] = [0xE7, 0xA7, 0xAB, 0x5854, 0xAF, SIMPLE_BLOCK, BLOCK_GROUP, VOID, CHECKSUM];
const VOID: u32 = 0xEC;
const CHECKSUM: u32 = 0xBF;
/// A segment that goes on to the end of the file.
const ENDLESS_SEGMENT: [u8; 12] = [0x18, 0x53, 0x80, 0x67, 0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF];
/// Longest description of tracks that is read again behind damage, in bytes; that of a call has some hundred.
const MOST_HEAD_BYTES: usize = 1 << 20;
/// Longest header of a file, in bytes, that is believed behind damage: it has some short numbers.
const MOST_HEADER_BYTES: usize = 4096;

struct Element {
    id: u32,
    /// Where its content begins.
    content: usize,
    /// Where it ends, if it says so.
    end: Option<usize>,
}

impl Element {
    fn at(bytes: &[u8], at: usize) -> Option<Self> {
        let rest = bytes.get(at..)?;
        let (id, id_bytes) = number(rest).filter(|(_, length)| *length <= 4)?;
        let (size, size_bytes) = number(rest.get(id_bytes..)?)?;
        // The highest bit of a size that is set says how long it is; all others set mean that it is not known.
        let marker = 1_u64 << 7_usize.saturating_mul(size_bytes);
        let size = size & !marker;
        let content = at.saturating_add(id_bytes).saturating_add(size_bytes);
        let end = (size != marker.saturating_sub(1))
            .then(|| content.saturating_add(usize::try_from(size).unwrap_or(usize::MAX)));
        Some(Self { id: u32::try_from(id).ok()?, content, end })
    }

    /// One that lies in the first `to` bytes.
    fn within(bytes: &[u8], at: usize, to: usize) -> Option<(Self, usize)> {
        let element = Self::at(bytes, at)?;
        let end = element.end.filter(|end| *end <= to)?;
        Some((element, end))
    }
}

/// A number of one to eight bytes, its marker included, and how many they are.
fn number(bytes: &[u8]) -> Option<(u64, usize)> {
    let length = bytes.first()?.leading_zeros().saturating_add(1) as usize;
    let number = bytes.get(..length)?.iter().fold(0, |number: u64, byte| number << 8 | u64::from(*byte));
    (length <= 8).then_some((number, length))
}

/// What a file says of its tracks and nothing else, as the head of another file, and where its clusters begin. `None` if it
/// is written in a way that needs its reader.
pub(super) fn head(file: &[u8]) -> Option<(Bytes, usize)> {
    let (_, header_ends) = Element::within(file, 0, file.len()).filter(|(header, _)| header.id == EBML)?;
    let mut head = [file.get(..header_ends)?, &ENDLESS_SEGMENT].concat();
    let segment = Element::at(file, header_ends).filter(|segment| segment.id == SEGMENT)?;
    let (mut at, mut has_tracks) = (segment.content, false);
    while let Some((element, end)) =
        Element::within(file, at, file.len()).filter(|(one, _)| IN_SEGMENT.contains(&one.id))
    {
        has_tracks |= element.id == TRACKS;
        if matches!(element.id, INFO | TRACKS) {
            head.extend_from_slice(file.get(at..end)?);
        }
        at = end;
    }
    // The first cluster may be damaged.
    let start = next_start(file, at);
    (has_tracks && start < file.len() && head.len() <= MOST_HEAD_BYTES).then_some((head.into(), start))
}

/// Whether a file begins here.
pub(super) fn is_file(bytes: &[u8]) -> bool {
    bytes.starts_with(&EBML.to_be_bytes())
}

/// Where the first part of what begins with a cluster ends, before another file or before the first cluster behind damage;
/// and up to where it was looked at for that.
pub(super) fn part_end(bytes: &[u8]) -> (usize, usize) {
    let (mut at, mut cluster) = (0_usize, 0_usize);
    while at < bytes.len() && !bytes.get(at..).is_some_and(is_file) {
        let end = match Element::at(bytes, at) {
            Some(found) if found.id == CLUSTER => {
                cluster = at;
                cluster_end(bytes, &found)
            }
            _ => match Element::within(bytes, at, bytes.len()) {
                Some((element, end)) if IN_SEGMENT.contains(&element.id) => Ok(end),
                _ => Err(at),
            },
        };
        match end {
            Ok(end) => at = end,
            // Of a cluster that was cut, the next seems to be a part.
            Err(damage) => return (next_start(bytes, cluster.saturating_add(1)), damage),
        }
    }
    (at, at)
}

/// Where a cluster ends, or where what cannot be in one begins, or reaches beyond its end.
fn cluster_end(bytes: &[u8], cluster: &Element) -> Result<usize, usize> {
    let (mut at, end) = (cluster.content, cluster.end.unwrap_or(bytes.len()));
    while at < end {
        match Element::within(bytes, at, end.min(bytes.len())) {
            Some((element, to)) if IN_CLUSTER.contains(&element.id) => {
                if element.id == BLOCK_GROUP && !is_whole_group(bytes, &element, to) {
                    return Err(at);
                }
                at = to;
            }
            // One that doesn't say how long it is goes on as long as its parts do.
            _ if cluster.end.is_none() => break,
            _ => return Err(at),
        }
    }
    Ok(at)
}

fn is_whole_group(bytes: &[u8], group: &Element, end: usize) -> bool {
    let mut at = group.content;
    while let Some((_, to)) = Element::within(bytes, at, end) {
        at = to;
    }
    at == end
}

/// Where the next cluster or file begins, at `from` or behind it.
fn next_start(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    let starts = rest.windows(4).enumerate().map(|(place, four)| (from.saturating_add(place), four));
    let mut starts = starts.filter(|(_, four)| **four == CLUSTER.to_be_bytes() || **four == EBML.to_be_bytes());
    let found = starts.find(|(place, _)| is_start(bytes, *place));
    found.map_or(bytes.len(), |(place, _)| place)
}

/// Whether what begins here is no cluster or file by chance.
fn is_start(bytes: &[u8], at: usize) -> bool {
    let Some(element) = Element::at(bytes, at) else { return false };
    match element.end {
        Some(end) if element.id == EBML => end.saturating_sub(at) <= MOST_HEADER_BYTES,
        _ => Element::at(bytes, element.content).is_some_and(|first| IN_CLUSTER.contains(&first.id)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{AudioLimits, decode};
    use super::*;

    const FILE: &[u8] = include_bytes!("../../tests/fixtures/audio/ffmpeg-opus.webm");
    /// Samples of a packet, and of what is skipped at the beginning.
    const PACKET: usize = 960;
    const SKIPPED: usize = 312;

    fn sized(id: &[u8], parts: &[&[u8]]) -> Vec<u8> {
        let content = parts.concat();
        [id, &(0x0100_0000_0000_0000 | content.len() as u64).to_be_bytes(), &content].concat()
    }

    /// Info and tracks of the fixture as a file's beginning.
    fn beginning() -> Vec<u8> {
        head(FILE).unwrap().0.to_vec()
    }

    /// The blocks of the fixture, without their times.
    fn blocks() -> Vec<Vec<u8>> {
        let (mut at, mut blocks) = (head(FILE).unwrap().1, Vec::new());
        while let Some(element) = Element::at(FILE, at) {
            if element.id == SIMPLE_BLOCK {
                blocks.push(FILE[element.content + 3..element.end.unwrap()].to_vec());
            }
            at = if element.id == CLUSTER { element.content } else { element.end.unwrap() };
        }
        assert!(blocks.len() >= 20);
        blocks
    }

    /// Clusters of some packets each.
    fn clusters(packets: usize) -> Vec<Vec<u8>> {
        let blocks = blocks();
        let cluster = |(number, blocks): (usize, &[Vec<u8>])| {
            let time = (number * packets * 20) as u16;
            let block = |(place, block): (usize, &Vec<u8>)| {
                sized(&[0xA3], &[&[0x81], &(place as u16 * 20).to_be_bytes(), block])
            };
            let blocks: Vec<u8> = blocks.iter().enumerate().flat_map(block).collect();
            sized(&CLUSTER.to_be_bytes(), &[&sized(&[0xE7], &[&time.to_be_bytes()]), &blocks])
        };
        blocks.chunks(packets).enumerate().map(cluster).collect()
    }

    fn frames(file: &[u8]) -> usize {
        let recording = decode(Bytes::copy_from_slice(file), None, &AudioLimits::default()).unwrap();
        recording.channels[0].samples().len()
    }

    #[test]
    fn what_stands_before_the_sound_and_is_not_needed_is_not_read() {
        let (ebml, rest) = FILE.split_at(Element::at(FILE, 0).unwrap().end.unwrap());
        let content = Element::at(rest, 0).unwrap().content;
        // Chapters without the number that their reader asks for.
        let chapters = sized(&0x1043_A770_u32.to_be_bytes(), &[&sized(&[0x45, 0xB9], &[&[0xEC, 0x80]])]);
        let file = [ebml, &ENDLESS_SEGMENT, &chapters, &rest[content..]].concat();
        assert_eq!(frames(&file), frames(FILE));
    }

    #[test]
    fn damage_costs_what_it_hit() {
        let (beginning, whole) = (beginning(), clusters(2));
        let all = blocks().len() * PACKET - SKIPPED;
        assert_eq!(frames(&[&beginning[..], &whole.concat()].concat()), all);
        for place in 0..whole.len() {
            let mut damaged: [Vec<Vec<u8>>; 4] = std::array::from_fn(|_| whole.clone());
            let middle = whole[place].len() / 2;
            damaged[0][place].drain(middle..middle + 9);
            damaged[1][place][30..].fill(0);
            damaged[2][place].fill(0xFF);
            damaged[3][place].truncate(middle);
            for (kind, clusters) in damaged.iter().enumerate() {
                let heard = frames(&[&beginning[..], &clusters.concat()].concat());
                let lost = all - heard.min(all);
                assert!(heard <= all && lost <= 2 * PACKET, "{kind} at {place}: {lost} samples");
            }
        }
    }

    #[test]
    fn what_lies_behind_damage_keeps_its_time() {
        let mut clusters = clusters(1);
        let (beginning, all) = (beginning(), blocks().len() * PACKET - SKIPPED);
        clusters.drain(4..16);
        clusters[3].truncate(30);
        let heard = frames(&[beginning, clusters.concat()].concat());
        assert!((all..=all + SKIPPED).contains(&heard), "{heard} of {all}");
    }

    #[test]
    fn files_in_a_row_are_all_heard() {
        let endless = [beginning(), clusters(3).concat()].concat();
        assert_eq!(frames(&[FILE, FILE, &endless, FILE].concat()), frames(FILE) * 3 + frames(&endless));
        // Clusters that do not say how long they are, as live recorders write.
        let mut live = beginning();
        for mut cluster in clusters(3) {
            cluster[4..12].copy_from_slice(&ENDLESS_SEGMENT[4..]);
            live.extend(cluster);
        }
        assert_eq!(frames(&[&live[..], FILE].concat()), frames(&endless) + frames(FILE));
    }

    #[test]
    fn parts_take_time_that_follows_their_length() {
        // A cluster that ends in damage at every fourth byte: each would be a part.
        let many = [&beginning()[..], &[0x1F, 0x43, 0xB6, 0x75, 0x81, 0xE7].repeat(200_000)].concat();
        let mut parts = super::super::parts::Parts::new(super::super::link::Container::Matroska, many.into());
        let count = std::iter::from_fn(|| parts.next()).count();
        assert!((500..1100).contains(&count), "{count}");
    }
}
