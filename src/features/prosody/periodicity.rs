//! How well the signal repeats itself, for every lag a voice may have: YIN's difference function, frame by frame.

use pulp::{Arch, Simd, WithSimd};

use super::Decimator;

/// Lowest pitch that is looked for, in Hz.
pub const LOWEST_PITCH_HZ: f32 = 60.0;
/// Highest pitch that is looked for, in Hz.
pub const HIGHEST_PITCH_HZ: f32 = 500.0;
/// Pitches kept for each frame, between which the whole window decides later.
pub const CANDIDATES: usize = 5;
/// Advantage of a pitch over the one an octave below it, which repeats just as well.
pub const OCTAVE_COST: f32 = 0.015;
/// Span over which differences are summed, in seconds: three periods of a low voice.
const SPAN_SECONDS: f64 = 0.048;
/// Longest block that sums are kept for, in seconds.
const BLOCK_SECONDS: f64 = 0.018;
/// The analysis is centred on its frame for a voice of this pitch, in Hz.
const CENTRED_PITCH_HZ: f64 = 150.0;
/// Lags summed together, in registers.
const TILE: usize = 36;
/// Mean cumulative differences below this are digital silence.
const SILENCE: f32 = 1e-20;

/// A pitch that a frame may have.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct PitchCandidate {
    /// Natural logarithm of the pitch in Hz.
    pub log_hz: f32,
    /// Periodicity in [0, 1]: 1 minus the normalized difference; 0 where there is no such candidate.
    pub strength: f32,
}

/// The candidates of one frame, in no order.
pub type PitchFrame = [PitchCandidate; CANDIDATES];

/// The strongest periodicity of a frame, in [0, 1].
pub fn voicing(frame: &PitchFrame) -> f32 {
    frame.iter().map(|candidate| candidate.strength).fold(0.0, f32::max)
}

/// Candidates of frame after frame (frame `k` centred on sample `k·hop`), from samples in pieces of any length.
///
/// On the signal below 1.6 kHz, decimated to 4 kHz or a little more, YIN's difference `d(τ) = Σ (x[j] - x[j+τ])²` over
/// 48 ms is normalized by its mean over all shorter lags: `d'(τ) = d(τ) / (1/τ · Σ_{t=1..τ} d(t))` (de Cheveigné and
/// Kawahara 2002, equation 8). Its minima between 60 and 500 Hz, refined by a parabola, are the candidates. Frames
/// overlap, so `d` is summed in blocks of a hop and each block is used for all frames that hold it. Silence lies before
/// and after the recording whatever the boundary of the spectrum: a mirrored voice would be another voice.
#[derive(Debug, Clone)]
pub struct PitchStream {
    decimator: Decimator,
    hop: usize,
    /// Blocks in a hop, and in a frame.
    blocks_per_hop: usize,
    blocks_per_frame: usize,
    /// Decimated samples per second.
    rate: f32,
    /// Number of lags, from 1 sample on, a multiple of [`TILE`].
    lags: usize,
    /// Decimated signal from position `signal_start` on, where 0 is the start of the first frame.
    signal: Vec<f32>,
    signal_start: usize,
    /// Sums of the blocks before `next_block` that are still needed, `[blocks, lags]`.
    sums: Vec<f32>,
    next_block: usize,
    samples_seen: usize,
    frames_given: usize,
    difference: Vec<f32>,
    normalized: Vec<f32>,
}

impl PitchStream {
    /// For samples at `sample_rate` Hz and frames every `hop` samples.
    pub fn new(sample_rate: u32, hop: usize) -> Self {
        let decimator = Decimator::new(sample_rate);
        let rate = f64::from(sample_rate) / decimator.step() as f64;
        let hop_seconds = hop as f64 / f64::from(sample_rate);
        let blocks_per_hop = (hop_seconds / BLOCK_SECONDS).ceil().max(1.0) as usize;
        let blocks_per_frame = (SPAN_SECONDS * blocks_per_hop as f64 / hop_seconds).round().max(1.0) as usize;
        let longest_lag = (rate / f64::from(LOWEST_PITCH_HZ)).ceil() as usize + 1;
        let lags = longest_lag.next_multiple_of(TILE);
        let span = hop_seconds / blocks_per_hop as f64 * blocks_per_frame as f64;
        let lead = ((span + 1.0 / CENTRED_PITCH_HZ) / 2.0 * rate).round() as usize;
        Self {
            decimator,
            hop,
            blocks_per_hop,
            blocks_per_frame,
            rate: rate as f32,
            lags,
            signal: vec![0.0; lead],
            signal_start: 0,
            sums: Vec::new(),
            next_block: 0,
            samples_seen: 0,
            frames_given: 0,
            difference: vec![0.0; lags],
            normalized: vec![0.0; lags],
        }
    }

