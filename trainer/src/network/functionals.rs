//! A whole recording as one row: moments, extremes and movement of each feature.

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::Signal;
use super::frames::{Frames, shares, together};

/// Distances in frames over which movement is measured.
pub const STEPS: [usize; 2] = [1, 4];
/// Added to standard deviations, so that what never moves divides by something.
pub const SPREAD_FLOOR: f32 = 1e-3;
/// Added to sums of weights that may be 0: those of voiced frames, and those of frames that follow each other.
pub const WEIGHT_FLOOR: f32 = 1e-3;
/// How far a frame without weight is moved inwards before extremes are taken; features have a deviation of about 1.
pub const MOVED_BY: f32 = 8.0;

/// Which columns, and which frames count most.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FunctionalsSpec {
    /// First columns that are described relative to their mean.
    pub cepstra: usize,
    /// First of the columns behind all cepstra; they and those after it are described as they are.
    pub prosody: usize,
    /// Column whose absolute value is described too.
    pub slope: usize,
    /// Column of voicing.
    pub voicing: usize,
    /// `a` and `b` of a frame's weight by voicing, `a·x + b` clamped to [0, 1].
    pub voiced: [f32; 2],
    /// Column of the level.
    pub level: usize,
    /// The same by level; the weight is the product of both, over the sum of all.
    pub loud: [f32; 2],
    /// Places among the described columns of those whose correlations are described too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub coupled: Vec<usize>,
}

impl FunctionalsSpec {
    /// Columns that are described, those of prosody among them, for `width` columns.
    pub fn columns(&self, width: usize) -> (usize, usize) {
        let prosody = width - self.prosody + 1;
        (self.cepstra + prosody, prosody)
    }

    /// Values that come out for `width` columns.
    pub fn outputs(&self, width: usize) -> usize {
        let (columns, prosody) = self.columns(width);
        11 * columns + prosody + self.pairs().count()
    }

    /// Places of both columns of each pair whose correlation is described.
    pub fn pairs(&self) -> impl Iterator<Item = [usize; 2]> {
        let later = |place: usize| self.coupled.iter().skip(place + 1);
        self.coupled.iter().enumerate().flat_map(move |(place, one)| later(place).map(|other| [*one, *other]))
    }
}

/// Describes each column over time: mean, deviation, movement over one and four frames, skewness, extremes, and the
/// same over voiced, loud frames alone, with how columns move together there. Frames that are weighed count by their weight, and movements by the root of both
/// frames' weights. Nothing is learned before this layer, so it gives no gradient.
#[derive(Module, Debug)]
pub struct Functionals {
    /// Which columns.
    #[module(skip)]
    pub spec: FunctionalsSpec,
}

impl Functionals {
    /// `[batch, 1, outputs]` of `[batch, frames, width]`.
    pub fn forward(&self, signal: Signal) -> Tensor<3> {
        let [batch, frames, width] = signal.values.dims();
        let device: Device = signal.values.device();
        let floats = |tensor: Tensor<3>| -> Vec<f32> { tensor.into_data().iter::<f32>().collect() };
        let weights = signal.weights.map_or_else(|| vec![1.0; batch * frames], floats);
        let values = floats(signal.values);
        let windows = values.par_chunks(frames * width).zip(weights.par_chunks(frames));
        let rows: Vec<Vec<f32>> = windows.map(|(values, weights)| self.describe(values, width, weights)).collect();
        let shape = [batch, 1, self.spec.outputs(width)];
        Tensor::from_data(TensorData::new(rows.concat(), shape), &device)
    }

    /// One window, `[frames, width]`, row-major.
    fn describe(&self, values: &[f32], width: usize, weights: &[f32]) -> Vec<f32> {
        let spec = &self.spec;
        let (columns, _) = spec.columns(width);
        let mut x = Vec::with_capacity(values.len() / width * columns);
        for row in values.chunks_exact(width) {
            x.extend_from_slice(&row[..spec.cepstra]);
            x.extend_from_slice(&row[spec.prosody..]);
            x.push(row[spec.slope].abs());
        }
        let heard = Frames { x, columns };
        let even = shares(weights.to_vec(), 0.0);
        let centre = heard.mean(&even, |value, _| value);
        let heard = heard.less(|column| if column < spec.cepstra { centre[column] } else { 0.0 });

        let mean = heard.mean(&even, |value, _| value);
        let around = heard.less(|column| mean[column]);
        let variance = around.mean(&even, |value, _| value * value);
        let deviation: Vec<f32> = variance.iter().map(|variance| variance.sqrt() + SPREAD_FLOOR).collect();
        let skewness = around.mean(&even, |value, column| (value / deviation[column]).powi(3));
        let moved = STEPS.map(|step| (heard.moved(step), shares(together(weights, step), WEIGHT_FLOOR)));
        let [short, long] = moved.each_ref().map(|(moved, shares)| moved.mean(shares, |value, _| value.abs()));
        let (steps, step_shares) = &moved[0];
        let step_mean = steps.mean(step_shares, |value, _| value);
        let step_variance = steps.less(|column| step_mean[column]).mean(step_shares, |value, _| value * value);
        let inwards = |weight: f32| MOVED_BY * (1.0 - weight);
        let highest = heard.extreme(weights, |value, weight| value - inwards(weight), f32::max, f32::MIN);
        let lowest = heard.extreme(weights, |value, weight| value + inwards(weight), f32::min, f32::MAX);

        let voiced = shares(self.voiced(values, width), WEIGHT_FLOOR);
        let voiced_mean = heard.mean(&voiced, |value, _| value);
        let around = heard.less(|column| voiced_mean[column]);
        let voiced_variance = around.mean(&voiced, |value, _| value * value);
        let voiced_movement = steps.mean(&voiced[1..], |value, _| value * value);
        let root = |values: &[f32]| values.iter().map(|value| value.sqrt()).collect::<Vec<f32>>();
        [
            mean[spec.cepstra..].to_vec(),
            deviation,
            short,
            root(&step_variance),
            long,
            skewness,
            highest,
            lowest,
            voiced_mean,
            root(&voiced_variance),
            root(&voiced_movement),
            around.mean(&voiced, |value, _| value.abs()),
            around.correlations(&voiced, spec.pairs()),
        ]
        .concat()
    }

    /// How voiced and loud each frame is.
    fn voiced(&self, values: &[f32], width: usize) -> Vec<f32> {
        let spec = &self.spec;
        let part = |value: f32, [a, b]: [f32; 2]| (value * a + b).clamp(0.0, 1.0);
        let one = |row: &[f32]| part(row[spec.voicing], spec.voiced) * part(row[spec.level], spec.loud);
        values.chunks_exact(width).map(one).collect()
    }
}
