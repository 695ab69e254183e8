//! Pace and pitch, in whole per cent: the shared resampler keeps the filters of some dozen pairs of rates, and so many are
//! enough for a voice to differ by.

use std::ops::Range;

use emotone::audio::{AudioError, Waveform, resample};

/// Length of one piece of the overlap-add, in seconds: two to three periods of a low voice.
const PIECE_SECONDS: f64 = 0.03;
/// How far a piece may move to meet its neighbour in phase, in seconds: half a period of 60 Hz and a little more.
const SEARCH_SECONDS: f64 = 0.01;
/// Samples per second that the search for the best meeting point looks at, enough for the pitch it has to match.
const SEARCH_RATE_HZ: u32 = 8_000;

/// Plays `percent` / 100 times as fast, higher by as much: another voice as much as another pace.
///
/// # Errors
/// [`AudioError`] if `percent` is 0 or so far from 100 that the resampler refuses it.
pub fn speed(waveform: &Waveform, percent: u32) -> Result<Waveform, AudioError> {
    if percent == 100 {
        return Ok(waveform.clone());
    }
    // Only the ratio matters, so that one filter serves recordings of every rate.
    let played = Waveform::new(waveform.samples().to_vec(), percent * 100)?;
    super::with_samples(waveform, resample(&played, 10_000)?.samples().to_vec())
}

/// Speaks `percent` / 100 times as fast at the same pitch, by overlap-add of pieces that are moved to meet in phase
/// (WSOLA: Verhelst and Roelands, ICASSP 1993). The length is the old one times 100 / `percent`, rounded.
///
/// # Errors
/// [`AudioError::Invalid`] if `percent` is 0.
pub fn tempo(waveform: &Waveform, percent: u32) -> Result<Waveform, AudioError> {
    if percent == 0 {
        return Err(AudioError::Invalid { reason: "a tempo of 0 % never ends".into() });
    }
    let ratio = f64::from(percent) / 100.0;
    super::with_samples(waveform, overlap_add(waveform.samples(), waveform.sample_rate_hz(), ratio))
}

/// Speaks `percent` / 100 times as high at the same pace; the formants move along. The length stays.
///
/// # Errors
/// As [`speed`] and [`tempo`].
pub fn pitch(waveform: &Waveform, percent: u32) -> Result<Waveform, AudioError> {
    let slow = overlap_add(waveform.samples(), waveform.sample_rate_hz(), 100.0 / f64::from(percent.max(1)));
    let shifted = speed(&super::with_samples(waveform, slow)?, percent)?;
    let mut samples = shifted.samples().to_vec();
    samples.resize(waveform.samples().len(), 0.0);
    super::with_samples(waveform, samples)
}

fn overlap_add(input: &[f32], rate_hz: u32, ratio: f64) -> Vec<f32> {
    let half = (PIECE_SECONDS / 2.0 * f64::from(rate_hz)) as usize;
    let length = (input.len() as f64 / ratio).round() as usize;
    if half == 0 || input.len() < 4 * half {
        // Too short to hold a piece and its neighbour.
        return input.iter().copied().chain(std::iter::repeat(0.0)).take(length).collect();
    }
    let piece = 2 * half;
    let search = (SEARCH_SECONDS * f64::from(rate_hz)) as usize;
    let hann = |n: usize| 0.5 - 0.5 * (std::f32::consts::TAU * (n as f32 + 0.5) / piece as f32).cos();
    let window: Vec<f32> = (0..piece).map(hann).collect();
    // The last pieces reach over the end.
    let padded: Vec<f32> = input.iter().copied().chain(std::iter::repeat_n(0.0, piece + search)).collect();
    let last = padded.len() - piece;
    let meeting = Meeting::new(&padded, (rate_hz / SEARCH_RATE_HZ).max(1) as usize, piece);
    let mut output = vec![0.0; length + 2 * piece];
    let mut at = 0;
    // The first half piece has no neighbour under it yet: it is the input itself.
    output[..half]
        .iter_mut()
        .zip(input)
        .zip(&window)
        .for_each(|((out, sample), weight)| *out = sample * (1.0 - weight));
    for number in 0..=length / half {
        let target = ((number * half) as f64 * ratio) as usize;
        if number > 0 {
            let natural = (at + half).min(last);
            at = meeting.best(natural, target.saturating_sub(search).min(last)..(target + search).min(last) + 1);
        }
        let place = &mut output[number * half..number * half + piece];
        let samples = padded[at..at + piece].iter().zip(&window);
        place.iter_mut().zip(samples).for_each(|(out, (sample, weight))| *out += sample * weight);
    }
    output.truncate(length);
    output
}

