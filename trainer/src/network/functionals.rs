//! A whole recording as one row: moments, extremes and movement of each feature.

use burn::module::Module;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// Distances in frames over which movement is measured.
pub const STEPS: [usize; 2] = [1, 4];
/// Added to standard deviations, so that what never moves divides by something.
pub const SPREAD_FLOOR: f32 = 1e-3;
/// Added to the sum of the frames' weights, for windows without a voice.
pub const WEIGHT_FLOOR: f32 = 1e-3;

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
        11 * columns + prosody
    }
}

/// Describes each column over time: mean, deviation, movement over one and four frames, skewness, extremes, and the
/// same over voiced, loud frames alone.
#[derive(Module, Debug)]
pub struct Functionals {
    /// Which columns.
    #[module(skip)]
    pub spec: FunctionalsSpec,
}

impl Functionals {
    /// `[batch, 1, outputs]` of `[batch, frames, width]`.
    pub fn forward(&self, input: Tensor<3>) -> Tensor<3> {
        let spec = &self.spec;
        let width = input.dims()[2];
        let weights = self.weights(&input);
        let cepstra = input.clone().narrow(2, 0, spec.cepstra);
        let cepstra = cepstra.clone() - cepstra.mean_dim(1);
        let prosody = input.clone().narrow(2, spec.prosody, width - spec.prosody);
        let speed = input.narrow(2, spec.slope, 1).abs();
        let x = Tensor::cat(vec![cepstra, prosody, speed], 2);
        let [_, frames, columns] = x.dims();

        let mean = x.clone().mean_dim(1);
        let centred = x.clone() - mean.clone();
        let deviation = centred.clone().square().mean_dim(1).sqrt() + SPREAD_FLOOR;
        let standard = centred / deviation.clone();
        let skewness = (standard.clone().square() * standard).mean_dim(1);
        let moved = |step: usize| x.clone().narrow(1, step, frames - step) - x.clone().narrow(1, 0, frames - step);
        let [short, long] = STEPS.map(moved);
        let short_mean = short.clone().mean_dim(1);
        let short_deviation = (short.clone() - short_mean).square().mean_dim(1).sqrt();

        let sum = |values: Tensor<3>| (values * weights.clone()).sum_dim(1);
        let heard = sum(x.clone());
        let around = x.clone() - heard.clone();
        let heard_deviation = sum(around.clone().square()).sqrt();
        let heard_distance = sum(around.abs());
        let later = weights.clone().narrow(1, 1, frames - 1);
        let heard_movement = (short.clone().square() * later).sum_dim(1).sqrt();
        let means = mean.narrow(2, spec.cepstra, columns - spec.cepstra);
        Tensor::cat(
            vec![
                means,
                deviation,
                short.abs().mean_dim(1),
                short_deviation,
                long.abs().mean_dim(1),
                skewness,
                x.clone().max_dim(1),
                x.min_dim(1),
                heard,
                heard_deviation,
                heard_movement,
                heard_distance,
            ],
            2,
        )
    }

    /// Weight of each frame, `[batch, frames, 1]`, summing to 1.
    fn weights(&self, input: &Tensor<3>) -> Tensor<3> {
        let part = |column: usize, [a, b]: [f32; 2]| (input.clone().narrow(2, column, 1) * a + b).clamp(0.0, 1.0);
        let raw = part(self.spec.voicing, self.spec.voiced) * part(self.spec.level, self.spec.loud);
        raw.clone() / (raw.sum_dim(1) + WEIGHT_FLOOR)
    }
}
