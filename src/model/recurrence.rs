//! The steps of an LSTM as one operation. tract runs a small graph for every step, and calling its nodes takes several
//! times as long as their arithmetic.

use pulp::{Arch, Simd, WithSimd};
use tract_onnx::tract_hir::internal::tract_linalg::routines::Func;
use tract_onnx::tract_hir::internal::*;

/// The steps of an LSTM, one direction after the other, for a batch of one.
///
/// Takes what frames give to the gates, `[time, 1, directions * 4 * units]`; the recurrent weights, `[directions, units,
/// 4 * units]`; and the first states and cells, each `[directions, 1, units]`. Gates are in ONNX's order: input, output,
/// forget, candidate. The second direction goes backwards in time. Gives all states, `[time, directions, 1, units]`, and the
/// last ones, `[directions, 1, units]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Recurrence;

impl Op for Recurrence {
    fn name(&self) -> StaticName {
        "Recurrence".into()
    }

    op_as_typed_op!();
}

impl TypedOp for Recurrence {
    as_op!();

    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        let [heard, recurrent, ..] = inputs else { bail!("{} inputs", inputs.len()) };
        let (directions, units) = (recurrent.shape[0].clone(), recurrent.shape[1].clone());
        let all = [heard.shape[0].clone(), directions.clone(), 1.to_dim(), units.clone()];
        Ok(tvec!(f32::fact(all), f32::fact([directions, 1.to_dim(), units])))
    }
}

impl EvalOp for Recurrence {
    op_out_of_plan!();

    fn eval(&self, _: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let (heard, recurrent, hidden, cell) = args_4!(inputs);
        let (frames, &[directions, units, gates]) = (heard.shape()[0], recurrent.shape()) else {
            bail!("recurrent weights of shape {:?}", recurrent.shape())
        };
        let mut heard = heard.into_tensor();
        let mut heard = heard.to_plain_array_view_mut::<f32>()?;
        let heard = heard.as_slice_mut().context("gates lie apart")?;
        let recurrent = recurrent.to_plain_array_view::<f32>()?;
        let recurrent = recurrent.as_slice().context("weights lie apart")?;
        let (mut last, mut cells) = (hidden.into_tensor(), cell.into_tensor());
        let fits = gates == 4 * units && heard.len() == frames * directions * gates;
        ensure!((1..=2).contains(&directions) && units > 0, "{directions} directions of {units} units");
        ensure!(fits && [last.len(), cells.len()] == [directions * units; 2], "states and gates do not fit");
        let registers = Arch::new();
        let (sigmoid, tanh) = (Func::Sigmoid.ew_f32()?, Func::Tanh.ew_f32()?);

        let mut all = vec![0.0_f32; frames * directions * units];
        {
            let (mut last, mut cells) =
                (last.to_plain_array_view_mut::<f32>()?, cells.to_plain_array_view_mut::<f32>()?);
            let states = last.as_slice_mut().context("states lie apart")?.chunks_exact_mut(units);
            let cells = cells.as_slice_mut().context("cells lie apart")?.chunks_exact_mut(units);
            let sides = recurrent.chunks_exact(units * gates).zip(states).zip(cells);
            for (direction, ((weights, state), cell)) in sides.enumerate() {
                for step in 0..frames {
                    let frame = if direction == 0 { step } else { frames - 1 - step };
                    let row = frame * directions + direction;
                    let gates = &mut heard[row * gates..][..gates];
                    registers.dispatch(AddProduct { gates: &mut *gates, state: &*state, weights });
                    let (open, candidate) = gates.split_at_mut(3 * units);
                    sigmoid.run(open)?;
                    tanh.run(candidate)?;
                    let (input, rest) = open.split_at(units);
                    let (output, forget) = rest.split_at(units);
                    for (unit, cell) in cell.iter_mut().enumerate() {
                        *cell = forget[unit] * *cell + input[unit] * candidate[unit];
                    }
                    state.copy_from_slice(cell);
                    tanh.run(state)?;
                    state.iter_mut().zip(output).for_each(|(state, output)| *state *= output);
                    all[row * units..][..units].copy_from_slice(state);
                }
            }
        }
        let all = Tensor::from_shape(&[frames, directions, 1, units], &all)?;
        Ok(tvec!(all.into_tvalue(), last.into_tvalue()))
    }
}

