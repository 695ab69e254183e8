//! Which features and which training belong together.

use clap::ValueEnum;
use emotone::features::{Boundary, FeatureSpec, Normalization, Padding};
use serde::{Deserialize, Serialize};

use crate::training::{Monitor, Plateau, Schedule, TrainingOptions};

/// A way to train.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recipe {
    /// As "Emotion recognition from audio" (Wasowska and Kapitan, 2024): librosa's default features, Keras' training.
    Paper,
    /// For strangers on the telephone.
    Robust,
}

impl Recipe {
    /// The features; where their normalization is global, its figures are still to be measured.
    pub fn features(self) -> FeatureSpec {
        match self {
            Self::Paper | Self::Robust => FeatureSpec {
                sample_rate: 22_050,
                pre_emphasis: 0.0,
                n_fft: 2_048,
                hop: 512,
                n_mels: 128,
                fmin: 0.0,
                fmax: 11_025.0,
                n_mfcc: 40,
                top_db: Some(80.0),
                frames: 100,
                normalization: Normalization::Global { mean: vec![0.0; 40], std: vec![1.0; 40] },
                padding: Padding::Zero,
                boundary: Boundary::Zero,
                columns: Vec::new(),
            },
        }
    }

    /// How long it trains, and how.
    pub fn training(self, epochs: Option<usize>, batch_size: Option<usize>, seed: u64) -> TrainingOptions {
        let plateau = Plateau { monitor: Monitor::ValidationLoss, factor: 0.5, patience: 3, lowest: 1e-5 };
        TrainingOptions {
            epochs: epochs.unwrap_or(30),
            batch_size: batch_size.unwrap_or(32),
            learning_rate: 1e-3,
            schedule: Schedule::Plateau(plateau),
            label_smoothing: 0.0,
            seed,
        }
    }
}