    /// Takes samples, and appends the frames that they complete.
    pub fn push(&mut self, samples: &[f32], frames: &mut Vec<PitchFrame>) {
        self.samples_seen += samples.len();
        self.decimator.push(samples, &mut self.signal);
        self.analyse(usize::MAX, frames);
    }

    /// Ends the recording, and appends its last frames: `1 + samples/hop` in all, none without samples.
    pub fn finish(&mut self, frames: &mut Vec<PitchFrame>) {
        if self.samples_seen == 0 {
            return;
        }
        let all = 1 + self.samples_seen / self.hop;
        self.decimator.finish(&mut self.signal);
        let end = self.block_start((all - 1) * self.blocks_per_hop + self.blocks_per_frame) + self.lags;
        let missing = (end - self.signal_start).saturating_sub(self.signal.len());
        self.signal.resize(self.signal.len() + missing, 0.0);
        self.analyse(all, frames);
    }

    /// Where a block begins in the decimated signal, counted from the start of the first frame.
    fn block_start(&self, block: usize) -> usize {
        block * self.hop / (self.blocks_per_hop * self.decimator.step())
    }

    /// Sums blocks and gives frames as far as the signal reaches, up to `all` frames in all.
    fn analyse(&mut self, all: usize, frames: &mut Vec<PitchFrame>) {
        while self.frames_given < all {
            let (start, end) = (self.block_start(self.next_block), self.block_start(self.next_block + 1));
            let from = start - self.signal_start;
            let Some(span) = self.signal.get(from..end + self.lags - self.signal_start) else {
                break;
            };
            let offset = self.sums.len();
            self.sums.resize(offset + self.lags, 0.0);
            Arch::new().dispatch(Differences { span, length: end - start, sums: &mut self.sums[offset..] });
            self.next_block += 1;
            if self.next_block == self.frames_given * self.blocks_per_hop + self.blocks_per_frame {
                frames.push(self.frame());
                self.frames_given += 1;
                self.sums.drain(..(self.blocks_per_hop * self.lags).min(self.sums.len()));
            }
        }
        let done = (self.block_start(self.next_block) - self.signal_start).min(self.signal.len());
        self.signal.drain(..done);
        self.signal_start += done;
    }

    /// The candidates of the frame whose blocks are summed.
    fn frame(&mut self) -> PitchFrame {
        self.difference.fill(0.0);
        for block in self.sums.chunks_exact(self.lags).take(self.blocks_per_frame) {
            for (difference, sum) in self.difference.iter_mut().zip(block) {
                *difference += sum;
            }
        }
        normalize(&self.difference, &mut self.normalized);
        candidates(&self.difference, &self.normalized, self.rate)
    }
}

/// `sums[t] = Σ_j (x[j] - x[j+t+1])²` over the first `length` samples of `span`, which holds `sums.len()` more; in the widest
/// vector registers there are.
struct Differences<'a> {
    span: &'a [f32],
    length: usize,
    sums: &'a mut [f32],
}

impl WithSimd for Differences<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { span, length, sums } = self;
        for (tile, sums) in sums.as_chunks_mut::<TILE>().0.iter_mut().enumerate() {
            let mut lanes = [0.0; TILE];
            for (sample, later) in span.iter().zip(span[tile * TILE + 1..].array_windows::<TILE>()).take(length) {
                for (lane, other) in lanes.iter_mut().zip(later) {
                    let difference = sample - other;
                    *lane += difference * difference;
                }
            }
            *sums = lanes;
        }
    }
}

