//! What one recording may cost.

use super::AudioError;

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
    /// Most memory for decoded samples, all channels together, in MiB of 4 bytes each. It is what keeps a small file
    /// of compressed silence at high rates within bounds.
    pub max_decoded_mib: u32,
}

impl Default for AudioLimits {
    fn default() -> Self {
        Self {
            max_seconds: 3600.0,
            min_seconds: 0.1,
            max_channels: 8,
            min_sample_rate_hz: 4_000,
            max_sample_rate_hz: 192_000,
            // An hour of stereo at 48 kHz has 1319.
            max_decoded_mib: 1_536,
        }
    }
}

impl AudioLimits {
    /// Checks what a header says before anything is decoded.
    ///
    /// # Errors
    /// [`AudioError::Invalid`] that names the limit and what came.
    pub fn check_shape(&self, sample_rate_hz: u32, channels: u16) -> Result<(), AudioError> {
        if channels == 0 {
            return Err(AudioError::Invalid { reason: "it has 0 channels".into() });
        }
        if channels > self.max_channels {
            let reason = format!("it has {channels} channels, at most {} are accepted", self.max_channels);
            return Err(AudioError::Invalid { reason });
        }
        if !(self.min_sample_rate_hz..=self.max_sample_rate_hz).contains(&sample_rate_hz) {
            let reason = format!(
                "its sample rate is {sample_rate_hz} Hz, accepted are {} to {} Hz",
                self.min_sample_rate_hz, self.max_sample_rate_hz
            );
            return Err(AudioError::Invalid { reason });
        }
        Ok(())
    }

    /// Checks a length (samples a channel) that has been reached or is known for sure, so also in the middle of decoding.
    ///
    /// # Errors
    /// [`AudioError::TooLong`], or [`AudioError::Invalid`] for more samples than memory is granted for.
    pub fn check_not_too_long(&self, frames: usize, sample_rate_hz: u32, channels: u16) -> Result<(), AudioError> {
        if frames as f64 > self.max_seconds * f64::from(sample_rate_hz) {
            return Err(AudioError::TooLong { limit: self.max_seconds });
        }
        let mib = frames as f64 * f64::from(channels) * 4.0 / 1_048_576.0;
        if mib > f64::from(self.max_decoded_mib) {
            let reason = format!("it decodes to more than {} MiB, the most that is accepted", self.max_decoded_mib);
            return Err(AudioError::Invalid { reason });
        }
        Ok(())
    }

    /// Checks the duration of a recording that has come to its end.
    ///
    /// # Errors
    /// [`AudioError::Invalid`] without a single sample, else [`AudioError::TooShort`].
    pub fn check_not_too_short(&self, frames: usize, sample_rate_hz: u32) -> Result<(), AudioError> {
        let seconds = frames as f64 / f64::from(sample_rate_hz);
        if frames == 0 {
            return Err(AudioError::Invalid { reason: "it holds no samples".into() });
        }
        if seconds < self.min_seconds {
            return Err(AudioError::TooShort { seconds, limit: self.min_seconds });
        }
        Ok(())
    }
}
