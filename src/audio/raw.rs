//! Headerless telephony samples, described by parameters.

use serde::{Deserialize, Serialize};

/// How one sample is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RawEncoding {
    /// 16-bit linear, little-endian.
    PcmS16le,
    /// G.711 mu-law, one byte.
    Mulaw,
    /// G.711 A-law, one byte.
    Alaw,
}

/// Samples without a header, channels interleaved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawFormat {
    /// How one sample is written.
    pub encoding: RawEncoding,
    /// Samples per second of each channel, in Hz.
    pub sample_rate_hz: u32,
    /// Number of channels.
    pub channels: u16,
}
