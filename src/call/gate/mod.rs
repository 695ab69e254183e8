//! Speech or not, frame by frame.

mod tones;
mod frame;
mod order;

use pulp::{Simd, WithSimd};

pub use self::frame::GateFrame;
use self::frame::Push;
use self::order::{medians, quantile};
use self::tones::ToneDetector;
use crate::features::{FeatureSpec, mel_edges, to_decibel_above};
use crate::registers::in_eights;

/// Edges of the broad bands, in Hz: inside what a telephone passes (300 to 3400 Hz), above mains hum, and about equally
/// rich in speech.
const BAND_EDGES_HZ: [f64; 8] = [250.0, 450.0, 700.0, 1000.0, 1400.0, 1900.0, 2600.0, 3600.0];
/// Band levels are means over this time: long enough that noise is steady, shorter than a syllable.
const AVERAGE_SECONDS: f64 = 0.08;
/// How far to each side a frame is compared with its neighbours: a syllable or two.
const NEIGHBOURHOOD_SECONDS: f64 = 0.25;
/// Frames whose spectral shape varies by less are noise, hum or tones. Stationary noise stays below 1.2 dB, people and
/// the synthetic voice of the tests have 3 to 5 dB.
const LEAST_VARIATION_DB: f32 = 1.7;
/// Quieter frames hold nothing but rounding: the steps of 16-bit samples alone make -98 dB.
const SILENCE_DB: f32 = -90.0;
/// Frames this far below the loud ones of their window are pauses.
const PAUSE_DB: f32 = 30.0;
/// Frames with less of their power in the broad bands are hum or rumble, and what is in the bands is its leakage.
const LEAKAGE_DB: f32 = 30.0;
/// A frame with less than this part of its average's power is a pause between tones.
const PAUSE_PART: f32 = 0.25;
/// Band levels are not followed further down than this below the window's loud frames.
const DEPTH_DB: f32 = 35.0;
/// The loud frames of a window are above this quantile of its frames, so that a click doesn't count as one.
const LOUD_QUANTILE: f64 = 0.95;
/// Fewest active frames that show a variation.
const LEAST_NEIGHBOURS: usize = 3;
/// Frames of a neighbourhood that are looked at, at least; more, evenly spread, only up to twice as many.
const ENOUGH_NEIGHBOURS: usize = 32;
/// Powers are not followed further down: -120 dB.
const LEAST_POWER: f32 = 1e-12;

/// A number for each broad band, and one to spare: as many as vector registers like.
const LANES: usize = BAND_EDGES_HZ.len();
type Lanes = [f32; LANES];

/// Tells speech from silence, hum, tones and steady noise by how much the *shape* of the spectrum moves.
///
/// Articulation changes the balance of the bands several times a second, at every level and through every telephone;
/// noise, hum, dial and ring tones keep theirs, even while they fade, pulse or start. So, on the log-mel rows of one
/// window:
///
/// 1. seven broad bands from 250 to 3600 Hz, averaged over 80 ms, in dB of a full-scale white noise's;
/// 2. *active* frames: above -90 dB, at most 30 dB below the window's loud frames (95th percentile), and with at least a
///    thousandth of all power inside the bands;
/// 3. the *variation* of a frame: for each band, its level relative to the mean of all bands, and the median absolute
///    deviation of that over the active frames within 250 ms (times 1.48, so that it equals a normal distribution's
///    standard deviation; a median, so that a click or an onset alone makes none), averaged over the bands;
/// 4. speech is what is active and varies by at least 1.7 dB, unless most of the active frames within 250 ms, pauses left out,
///    hold [nothing but one tone or two](ToneDetector): keys that are pressed change the shape as syllables do.
///
/// The gate has no memory: a window's frames alone decide, so that files and streams agree.
#[derive(Debug, Clone)]
pub struct SpeechGate {
    /// For each broad band the mel bands in it.
    bands: Vec<std::ops::Range<usize>>,
    /// Width of each broad band, as a part of the spectrum.
    widths: Vec<f32>,
    /// Width of each mel band, as a part of the spectrum.
    mel_widths: Vec<f32>,
    tones: ToneDetector,
    /// Mel energy of white noise of power 1, in dB.
    full_scale_db: f32,
    /// Frames that are averaged, an odd number.
    average: usize,
    /// Frames on each side that a frame is compared with.
    neighbourhood: usize,
}

