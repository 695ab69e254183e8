//! Which features, networks and training belong together.

use clap::ValueEnum;
use emotone::features::{Boundary, Column, FeatureSpec, Normalization, Padding};
use serde::{Deserialize, Serialize};

use crate::augment::Voices;
use crate::ensemble::Member;
use crate::network::{Architecture, FRONT_LAYERS};
use crate::training::{
    Groups, Keep, Mingle, Mixup, Monitor, Plateau, Schedule, Shown, ToldApart, TrainingOptions, Variation,
};

/// A way to train.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recipe {
    /// As "Emotion recognition from audio" (Wasowska and Kapitan, 2024): librosa's default features, Keras' training.
    Paper,
    /// For strangers on the telephone: band-limited cepstra and prosody, augmented copies, seven networks as one.
    Robust,
}

/// The paper's three networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Arch {
    /// Convolutions.
    Cnn,
    /// Recurrence.
    Lstm,
    /// Both.
    CnnLstm,
}

impl Arch {
    /// All three.
    pub const ALL: [Arch; 3] = [Arch::Cnn, Arch::Lstm, Arch::CnnLstm];

    /// Its layers.
    pub fn architecture(self) -> Architecture {
        match self {
            Self::Cnn => Architecture::cnn(),
            Self::Lstm => Architecture::lstm(),
            Self::CnnLstm => Architecture::cnn_lstm(),
        }
    }
}

/// What a caller may change of a recipe.
#[derive(Debug, Clone, Copy, Default)]
pub struct Changes {
    /// Times that the examples are shown.
    pub epochs: Option<usize>,
    /// Examples a step.
    pub batch_size: Option<usize>,
    /// Decides about everything that is drawn.
    pub seed: u64,
}

impl Recipe {
    /// The features; where their normalization is global, its figures are still to be measured.
    pub fn features(self) -> FeatureSpec {
        let global = |width: usize| Normalization::Global { mean: vec![0.0; width], std: vec![1.0; width] };
        match self {
            Self::Paper => FeatureSpec {
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
                normalization: global(40),
                padding: Padding::Zero,
                boundary: Boundary::Zero,
                columns: Vec::new(),
            },
            Self::Robust => FeatureSpec {
                sample_rate: 8_000,
                pre_emphasis: 0.0,
                n_fft: 256,
                hop: 128,
                n_mels: 48,
                fmin: 60.0,
                fmax: 3_900.0,
                n_mfcc: 40,
                top_db: Some(60.0),
                frames: 250,
                normalization: global(45),
                padding: Padding::Repeat,
                boundary: Boundary::Zero,
                columns: vec![
                    Column::RelativeLogPitch,
                    Column::LogPitch,
                    Column::PitchSlope,
                    Column::Voicing,
                    Column::Energy,
                ],
            },
        }
    }

    /// Copies of each clip that are made by chance, beside the clip and its telephone copy; none if the clip alone is
    /// wanted.
    pub fn random_copies(self) -> Option<usize> {
        match self {
            Self::Paper => None,
            Self::Robust => Some(6),
        }
    }

