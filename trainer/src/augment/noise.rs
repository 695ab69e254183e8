//! Noise, and how much of it.

use emotone::audio::{AudioError, Waveform};
use rand::{SeedableRng, rngs::StdRng};
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

use super::level::power;

/// How the power of a noise spreads over frequency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Color {
    /// As much in every hertz: hiss.
    White,
    /// As much in every octave, 3 dB less in each hertz an octave up: rain, ventilation.
    Pink,
}

/// Gaussian noise of `samples` samples, its power about 1.
pub fn noise(color: Color, samples: usize, seed: u64) -> Vec<f32> {
    let white = StandardNormal.sample_iter(StdRng::seed_from_u64(seed)).take(samples);
    match color {
        Color::White => white.collect(),
        Color::Pink => pink(white),
    }
}

/// Slopes white noise by a sum of first-order low-passes at widely spaced edges (Paul Kellet's filter, 1999): within
/// 0.05 dB of 1/f from half the sampling rate down over eleven octaves.
fn pink(white: impl Iterator<Item = f32>) -> Vec<f32> {
    const POLES: [f32; 6] = [0.998_86, 0.993_32, 0.969, 0.866_5, 0.55, -0.761_6];
    const GAINS: [f32; 6] = [0.055_517_9, 0.075_075_9, 0.153_852, 0.310_485_6, 0.532_952_2, -0.016_898];
    const DIRECT_GAIN: f32 = 0.536_2;
    const DELAYED_GAIN: f32 = 0.115_926;
    /// Brings the power to about 1.
    const SCALE: f32 = 0.328;
    let (mut states, mut delayed) = ([0.0_f32; 6], 0.0);
    let slope = |sample: f32| {
        for ((state, pole), gain) in states.iter_mut().zip(POLES).zip(GAINS) {
            *state = pole * *state + gain * sample;
        }
        let sum = states.iter().sum::<f32>() + delayed + DIRECT_GAIN * sample;
        delayed = DELAYED_GAIN * sample;
        SCALE * sum
    };
    white.map(slope).collect()
}

/// Adds `noise` (repeated if it is too short) so that the recording has `snr_db` more power than what is added, both
/// taken over the whole recording. A recording or noise that is all silence has no such ratio and stays as it is.
///
/// # Errors
/// [`AudioError::Invalid`] if the ratio is so low that samples are no longer finite.
pub fn add_noise(waveform: &Waveform, noise: &[f32], snr_db: f32) -> Result<Waveform, AudioError> {
    let speech = waveform.samples();
    let added: Vec<f32> = noise.iter().copied().cycle().take(speech.len()).collect();
    let (signal, disturbance) = (power(speech), power(&added));
    if signal == 0.0 || disturbance == 0.0 {
        return Ok(waveform.clone());
    }
    let factor = (signal / disturbance / 10.0_f64.powf(f64::from(snr_db) / 10.0)).sqrt() as f32;
    super::with_samples(waveform, speech.iter().zip(added).map(|(sample, noise)| sample + factor * noise).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::augment::filter::Cascade;
    use crate::augment::sounds::{voice, waveform};

    #[test]
    fn the_ratio_is_what_was_asked() {
        let clean = waveform(voice(8_000, 20_000, 1));
        for (color, snr_db) in [(Color::White, 20.0), (Color::White, -5.0), (Color::Pink, 10.0), (Color::Pink, 0.0)] {
            let noisy = add_noise(&clean, &noise(color, 20_000, 4), snr_db).unwrap();
            let rest: Vec<f32> = noisy.samples().iter().zip(clean.samples()).map(|(a, b)| a - b).collect();
            let got = 10.0 * (power(clean.samples()) / power(&rest)).log10();
            assert!((got - f64::from(snr_db)).abs() < 0.1, "{got} dB instead of {snr_db}");
        }
    }

    #[test]
    fn pink_has_as_much_power_in_every_octave_and_white_twice_as_much_in_the_next() {
        for (color, step_db) in [(Color::Pink, 0.0), (Color::White, 3.01)] {
            let samples = noise(color, 1 << 17, 9);
            let octave = |low: f64| power(&Cascade::band_pass(8, low, 2.0 * low, 16_000.0).filter(&samples));
            for low in [125.0, 250.0, 500.0, 1_000.0, 2_000.0] {
                let got = 10.0 * (octave(2.0 * low).log10() - octave(low).log10());
                assert!((got - step_db).abs() < 0.5, "{color:?}: {got} dB from {low} Hz");
            }
        }
    }

    #[test]
    fn the_seed_decides_and_silence_stays_silence() {
        assert_eq!(noise(Color::Pink, 1_000, 3), noise(Color::Pink, 1_000, 3));
        assert_ne!(noise(Color::White, 1_000, 3), noise(Color::White, 1_000, 4));
        let silence = waveform(vec![0.0; 100]);
        assert_eq!(add_noise(&silence, &noise(Color::White, 100, 1), 10.0).unwrap(), silence);
        assert_eq!(add_noise(&silence, &[], 10.0).unwrap(), silence);
        assert!(noise(Color::Pink, 0, 1).is_empty());
    }
}
