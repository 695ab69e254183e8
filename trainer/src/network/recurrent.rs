//! Long short-term memory in one direction or both.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use rand::rngs::StdRng;

use super::Mode;
use super::initializer::{glorot_uniform, orthogonal, parameter};
use crate::kernels::{LstmOptions, lstm};

/// One or two memories over time.
#[derive(Module, Debug)]
pub struct Lstm {
    /// From the first frame to the last.
    pub forwards: LstmWeights,
    /// From the last to the first.
    pub backwards: Option<LstmWeights>,
    /// Gives every frame's state instead of the last.
    #[module(skip)]
    pub sequences: bool,
    #[module(skip)]
    rates: [f32; 2],
}

/// The weights of one direction, gates in Keras' order: input, forget, candidate, output.
#[derive(Module, Debug)]
pub struct LstmWeights {
    /// What inputs give to the gates: `[channels, 4 * units]`.
    pub kernel: Param<Tensor<2>>,
    /// What the state gives to the gates: `[units, 4 * units]`.
    pub recurrent: Param<Tensor<2>>,
    /// `[4 * units]`, at first 1 for the forget gate.
    pub bias: Param<Tensor<1>>,
}

impl LstmWeights {
    fn new(channels: usize, units: usize, random: &mut StdRng, device: &Device) -> Self {
        let mut bias = vec![0.0; 4 * units];
        bias[units..2 * units].fill(1.0);
        Self {
            kernel: glorot_uniform([channels, 4 * units], channels, 4 * units, random, device),
            recurrent: orthogonal([units, 4 * units], random, device),
            bias: parameter(bias, [4 * units], device),
        }
    }

    fn forward(&self, input: Tensor<3>, backwards: bool, rates: [f32; 2], mode: &mut Mode) -> Tensor<3> {
        let [batch, frames, channels] = input.dims();
        let [units, _] = self.recurrent.dims();
        let input = mode.drop(input, rates[0], [batch, 1, channels]);
        let gates = input.reshape([batch * frames, channels]).matmul(self.kernel.val()) + self.bias.val().unsqueeze();
        let mask = mode.mask(rates[1], batch * units);
        lstm(gates.reshape([batch, frames, 4 * units]), self.recurrent.val(), LstmOptions { backwards, mask })
    }
}

impl Lstm {
    /// Sets up one direction or both; `rates` are the dropout of inputs and of the state.
    pub fn new(
        channels: usize,
        units: usize,
        sequences: bool,
        both: bool,
        rates: [f32; 2],
        random: &mut StdRng,
        device: &Device,
    ) -> Self {
        let forwards = LstmWeights::new(channels, units, random, device);
        let backwards = both.then(|| LstmWeights::new(channels, units, random, device));
        Self { forwards, backwards, sequences, rates }
    }

    /// States of shape `[batch, frames, units]`, or those after the last step, `[batch, 1, units]`; both directions
    /// side by side.
    pub fn forward(&self, input: Tensor<3>, mode: &mut Mode) -> Tensor<3> {
        let frames = input.dims()[1];
        let ends = |states: Tensor<3>, last: usize| if self.sequences { states } else { states.narrow(1, last, 1) };
        let forwards = ends(self.forwards.forward(input.clone(), false, self.rates, mode), frames - 1);
        match &self.backwards {
            None => forwards,
            Some(weights) => {
                let backwards = ends(weights.forward(input, true, self.rates, mode), 0);
                Tensor::cat(vec![forwards, backwards], 2)
            }
        }
    }
}
