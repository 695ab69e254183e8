//! The decoded sound.

use super::AudioError;

/// Largest magnitude a sample may have: full scale of a float file that was never divided by its integer scale.
/// Beyond it nothing is sound, and squares and sums would leave what 32-bit floats can hold.
const MAX_MAGNITUDE: f32 = 2_147_483_648.0;

/// One channel of sound: finite samples, nominally in [-1, 1], at a known rate.
#[derive(Debug, Clone, PartialEq)]
pub struct Waveform {
    samples: Vec<f32>,
    sample_rate_hz: u32,
}

impl Waveform {
    /// Takes samples, nominally in [-1, 1], at `sample_rate_hz` in Hz.
    ///
    /// # Errors
    /// [`AudioError::Invalid`] if the rate is 0 or a sample is NaN, infinite, or beyond 2^31 in magnitude.
    pub fn new(samples: Vec<f32>, sample_rate_hz: u32) -> Result<Self, AudioError> {
        if sample_rate_hz == 0 {
            return Err(AudioError::Invalid { reason: "sample rate is 0 Hz".into() });
        }
        let sound = |sample: &f32| sample.abs() <= MAX_MAGNITUDE;
        // All first: this sweep is vectorized, a search for the position is not.
        if !samples.iter().fold(true, |all, sample| all & sound(sample)) {
            let position = samples.iter().position(|sample| !sound(sample)).unwrap_or(0);
            let value = samples.get(position).copied().unwrap_or(f32::NAN);
            return Err(AudioError::Invalid { reason: format!("sample {position} is {value:e}, which is no sound") });
        }
        Ok(Self { samples, sample_rate_hz })
    }

    /// The samples, all finite.
    pub fn samples(&self) -> &[f32] {
        &self.samples
    }

    /// Samples per second, in Hz, never 0.
    pub fn sample_rate_hz(&self) -> u32 {
        self.sample_rate_hz
    }

    /// Duration in seconds.
    pub fn seconds(&self) -> f64 {
        self.samples.len() as f64 / f64::from(self.sample_rate_hz)
    }
}

/// A decoded file: its channels, all of the same length and rate, and what the file called itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// Encoding as the answer names it, such as `pcm_s16le` or `mulaw`.
    pub format: String,
    /// Samples per second of every channel, in Hz.
    pub sample_rate_hz: u32,
    /// At least one channel, in the file's order.
    pub channels: Vec<Waveform>,
}

impl Recording {
    /// Duration in seconds.
    pub fn seconds(&self) -> f64 {
        self.channels.first().map_or(0.0, Waveform::seconds)
    }
}
