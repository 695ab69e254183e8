//! Convolution, normalization, dense layers, and the list of all kinds.

use burn::module::{Module, Param, RunningState};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor, TensorData};
use rand::rngs::StdRng;

use super::initializer::{constant, glorot_uniform};
use super::signal::weigh;
use super::{Centre, Functionals, LayerSpec, Lstm, Mode, Signal, TimePooling};
use crate::kernels;

/// Part of the old running moments that is kept at each batch.
const MOMENTUM: f32 = 0.99;

/// A layer of any kind.
#[derive(Module, Debug)]
#[allow(missing_docs, reason = "the names are those of the specification")]
#[allow(clippy::large_enum_variant, reason = "a network has a dozen layers, and boxes are no modules")]
pub enum Layer {
    Weigh(Weigh),
    Centre(Centre),
    Functionals(Functionals),
    Clip(f32),
    Conv(Conv),
    MaxPool(usize),
    AveragePool(usize),
    BatchNorm(BatchNorm),
    Relu(Plain),
    Dropout(f32),
    ChannelDropout(f32),
    Lstm(Lstm),
    Flatten(Plain),
    TimePooling(TimePooling),
    Dense(Dense),
}

/// Weighs frames by a column, from here on.
#[derive(Module, Debug)]
pub struct Weigh {
    /// The column.
    #[module(skip)]
    pub column: usize,
    /// Slope and offset of the weight below the highest value.
    #[module(skip)]
    pub line: [f32; 2],
}

/// Stands where a layer has nothing to remember.
#[derive(Module, Debug)]
pub struct Plain {}

impl Layer {
    /// Sets up what `spec` says for inputs of so many channels.
    pub fn new(spec: &LayerSpec, channels: usize, random: &mut StdRng, device: &Device) -> Self {
        match *spec {
            LayerSpec::Weigh { column, line } => Self::Weigh(Weigh { column, line }),
            LayerSpec::Centre { columns, scaled } => Self::Centre(Centre { columns, scaled }),
            LayerSpec::Functionals(ref spec) => Self::Functionals(Functionals { spec: spec.clone() }),
            LayerSpec::Clip { limit } => Self::Clip(limit),
            LayerSpec::Conv { filters, width, relu } => {
                let (fan_in, fan_out) = (width * channels, width * filters);
                let kernel = glorot_uniform([fan_in, filters], fan_in, fan_out, random, device);
                Self::Conv(Conv { kernel, bias: constant(0.0, filters, device), relu })
            }
            LayerSpec::MaxPool { size } => Self::MaxPool(size),
            LayerSpec::AveragePool { size } => Self::AveragePool(size),
            LayerSpec::BatchNorm => Self::BatchNorm(BatchNorm::new(channels, device)),
            LayerSpec::Relu => Self::Relu(Plain {}),
            LayerSpec::Dropout { rate } => Self::Dropout(rate),
            LayerSpec::ChannelDropout { rate } => Self::ChannelDropout(rate),
            LayerSpec::Lstm { units, sequences, both_directions, dropout, recurrent_dropout } => {
                let rates = [dropout, recurrent_dropout];
                Self::Lstm(Lstm::new(channels, units, sequences, both_directions, rates, random, device))
            }
            LayerSpec::Flatten => Self::Flatten(Plain {}),
            LayerSpec::TimePooling { attention, mean, max, spread } => {
                Self::TimePooling(TimePooling::new(channels, attention, [mean, max, spread], random, device))
            }
            LayerSpec::Dense { units, relu, l1, l2 } => {
                let kernel = glorot_uniform([channels, units], channels, units, random, device);
                Self::Dense(Dense { kernel, bias: constant(0.0, units, device), relu, l1, l2 })
            }
        }
    }

    /// From one signal to the next.
    pub fn forward(&self, signal: Signal, mode: &mut Mode) -> Signal {
        let [batch, frames, channels] = signal.values.dims();
        let each = |signal: Signal, change: &dyn Fn(Tensor<3>) -> Tensor<3>| signal.map(change, |weights| weights);
        match self {
            Self::Weigh(by) => {
                let weights = Some(weigh(&signal.values, by.column, by.line));
                Signal { weights, ..signal }
            }
            Self::Centre(centre) => centre.forward(signal),
            Self::Functionals(functionals) => Signal::new(functionals.forward(signal)),
            Self::Clip(limit) => each(signal, &|input| input.clamp(-*limit, *limit)),
            Self::Conv(conv) => {
                each(signal, &|input| kernels::conv1d(input, conv.kernel.val(), conv.bias.val(), conv.relu))
            }
            Self::MaxPool(size) => {
                signal.map(|input| kernels::max_pool(input, *size), |weights| kernels::average_pool(weights, *size))
            }
            Self::AveragePool(size) => {
                let pool = |input| kernels::average_pool(input, *size);
                signal.map(pool, pool)
            }
            Self::BatchNorm(norm) => signal.map(|input| norm.forward(input, mode), |weights| weights),
            Self::Relu(_) => each(signal, &relu),
            Self::Dropout(rate) => {
                signal.map(|input| mode.drop(input, *rate, [batch, frames, channels]), |weights| weights)
            }
            Self::ChannelDropout(rate) => {
                signal.map(|input| mode.drop(input, *rate, [batch, 1, channels]), |weights| weights)
            }
            Self::Lstm(lstm) => signal.map(|input| lstm.forward(input, mode), |weights| weights),
            Self::Flatten(_) => Signal::new(signal.values.reshape([batch, 1, frames * channels])),
            Self::TimePooling(pooling) => Signal::new(pooling.forward(signal)),
            Self::Dense(dense) => each(signal, &|input| dense.forward(input)),
        }
    }

