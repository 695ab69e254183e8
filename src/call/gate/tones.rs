//! Frames that hold one tone or two: keys, and the beeps by which exchanges speak.

use std::ops::Range;

use super::frame::sum;

/// Tones are looked for from here on, in Hz: those of keys (DTMF, ITU-T Q.23, from 697 Hz) and of announcements (ITU-T E.180, from
/// 950 Hz) are higher, while most of a voice's power in two such narrow bands is that of its lowest harmonics.
const LOWEST_HZ: f64 = 600.0;
/// So much of a frame's power is in its tones. Of the frames of speech one in a hundred has as much, of tones through the codecs of
/// telephones nearly all, but for the lowest rate of AMR.
const LEAST_SHARE: f32 = 0.9;
/// Mel bands that a tone reaches.
const WIDTH: usize = 3;

/// Tells frames that hold nothing but one tone or two.
#[derive(Debug, Clone)]
pub struct ToneDetector {
    /// Mel bands that count.
    bands: Range<usize>,
    /// The first of them, counted from the start of `bands`, that a tone may have its middle in.
    lowest: usize,
}

impl ToneDetector {
    /// For mel bands with these edges in Hz, two more than bands, where those of `bands` count.
    pub fn new(mel_edges_hz: &[f64], bands: Range<usize>) -> Self {
        let is_high = |band: &usize| mel_edges_hz.get(band + 1).is_some_and(|middle| *middle >= LOWEST_HZ);
        let lowest = bands.clone().find(is_high).unwrap_or(bands.end) - bands.start;
        Self { bands, lowest }
    }

    /// Whether at least 90 % of the power of one frame, which has a number for each mel band, is in at most two tones above 600 Hz.
    #[inline(always)]
    pub fn is_tone(&self, powers: &[f32]) -> bool {
        let powers = powers.get(self.bands.clone()).unwrap_or_default();
        let least = LEAST_SHARE * sum(powers);
        // Of most frames no tone has enough, which is quickly seen.
        let (mut most, others) = (0.0_f32, powers.get(1..).unwrap_or_default());
        for ((one, two), three) in powers.iter().zip(others).zip(others.get(1..).unwrap_or_default()) {
            most = most.max(one + two + three);
        }
        least > 0.0 && 2.0 * most >= least && self.are_tones(powers, least)
    }

    /// Whether so much of the power is in at most two tones.
    fn are_tones(&self, powers: &[f32], least: f32) -> bool {
        // Where its middle is, and how much is in it; the first of equals.
        let strongest = |is_allowed: &dyn Fn(usize) -> bool| {
            let tones = powers.windows(WIDTH).map(|tone| tone.iter().sum::<f32>()).enumerate();
            let tones = tones.map(|(first, power)| (first + WIDTH / 2, power));
            let allowed = tones.filter(|(middle, _)| *middle >= self.lowest && is_allowed(*middle));
            allowed.fold((0, 0.0), |best, other| if other.1 > best.1 { other } else { best })
        };
        let (middle, first) = strongest(&|_| true);
        // The second is no stronger.
        2.0 * first >= least && first + strongest(&|other| other.abs_diff(middle) >= WIDTH).1 >= least
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_narrow_and_high_peaks_are_tones_and_nothing_else_is() {
        let edges: Vec<f64> = (0..42).map(|edge| 100.0 * f64::from(edge)).collect();
        let detector = ToneDetector::new(&edges, 2..36);
        let spectrum = |peaks: &[(usize, f32)], floor: f32| {
            let mut powers = vec![floor; 40];
            peaks.iter().for_each(|(band, power)| powers[*band] += power);
            powers
        };
        let is_tone = |peaks, floor| detector.is_tone(&spectrum(peaks, floor));
        assert!(is_tone(&[(6, 1.0), (12, 0.5)], 0.001), "two");
        assert!(is_tone(&[(20, 1.0)], 0.001), "one");
        assert!(is_tone(&[(8, 0.5), (9, 1.0), (10, 0.5)], 0.001), "a wide one");
        assert!(!is_tone(&[(6, 1.0), (12, 0.5), (20, 0.3)], 0.001), "three");
        assert!(!is_tone(&[(3, 1.0), (12, 0.5)], 0.001), "the lower one is too low");
        assert!(!is_tone(&[(20, 1.0)], 0.01), "in noise");
        assert!(!is_tone(&[], 0.001) && !is_tone(&[], 0.0), "none");
        assert!(is_tone(&[(20, 1.0), (38, 9.0)], 0.001), "what lies outside does not count");
    }
}