/// Adds a row of states times weights `[states, gates]` to the gates, in the widest vector registers there are. Four rows
/// of weights at once, so that each gate is loaded and stored a quarter as often.
struct AddProduct<'a> {
    gates: &'a mut [f32],
    state: &'a [f32],
    weights: &'a [f32],
}

impl WithSimd for AddProduct<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { gates, state, weights } = self;
        let width = gates.len();
        let (fours, rest) = state.as_chunks::<4>();
        let mut blocks = weights.chunks_exact(4 * width);
        for (&[a, b, c, d], block) in fours.iter().zip(&mut blocks) {
            let (first, second) = block.split_at(2 * width);
            let ((of_a, of_b), (of_c, of_d)) = (first.split_at(width), second.split_at(width));
            for ((((gate, wa), wb), wc), wd) in gates.iter_mut().zip(of_a).zip(of_b).zip(of_c).zip(of_d) {
                *gate += (a * wa + b * wb) + (c * wc + d * wd);
            }
        }
        for (state, row) in rest.iter().zip(blocks.remainder().chunks_exact(width)) {
            gates.iter_mut().zip(row).for_each(|(gate, weight)| *gate += state * weight);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One direction of one unit over two frames, by hand.
    #[test]
    fn two_steps_are_those_of_the_formula() {
        let sigmoid = |value: f32| 1.0 / (1.0 + (-value).exp());
        let (heard, recurrent) = ([0.3, -0.2, 0.5, 0.8, -0.4, 0.1, 0.9, -0.6_f32], [0.7, -0.3, 0.2, 0.4_f32]);
        let (mut state, mut cell, mut expected) = (0.25_f32, -0.5_f32, Vec::new());
        for frame in heard.chunks(4) {
            let gate = |place: usize| frame[place] + recurrent[place] * state;
            let [input, output, forget] = [0, 1, 2].map(|place| sigmoid(gate(place)));
            cell = forget * cell + input * gate(3).tanh();
            state = output * cell.tanh();
            expected.push(state);
        }
        let tensor = |shape: &[usize], values: &[f32]| Tensor::from_shape(shape, values).unwrap().into_tvalue();
        let inputs = tvec!(
            tensor(&[2, 1, 4], &heard),
            tensor(&[1, 1, 4], &recurrent),
            tensor(&[1, 1, 1], &[0.25]),
            tensor(&[1, 1, 1], &[-0.5]),
        );
        let outputs = Recurrence.eval(&EvalContext::out_of_plan(), inputs).unwrap();
        let all = outputs[0].to_plain_array_view::<f32>().unwrap();
        assert_eq!(all.shape(), [2, 1, 1, 1]);
        assert!(all.iter().zip(&expected).all(|(got, expected)| (got - expected).abs() < 1e-6), "{all:?} {expected:?}");
        assert_eq!(outputs[1].to_plain_array_view::<f32>().unwrap().first(), all.last());
    }

    #[test]
    fn shapes_that_do_not_fit_are_errors() {
        let zeros = |shape: &[usize]| Tensor::zero::<f32>(shape).unwrap().into_tvalue();
        let eval = |heard: &[usize], recurrent: &[usize], state: &[usize]| {
            let inputs = tvec!(zeros(heard), zeros(recurrent), zeros(state), zeros(state));
            Recurrence.eval(&EvalContext::out_of_plan(), inputs)
        };
        assert!(eval(&[2, 1, 8], &[1, 2, 8], &[1, 1, 2]).is_ok());
        assert!(eval(&[0, 1, 8], &[1, 2, 8], &[1, 1, 2]).is_ok());
        for (heard, recurrent, state) in [
            ([2, 1, 8], [1, 2, 4], [1, 1, 2]),
            ([2, 1, 4], [1, 2, 8], [1, 1, 2]),
            ([2, 1, 8], [1, 2, 8], [1, 1, 1]),
            ([2, 1, 24], [3, 2, 8], [3, 1, 2]),
            ([2, 1, 0], [0, 2, 8], [0, 1, 2]),
            ([2, 1, 0], [1, 0, 0], [1, 1, 0]),
        ] {
            assert!(eval(&heard, &recurrent, &state).is_err(), "{heard:?} {recurrent:?} {state:?}");
        }
    }
}
