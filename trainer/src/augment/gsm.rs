//! What a mobile phone's codec leaves of a voice.

use emotone::audio::{AudioError, Waveform};

/// Samples in one frame: 20 ms at the 8 kHz that the codec is made for.
const FRAME: usize = 160;
/// Samples in one of the four parts of a frame that have a lag and an excitation of their own.
const PART: usize = 40;
/// Order of the prediction.
const ORDER: usize = 8;
/// Lags of the pitch predictor, in samples: 67 to 200 Hz and their multiples.
const LAGS: std::ops::RangeInclusive<usize> = 40..=120;
/// Coefficient of pre- and de-emphasis.
const EMPHASIS: f32 = 28_180.0 / 32_768.0;
/// Smoothing of the residual before every third sample is kept.
const WEIGHTS: [f32; 11] = [-134.0, -374.0, 0.0, 2_054.0, 5_741.0, 8_192.0, 5_741.0, 2_054.0, 0.0, -374.0, -134.0];
/// Steps, offset and range of each quantized log-area ratio.
const RATIOS: [(f32, f32, f32); ORDER] = [
    (20.0, 0.0, 32.0),
    (20.0, 0.0, 32.0),
    (20.0, 4.0, 16.0),
    (20.0, -5.0, 16.0),
    (13.637, 0.184, 8.0),
    (15.0, -3.5, 8.0),
    (8.334, -0.666, 4.0),
    (8.824, -2.235, 4.0),
];

/// Codes and decodes in the manner of GSM full rate (GSM 06.10, RPE-LTP, 13 kbit/s): its prediction, its pitch lags,
/// its excitation of every third sample in three bits and its tables, in floating point and without its smoothing of
/// filters from frame to frame. The rate should be 8 kHz; the length stays.
///
/// # Errors
/// None: what comes out is finite.
pub fn gsm(waveform: &Waveform) -> Result<Waveform, AudioError> {
    let mut coder = Coder::default();
    let mut output = Vec::with_capacity(waveform.samples().len() + FRAME);
    for part in waveform.samples().chunks(FRAME) {
        let mut frame = [0.0; FRAME];
        frame.iter_mut().zip(part).for_each(|(place, sample)| *place = sample.clamp(-1.0, 1.0));
        coder.frame(&frame, &mut output);
    }
    output.truncate(waveform.samples().len());
    super::with_samples(waveform, output)
}

/// What is remembered from frame to frame.
struct Coder {
    emphasis: f32,
    analysis: [f32; ORDER],
    synthesis: [f32; ORDER + 1],
    /// The decoded residual, the last `LAGS.end()` samples of it.
    past: Vec<f32>,
    de_emphasis: f32,
}

impl Default for Coder {
    fn default() -> Self {
        Self {
            emphasis: 0.0,
            analysis: [0.0; ORDER],
            synthesis: [0.0; ORDER + 1],
            past: vec![0.0; *LAGS.end()],
            de_emphasis: 0.0,
        }
    }
}

impl Coder {
    fn frame(&mut self, input: &[f32; FRAME], output: &mut Vec<f32>) {
        let emphasized = input.map(|sample| {
            let value = sample - EMPHASIS * self.emphasis;
            self.emphasis = sample;
            value
        });
        let exact = reflections(&emphasized);
        let reflections = std::array::from_fn(|order| quantize_reflection(order, exact[order]));
        let residual = emphasized.map(|sample| self.analyze(sample, &reflections));
        for part in residual.chunks_exact(PART) {
            let decoded = self.excitation(part);
            for value in &decoded {
                self.de_emphasis = self.synthesize(*value, &reflections) + EMPHASIS * self.de_emphasis;
                output.push(self.de_emphasis.clamp(-1.0, 1.0));
            }
            self.past.drain(..PART);
            self.past.extend(decoded);
        }
    }

    /// One step of the lattice that takes the prediction away.
    fn analyze(&mut self, sample: f32, reflections: &[f32; ORDER]) -> f32 {
        let (mut forward, mut backward) = (sample, sample);
        for (state, reflection) in self.analysis.iter_mut().zip(reflections) {
            let delayed = std::mem::replace(state, backward);
            backward = delayed + reflection * forward;
            forward += reflection * delayed;
        }
        forward
    }

    /// One step of the lattice that puts the prediction back.
    fn synthesize(&mut self, residual: f32, reflections: &[f32; ORDER]) -> f32 {
        let mut forward = residual;
        for order in (0..ORDER).rev() {
            forward -= reflections[order] * self.synthesis[order];
            self.synthesis[order + 1] = self.synthesis[order] + reflections[order] * forward;
        }
        self.synthesis[0] = forward;
        forward
    }

    /// What the decoder makes of forty samples of residual: a scaled piece of its past and thirteen pulses.
    fn excitation(&self, residual: &[f32]) -> Vec<f32> {
        let piece = |lag: usize| &self.past[self.past.len() - lag..][..PART];
        let correlation = |lag: usize| residual.iter().zip(piece(lag)).map(|(a, b)| a * b).sum::<f32>();
        let lags = LAGS.map(|lag| (correlation(lag), lag));
        let (best, lag) = lags.max_by(|a, b| a.0.total_cmp(&b.0)).unwrap_or((0.0, *LAGS.start()));
        let energy: f32 = piece(lag).iter().map(|value| value * value).sum();
        let gain = match best / energy.max(f32::MIN_POSITIVE) {
            gain if gain <= 0.2 => 0.1,
            gain if gain <= 0.5 => 0.35,
            gain if gain <= 0.8 => 0.65,
            _ => 1.0,
        };
        let predicted: Vec<f32> = piece(lag).iter().map(|value| gain * value).collect();
        let rest: Vec<f32> = residual.iter().zip(&predicted).map(|(value, predicted)| value - predicted).collect();
        predicted.iter().zip(pulses(&rest)).map(|(predicted, pulse)| predicted + pulse).collect()
    }
}

