//! From a sequence to one frame.

use burn::module::{Module, Param};
use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor};
use rand::rngs::StdRng;

use super::Signal;
use super::initializer::{constant, glorot_uniform};
use crate::kernels::max_pool;

/// Added to the frames' weights, so that attention may take the logarithm of any.
pub const POOLED_WEIGHT_FLOOR: f32 = 1e-3;
/// What a frame without weight is lowered by before the maximum; the states of a memory lie in (-1, 1).
pub const LOWERED_BY: f32 = 2.0;

/// Frames joined by attention, mean, maximum and deviation.
#[derive(Module, Debug)]
pub struct TimePooling {
    /// The score of each frame, if attention is asked for.
    pub attention: Option<Attention>,
    /// With the mean.
    #[module(skip)]
    pub mean: bool,
    /// With the maximum.
    #[module(skip)]
    pub max: bool,
    /// With the standard deviation.
    #[module(skip)]
    pub spread: bool,
}

/// `v · tanh(W x + b)`, whose softmax over time weighs the frames.
#[derive(Module, Debug)]
pub struct Attention {
    /// `[channels, hidden]`.
    pub kernel: Param<Tensor<2>>,
    /// `[hidden]`.
    pub bias: Param<Tensor<1>>,
    /// `[hidden, 1]`.
    pub query: Param<Tensor<2>>,
}

impl TimePooling {
    /// Sets up attention of `hidden` units (none if 0) beside mean, maximum and deviation.
    pub fn new(
        channels: usize,
        hidden: usize,
        [mean, max, spread]: [bool; 3],
        random: &mut StdRng,
        device: &Device,
    ) -> Self {
        let attention = (hidden > 0).then(|| Attention {
            kernel: glorot_uniform([channels, hidden], channels, hidden, random, device),
            bias: constant(0.0, hidden, device),
            query: glorot_uniform([hidden, 1], hidden, 1, random, device),
        });
        Self { attention, mean, max, spread }
    }

    /// `[batch, 1, channels]` for each that is asked for, side by side. Frames that weigh little count little for
    /// attention, mean and deviation, and are lowered before the maximum: by nothing from a weight of one half on.
    pub fn forward(&self, signal: Signal) -> Tensor<3> {
        let signal = signal.map(|values| values, |weights| weights + POOLED_WEIGHT_FLOOR);
        let (input, weights) = (signal.values.clone(), signal.weights.clone());
        let attended = self.attention.as_ref().map(|attention| attention.forward(input.clone(), weights.clone()));
        let mean = self.mean.then(|| signal.mean(input.clone()));
        let max = self.max.then(|| {
            let lowered = match weights {
                None => input.clone(),
                Some(weights) => input.clone() + ((weights * 2.0).clamp_max(1.0) - 1.0) * LOWERED_BY,
            };
            max_pool(lowered, input.dims()[1])
        });
        let spread = self.spread.then(|| signal.deviation(signal.centred(input)));
        Tensor::cat([attended, mean, max, spread].into_iter().flatten().collect(), 2)
    }
}

impl Attention {
    fn forward(&self, input: Tensor<3>, weights: Option<Tensor<3>>) -> Tensor<3> {
        let [batch, frames, channels] = input.dims();
        let hidden = input.clone().reshape([batch * frames, channels]).matmul(self.kernel.val());
        let scores = (hidden + self.bias.val().unsqueeze()).tanh().matmul(self.query.val());
        let scores = scores.reshape([batch, frames, 1]);
        let scores = match weights {
            None => scores,
            Some(weights) => scores + weights.log(),
        };
        softmax(scores, 1).transpose().matmul(input)
    }
}
