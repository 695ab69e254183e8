//! Where the recording begins and ends.

use emotone::audio::{AudioError, Waveform};

/// Drops a share of the duration, in [0, 1], at the start and at the end; at least one sample stays of one that had any.
///
/// # Errors
/// None: the samples are the recording's own.
pub fn crop(waveform: &Waveform, start: f32, end: f32) -> Result<Waveform, AudioError> {
    let samples = waveform.samples();
    let dropped = |share: f32| (share.clamp(0.0, 1.0) * samples.len() as f32) as usize;
    let from = dropped(start).min(samples.len().saturating_sub(1));
    let to = samples.len().saturating_sub(dropped(end)).max(from + 1).min(samples.len());
    super::with_samples(waveform, samples.get(from..to).unwrap_or_default().to_vec())
}

/// Puts silence around, in seconds, as a line has it before and after somebody speaks: the speech comes later.
///
/// # Errors
/// None: silence is finite.
pub fn surround(waveform: &Waveform, before_seconds: f32, after_seconds: f32) -> Result<Waveform, AudioError> {
    let silence = |seconds: f32| {
        let samples = (f64::from(seconds.max(0.0)) * f64::from(waveform.sample_rate_hz())).round() as usize;
        std::iter::repeat_n(0.0, samples)
    };
    let speech = waveform.samples().iter().copied();
    let samples = silence(before_seconds).chain(speech).chain(silence(after_seconds)).collect();
    super::with_samples(waveform, samples)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::augment::sounds::waveform;

    #[test]
    fn both_ends_lose_their_share() {
        let ramp = waveform((0..100).map(|n| n as f32 / 100.0).collect());
        let cut = crop(&ramp, 0.1, 0.25).unwrap();
        assert_eq!(cut.samples(), &ramp.samples()[10..75]);
        assert_eq!(crop(&ramp, 1.0, 1.0).unwrap().samples().len(), 1);
        assert!(crop(&waveform(vec![]), 0.5, 0.5).unwrap().samples().is_empty());
    }

    #[test]
    fn silence_is_put_around() {
        let padded = surround(&waveform(vec![0.5; 10]), 0.01, 0.02).unwrap();
        assert_eq!(padded.samples().len(), 80 + 10 + 160);
        assert!(padded.samples()[80..90].iter().all(|sample| *sample == 0.5));
        assert_eq!(padded.samples().iter().filter(|sample| **sample == 0.0).count(), 240);
    }
}
