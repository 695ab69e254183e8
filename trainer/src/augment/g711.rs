//! The codec of every telephone line: eight bits a sample, finer where it is quiet (ITU-T G.711).

use emotone::audio::g711::{alaw_to_linear, linear_to_alaw, linear_to_mulaw, mulaw_to_linear};
use emotone::audio::{AudioError, Waveform};
use serde::{Deserialize, Serialize};

/// The two curves of G.711.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Law {
    /// North America and Japan.
    Mulaw,
    /// Everywhere else.
    Alaw,
}

/// Codes every sample and decodes it again, with the tables that the server hears calls by.
///
/// Samples beyond [-1, 1] are cut there.
///
/// # Errors
/// None: what comes out is finite.
pub fn compand(waveform: &Waveform, law: Law) -> Result<Waveform, AudioError> {
    let coded = |sample: i16| match law {
        Law::Mulaw => mulaw_to_linear(linear_to_mulaw(sample)),
        Law::Alaw => alaw_to_linear(linear_to_alaw(sample)),
    };
    // The cast cuts what does not fit into 16 bits.
    let linear = |sample: f32| (sample * 32_768.0).round() as i16;
    let samples = waveform.samples().iter().map(|sample| f32::from(coded(linear(*sample))) / 32_768.0);
    super::with_samples(waveform, samples.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::augment::level::power;
    use crate::augment::sounds::{voice, waveform};

    #[test]
    fn what_was_coded_once_is_not_changed_again() {
        let every_step = waveform((i16::MIN..=i16::MAX).map(|sample| f32::from(sample) / 32_768.0).collect());
        for law in [Law::Mulaw, Law::Alaw] {
            let once = compand(&every_step, law).unwrap();
            assert_eq!(compand(&once, law).unwrap(), once);
            let mut levels: Vec<i32> = once.samples().iter().map(|sample| (sample * 32_768.0) as i32).collect();
            levels.sort_unstable();
            levels.dedup();
            // Mu-law has two zeros.
            assert_eq!(levels.len(), if law == Law::Mulaw { 255 } else { 256 });
        }
    }

    #[test]
    fn speech_stands_35_db_above_the_noise_of_the_codec() {
        let speech = waveform(voice(8_000, 8_000, 2));
        for law in [Law::Mulaw, Law::Alaw] {
            let coded = compand(&speech, law).unwrap();
            let rest: Vec<f32> = coded.samples().iter().zip(speech.samples()).map(|(a, b)| a - b).collect();
            let snr_db = 10.0 * (power(speech.samples()) / power(&rest)).log10();
            assert!(snr_db > 35.0, "{snr_db} dB");
        }
    }

    #[test]
    fn overload_is_cut() {
        let loud = compand(&waveform(vec![7.0, -7.0]), Law::Mulaw).unwrap();
        assert!(loud.samples().iter().all(|sample| (0.9..=1.0).contains(&sample.abs())), "{loud:?}");
    }
}