    /// The networks that are trained, some of them telling groups of speakers apart, for features whose figures are measured.
    pub fn members(self, arch: Arch, features: &FeatureSpec, apart: &ToldApart, changes: Changes) -> Vec<Member> {
        let seeded = |index: usize| changes.seed.wrapping_mul(1_000).wrapping_add(index as u64);
        match self {
            Self::Paper => {
                let architecture = arch.architecture();
                let (name, voices) = (architecture.name.clone(), Voices::Like);
                vec![Member { name, architecture, voices, options: plain(changes), groups: Groups::default() }]
            }
            Self::Robust => {
                let whole = Variation {
                    frames: features.frames,
                    pace: 0.0,
                    mel_scale: 0.0,
                    mel_shift: 0.0,
                    pitch_shift: 0.0,
                    mingle: None,
                    ..stretches()
                };
                let member = |architecture: Architecture, voices: Voices, options: TrainingOptions| Member {
                    name: architecture.name.clone(),
                    architecture,
                    voices,
                    options,
                    groups: Groups::default(),
                };
                let mingling = |name: &str, index: usize, groups: &Groups| Member {
                    groups: groups.clone(),
                    ..member(
                        Architecture::mingled(name, features, groups.count()),
                        Voices::Unlike,
                        listening(changes, seeded(index), stretches()),
                    )
                };
                let summing = |index, front| summing(changes, seeded(index), whole, front);
                // A network keeps its number as long as it lives, so that its answers and checkpoints stay valid.
                vec![
                    mingling("mingled", 11, &apart.corpora),
                    mingling("mingled-again", 12, &apart.corpora),
                    mingling("mingled-voices", 13, &apart.voices),
                    member(Architecture::weighted_functionals(features), Voices::Like, summing(3, 2)),
                    member(Architecture::coupled_functionals(features), Voices::Like, summing(6, 1)),
                    member(Architecture::rooted_functionals(features), Voices::Like, summing(8, 1)),
                    member(Architecture::rooted_again(features), Voices::Like, summing(10, 1)),
                ]
            }
        }
    }
}

/// Keras' way.
fn plain(changes: Changes) -> TrainingOptions {
    let plateau = Plateau { monitor: Monitor::ValidationLoss, factor: 0.5, patience: 3, lowest: 1e-5 };
    TrainingOptions {
        epochs: changes.epochs.unwrap_or(30),
        batch_size: changes.batch_size.unwrap_or(32),
        learning_rate: 1e-3,
        schedule: Schedule::Plateau(plateau),
        weight_decay: 0.0,
        clip_norm: None,
        label_smoothing: 0.0,
        mixup: None,
        most_of_talkers: None,
        shown: Shown::Served,
        average: None,
        keep: Keep::Best,
        seed: changes.seed,
    }
}

fn stretches() -> Variation {
    Variation {
        frames: 160,
        original_share: 0.25,
        pace: 0.1,
        mel_scale: 0.06,
        mel_shift: 1.5,
        pitch_shift: 0.1,
        mingle: Some(Mingle { share: 0.25, frames: [15, 50] }),
    }
}

const LISTENING_EPOCHS: usize = 120;
const SUMMING_EPOCHS: usize = 240;
/// Stretches of each copy that a perceptron learns from; from the served window alone it learns a point less.
const DESCRIBED_STRETCHES: usize = 4;

/// Convolutions and memory.
fn listening(changes: Changes, seed: u64, variation: Variation) -> TrainingOptions {
    let epochs = changes.epochs.unwrap_or(LISTENING_EPOCHS);
    TrainingOptions {
        epochs,
        batch_size: changes.batch_size.unwrap_or(32),
        learning_rate: 2e-3,
        schedule: Schedule::Cosine { warmup: 0.08 * epochs as f64 },
        weight_decay: 1e-3,
        clip_norm: Some(2.0),
        label_smoothing: 0.1,
        mixup: Some(Mixup { alpha: 0.3, share: 0.5, after: FRONT_LAYERS }),
        most_of_talkers: Some(400),
        shown: Shown::Stretches(variation),
        average: Some(0.998),
        keep: Keep::Last,
        seed,
    }
}

/// The perceptron on functionals, whose epochs are short and many; it mixes behind `front` layers.
fn summing(changes: Changes, seed: u64, variation: Variation, front: usize) -> TrainingOptions {
    let epochs = changes.epochs.map_or(SUMMING_EPOCHS, |epochs| epochs * SUMMING_EPOCHS / LISTENING_EPOCHS);
    TrainingOptions {
        batch_size: changes.batch_size.unwrap_or(64),
        learning_rate: 1e-3,
        weight_decay: 1e-2,
        mixup: Some(Mixup { alpha: 0.4, share: 1.0, after: front }),
        shown: Shown::Described { variation, stretches: DESCRIBED_STRETCHES },
        ..listening(Changes { epochs: Some(epochs), ..changes }, seed, variation)
    }
}
