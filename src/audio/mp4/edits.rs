//! What of a track is to be heard: programs that cut sound away often leave it in the file and only say so, and encoders
//! say the same of what they put before the sound.
//!
//! Edits that play something again, before what was heard already, or at another speed are not followed: the recording
//! ends before the first of them that goes back, and a speed is ignored.
//!
//! Source: ISO/IEC 14496-12, sections 8.6.5 and 8.6.6.

use super::super::riff::ByteOrder;
use super::tracks::{Movie, SoundTrack};

/// So much before an edit is decoded, in seconds: decoders need some sound before theirs is right.
const WARM_UP_S: f64 = 1.0;

/// The edits of a track, on the way through it.
#[derive(Debug)]
pub(in crate::audio) struct Edits {
    edits: Vec<Edit>,
    /// The one that comes next, or goes on.
    now: usize,
}

/// Times in seconds. The end is infinite if it is that of the track.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Edit {
    from_s: f64,
    to_s: f64,
    /// How much later than in the track it is heard.
    later_s: f64,
}

impl Edits {
    /// Those of the track with that number.
    pub(in crate::audio) fn of(file: &[u8], track: u32) -> Option<Self> {
        let movie = Movie::of(file)?;
        let track = movie.sound_tracks().find(|found| found.id == track)?;
        Self::of_track(&movie, &track)
    }

    pub(super) fn of_track(movie: &Movie<'_>, track: &SoundTrack<'_>) -> Option<Self> {
        let mut edits = read(track.edits?, movie.timescale, track.timescale)?;
        if movie.is_fragmented {
            // It was written before the sound, when nobody knew how long that would be.
            edits.truncate(1);
            edits.iter_mut().for_each(|edit| edit.to_s = f64::INFINITY);
        }
        (!edits.is_empty()).then_some(Self { edits, now: 0 })
    }

    /// Whether nothing from that time of the track on is heard.
    pub(in crate::audio) fn are_over(&self, from_s: f64) -> bool {
        self.edits.last().is_none_or(|last| last.to_s <= from_s)
    }

    /// Whether nothing up to that time of the track is worth decoding.
    pub(in crate::audio) fn skip(&self, to_s: f64) -> bool {
        self.edits.get(self.now).is_none_or(|next| to_s + WARM_UP_S <= next.from_s)
    }

    /// Leaves of samples, the first of which has that time in the track, those that are to be heard; all planes are equally
    /// long. Tells when the first of them is heard, in seconds.
    pub(in crate::audio) fn cut(&mut self, starts_s: f64, rate_hz: u32, planes: &mut [Vec<f32>]) -> f64 {
        let (rate, frames) = (f64::from(rate_hz.max(1)), planes.first().map_or(0, Vec::len));
        // A packet that is broken ends no edit.
        if frames == 0 {
            return starts_s;
        }
        let place = |time_s: f64| ((time_s - starts_s) * rate).round().max(0.0);
        let (mut kept, mut heard_s) = (0_usize, None);
        while let Some(edit) = self.edits.get(self.now) {
            let (from, to) = ((place(edit.from_s) as usize).min(frames), (place(edit.to_s) as usize).min(frames));
            if from < to {
                heard_s.get_or_insert(starts_s + from as f64 / rate + edit.later_s);
                // Edits only go forwards, so that nothing is written over that is still to be moved.
                for plane in planes.iter_mut() {
                    let length = plane.len();
                    plane.copy_within(from.min(length)..to.min(length), kept);
                }
                kept = kept.saturating_add(to.saturating_sub(from));
            }
            if place(edit.to_s) > frames as f64 {
                break;
            }
            self.now = self.now.saturating_add(1);
        }
        planes.iter_mut().for_each(|plane| plane.truncate(kept));
        heard_s.unwrap_or(starts_s)
    }
}