/// The one of four grids of every third sample that holds most, its pulses in three bits under a common scale.
fn pulses(rest: &[f32]) -> [f32; PART] {
    let mut padded = [0.0; PART + WEIGHTS.len() - 1];
    padded.iter_mut().skip(WEIGHTS.len() / 2).zip(rest).for_each(|(place, value)| *place = *value);
    let smooth =
        |n: usize| padded[n..].iter().zip(WEIGHTS).map(|(value, weight)| value * weight).sum::<f32>() / 8_192.0;
    let smoothed: [f32; PART] = std::array::from_fn(smooth);
    let grid = |start: usize| (start..start + 37).step_by(3);
    let energy = |start: usize| grid(start).map(|n| smoothed[n].powi(2)).sum::<f32>();
    let start = (0..4).map(|start| (energy(start), start)).max_by(|a, b| a.0.total_cmp(&b.0)).map_or(0, |best| best.1);
    let peak = quantize_peak(grid(start).fold(0.0, |peak, n| smoothed[n].abs().max(peak)));
    let mut output = [0.0; PART];
    for n in grid(start) {
        // Eight levels: odd eighths of the peak.
        output[n] = ((smoothed[n] / peak * 4.0).floor().clamp(-4.0, 3.0) + 0.5) / 4.0 * peak;
    }
    output
}

/// The upper edge of the step that a peak falls in: 16 steps up to 512 of 32768, then 8 in each octave.
fn quantize_peak(peak: f32) -> f32 {
    let octave = (peak * 64.0).max(1.0).log2().ceil().min(6.0);
    let step = 32.0 / 32_768.0 * octave.exp2();
    ((peak / step).floor() + 1.0) * step
}

/// A reflection coefficient as it comes out of its quantized log-area ratio (GSM 06.10, 4.2.6 to 4.2.9).
fn quantize_reflection(order: usize, reflection: f32) -> f32 {
    let (steps, offset, range) = RATIOS[order];
    let size = reflection.abs();
    let ratio = match size {
        size if size < 0.675 => size,
        size if size < 0.95 => 2.0 * size - 0.675,
        size => 8.0 * size - 6.375,
    };
    let code = (steps * ratio.copysign(reflection) + offset).round().clamp(-range, range - 1.0);
    let ratio = (code - offset) / steps;
    let size = match ratio.abs() {
        ratio if ratio < 0.675 => ratio,
        ratio if ratio < 1.225 => 0.5 * ratio + 0.3375,
        ratio => (0.125 * ratio + 0.796_875).min(0.999),
    };
    size.copysign(ratio)
}

/// Reflection coefficients of a frame by Schur's recursion on its autocorrelation; all 0 for silence.
fn reflections(frame: &[f32; FRAME]) -> [f32; ORDER] {
    let correlation: [f32; ORDER + 1] =
        std::array::from_fn(|lag| frame.iter().zip(&frame[lag..]).map(|(a, b)| a * b).sum());
    let (mut forward, mut backward, mut output) = (correlation, correlation, [0.0; ORDER]);
    for (order, place) in output.iter_mut().enumerate() {
        if backward[0] <= f32::MIN_POSITIVE || backward[0] < forward[1].abs() {
            break;
        }
        let reflection = -forward[1] / backward[0];
        *place = reflection;
        for n in 0..ORDER - order {
            let next = forward[n + 1];
            forward[n] = next + reflection * backward[n];
            backward[n] += reflection * next;
        }
    }
    output
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::augment::level::power;
    use crate::augment::sounds::{voice, waveform};

    #[test]
    fn a_voice_stays_one_and_loses_something() {
        let clean = waveform(voice(8_000, 16_000, 1));
        let coded = gsm(&clean).unwrap();
        assert_eq!(coded.samples().len(), 16_000);
        let rest: Vec<f32> = coded.samples().iter().zip(clean.samples()).map(|(a, b)| a - b).collect();
        let snr_db = 10.0 * (power(clean.samples()) / power(&rest)).log10();
        assert!((8.0..30.0).contains(&snr_db), "{snr_db} dB");
    }

    #[test]
    fn silence_stays_quiet_and_overload_finite() {
        let silence = gsm(&waveform(vec![0.0; 1_000])).unwrap();
        assert!(silence.samples().iter().all(|sample| sample.abs() < 0.01));
        let square = waveform((0..1_000).map(|n| if n % 50 < 25 { 9.0 } else { -9.0 }).collect());
        assert!(gsm(&square).unwrap().samples().iter().all(|sample| sample.abs() <= 1.0));
        assert!(gsm(&waveform(vec![])).unwrap().samples().is_empty());
    }

    #[test]
    fn the_lattices_undo_each_other() {
        let reflections = [0.7, -0.5, 0.3, 0.2, -0.1, 0.4, 0.05, -0.2];
        let mut coder = Coder::default();
        for sample in voice(8_000, 500, 4) {
            let residual = coder.analyze(sample, &reflections);
            let again = coder.synthesize(residual, &reflections);
            assert!((again - sample).abs() < 1e-4, "{again} instead of {sample}");
        }
    }
}
