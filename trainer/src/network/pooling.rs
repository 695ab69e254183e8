//! From a sequence to one frame.

use burn::module::{Module, Param};
use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor};
use rand::rngs::StdRng;

use super::initializer::{constant, glorot_uniform};
use crate::kernels::max_pool;

/// Added to a variance, so that its root has a slope everywhere.
pub const SPREAD_EPSILON: f32 = 1e-4;

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
    /// Frames that come in.
    #[module(skip)]
    pub frames: usize,
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
        [frames, channels]: [usize; 2],
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
        Self { attention, mean, max, spread, frames }
    }

    /// `[batch, 1, channels]` for each that is asked for, side by side.
    pub fn forward(&self, input: Tensor<3>) -> Tensor<3> {
        let frames = input.dims()[1];
        let attended = self.attention.as_ref().map(|attention| attention.forward(input.clone()));
        let mean = self.mean.then(|| input.clone().mean_dim(1));
        let max = self.max.then(|| max_pool(input.clone(), frames));
        let spread = self.spread.then(|| {
            let centred = input.clone() - input.mean_dim(1);
            (centred.square().mean_dim(1) + SPREAD_EPSILON).sqrt()
        });
        Tensor::cat([attended, mean, max, spread].into_iter().flatten().collect(), 2)
    }
}

impl Attention {
    fn forward(&self, input: Tensor<3>) -> Tensor<3> {
        let [batch, frames, channels] = input.dims();
        let hidden = input.clone().reshape([batch * frames, channels]).matmul(self.kernel.val());
        let scores = (hidden + self.bias.val().unsqueeze()).tanh().matmul(self.query.val());
        let weights = softmax(scores.reshape([batch, frames, 1]), 1);
        weights.transpose().matmul(input)
    }
}