/// The edits of a list up to the first that goes back. Empty ones, in which nothing is heard, make those behind them later.
fn read(list: &[u8], movie_timescale: u32, timescale: u32) -> Option<Vec<Edit>> {
    let big = ByteOrder::Big;
    let (is_wide, count) = (list.first() == Some(&1), big.u32(list, 4)? as usize);
    let (mut edits, mut heard_s, mut ended_s) = (Vec::new(), 0.0, 0.0);
    for entry in list.get(8..)?.chunks_exact(if is_wide { 20 } else { 12 }).take(count) {
        let (duration, begins) = match is_wide {
            true => (big.u64(entry, 0)?, big.u64(entry, 8)? as i64),
            false => (u64::from(big.u32(entry, 0)?), i64::from(big.u32(entry, 4)? as i32)),
        };
        let lasts_s = duration as f64 / f64::from(movie_timescale);
        if begins >= 0 {
            let from_s = begins as f64 / f64::from(timescale);
            if from_s < ended_s {
                break;
            }
            // Who did not know how long it would be left 0 there.
            let to_s = if duration == 0 { f64::INFINITY } else { from_s + lasts_s };
            edits.push(Edit { from_s, to_s, later_s: heard_s - from_s });
            ended_s = to_s;
        }
        heard_s += lasts_s;
    }
    Some(edits)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Edits of a list of durations in ms and times in 8000ths of a second.
    fn edits(entries: &[(u32, i32)]) -> Edits {
        let mut list = [[0; 4], (entries.len() as u32).to_be_bytes()].concat();
        for (duration, begins) in entries {
            list.extend([duration.to_be_bytes(), begins.to_be_bytes(), 65_536_u32.to_be_bytes()].concat());
        }
        Edits { edits: read(&list, 1000, 8000).unwrap(), now: 0 }
    }

    /// What is heard of so many samples, each of which is its own number, in pieces of that length; and when pieces begin.
    fn heard(mut edits: Edits, frames: usize, piece: usize) -> (Vec<usize>, Vec<f64>) {
        let (mut heard, mut times) = (Vec::new(), Vec::new());
        for begins in (0..frames).step_by(piece) {
            let mut planes = [(begins..(begins + piece).min(frames)).map(|number| number as f32).collect::<Vec<_>>()];
            edits.cut(begins as f64 / 8000.0, 0, &mut [Vec::new()]);
            let time_s = edits.cut(begins as f64 / 8000.0, 8000, &mut planes);
            if !planes[0].is_empty() {
                times.push(time_s);
            }
            heard.extend(planes[0].iter().map(|sample| *sample as usize));
        }
        (heard, times)
    }

    #[test]
    fn what_was_cut_away_is_not_heard_however_the_track_is_packed() {
        let list = [(500, -1), (10, 80), (5, 400), (1, 440), (20, -1), (3, 1600)];
        let expected: Vec<usize> = (80..160).chain(400..448).chain(1600..1624).collect();
        for piece in [1, 7, 80, 100, 1024, 4000] {
            assert_eq!(heard(edits(&list), 4000, piece).0, expected, "{piece}");
        }
        let times = heard(edits(&list), 4000, 400).1;
        let expected = [0.5, 0.51, 0.536];
        assert!(times.iter().zip(expected).all(|(time, expected)| (time - expected).abs() < 1e-9), "{times:?}");
    }

    #[test]
    fn lists_that_go_back_end_there_and_those_without_an_end_with_the_track() {
        assert_eq!(heard(edits(&[(10, 80), (10, 0), (10, 800)]), 1000, 100).0, (80..160).collect::<Vec<_>>());
        assert_eq!(heard(edits(&[(0, 80), (10, 800)]), 1000, 100).0, (80..1000).collect::<Vec<_>>());
        let wide =
            [&[1, 0, 0, 0, 0, 0, 0, 1][..], &10_u64.to_be_bytes(), &80_i64.to_be_bytes(), &[0, 1, 0, 0]].concat();
        assert_eq!(read(&wide, 1000, 8000), Some(vec![Edit { from_s: 0.01, to_s: 0.02, later_s: -0.01 }]));
        assert_eq!(read(&wide[..20], 1000, 8000), Some(Vec::new()));
    }

    #[test]
    fn what_is_far_from_an_edit_is_not_decoded() {
        let edits = edits(&[(1000, 80_000)]);
        assert!(edits.skip(9.0) && !edits.skip(9.1));
        assert!(edits.are_over(11.0) && !edits.are_over(10.9));
    }
}
