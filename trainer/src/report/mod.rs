//! Pictures of sound and of how well a network does, as SVG.
//!
//! Every function takes plain figures and gives the text of one picture; nothing here trains, measures or judges.

mod axis;
mod style;
mod curves;
mod confusion;
mod reliability;
mod heatmap;
mod waveform;
mod spectrogram;
mod cepstrum;
pub mod plot;

pub use cepstrum::cepstrum;
pub use confusion::confusion;
pub use curves::{Epoch, curves};
pub use reliability::{ConfidenceBin, reliability};
pub use spectrogram::spectrogram;
pub use waveform::waveform;
