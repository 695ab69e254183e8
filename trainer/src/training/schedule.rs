//! The learning rate over the epochs.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use super::EpochFigures;

/// What is watched, and should fall.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Monitor {
    /// Validation loss.
    ValidationLoss,
    /// Training loss, where nobody is left to validate on.
    TrainLoss,
}

/// Keras' `ReduceLROnPlateau`: multiplies the rate by `factor` after `patience` epochs without a gain of at least 1e-4.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Plateau {
    /// What is watched.
    pub monitor: Monitor,
    /// What the rate is multiplied with, in (0, 1).
    pub factor: f64,
    /// Epochs without gain that are borne.
    pub patience: usize,
    /// The rate never falls below this.
    pub lowest: f64,
}

/// How the learning rate changes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// Falls when nothing gets better.
    Plateau(Plateau),
    /// Rises over `warmup` epochs, then falls along a cosine to almost nothing, step by step.
    Cosine {
        /// Epochs of rising.
        warmup: f64,
    },
}

/// Smallest change that counts as a gain, as Keras has it.
const LEAST_GAIN: f64 = 1e-4;

impl Schedule {
    /// The rate `progress` epochs (a fraction) into a training of `epochs`, given what came before.
    pub fn rate(&self, first: f64, progress: f64, epochs: usize, history: &[EpochFigures]) -> f64 {
        match self {
            Self::Plateau(plateau) => plateau.rate(first, history),
            Self::Cosine { warmup } if progress < *warmup => first * progress.max(0.05) / warmup,
            Self::Cosine { warmup } => {
                let part = (progress - warmup) / (epochs as f64 - warmup).max(1.0);
                first * (0.5 * (1.0 + (PI * part.min(1.0)).cos())).max(1e-3)
            }
        }
    }
}

impl Plateau {
    fn rate(&self, first: f64, history: &[EpochFigures]) -> f64 {
        let (mut rate, mut best, mut waited) = (first, f64::INFINITY, 0);
        for figures in history {
            let value = match self.monitor {
                Monitor::ValidationLoss => figures.validation_loss,
                Monitor::TrainLoss => figures.train_loss,
            };
            if value < best - LEAST_GAIN {
                (best, waited) = (value, 0);
                continue;
            }
            waited += 1;
            if waited >= self.patience {
                (rate, waited) = ((rate * self.factor).max(self.lowest), 0);
            }
        }
        rate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(losses: &[f64]) -> Vec<EpochFigures> {
        losses.iter().map(|loss| EpochFigures { validation_loss: *loss, ..EpochFigures::default() }).collect()
    }

    #[test]
    fn the_rate_falls_after_patience_without_gain() {
        let plateau = Plateau { monitor: Monitor::ValidationLoss, factor: 0.5, patience: 2, lowest: 3e-4 };
        assert_eq!(plateau.rate(1e-3, &history(&[1.0, 0.9, 0.95])), 1e-3);
        assert_eq!(plateau.rate(1e-3, &history(&[1.0, 0.9, 0.95, 0.9])), 5e-4);
        assert_eq!(plateau.rate(1e-3, &history(&[1.0, 0.9, 0.95, 0.9, 0.8, 0.8])), 5e-4);
        assert_eq!(plateau.rate(1e-3, &history(&[1.0; 7])), 3e-4);
    }

    #[test]
    fn a_cosine_rises_and_falls() {
        let cosine = Schedule::Cosine { warmup: 1.0 };
        assert!(cosine.rate(1.0, 0.5, 10, &[]) == 0.5);
        assert!(cosine.rate(1.0, 1.0, 10, &[]) == 1.0);
        assert!((cosine.rate(1.0, 5.5, 10, &[]) - 0.5).abs() < 1e-9);
        assert!(cosine.rate(1.0, 10.0, 10, &[]) < 0.01);
    }
}