/// Levels of one frame, averaged over time, in dB.
struct Level {
    /// Power inside the broad bands.
    inside: f32,
    /// Power of the whole spectrum.
    all: f32,
    /// Whether the frame itself, not averaged, holds nothing but tones; unknown where it is a pause within the average.
    is_tone: Option<bool>,
}

impl SpeechGate {
    /// A gate for log-mel rows as `spec` defines them.
    pub fn new(spec: &FeatureSpec) -> Self {
        let mel_edges = mel_edges(spec.n_mels, spec.fmin, spec.fmax);
        let nyquist = f64::from(spec.sample_rate) / 2.0;
        let first_above = |hz: f64| (0..spec.n_mels).find(|band| mel_edges[band + 1] >= hz).unwrap_or(spec.n_mels);
        let inside = first_above(BAND_EDGES_HZ[0])..first_above(BAND_EDGES_HZ[LANES - 1]);
        let edges = BAND_EDGES_HZ.windows(2).map(|pair| (pair[0], pair[1]));
        let (bands, widths) = edges
            .map(|(from, to)| (first_above(from)..first_above(to), ((to - from) / nyquist) as f32))
            .filter(|(mel_bands, _)| !mel_bands.is_empty())
            .unzip();
        let n_fft = spec.n_fft as f64;
        // A Hann window passes 3/8 of noise's power; a Slaney triangle of unit area in Hz sums over bins to n_fft / rate.
        let full_scale = 0.375 * n_fft * n_fft / f64::from(spec.sample_rate);
        let frames = |seconds: f64| (seconds * f64::from(spec.sample_rate) / spec.hop as f64).round() as usize;
        Self {
            bands,
            widths,
            tones: ToneDetector::new(&mel_edges, inside),
            mel_widths: mel_edges.windows(3).map(|edges| ((edges[2] - edges[0]) / 2.0 / nyquist) as f32).collect(),
            full_scale_db: (10.0 * full_scale.log10()) as f32,
            average: frames(AVERAGE_SECONDS) | 1,
            neighbourhood: frames(NEIGHBOURHOOD_SECONDS).max(1),
        }
    }

    /// Appends what is kept of some frames to `frames`, from their rows of log-mel energies in dB, `[frames, n_mels]`.
    pub fn push(&self, log_mel: &[f32], frames: &mut Vec<GateFrame>) {
        in_eights(Push { gate: self, log_mel, frames });
    }

    /// For each frame of one window, whether it is speech.
    pub fn speech(&self, frames: &[GateFrame]) -> Vec<bool> {
        in_eights(Speech { gate: self, frames })
    }

    #[inline(always)]
    fn decide<S: Simd>(&self, simd: S, frames: &[GateFrame]) -> Vec<bool> {
        let (mut shapes, levels) = self.levels(frames);
        let loud = quantile(levels.iter().map(|level| level.inside), LOUD_QUANTILE);
        let active: Vec<bool> = levels
            .iter()
            .map(|level| level.inside > SILENCE_DB.max(loud - PAUSE_DB).max(level.all - LEAKAGE_DB))
            .collect();
        let inside: f32 = self.widths.iter().sum();
        self.make_shapes(&mut shapes, loud - 10.0 * inside.log10() - DEPTH_DB);

        // The variation changes slowly: a few values in each neighbourhood are enough.
        let stride = (self.neighbourhood / 4).max(1);
        let every = (2 * self.neighbourhood / ENOUGH_NEIGHBOURS).max(1);
        let mut speech = vec![false; levels.len()];
        let mut neighbours = Vec::new();
        for (index, marks) in speech.chunks_mut(stride).enumerate() {
            let first = index * stride;
            let centre = first + marks.len() / 2;
            if !active[first..first + marks.len()].contains(&true) {
                continue;
            }
            let around = centre.saturating_sub(self.neighbourhood)..levels.len().min(centre + self.neighbourhood + 1);
            let around = around.step_by(every).filter(|frame| active[*frame]);
            neighbours.clear();
            neighbours.extend(around.clone().map(|frame| shapes[frame]));
            let tones = around.filter_map(|frame| levels[frame].is_tone).map(|is_tone| if is_tone { 1 } else { -1 });
            if tones.sum::<i32>() <= 0 && self.variation(simd, &mut neighbours) >= LEAST_VARIATION_DB {
                marks.copy_from_slice(&active[first..first + marks.len()]);
            }
        }
        speech
    }

