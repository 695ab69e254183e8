//! A long short-term memory over a whole sequence: one product for all gates a step, gradients by hand through time.
//!
//! Each core takes some samples of the batch through all steps, so cores wait for each other once a batch, not once a
//! step.

use burn::backend::flex::FlexTensor;
use burn::tensor::Tensor;
use pulp::Arch;
use rayon::prelude::*;

use super::elementwise::{sigmoid, tanh};
use super::operation::{Input, dense, product, record, shared_product, slice};

/// How a sequence is walked through.
#[derive(Default)]
pub struct LstmOptions {
    /// From the last frame to the first.
    pub backwards: bool,
    /// What the state is multiplied with before each step's product: recurrent dropout, one mask a sequence, shape
    /// `[batch, units]`.
    pub mask: Option<Vec<f32>>,
}

/// All hidden states, in the order of the frames: shape `[batch, time, units]`.
///
/// `gates` is what the inputs give to the gates, bias included, shape `[batch, time, 4 * units]` in Keras' order: input,
/// forget, candidate, output. `recurrent` has shape `[units, 4 * units]`. States start at zero.
pub fn lstm(gates: Tensor<3>, recurrent: Tensor<2>, options: LstmOptions) -> Tensor<3> {
    let [batch, time, _] = gates.dims();
    let [units, _] = recurrent.dims();
    let inputs = [Input::new(gates), Input::new(recurrent)];
    let walk = Walk { time, units, backwards: options.backwards };
    let mask = options.mask;
    let samples = batch.div_ceil(rayon::current_num_threads()).max(1);
    let sequence = time * units;

    let registers = Arch::new();
    let mut gates = inputs[0].values().to_vec();
    let (mut hidden, mut cells) = (vec![0.0; batch * sequence], vec![0.0; batch * sequence]);
    let chunks = gates.par_chunks_mut(4 * samples * sequence).zip(hidden.par_chunks_mut(samples * sequence));
    chunks.zip(cells.par_chunks_mut(samples * sequence)).enumerate().for_each(|(index, ((gates, hidden), cells))| {
        let mask = part(mask.as_deref(), index, samples * units);
        registers.dispatch(|| walk.forward(gates, hidden, cells, &inputs[1].tensor, mask));
    });

    let output = dense(hidden, [batch, time, units]);
    let (states, weights) = (output.clone(), inputs[1].tensor.clone());
    record(inputs, output, move |grad, _| {
        let mut for_gates = vec![0.0; gates.len()];
        let chunks = for_gates.par_chunks_mut(4 * samples * sequence).zip(gates.par_chunks(4 * samples * sequence));
        let chunks = chunks.zip(cells.par_chunks(samples * sequence)).zip(grad.par_chunks(samples * sequence));
        let transposed = weights.transpose(0, 1).to_contiguous();
        chunks.enumerate().for_each(|(index, (((for_gates, gates), cells), grad))| {
            let mask = part(mask.as_deref(), index, samples * units);
            registers.dispatch(|| walk.backward(for_gates, gates, cells, grad, &transposed, mask));
        });
        let before = dense(walk.states_before(slice(&states), mask.as_deref()), [batch * time, units]);
        let upstream = dense(for_gates, [batch * time, 4 * units]);
        let for_recurrent = shared_product(before.transpose(0, 1), upstream.clone());
        [Some(upstream.reshape([batch, time, 4 * units].into())), Some(for_recurrent)]
    })
}

fn part(mask: Option<&[f32]>, index: usize, length: usize) -> Option<&[f32]> {
    mask.map(|mask| &mask[index * length..mask.len().min((index + 1) * length)])
}

#[derive(Clone, Copy)]
struct Walk {
    time: usize,
    units: usize,
    backwards: bool,
}

impl Walk {
    /// The frame that is visited at a step.
    fn frame(&self, step: usize) -> usize {
        if self.backwards { self.time - 1 - step } else { step }
    }

