//! What a model file says of itself.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Emotion, ModelError};

/// Metadata key of the [`ModelCard`].
pub const CARD_KEY: &str = "emotone.card";
/// Metadata key of the [`crate::features::FeatureSpec`].
pub const FEATURES_KEY: &str = "emotone.features";

/// The model's own description, stored in it as `emotone.card`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelCard {
    /// Name, such as `emotone-robust`.
    pub name: String,
    /// Version, changed with every training.
    pub version: String,
    /// The network in words.
    pub architecture: String,
    /// Labels in output order; the seven of [`Emotion::ALL`].
    pub labels: Vec<Emotion>,
    /// What the logits are divided by before the softmax, inside the graph, where one emotion is certain; everywhere, without
    /// `temperature_in_doubt`. Fitted on held-out speakers.
    pub temperature: f32,
    /// What they are divided by where all emotions are equally likely. Between both, its logarithm is in proportion to the
    /// entropy. None: as `temperature`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature_in_doubt: Option<f32>,
    /// Answers whose best probability is below this are `uncertain`, in [0, 1].
    pub rejection_threshold: f32,
    /// Length of a window in seconds, unless a caller asks for another.
    pub window_seconds: f64,
    /// Distance of two windows in seconds, unless a caller asks for another.
    pub hop_seconds: f64,
    /// What it was trained on.
    pub data: Vec<Corpus>,
    /// Measured figures by name, nested as the trainer wrote them.
    pub metrics: Value,
    /// Split, seed, recipe and whatever else the trainer noted.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

/// A training corpus.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Corpus {
    /// Its name, such as `TESS`.
    pub name: String,
    /// Its licence, as its authors state it.
    pub licence: String,
    /// Clips trained on.
    pub clips: usize,
    /// Speakers trained on.
    pub speakers: usize,
}

impl ModelCard {
    /// Reads and checks the JSON of [`CARD_KEY`].
    ///
    /// # Errors
    /// [`ModelError::BadMetadata`] if it is no card, or one of other labels or absurd numbers.
    pub fn parse(json: &str) -> Result<Self, ModelError> {
        let bad = |problem: String| ModelError::BadMetadata { key: CARD_KEY, problem };
        let card: Self = serde_json::from_str(json).map_err(|error| bad(error.to_string()))?;
        if card.labels != Emotion::ALL {
            return Err(bad("`labels` are not the seven emotions in their order".into()));
        }
        let in_doubt = card.temperature_in_doubt.map(|value| ("temperature_in_doubt", value));
        for (name, value) in [("temperature", card.temperature)].into_iter().chain(in_doubt) {
            if !(f32::MIN_POSITIVE..=f32::MAX).contains(&value) {
                return Err(bad(format!("`{name}` is {value}, it must be above 0")));
            }
        }
        if !(0.0..=1.0).contains(&card.rejection_threshold) {
            return Err(bad(format!("`rejection_threshold` is {}, it must be in [0, 1]", card.rejection_threshold)));
        }
        if !(0.1..=60.0).contains(&card.window_seconds) || !(0.1..=card.window_seconds).contains(&card.hop_seconds) {
            return Err(bad(format!(
                "`window_seconds` {} and `hop_seconds` {} must be in 0.1 to 60, hop at most the window",
                card.window_seconds, card.hop_seconds
            )));
        }
        Ok(card)
    }
}