/// Where a piece continues another best: the signal for the search, one of `stride` samples, and its energy so far.
struct Meeting {
    samples: Vec<f32>,
    energy: Vec<f64>,
    stride: usize,
    piece: usize,
}

impl Meeting {
    fn new(signal: &[f32], stride: usize, piece: usize) -> Self {
        let samples: Vec<f32> = signal.chunks_exact(stride).map(|chunk| chunk.iter().sum()).collect();
        let sums = samples.iter().scan(0.0, |sum, sample| {
            *sum += f64::from(sample * sample);
            Some(*sum)
        });
        Self { energy: std::iter::once(0.0).chain(sums).collect(), samples, stride, piece: piece / stride }
    }

    /// The start among `candidates` whose piece is most alike to what begins at `natural`, by normalized correlation.
    fn best(&self, natural: usize, candidates: Range<usize>) -> usize {
        let last = self.samples.len() - self.piece;
        let natural = (natural / self.stride).min(last);
        let wanted = &self.samples[natural..natural + self.piece];
        let alike = |start: usize| {
            let energy = self.energy[start + self.piece] - self.energy[start];
            product(wanted, &self.samples[start..start + self.piece]) / (energy as f32 + 1e-9).sqrt()
        };
        let starts = candidates.start / self.stride..(candidates.end / self.stride).min(last) + 1;
        let best = starts.map(|start| (alike(start), start)).max_by(|a, b| a.0.total_cmp(&b.0));
        best.map_or(candidates.start, |(_, start)| start * self.stride)
    }
}

/// Sum of products in eight lanes, which is what the compiler needs to use them.
fn product(first: &[f32], second: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; 8];
    for (a, b) in first.chunks_exact(8).zip(second.chunks_exact(8)) {
        for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
            *lane += a * b;
        }
    }
    lanes.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::augment::sounds::{amplitude_at, at, sine, voice, waveform};

    #[test]
    fn speed_changes_length_and_pitch_together() {
        let tone = at(16_000, sine(1_000.0, 16_000, 16_000, 0.5));
        let fast = speed(&tone, 110).unwrap();
        assert_eq!(fast.samples().len(), 14_546);
        assert_eq!(fast.sample_rate_hz(), 16_000);
        assert!(amplitude_at(1_100.0, 16_000, &fast.samples()[500..14_045]) > 0.48);
    }

    #[test]
    fn tempo_changes_the_length_and_keeps_the_pitch() {
        let tone = at(16_000, sine(200.0, 16_000, 32_000, 0.5));
        for percent in [80, 90, 110, 125] {
            let changed = tempo(&tone, percent).unwrap();
            assert_eq!(changed.samples().len(), (3_200_000.0 / f64::from(percent)).round() as usize);
            let middle = &changed.samples()[2_000..18_000];
            assert!(amplitude_at(200.0, 16_000, middle) > 0.47, "{percent} %");
        }
    }

    #[test]
    fn pitch_keeps_the_length_and_moves_the_tone() {
        let tone = waveform(sine(200.0, 8_000, 16_000, 0.5));
        for percent in [90, 106, 112] {
            let moved = pitch(&tone, percent).unwrap();
            assert_eq!(moved.samples().len(), 16_000);
            let hz = 2.0 * f64::from(percent);
            assert!(amplitude_at(hz, 8_000, &moved.samples()[1_000..15_000]) > 0.45, "{percent} %");
        }
    }

    #[test]
    fn a_hundred_per_cent_changes_nothing() {
        let voice = waveform(voice(8_000, 8_000, 1));
        assert_eq!(speed(&voice, 100).unwrap(), voice);
        for (before, after) in voice.samples().iter().zip(tempo(&voice, 100).unwrap().samples()) {
            assert!((before - after).abs() < 1e-5);
        }
    }

    #[test]
    fn recordings_too_short_for_a_piece_keep_their_due_length() {
        for samples in [0, 1, 100] {
            let short = waveform(vec![0.1; samples]);
            assert_eq!(pitch(&short, 107).unwrap().samples().len(), samples);
        }
    }
}
