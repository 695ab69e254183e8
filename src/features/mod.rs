//! Waveform to feature frames: pre-emphasis, frames, FFT, mel filter bank, log, DCT, and prosody beside them.

mod matrix;
mod spec;

pub use matrix::FeatureMatrix;
pub use spec::{Boundary, Column, FeatureSpec, Normalization, Padding};

/// Why features cannot be computed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FeatureError {
    /// A setting that makes no sense, from a model's metadata or a command line.
    #[error("feature setting `{setting}` {problem}")]
    BadSetting {
        /// Name of the setting.
        setting: &'static str,
        /// What is wrong with it, such as `is 0, at least 1 is needed`.
        problem: String,
    },
    /// The waveform has another rate than the features are defined for.
    #[error("waveform has {got} Hz, the features need {expected} Hz")]
    WrongRate {
        /// Rate of the waveform, in Hz.
        got: u32,
        /// Rate of the features, in Hz.
        expected: u32,
    },
}
