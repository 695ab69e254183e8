//! How sure a model may claim to be, learned from people it was not trained on.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Result, ensure};
use emotone::model::Emotion;
use serde::{Deserialize, Serialize};

use super::record;
use crate::ensemble::answers;
use crate::metrics::threshold_for;
use crate::temperature::Temperature;

/// Part of the answers about strangers that are sure enough to be `ok`.
pub const COVERAGE: f64 = 0.9;

/// Temperature and rejection threshold of a model.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Divides the logits.
    #[serde(flatten)]
    pub temperature: Temperature,
    /// Below this an answer is uncertain; [`COVERAGE`] of the answers are above.
    pub rejection_threshold: f32,
}

impl Calibration {
    /// Of logits that are taken as they come, with a threshold twice and more what chance would say.
    pub const NONE: Self = Self { temperature: Temperature::ONE, rejection_threshold: 0.4 };

    /// Fitted on logits about people who were not trained on. Each of them counts alike, however many clips there are:
    /// the next stranger is one more person, not one more clip of whoever spoke most.
    pub fn fit<S: Ord>(logits: &[[f32; Emotion::COUNT]], truths: &[Emotion], speakers: &[S]) -> Self {
        let mut clips: BTreeMap<&S, f64> = BTreeMap::new();
        for speaker in speakers {
            *clips.entry(speaker).or_default() += 1.0;
        }
        let weights: Vec<f64> = speakers.iter().map(|speaker| clips[speaker].recip()).collect();
        let temperature = Temperature::fit(logits, truths, &weights);
        let answers = answers(logits, truths.iter().copied(), temperature);
        Self { temperature, rejection_threshold: threshold_for(&answers, &weights, COVERAGE) }
    }

    /// Reads what a cross-validation has written.
    ///
    /// # Errors
    /// With the file's name, if it cannot be read.
    pub fn read(path: &Path) -> Result<Self> {
        let name = || path.display().to_string();
        let read: Self = record::read_json(path)?;
        let Temperature { sure, in_doubt } = read.temperature;
        let are_possible = [sure, in_doubt].iter().all(|temperature| temperature.is_finite() && *temperature > 0.0);
        ensure!(are_possible, "{}: temperatures must be above 0", name());
        ensure!((0.0..=1.0).contains(&read.rejection_threshold), "{}: the threshold must be a probability", name());
        Ok(read)
    }
}
