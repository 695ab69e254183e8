//! Other people talking in the background.

use emotone::audio::{AudioError, Waveform, resample};
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};

use super::level::power;

/// A clip and who speaks in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Voice {
    /// Name of the speaker, as the corpus gives it.
    pub speaker: String,
    /// What is said.
    pub waveform: Waveform,
}

/// Voices to mix a background from. They must come from the training part alone, or the test part leaks into training.
#[derive(Debug, Clone, Default)]
pub struct Babble {
    voices: Vec<Voice>,
    sample_rate_hz: u32,
}

impl Babble {
    /// Keeps the clips that are not silent, each at `sample_rate_hz` and at the same level.
    ///
    /// # Errors
    /// [`AudioError`] if a rate is one that the resampler refuses.
    pub fn new(clips: impl IntoIterator<Item = Voice>, sample_rate_hz: u32) -> Result<Self, AudioError> {
        let mut voices = Vec::new();
        for Voice { speaker, waveform } in clips {
            let waveform = super::set_level(&resample(&waveform, sample_rate_hz)?, -20.0)?;
            if power(waveform.samples()) > 0.0 {
                voices.push(Voice { speaker, waveform });
            }
        }
        Ok(Self { voices, sample_rate_hz })
    }

    /// `samples` samples at `sample_rate_hz` of `talkers` clips at once, none of them by `except`, each begun
    /// somewhere inside and repeated. Silence if there is nobody else.
    ///
    /// # Errors
    /// [`AudioError`] if `sample_rate_hz` is one that the resampler refuses.
    pub fn mix(
        &self,
        samples: usize,
        sample_rate_hz: u32,
        talkers: usize,
        except: &str,
        seed: u64,
    ) -> Result<Vec<f32>, AudioError> {
        let mut rng = StdRng::seed_from_u64(seed);
        let others: Vec<&Voice> = self.voices.iter().filter(|voice| voice.speaker != except).collect();
        let mut sum = vec![0.0; samples];
        for _ in 0..talkers {
            let Some(voice) = others.choose(&mut rng) else { break };
            let clip = self.at_rate(voice, sample_rate_hz)?;
            let begin = rng.random_range(0..clip.samples().len().max(1));
            let speech = clip.samples().iter().cycle().skip(begin);
            sum.iter_mut().zip(speech).for_each(|(total, sample)| *total += sample);
        }
        Ok(sum)
    }

    /// Whether nobody is there.
    pub fn is_empty(&self) -> bool {
        self.voices.is_empty()
    }

    fn at_rate<'a>(&self, voice: &'a Voice, rate_hz: u32) -> Result<std::borrow::Cow<'a, Waveform>, AudioError> {
        if rate_hz == self.sample_rate_hz {
            return Ok(std::borrow::Cow::Borrowed(&voice.waveform));
        }
        resample(&voice.waveform, rate_hz).map(std::borrow::Cow::Owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::augment::sounds::{amplitude_at, sine, waveform};

    fn two_voices() -> Babble {
        let voice =
            |speaker: &str, hz| Voice { speaker: speaker.into(), waveform: waveform(sine(hz, 8_000, 4_000, 0.3)) };
        Babble::new([voice("OAF", 500.0), voice("YAF", 800.0)], 8_000).unwrap()
    }

    #[test]
    fn a_speaker_is_never_their_own_background() {
        for seed in 0..10 {
            let mixed = two_voices().mix(8_000, 8_000, 3, "OAF", seed).unwrap();
            assert!(amplitude_at(500.0, 8_000, &mixed) < 1e-3);
            assert!(amplitude_at(800.0, 8_000, &mixed) > 0.05);
        }
    }

    #[test]
    fn the_length_is_what_was_asked_at_other_rates_too() {
        assert_eq!(two_voices().mix(1_000, 16_000, 2, "", 1).unwrap().len(), 1_000);
        assert_eq!(Babble::default().mix(10, 8_000, 2, "", 1).unwrap(), vec![0.0; 10]);
    }
}
