//! What flows between layers.

use burn::tensor::Tensor;

/// Added to a variance, so that its root has a slope everywhere.
pub const SPREAD_EPSILON: f32 = 1e-4;

/// Values, and how much each frame counts if somebody asked.
#[derive(Debug, Clone)]
pub struct Signal {
    /// `[batch, frames, channels]`.
    pub values: Tensor<3>,
    /// `[batch, frames, 1]`, in [0, 1].
    pub weights: Option<Tensor<3>>,
}

impl Signal {
    /// Values whose frames all count alike.
    pub fn new(values: Tensor<3>) -> Self {
        Self { values, weights: None }
    }

    /// The same with each of its tensors changed in its own way.
    pub fn map(
        self,
        values: impl FnOnce(Tensor<3>) -> Tensor<3>,
        weights: impl FnOnce(Tensor<3>) -> Tensor<3>,
    ) -> Self {
        Self { values: values(self.values), weights: self.weights.map(weights) }
    }

    /// Other values for the same frames.
    pub fn with(self, values: Tensor<3>) -> Self {
        Self { values, ..self }
    }

    /// Mean of `values` over time, `[batch, 1, channels]`, frames counting by their weights.
    pub fn mean(&self, values: Tensor<3>) -> Tensor<3> {
        match &self.weights {
            None => values.mean_dim(1),
            Some(weights) => (values * weights.clone()).sum_dim(1) / weights.clone().sum_dim(1),
        }
    }

    /// Root of the mean square over time, `[batch, 1, channels]`: the deviation of centred values.
    pub fn deviation(&self, centred: Tensor<3>) -> Tensor<3> {
        (self.mean(centred.square()) + SPREAD_EPSILON).sqrt()
    }

    /// Values less their mean over time.
    pub fn centred(&self, values: Tensor<3>) -> Tensor<3> {
        values.clone() - self.mean(values)
    }
}

/// Weight of each frame by its level, `clamp(slope · (level - highest level of the window) + offset, 0, 1)`; the highest
/// weighs 1 if `offset` is at least that, so that no window is without weight.
pub fn weigh(values: &Tensor<3>, column: usize, [slope, offset]: [f32; 2]) -> Tensor<3> {
    let level = values.clone().narrow(2, column, 1);
    ((level.clone() - level.max_dim(1)) * slope + offset).clamp(0.0, 1.0)
}