/// Divides the difference at every lag by its mean over the lags up to there; 1 in silence.
fn normalize(difference: &[f32], normalized: &mut [f32]) {
    let (mut sum, mut lag) = (0.0_f32, 0.0_f32);
    for (difference, mean) in difference.iter().zip(&mut *normalized) {
        sum += *difference;
        lag += 1.0;
        *mean = sum / lag;
    }
    for (difference, mean) in difference.iter().zip(normalized) {
        // Also false for sums that overflowed, whose quotient would be no number.
        *mean = if *mean > SILENCE && *mean < f32::MAX { difference / *mean } else { 1.0 };
    }
}

/// The best minima of the normalized difference (index 0 is lag 1) at `rate` samples a second. Their place is refined
/// on the difference itself, which the normalization has not tilted.
fn candidates(difference: &[f32], normalized: &[f32], rate: f32) -> PitchFrame {
    let mut best = [(0.0, PitchCandidate::default()); CANDIDATES];
    let (shortest, longest) = (rate / HIGHEST_PITCH_HZ, rate / LOWEST_PITCH_HZ);
    let triples = difference.array_windows::<3>().zip(normalized.array_windows::<3>());
    for (index, (raw, around)) in triples.enumerate() {
        let lag = (index + 2) as f32;
        let is_minimum = around[1] < around[0] && around[1] <= around[2];
        if !is_minimum || lag < shortest - 0.5 || lag > longest + 0.5 {
            continue;
        }
        let strength = (1.0 - (around[1] - vertex(around).1)).clamp(0.0, 1.0);
        let lag = (lag + vertex(raw).0).clamp(shortest, longest);
        let score = strength - OCTAVE_COST * (lag / shortest).log2();
        if let Some(place) = best.iter().position(|(other, _)| score > *other) {
            best[place..].rotate_right(1);
            best[place] = (score, PitchCandidate { log_hz: (rate / lag).ln(), strength });
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Where the parabola through three neighbours has its lowest point, in [-1, 1] samples from the middle one, and how
/// far below that one.
fn vertex([before, here, after]: &[f32; 3]) -> (f32, f32) {
    let bend = before - 2.0 * here + after;
    if bend > 0.0 {
        let shift = (0.5 * (before - after) / bend).clamp(-1.0, 1.0);
        (shift, 0.25 * (before - after) * shift)
    } else {
        (0.0, 0.0)
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use super::*;

    fn analysed(samples: &[f32], piece: usize) -> Vec<PitchFrame> {
        let mut stream = PitchStream::new(8000, 128);
        let mut frames = Vec::new();
        for piece in samples.chunks(piece) {
            stream.push(piece, &mut frames);
        }
        stream.finish(&mut frames);
        frames
    }

    #[test]
    fn a_tone_is_its_best_candidate() {
        for hz in [62.0, 100.0, 173.0, 305.0, 490.0] {
            let tone: Vec<f32> = (0..4000).map(|n| (TAU * hz * f64::from(n) / 8000.0).sin() as f32).collect();
            for frame in &analysed(&tone, 4000)[3..28] {
                let error = frame[0].log_hz.exp() / hz as f32 - 1.0;
                assert!(error.abs() < 0.003, "{hz} Hz is off by {error}: {frame:?}");
                assert!(frame[0].strength > 0.95);
            }
        }
    }

    #[test]
    fn frames_are_counted_as_the_spectrum_s_and_do_not_depend_on_pieces() {
        let samples: Vec<f32> = (0..1500_u32).map(|n| ((n * n) % 97) as f32 / 97.0 - 0.5).collect();
        for count in [0, 1, 127, 128, 129, 1024, 1500] {
            let whole = analysed(&samples[..count], 2000);
            assert_eq!(whole.len(), if count == 0 { 0 } else { 1 + count / 128 });
            for piece in [1, 50, 333] {
                assert_eq!(analysed(&samples[..count], piece), whole);
            }
        }
    }

    #[test]
    fn silence_constants_and_absurd_levels_have_no_pitch_and_no_nan() {
        for samples in [[0.0; 2000], [0.7; 2000], [f32::MAX; 2000]] {
            let frames = analysed(&samples, 2000);
            assert!(frames.iter().flatten().all(|candidate| candidate.strength.is_finite()));
            assert!(frames[6..9].iter().all(|frame| voicing(frame) < 0.5), "{:?}", frames[7]);
        }
    }
}
