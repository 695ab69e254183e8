//! A running mean of the weights, which does better than any single step's.

use std::collections::HashMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::{Tensor, TensorData};

use crate::network::Network;

/// Exponential moving average of all weights and running moments.
pub struct WeightAverage {
    decay: f32,
    steps: usize,
    values: HashMap<ParamId, Vec<f32>>,
}

impl WeightAverage {
    /// Keeps `decay` of the old mean at each step, in [0, 1); less in the first steps, so that the first weights are
    /// forgotten.
    pub fn new(decay: f32) -> Self {
        Self { decay, steps: 0, values: HashMap::new() }
    }

    /// A mean that goes on after `steps` steps, from the weights of `network`.
    pub fn resume(decay: f32, steps: usize, network: &Network) -> Self {
        let mut average = Self { decay, steps, values: HashMap::new() };
        network.visit(&mut Blend { decay: 0.0, values: &mut average.values });
        average
    }

    /// Steps taken in so far.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// Takes in the weights after a step.
    pub fn update(&mut self, network: &Network) {
        self.steps += 1;
        let decay = self.decay.min(self.steps as f32 / (self.steps as f32 + 10.0));
        network.visit(&mut Blend { decay, values: &mut self.values });
    }

    /// `network` with the averaged weights in place of its own.
    pub fn apply(&self, network: Network) -> Network {
        if self.steps == 0 { network } else { network.map(&mut Replace { values: &self.values }) }
    }
}

struct Blend<'a> {
    decay: f32,
    values: &'a mut HashMap<ParamId, Vec<f32>>,
}

impl ModuleVisitor for Blend<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let new = param.val().inner().into_data();
        let mean = self.values.entry(param.id).or_insert_with(|| new.iter::<f32>().collect());
        for (mean, value) in mean.iter_mut().zip(new.iter::<f32>()) {
            *mean = self.decay * *mean + (1.0 - self.decay) * value;
        }
    }
}

struct Replace<'a> {
    values: &'a HashMap<ParamId, Vec<f32>>,
}

impl ModuleMapper for Replace<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(values) = self.values.get(&param.id) else { return param };
        param.map(|tensor| {
            let averaged = Tensor::from_data(TensorData::new(values.clone(), tensor.dims()), &tensor.device());
            averaged.set_require_grad(tensor.is_require_grad())
        })
    }
}