    /// What this layer's weights add to the loss.
    pub fn penalty(&self) -> Option<Tensor<1>> {
        match self {
            Self::Dense(dense) => dense.penalty(),
            _ => None,
        }
    }
}

/// Convolution over time, padded to keep the length.
#[derive(Module, Debug)]
pub struct Conv {
    /// `[width * channels, filters]`.
    pub kernel: Param<Tensor<2>>,
    /// `[filters]`.
    pub bias: Param<Tensor<1>>,
    /// Cuts at zero afterwards.
    #[module(skip)]
    pub relu: bool,
}

/// `(x - mean) / sqrt(variance + epsilon) * gamma + beta`, channel by channel.
#[derive(Module, Debug)]
pub struct BatchNorm {
    /// Scale.
    pub gamma: Param<Tensor<1>>,
    /// Offset.
    pub beta: Param<Tensor<1>>,
    /// Running mean.
    pub mean: RunningState<Tensor<1>>,
    /// Running biased variance.
    pub variance: RunningState<Tensor<1>>,
}

impl BatchNorm {
    /// Keeps the root away from zero.
    pub const EPSILON: f32 = 1e-3;

    fn new(channels: usize, device: &Device) -> Self {
        let state = |value: f32| RunningState::new(Tensor::full([channels], value, device));
        Self {
            gamma: constant(1.0, channels, device),
            beta: constant(0.0, channels, device),
            mean: state(0.0),
            variance: state(1.0),
        }
    }

    fn forward(&self, input: Tensor<3>, mode: &mut Mode) -> Tensor<3> {
        if let Mode::Training(_) = mode {
            let device = input.device();
            let (output, moments) = kernels::batch_norm(input, self.gamma.val(), self.beta.val(), Self::EPSILON);
            for (state, new) in [(&self.mean, moments.mean), (&self.variance, moments.variance)] {
                let new = Tensor::<1>::from_data(TensorData::from(new.as_slice()), &device);
                state.update(state.value_sync() * MOMENTUM + new * (1.0 - MOMENTUM));
            }
            return output;
        }
        let [scale, offset] = self.affine().map(|values| values.unsqueeze::<3>());
        input * scale + offset
    }

    /// What it does after training, as `x * scale + offset`.
    pub fn affine(&self) -> [Tensor<1>; 2] {
        let scale = self.gamma.val() / (self.variance.value_sync() + Self::EPSILON).sqrt();
        let offset = self.beta.val() - self.mean.value_sync() * scale.clone();
        [scale, offset]
    }
}

/// Every unit sees all channels.
#[derive(Module, Debug)]
pub struct Dense {
    /// `[channels, units]`.
    pub kernel: Param<Tensor<2>>,
    /// `[units]`.
    pub bias: Param<Tensor<1>>,
    /// Cuts at zero afterwards.
    #[module(skip)]
    pub relu: bool,
    #[module(skip)]
    l1: f32,
    #[module(skip)]
    l2: f32,
}

impl Dense {
    fn forward(&self, input: Tensor<3>) -> Tensor<3> {
        let [batch, frames, channels] = input.dims();
        let rows = input.reshape([batch * frames, channels]).matmul(self.kernel.val());
        let output = (rows + self.bias.val().unsqueeze()).reshape([batch as isize, frames as isize, -1]);
        if self.relu { relu(output) } else { output }
    }

    fn penalty(&self) -> Option<Tensor<1>> {
        let (l1, l2) = (self.l1, self.l2);
        let kernel = || self.kernel.val();
        let absolute = (l1 > 0.0).then(|| kernel().abs().sum() * l1);
        let squared = (l2 > 0.0).then(|| kernel().square().sum() * l2);
        absolute.into_iter().chain(squared).reduce(|sum, part| sum + part)
    }
}
