//! The networks, layer by layer, in Keras' sense.
//!
//! Everything between layers has shape `[batch, time, channels]`; what has no time left keeps one frame.

mod architecture;
mod initializer;
mod mode;
mod layers;
mod recurrent;
mod pooling;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use emotone::model::Emotion;
use rand::SeedableRng;
use rand::rngs::StdRng;

pub use architecture::{Architecture, LayerSpec};
pub use layers::{BatchNorm, Conv, Dense, Layer};
pub use mode::Mode;
pub use pooling::TimePooling;
pub use recurrent::{Lstm, LstmWeights};

/// Layers in a row, from features to seven logits.
#[derive(Module, Debug)]
pub struct Network {
    /// In the order of the data.
    pub layers: Vec<Layer>,
}

impl Network {
    /// Sets up the layers for inputs of `frames` x `width`; the same seed gives the same weights.
    pub fn new(architecture: &Architecture, frames: usize, width: usize, seed: u64, device: &Device) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let (mut layers, mut shape) = (Vec::new(), [frames, width]);
        let head = LayerSpec::Dense { units: Emotion::COUNT, relu: false, l1: 0.0, l2: 0.0 };
        for spec in architecture.layers.iter().chain([&head]) {
            layers.push(Layer::new(spec, shape, &mut random, device));
            shape = spec.output(shape);
        }
        Self { layers }
    }

    /// Logits of shape `[batch, 7]` for features of shape `[batch, frames, width]`.
    pub fn forward(&self, features: Tensor<3>, mode: &mut Mode) -> Tensor<2> {
        let through = |input, layer: &Layer| layer.forward(input, mode);
        self.layers.iter().fold(features, through).squeeze_dim(1)
    }

    /// What the weights' sizes add to the loss; `None` if no layer asks for it.
    pub fn penalty(&self) -> Option<Tensor<1>> {
        self.layers.iter().filter_map(Layer::penalty).reduce(|sum, penalty| sum + penalty)
    }
}
