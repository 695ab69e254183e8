//! The colour of a microphone and a loudspeaker.

use emotone::audio::{AudioError, Waveform};
use serde::{Deserialize, Serialize};

use super::filter::{Biquad, Cascade};

/// A stretch of the spectrum that is raised or lowered.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Band {
    /// Where the change is greatest, in Hz.
    pub center_hz: f32,
    /// Center over width, above 0: 0.5 is about two and a half octaves, 2 about two thirds of one.
    pub q: f32,
    /// Change at the center, in dB.
    pub gain_db: f32,
}

/// Raises and lowers bands; one whose center lies at or above half the sampling rate is left out.
///
/// # Errors
/// None with finite gains; [`AudioError::Invalid`] otherwise.
pub fn equalize(waveform: &Waveform, bands: &[Band]) -> Result<Waveform, AudioError> {
    let rate = f64::from(waveform.sample_rate_hz());
    let audible = bands.iter().filter(|band| f64::from(band.center_hz) < 0.5 * rate);
    let sections = audible
        .map(|band| Biquad::peak(f64::from(band.center_hz), f64::from(band.q), f64::from(band.gain_db), rate))
        .collect();
    super::with_samples(waveform, Cascade::new(sections).filter(waveform.samples()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::augment::sounds::{amplitude_at, sine, waveform};

    #[test]
    fn the_center_has_its_gain_and_what_is_far_away_has_none() {
        let bands =
            [Band { center_hz: 1_000.0, q: 2.0, gain_db: 6.0 }, Band { center_hz: 5_000.0, q: 1.0, gain_db: 9.0 }];
        for (hz, expected_db) in [(1_000.0, 6.0), (60.0, 0.0), (3_900.0, 0.0)] {
            let tone = waveform(sine(hz, 8_000, 8_000, 0.2));
            let changed = equalize(&tone, &bands).unwrap();
            let got = 20.0 * (amplitude_at(hz, 8_000, &changed.samples()[4_000..]) / 0.2).log10();
            assert!((got - expected_db).abs() < 0.2, "{got} dB at {hz} Hz");
        }
    }
}
