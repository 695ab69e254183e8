//! Loudness and overload.

use emotone::audio::{AudioError, Waveform};

/// Mean of the squared samples, 1 for a full-scale square wave; 0 without samples.
pub(super) fn power(samples: &[f32]) -> f64 {
    let sum: f64 = samples.iter().map(|sample| f64::from(*sample).powi(2)).sum();
    sum / samples.len().max(1) as f64
}

/// Amplitude factor of a gain in dB: `10^(db / 20)`.
pub(super) fn amplitude(db: f32) -> f32 {
    10.0_f32.powf(db / 20.0)
}

/// Scales so that the root mean square is `dbfs` in dB relative to 1; silence stays silence.
///
/// Nothing is cut here: peaks above 1 are left to what comes next, as a loud voice leaves them to the codec.
///
/// # Errors
/// [`AudioError::Invalid`] if the level is so high that samples are no longer finite.
pub fn set_level(waveform: &Waveform, dbfs: f32) -> Result<Waveform, AudioError> {
    let rms = power(waveform.samples()).sqrt() as f32;
    let factor = if rms > 0.0 { amplitude(dbfs) / rms } else { 1.0 };
    super::with_samples(waveform, waveform.samples().iter().map(|sample| sample * factor).collect())
}

/// Cuts every sample at `drive_db` below the recording's peak, as an input driven too far by that much.
///
/// # Errors
/// None with a finite `drive_db`; [`AudioError::Invalid`] otherwise.
pub fn clip(waveform: &Waveform, drive_db: f32) -> Result<Waveform, AudioError> {
    let peak = waveform.samples().iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
    let ceiling = (peak * amplitude(-drive_db)).abs();
    super::with_samples(waveform, waveform.samples().iter().map(|sample| sample.min(ceiling).max(-ceiling)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::augment::sounds::{sine, waveform};

    #[test]
    fn the_level_is_what_was_asked() {
        let quiet = waveform(sine(440.0, 8_000, 8_000, 0.01));
        let level = 10.0 * power(set_level(&quiet, -20.0).unwrap().samples()).log10();
        assert!((level + 20.0).abs() < 0.01, "{level} dB");
        assert_eq!(set_level(&waveform(vec![0.0; 100]), -20.0).unwrap().samples(), &[0.0; 100]);
    }

    #[test]
    fn clipping_cuts_the_peak_and_nothing_below_it() {
        let loud = waveform(sine(440.0, 8_000, 8_000, 0.8));
        let cut = clip(&loud, 6.0).unwrap();
        let ceiling = 0.8 * amplitude(-6.0);
        for (before, after) in loud.samples().iter().zip(cut.samples()) {
            assert!(after.abs() <= ceiling + 1e-6);
            assert!(before.abs() > ceiling - 1e-3 || before == after);
        }
    }
}
