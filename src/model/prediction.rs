//! The seven emotions and how likely each is.

use std::fmt;

use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};

/// An emotion, in the order in which every model and every answer lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say it all")]
pub enum Emotion {
    Angry,
    Disgust,
    Fear,
    Happy,
    Neutral,
    PleasantSurprise,
    Sad,
}

impl Emotion {
    /// Number of emotions.
    pub const COUNT: usize = 7;

    /// All of them, in order.
    pub const ALL: [Emotion; Emotion::COUNT] = [
        Emotion::Angry,
        Emotion::Disgust,
        Emotion::Fear,
        Emotion::Happy,
        Emotion::Neutral,
        Emotion::PleasantSurprise,
        Emotion::Sad,
    ];

    /// The name in answers, file names and metadata.
    pub fn name(self) -> &'static str {
        match self {
            Emotion::Angry => "angry",
            Emotion::Disgust => "disgust",
            Emotion::Fear => "fear",
            Emotion::Happy => "happy",
            Emotion::Neutral => "neutral",
            Emotion::PleasantSurprise => "pleasant_surprise",
            Emotion::Sad => "sad",
        }
    }

    /// The emotion of that [`name`](Emotion::name).
    pub fn from_name(name: &str) -> Option<Emotion> {
        Emotion::ALL.into_iter().find(|emotion| emotion.name() == name)
    }
}

impl fmt::Display for Emotion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Seven numbers in [0, 1] that sum to 1, in the order of [`Emotion::ALL`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Probabilities([f32; Emotion::COUNT]);

impl Probabilities {
    /// How far a sum may be from 1 before the numbers are no distribution.
    const SUM_TOLERANCE: f32 = 1e-3;

    /// Takes seven numbers if they are a distribution, and makes their sum 1 exactly enough; else gives `None`.
    pub fn new(values: [f32; Emotion::COUNT]) -> Option<Self> {
        let sum: f32 = values.iter().sum();
        let sound = values.iter().all(|value| (0.0..=1.0 + Self::SUM_TOLERANCE).contains(value));
        (sound && (sum - 1.0).abs() <= Self::SUM_TOLERANCE).then(|| Self(values.map(|value| value / sum)))
    }

    /// The mean of distributions, each weighted; `None` without any weight above 0.
    pub fn weighted_mean(parts: impl IntoIterator<Item = (Self, f64)>) -> Option<Self> {
        let (mut sums, mut total) = ([0.0_f64; Emotion::COUNT], 0.0);
        for (probabilities, weight) in parts {
            for (sum, value) in sums.iter_mut().zip(probabilities.0) {
                *sum += weight * f64::from(value);
            }
            total += weight;
        }
        (total > 0.0).then(|| Self(sums.map(|sum| (sum / total) as f32)))
    }

    /// The numbers, in the order of [`Emotion::ALL`].
    pub fn values(&self) -> [f32; Emotion::COUNT] {
        self.0
    }

    /// How likely one emotion is.
    pub fn of(&self, emotion: Emotion) -> f32 {
        Emotion::ALL.into_iter().zip(self.0).find(|(other, _)| *other == emotion).map_or(0.0, |(_, value)| value)
    }

    /// The likeliest emotion (the first of equals) and its probability.
    pub fn best(&self) -> (Emotion, f32) {
        let first = (Emotion::Angry, f32::MIN);
        Emotion::ALL.into_iter().zip(self.0).fold(first, |best, other| if other.1 > best.1 { other } else { best })
    }
}

impl Serialize for Probabilities {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(Emotion::COUNT))?;
        for (emotion, value) in Emotion::ALL.into_iter().zip(self.0) {
            map.serialize_entry(emotion.name(), &value)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_distributions_are_accepted() {
        assert!(Probabilities::new([1.0 / 7.0; 7]).is_some());
        assert!(Probabilities::new([0.2; 7]).is_none());
        assert!(Probabilities::new([f32::NAN, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]).is_none());
        assert!(Probabilities::new([-0.1, 1.1, 0.0, 0.0, 0.0, 0.0, 0.0]).is_none());
    }

    #[test]
    fn weights_decide_the_mean() {
        let angry = Probabilities::new([1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]).unwrap();
        let sad = Probabilities::new([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]).unwrap();
        let mean = Probabilities::weighted_mean([(angry, 3.0), (sad, 1.0)]).unwrap();
        assert_eq!(mean.best(), (Emotion::Angry, 0.75));
        assert_eq!(Probabilities::weighted_mean([(angry, 0.0)]), None);
    }
}