    /// Levels of the broad bands, a lane each, and of each frame, averaged over time, in dB.
    #[inline(always)]
    fn levels(&self, frames: &[GateFrame]) -> (Vec<Lanes>, Vec<Level>) {
        let (mut band_levels, mut levels) = (Vec::with_capacity(frames.len()), Vec::with_capacity(frames.len()));
        for (number, frame) in frames.iter().enumerate() {
            let near = number.saturating_sub(self.average / 2)..frames.len().min(number + self.average / 2 + 1);
            let (mut means, mut all, share) = ([0.0; LANES], 0.0, 1.0 / near.len() as f32);
            for GateFrame { bands, all: whole, .. } in &frames[near] {
                means.iter_mut().zip(bands).for_each(|(mean, power)| *mean += power * share);
                all += whole * share;
            }
            band_levels.push(means.map(decibel));
            let inside = self.inside(&means);
            let is_pause = self.inside(&frame.bands) < PAUSE_PART * inside;
            let is_tone = (!is_pause).then_some(frame.is_tone);
            levels.push(Level { inside: decibel(inside), all: decibel(all), is_tone });
        }
        (band_levels, levels)
    }

    /// Power inside the broad bands.
    #[inline(always)]
    fn inside(&self, bands: &Lanes) -> f32 {
        bands.iter().zip(&self.widths).map(|(power, width)| power * width).sum()
    }

    /// Turns band levels into levels relative to the frame's mean, none of them counted below `floor_db`.
    #[inline(always)]
    fn make_shapes(&self, band_levels: &mut [Lanes], floor_db: f32) {
        for frame in band_levels {
            let levels = &mut frame[..self.bands.len()];
            levels.iter_mut().for_each(|level| *level = level.max(floor_db));
            let mean = levels.iter().sum::<f32>() / levels.len().max(1) as f32;
            levels.iter_mut().for_each(|level| *level -= mean);
        }
    }

    /// How much the spectrum's shape varies over some frames, in dB; the shapes are changed.
    #[inline(always)]
    fn variation<S: Simd>(&self, simd: S, shapes: &mut [Lanes]) -> f32 {
        /// Standard deviation of a normal distribution over its median absolute deviation.
        const NORMAL: f32 = 1.4826;
        if shapes.len() < LEAST_NEIGHBOURS || self.bands.is_empty() {
            return 0.0;
        }
        let middle = medians(simd, shapes);
        for shape in &mut *shapes {
            shape.iter_mut().zip(middle).for_each(|(value, middle)| *value = (*value - middle).abs());
        }
        let deviations = medians(simd, shapes);
        NORMAL * deviations[..self.bands.len()].iter().sum::<f32>() / self.bands.len() as f32
    }
}

/// [`SpeechGate::speech`] in vector registers, as is all that it calls.
struct Speech<'a> {
    gate: &'a SpeechGate,
    frames: &'a [GateFrame],
}

impl WithSimd for Speech<'_> {
    type Output = Vec<bool>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<bool> {
        self.gate.decide(simd, self.frames)
    }
}

/// Level of a power, in dB.
#[inline(always)]
fn decibel(power: f32) -> f32 {
    to_decibel_above(power, LEAST_POWER)
}