    /// Turns what the inputs give into the gates' values in place, and fills in hidden states and cells.
    ///
    /// Inlined, as its counterpart is, to be compiled for the registers of its caller.
    #[inline(always)]
    fn forward(
        &self,
        gates: &mut [f32],
        hidden: &mut [f32],
        cells: &mut [f32],
        recurrent: &FlexTensor,
        mask: Option<&[f32]>,
    ) {
        let (units, sequence) = (self.units, self.time * self.units);
        let samples = hidden.len() / sequence;
        let mut state = vec![0.0; samples * units];
        let mut cell = vec![0.0; samples * units];
        for step in 0..self.time {
            let frame = self.frame(step);
            let recalled = (step > 0).then(|| {
                let masked = match mask {
                    Some(mask) => state.iter().zip(mask).map(|(state, mask)| state * mask).collect(),
                    None => state.clone(),
                };
                product(dense(masked, [samples, units]), recurrent.clone())
            });
            for sample in 0..samples {
                let own = &mut gates[4 * (sample * sequence + frame * units)..][..4 * units];
                if let Some(recalled) = &recalled {
                    let recalled = &slice(recalled)[4 * sample * units..][..4 * units];
                    own.iter_mut().zip(recalled).for_each(|(gate, recalled)| *gate += recalled);
                }
                let (input, rest) = own.split_at_mut(units);
                let (forget, rest) = rest.split_at_mut(units);
                let (candidate, output) = rest.split_at_mut(units);
                let output = &mut output[..units];
                let cell = &mut cell[sample * units..][..units];
                let state = &mut state[sample * units..][..units];
                for unit in 0..units {
                    input[unit] = sigmoid(input[unit]);
                    forget[unit] = sigmoid(forget[unit]);
                    candidate[unit] = tanh(candidate[unit]);
                    output[unit] = sigmoid(output[unit]);
                    cell[unit] = forget[unit] * cell[unit] + input[unit] * candidate[unit];
                    state[unit] = output[unit] * tanh(cell[unit]);
                }
                let place = sample * sequence + frame * units;
                cells[place..][..units].copy_from_slice(cell);
                hidden[place..][..units].copy_from_slice(state);
            }
        }
    }

    /// Fills in the gradient of what the inputs give to the gates.
    #[inline(always)]
    fn backward(
        &self,
        for_gates: &mut [f32],
        gates: &[f32],
        cells: &[f32],
        grad: &[f32],
        transposed: &FlexTensor,
        mask: Option<&[f32]>,
    ) {
        let (units, sequence) = (self.units, self.time * self.units);
        let samples = grad.len() / sequence;
        let zeros = vec![0.0; units];
        let mut for_state = vec![0.0; samples * units];
        let mut for_cell = vec![0.0; samples * units];
        let mut upstream = vec![0.0; 4 * samples * units];
        for step in (0..self.time).rev() {
            let frame = self.frame(step);
            for sample in 0..samples {
                let place = sample * sequence + frame * units;
                let before = match step {
                    0 => &zeros[..],
                    _ => &cells[sample * sequence + self.frame(step - 1) * units..][..units],
                };
                let (input, rest) = gates[4 * place..][..4 * units].split_at(units);
                let (forget, rest) = rest.split_at(units);
                let (candidate, output) = rest.split_at(units);
                let (output, before) = (&output[..units], &before[..units]);
                let (cells, grad) = (&cells[place..][..units], &grad[place..][..units]);
                let for_state = &for_state[sample * units..][..units];
                let for_cell = &mut for_cell[sample * units..][..units];
                let upstream = &mut upstream[4 * sample * units..][..4 * units];
                let (to_input, rest) = upstream.split_at_mut(units);
                let (to_forget, rest) = rest.split_at_mut(units);
                let (to_candidate, to_output) = rest.split_at_mut(units);
                let to_output = &mut to_output[..units];
                for unit in 0..units {
                    let state = grad[unit] + for_state[unit];
                    let squashed = tanh(cells[unit]);
                    let cell = for_cell[unit] + state * output[unit] * (1.0 - squashed * squashed);
                    to_output[unit] = state * squashed * output[unit] * (1.0 - output[unit]);
                    to_input[unit] = cell * candidate[unit] * input[unit] * (1.0 - input[unit]);
                    to_candidate[unit] = cell * input[unit] * (1.0 - candidate[unit] * candidate[unit]);
                    to_forget[unit] = cell * before[unit] * forget[unit] * (1.0 - forget[unit]);
                    for_cell[unit] = cell * forget[unit];
                }
                for_gates[4 * place..][..4 * units].copy_from_slice(upstream);
            }
            if step > 0 {
                let recalled = product(dense(upstream.clone(), [samples, 4 * units]), transposed.clone());
                for_state.copy_from_slice(slice(&recalled));
                if let Some(mask) = mask {
                    for_state.iter_mut().zip(mask).for_each(|(grad, mask)| *grad *= mask);
                }
            }
        }
    }

    /// What each step's product was taken of: the masked state before it, zero at the first.
    fn states_before(&self, states: &[f32], mask: Option<&[f32]>) -> Vec<f32> {
        let (units, sequence) = (self.units, self.time * self.units);
        let mut before = vec![0.0; states.len()];
        before.par_chunks_mut(sequence).enumerate().for_each(|(sample, before)| {
            let own = &states[sample * sequence..][..sequence];
            for step in 1..self.time {
                let source = &own[self.frame(step - 1) * units..][..units];
                let target = &mut before[self.frame(step) * units..][..units];
                target.copy_from_slice(source);
                if let Some(mask) = mask {
                    let mask = &mask[sample * units..][..units];
                    target.iter_mut().zip(mask).for_each(|(state, mask)| *state *= mask);
                }
            }
        });
        before
    }
}
