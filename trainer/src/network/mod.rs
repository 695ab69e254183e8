//! The networks, layer by layer, in Keras' sense.
//!
//! Everything between layers has shape `[batch, time, channels]`; what has no time left keeps one frame.

mod architecture;
mod scale;
mod family;
mod initializer;
mod mode;
mod signal;
mod layers;
mod recurrent;
mod pooling;
mod centre;
mod frames;
mod root;
mod functionals;

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, Int, Tensor, TensorData};
use emotone::model::Emotion;
use half::f16;
use rand::SeedableRng;
use rand::rngs::StdRng;

pub use architecture::{Architecture, LayerSpec};
pub use centre::Centre;
pub use family::{FRONT_LAYERS, by_level};
pub use frames::{COUPLING_FLOOR, Frames, shares};
pub use functionals::{Coupling, Functionals, FunctionalsSpec, MOVED_BY, SPREAD_FLOOR, STEPS, WEIGHT_FLOOR};
pub use layers::{BatchNorm, Conv, Dense, Layer, Weigh};
pub use mode::Mode;
pub use pooling::{Attention, LOWERED_BY, POOLED_WEIGHT_FLOOR, TimePooling};
pub use recurrent::{Lstm, LstmWeights};
pub use root::{ROOT_STEPS, VARIANCE_FLOOR};
pub use scale::scale;
pub use signal::{SPREAD_EPSILON, Signal};

/// Layers in a row, from features to logits: seven, or seven for each group that it tells apart, one group after another.
#[derive(Module, Debug)]
pub struct Network {
    /// In the order of the data.
    pub layers: Vec<Layer>,
}

struct Round;

impl ModuleMapper for Round {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|tensor| {
            let values = tensor.to_data();
            let rounded: Vec<f32> = values.iter::<f32>().map(|value| f16::from_f32(value).to_f32()).collect();
            Tensor::from_data(TensorData::new(rounded, tensor.dims()), &tensor.device())
        })
    }
}

/// Two examples in one, in the middle of a network.
pub struct Mixture {
    /// Layers that come before.
    pub after: usize,
    /// Share of each example in its mixture; the rest is its partner's.
    pub weight: f32,
    /// Partner of each example in the batch.
    pub partners: Vec<usize>,
}

impl Network {
    /// Sets up the layers for inputs of `frames` x `width`; the same seed gives the same weights.
    pub fn new(architecture: &Architecture, frames: usize, width: usize, seed: u64, device: &Device) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let (mut layers, mut shape) = (Vec::new(), [frames, width]);
        let units = Emotion::COUNT * architecture.groups;
        let head = LayerSpec::Dense { units, relu: false, l1: 0.0, l2: 0.0 };
        for spec in architecture.layers.iter().chain([&head]) {
            layers.push(Layer::new(spec, shape[1], &mut random, device));
            shape = spec.output(shape);
        }
        Self { layers }
    }

    /// Logits of shape `[batch, 7 · groups]` for features of shape `[batch, frames, width]`.
    pub fn forward(&self, features: Tensor<3>, mode: &mut Mode) -> Tensor<2> {
        self.forward_mixed(features, 0, mode, None)
    }

    /// As [`forward`](Self::forward), with examples mixed on the way, of what goes into layer `first`.
    pub fn forward_mixed(
        &self,
        input: Tensor<3>,
        first: usize,
        mode: &mut Mode,
        mixture: Option<&Mixture>,
    ) -> Tensor<2> {
        let mut signal = Signal::new(input);
        for (index, layer) in self.layers.iter().enumerate().skip(first) {
            if let Some(mixture) = mixture.filter(|mixture| mixture.after == index) {
                signal = signal.map(|values| mixture.apply(values), |weights| mixture.apply(weights));
            }
            signal = layer.forward(signal, mode);
        }
        signal.values.squeeze_dim(1)
    }

    /// How many groups it tells apart.
    pub fn groups(&self) -> usize {
        match self.layers.last() {
            Some(Layer::Dense(head)) => head.bias.dims()[0] / Emotion::COUNT,
            _ => 1,
        }
    }

    /// How many first layers learn nothing: up to the functionals, before which nothing does; none without them.
    pub fn unlearned(&self) -> usize {
        self.layers.iter().position(|layer| matches!(layer, Layer::Functionals(_))).map_or(0, |place| place + 1)
    }

    /// What those layers make of features: `[batch, 1, outputs]` if there are any, else the features.
    pub fn describe(&self, features: Tensor<3>) -> Tensor<3> {
        let layers = &self.layers[..self.unlearned()];
        layers.iter().fold(Signal::new(features), |signal, layer| layer.forward(signal, &mut Mode::Inference)).values
    }

    /// The same with every weight rounded to half precision, whose 11 bits are more than a training determines.
    pub fn rounded(self) -> Self {
        self.map(&mut Round)
    }

    /// What the weights' sizes add to the loss; `None` if no layer asks for it.
    pub fn penalty(&self) -> Option<Tensor<1>> {
        self.layers.iter().filter_map(Layer::penalty).reduce(|sum, penalty| sum + penalty)
    }
}

impl Mixture {
    /// Mixes the rows of a batch.
    pub fn apply<const D: usize>(&self, batch: Tensor<D>) -> Tensor<D> {
        let partners: Vec<i64> = self.partners.iter().map(|partner| *partner as i64).collect();
        let partners = Tensor::<1, Int>::from_data(partners.as_slice(), &batch.device());
        batch.clone() * self.weight + batch.select(0, partners) * (1.0 - self.weight)
    }
}
