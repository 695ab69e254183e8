//! A whole recording as one row: moments, extremes and movement of each feature.

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use pulp::Arch;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::Signal;
use super::frames::{Frames, shares, together};
use super::root::square_root;

/// Distances in frames over which movement is measured.
pub const STEPS: [usize; 2] = [1, 4];
/// Added to standard deviations, so that what never moves divides by something.
pub const SPREAD_FLOOR: f32 = 1e-3;
/// Added to sums of weights that may be 0: those of voiced frames, and those of frames that follow each other.
pub const WEIGHT_FLOOR: f32 = 1e-3;
/// How far a frame without weight is moved inwards before extremes are taken; features have a deviation of about 1.
pub const MOVED_BY: f32 = 8.0;

/// What is said of how columns go together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Coupling {
    /// The correlation of each pair.
    #[default]
    Correlations,
    /// The square root of their covariance as a matrix: see [`super::ROOT_STEPS`].
    Root,
}

impl Coupling {
    /// Numbers for so many columns.
    fn outputs(self, columns: usize) -> usize {
        match self {
            Self::Correlations => columns * columns.saturating_sub(1) / 2,
            Self::Root => columns * (columns + 1) / 2,
        }
    }

    /// Of columns whose mean by the same shares is 0.
    #[inline(always)]
    fn of(self, columns: &Frames, shares: &[f32]) -> Vec<f32> {
        match self {
            Self::Correlations => columns.correlations(shares),
            Self::Root => square_root(&columns.covariance(shares), columns.columns),
        }
    }

    // Networks from before there was another keep their name in checkpoints and answers.
    fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

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
    /// Places among the described columns of those of which is said how they go together.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub coupled: Vec<usize>,
    /// Distances in frames over which the movements of those columns are coupled too, louder frames counting more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub coupled_steps: Vec<usize>,
    /// How that is said.
    #[serde(default, skip_serializing_if = "Coupling::is_usual")]
    pub coupling: Coupling,
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
        11 * columns + prosody + self.coupling.outputs(self.coupled.len()) * (1 + self.coupled_steps.len())
    }
}

/// Describes each column over time: mean, deviation, movement over one and four frames, skewness, extremes, and the
/// same over voiced, loud frames alone; and how coupled columns go together, in voiced frames and as they move. Frames that
/// are weighed count by their weight, and movements by the root of both frames' weights. Nothing is learned before this
/// layer, so it gives no gradient.
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
        let registers = Arch::new();
        let describe = |(values, weights)| registers.dispatch(|| self.describe(values, width, weights));
        let rows: Vec<Vec<f32>> = windows.map(describe).collect();
        let shape = [batch, 1, self.spec.outputs(width)];
        Tensor::from_data(TensorData::new(rows.concat(), shape), &device)
    }

    /// One window, `[frames, width]`, row-major.
    #[inline(always)]
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

        let loud = self.loud(values, width);
        let coupled = heard.only(&spec.coupled);
        let coupled_movement = spec.coupled_steps.iter().flat_map(|step| {
            let shares = shares(together(&loud, *step), WEIGHT_FLOOR);
            let moved = coupled.moved(*step);
            let mean = moved.mean(&shares, |value, _| value);
            spec.coupling.of(&moved.less(|column| mean[column]), &shares)
        });

        let voiced = shares(self.voiced(values, width, &loud), WEIGHT_FLOOR);
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
            spec.coupling.of(&around.only(&spec.coupled), &voiced),
            coupled_movement.collect(),
        ]
        .concat()
    }

    /// How loud each frame is.
    fn loud(&self, values: &[f32], width: usize) -> Vec<f32> {
        values.chunks_exact(width).map(|row| part(row[self.spec.level], self.spec.loud)).collect()
    }

    /// How voiced and loud each frame is.
    fn voiced(&self, values: &[f32], width: usize, loud: &[f32]) -> Vec<f32> {
        let voiced = |row: &[f32]| part(row[self.spec.voicing], self.spec.voiced);
        values.chunks_exact(width).zip(loud).map(|(row, loud)| voiced(row) * loud).collect()
    }
}

fn part(value: f32, [a, b]: [f32; 2]) -> f32 {
    (value * a + b).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::COUPLING_FLOOR;

    #[test]
    fn movements_are_correlated_where_it_is_loud() {
        // Columns: two cepstra, slope, voicing, level. Over two frames the cepstra move by 2 against each other while it is
        // loud, with each other afterwards.
        let frame = |index: usize| {
            let (swing, loud) = (if index % 4 < 2 { 1.0 } else { -1.0 }, index < 20);
            [swing, if loud { -swing } else { swing }, 0.0, 1.0, if loud { 0.0 } else { -60.0 }]
        };
        let values: Vec<f32> = (0..40).flat_map(frame).collect();
        let spec = FunctionalsSpec {
            cepstra: 2,
            prosody: 2,
            slope: 2,
            voicing: 3,
            voiced: [5.0, -2.0],
            level: 4,
            loud: [0.1, 4.0],
            coupled: vec![0, 1],
            coupled_steps: vec![2, 4],
            coupling: Coupling::Correlations,
        };
        let row = Functionals { spec: spec.clone() }.describe(&values, 5, &[1.0; 40]);
        assert_eq!(row.len(), spec.outputs(5));
        let [at_once, over_two, over_four] = row[row.len() - 3..] else { panic!("three correlations") };
        let against = |deviation: f32| -(deviation / (deviation + COUPLING_FLOOR)).powi(2);
        assert!((at_once - against(1.0)).abs() < 1e-3, "{at_once}");
        assert!((over_two - against(2.0)).abs() < 1e-3, "{over_two}");
        // Four frames later everything is as it was.
        assert_eq!(over_four, 0.0);
    }
}
