//! Waveform to feature frames: pre-emphasis, frames, FFT, mel filter bank, log, DCT, and prosody beside them.
//!
//! A [`FrameStream`] takes samples as they come and gives rows that depend on nothing but the signal around each frame:
//! a [`FrameTrack`]. What depends on a window as a whole, [`FeatureExtractor::window`] does: dynamic range, cosine
//! transform, pitch path, standardization, padding. A posted file and a live call take the same way. The cepstral part
//! agrees with librosa 0.11 stage by stage; `tests/librosa.rs` prints by how much.

mod spec;
mod matrix;
mod emphasis;
mod frames;
mod spectrum;
mod mel;
mod decibel;
mod dct;
mod prosody;
mod columns;
mod normalize;
mod padding;
mod track;
mod stream;
mod extractor;

pub use dct::Dct;
pub use decibel::{POWER_FLOOR, limit_range, to_decibel, to_decibel_above, to_decibels, to_power};
pub use emphasis::PreEmphasis;
pub use extractor::FeatureExtractor;
pub use frames::Framer;
pub use matrix::FeatureMatrix;
pub use mel::{MelBank, hz_to_mel, mel_edges, mel_to_hz};
pub use normalize::{RunningStats, standardize};
pub use padding::pad;
pub use prosody::{
    BandLevel, CANDIDATES, Decimator, HIGHEST_PITCH_HZ, LOWEST_PITCH_HZ, PitchCandidate, PitchContour, PitchFrame,
    PitchStream,
};
pub use spec::{Boundary, Column, FeatureSpec, Normalization, Padding};
pub use spectrum::{PowerSpectrum, hann};
pub use stream::FrameStream;
pub use track::FrameTrack;

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
