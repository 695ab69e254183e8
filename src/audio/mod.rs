//! Bytes to waveforms.

mod error;
mod raw;
mod waveform;

pub use error::AudioError;
pub use raw::{RawEncoding, RawFormat};
pub use waveform::{Recording, Waveform};

/// What a recording may ask of this process; every limit is inclusive.
#[derive(Debug, Clone, PartialEq)]
pub struct AudioLimits {
    /// Longest recording, in seconds of its own duration.
    pub max_seconds: f64,
    /// Shortest recording that can be judged, in seconds.
    pub min_seconds: f64,
    /// Most channels.
    pub max_channels: u16,
    /// Lowest sample rate, in Hz.
    pub min_sample_rate_hz: u32,
    /// Highest sample rate, in Hz.
    pub max_sample_rate_hz: u32,
}

impl Default for AudioLimits {
    fn default() -> Self {
        Self {
            max_seconds: 3600.0,
            min_seconds: 0.1,
            max_channels: 8,
            min_sample_rate_hz: 4_000,
            max_sample_rate_hz: 192_000,
        }
    }
}
