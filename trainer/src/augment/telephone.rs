//! The telephone that every figure "over the telephone" was measured with.

use emotone::audio::{AudioError, Waveform, resample};

use super::filter::Cascade;
use super::g711::{Law, compand};

/// Samples per second of a telephone line, in Hz.
pub const TELEPHONE_RATE_HZ: u32 = 8_000;
/// Lower edge of the telephone band, in Hz, where it is 3 dB down.
const LOW_HZ: f32 = 300.0;
/// Upper edge of the telephone band, in Hz, where it is 3 dB down.
const HIGH_HZ: f32 = 3_400.0;
/// Order of the Butterworth filter at each edge: 24 dB an octave below, steeper above, towards half the rate.
const ORDER: usize = 4;

/// The fixed evaluation channel: 8 kHz, a Butterworth band of 300 to 3400 Hz (order 4 at each edge), G.711 mu-law.
///
/// There is no chance in it, so a model's figure over the telephone is one number. The result has 8 kHz; the level is
/// the recording's own, as a line carries it.
///
/// # Errors
/// [`AudioError`] if the recording's rate is one that the resampler refuses.
pub fn telephone(waveform: &Waveform) -> Result<Waveform, AudioError> {
    compand(&band_limit(&resample(waveform, TELEPHONE_RATE_HZ)?, LOW_HZ, HIGH_HZ)?, Law::Mulaw)
}

/// Keeps what lies between `low_hz` and `high_hz`, where it is 3 dB down: Butterworth of order 4 at each edge.
/// Edges outside the recording's own band are moved into it.
///
/// # Errors
/// None with finite edges.
pub fn band_limit(waveform: &Waveform, low_hz: f32, high_hz: f32) -> Result<Waveform, AudioError> {
    let rate = f64::from(waveform.sample_rate_hz());
    let inside = |hz: f32| f64::from(hz).clamp(1e-3 * rate, 0.49 * rate);
    let band = Cascade::band_pass(ORDER, inside(low_hz), inside(high_hz), rate);
    super::with_samples(waveform, band.filter(waveform.samples()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::augment::sounds::{amplitude_at, at, sine, voice};

    /// Gain of the whole channel for a tone, in dB, after the filter has settled.
    fn gain_db(hz: f64, rate_hz: u32) -> f64 {
        let tone = at(rate_hz, sine(hz, rate_hz, 2 * rate_hz as usize, 0.5));
        let heard = telephone(&tone).unwrap();
        assert_eq!((heard.sample_rate_hz(), heard.samples().len()), (8_000, 16_000));
        20.0 * (amplitude_at(hz, 8_000, &heard.samples()[4_000..12_000]) / 0.5).log10()
    }

    #[test]
    fn the_band_is_flat_inside_and_closed_outside() {
        for rate_hz in [8_000, 16_000, 24_414, 48_000] {
            for hz in [450.0, 600.0, 1_000.0, 2_000.0, 3_000.0] {
                assert!(gain_db(hz, rate_hz).abs() < 0.5, "{} dB at {hz} Hz from {rate_hz} Hz", gain_db(hz, rate_hz));
            }
            for (hz, expected) in [(300.0, -3.0), (3_400.0, -3.0)] {
                let gain = gain_db(hz, rate_hz);
                assert!((gain - expected).abs() < 0.5, "{gain} dB at {hz} Hz from {rate_hz} Hz");
            }
            for hz in [50.0, 100.0, 140.0, 3_900.0] {
                assert!(gain_db(hz, rate_hz) < -24.0, "{} dB at {hz} Hz from {rate_hz} Hz", gain_db(hz, rate_hz));
            }
        }
    }

    #[test]
    fn the_channel_gives_the_same_every_time() {
        let speech = at(16_000, voice(16_000, 16_000, 1));
        assert_eq!(telephone(&speech).unwrap(), telephone(&speech).unwrap());
    }

    #[test]
    fn edges_outside_the_band_of_the_recording_are_moved_into_it() {
        let speech = at(4_000, voice(4_000, 4_000, 1));
        assert_eq!(band_limit(&speech, 0.0, 9_000.0).unwrap().samples().len(), 4_000);
    }
}
