//! How often each change is made, and within which bounds.

use std::ops::RangeInclusive;

use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

/// A change that is made with a probability, its figure drawn evenly from a range.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Chance<T> {
    /// Probability, in [0, 1].
    pub probability: f64,
    /// Where its figure lies.
    pub range: RangeInclusive<T>,
}

impl<T> Chance<T> {
    /// Made with `probability`, its figure from `range`.
    pub fn new(probability: f64, range: RangeInclusive<T>) -> Self {
        Self { probability, range }
    }

    /// Whether it is made this time.
    pub(super) fn strikes(&self, rng: &mut impl Rng) -> bool {
        rng.random_bool(self.probability.clamp(0.0, 1.0))
    }
}

impl<T: rand::distr::uniform::SampleUniform + PartialOrd + Clone> Chance<T> {
    /// A figure from the range, whether or not it strikes.
    pub(super) fn figure(&self, rng: &mut impl Rng) -> T {
        rng.random_range(self.range.clone())
    }

    /// The figure, if it strikes.
    pub(super) fn draw(&self, rng: &mut impl Rng) -> Option<T> {
        self.strikes(rng).then(|| self.figure(rng))
    }
}

/// How far copies are from the voice of their clip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Voices {
    /// As the same person on another day.
    Like,
    /// As another person.
    Unlike,
}

/// Probabilities and ranges of everything an [`Augmenter`](super::Augmenter) may do, in the order in which it does it:
/// first the voice, then the room, then the microphone, then the line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// Speed with pitch, in per cent.
    pub speed: Chance<u32>,
    /// Pitch without speed, in per cent. At most one of speed, pitch and tempo is made, the first that strikes.
    pub pitch: Chance<u32>,
    /// Speed without pitch, in per cent.
    pub tempo: Chance<u32>,
    /// Share of the duration dropped at each end, in [0, 1].
    pub crop: Chance<f32>,
    /// Silence put at each end, in seconds.
    pub surround: Chance<f32>,
    /// Time in which the room's sound falls by 60 dB, in seconds.
    pub reverberation: Chance<f32>,
    /// Energy of the direct sound over that of the room's, in dB.
    pub direct_db: RangeInclusive<f32>,
    /// Ratio of speech to noise, in dB.
    pub noise: Chance<f32>,
    /// Share of noises that are babble, if there is anybody to babble; the rest is white or pink, evenly.
    pub babble_share: f64,
    /// People in the babble.
    pub talkers: RangeInclusive<usize>,
    /// Gain of each band of the equalizer, in dB.
    pub equalizer: Chance<f32>,
    /// Bands of the equalizer.
    pub bands: RangeInclusive<usize>,
    /// Root mean square, in dB relative to 1.
    pub level: Chance<f32>,
    /// Overload, in dB above what fits.
    pub clip: Chance<f32>,
    /// Probability of a telephone; what follows happens on it alone.
    pub telephone: f64,
    /// Lower edge of the line's band, in Hz.
    pub low_hz: RangeInclusive<f32>,
    /// Upper edge of the line's band, in Hz.
    pub high_hz: RangeInclusive<f32>,
    /// Share of telephones that are mobile, in [0, 1]; half of these are heard over a line.
    pub mobile_share: f64,
    /// Share of packets lost, in [0, 1).
    pub packet_loss: Chance<f32>,
    /// Mean number of packets lost in a row.
    pub burst: RangeInclusive<f32>,
}

impl Recipe {
    /// What `--recipe robust` trains with. What voices far from their own bring was measured (docs/experiments.md); the
    /// other ranges are first guesses, and what each part brings has not been measured.
    pub fn robust(voices: Voices) -> Self {
        let (speed, pitch, tempo) = match voices {
            Voices::Like => (Chance::new(0.3, 88..=112), Chance::new(0.3, 89..=112), Chance::new(0.2, 85..=115)),
            Voices::Unlike => (Chance::new(0.4, 80..=125), Chance::new(0.4, 80..=125), Chance::new(0.3, 75..=130)),
        };
        Self {
            speed,
            pitch,
            tempo,
            crop: Chance::new(0.3, 0.0..=0.1),
            surround: Chance::new(0.3, 0.0..=0.4),
            reverberation: Chance::new(0.25, 0.1..=0.7),
            direct_db: -3.0..=12.0,
            noise: Chance::new(0.5, 5.0..=35.0),
            babble_share: 0.3,
            talkers: 2..=6,
            equalizer: Chance::new(0.5, -8.0..=8.0),
            bands: 1..=4,
            level: Chance::new(0.8, -38.0..=-14.0),
            clip: Chance::new(0.1, 1.0..=10.0),
            telephone: 0.5,
            low_hz: 200.0..=400.0,
            high_hz: 3_100.0..=3_700.0,
            mobile_share: 0.3,
            packet_loss: Chance::new(0.2, 0.01..=0.1),
            burst: 1.0..=3.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recipe_is_read_as_it_was_written() {
        for voices in [Voices::Like, Voices::Unlike] {
            let written = serde_json::to_string(&Recipe::robust(voices)).unwrap();
            assert_eq!(serde_json::from_str::<Recipe>(&written).unwrap(), Recipe::robust(voices));
        }
    }
}
