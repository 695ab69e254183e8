//! ONNX's LSTM as one operation over a whole sequence. tract runs a small graph for every step, and calling its nodes
//! takes several times as long as their arithmetic.

use tract_onnx::Onnx;
use tract_onnx::model::ParsingContext;
use tract_onnx::ops::rec::common::CommonRec;
use tract_onnx::ops::rec::lstm::{LSTM, lstm};
use tract_onnx::pb::NodeProto;
use tract_onnx::tract_core::ops::einsum::EinSum;
use tract_onnx::tract_core::ops::math;
use tract_onnx::tract_hir::internal::tract_linalg::routines::Func;
use tract_onnx::tract_hir::internal::*;
use tract_onnx::tract_hir::ops;

/// Makes tract read `LSTM` nodes as [`Recurrence`]s, where that is the same.
pub(super) fn register(onnx: &mut Onnx) {
    onnx.op_register.insert("LSTM", build);
}

fn build(context: &ParsingContext, node: &NodeProto) -> TractResult<(Box<dyn InferenceOp>, Vec<String>)> {
    match Memory::of(node)? {
        Some(memory) => Ok((expand(memory), Vec::new())),
        None => lstm(context, node),
    }
}

/// An LSTM as the trainer writes it: time first, with biases and initial states, whose cell nobody reads.
#[derive(Debug, Clone)]
struct Memory {
    /// What tract makes of it; knows the shapes, and serves batches.
    onnx: CommonRec,
    bias: usize,
    hidden: usize,
    cell: usize,
}

impl Memory {
    /// `None` for an LSTM of another kind.
    fn of(node: &NodeProto) -> TractResult<Option<Self>> {
        let gates =
            LSTM { f: Box::new(ops::nn::sigmoid()), g: Box::new(ops::math::tanh()), h: Box::new(ops::math::tanh()) };
        let onnx = CommonRec::from_node_and_options(node, 3, 0, Box::new(gates))?;
        let is_plain = !onnx.batch_first
            && onnx.optional_sequence_lens_input.is_none()
            && onnx.optional_p_input.is_none()
            && onnx.optional_y_c_output.is_none();
        let inputs = (onnx.optional_bias_input, onnx.optional_initial_h_input, onnx.optional_initial_c_input);
        Ok(match inputs {
            (Some(bias), Some(hidden), Some(cell)) if is_plain => Some(Self { onnx, bias, hidden, cell }),
            _ => None,
        })
    }
}

impl Expansion for Memory {
    fn name(&self) -> StaticName {
        "LSTM".into()
    }

    fn nboutputs(&self) -> TractResult<usize> {
        self.onnx.nboutputs()
    }

    fn rules<'r, 'p: 'r, 's: 'r>(
        &'s self,
        solver: &mut Solver<'r>,
        inputs: &'p [TensorProxy],
        outputs: &'p [TensorProxy],
    ) -> InferenceResult {
        self.onnx.rules(solver, inputs, outputs)
    }

    fn wire(&self, prefix: &str, graph: &mut TypedModel, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        let fact = graph.outlet_fact(inputs[0])?;
        if !fact.shape[1].is_one() || fact.datum_type != f32::datum_type() {
            return self.onnx.wire(prefix, graph, inputs);
        }
        let kernel = graph.outlet_fact(inputs[1])?.shape.to_tvec();
        let (directions, gates, columns) = (kernel[0].clone(), kernel[1].clone(), kernel[2].clone());
        let all: TDim = directions.clone() * &gates;
        let mut node = |name: &str, op: Box<dyn TypedOp>, inputs: &[OutletId]| -> TractResult<TVec<OutletId>> {
            graph.wire_node(format!("{prefix}.{name}"), op, inputs)
        };
        let reshape = |at, from: &[TDim], to: &[TDim]| Box::new(AxisOp::Reshape(at, from.into(), to.into()));

        // What frames give to the gates, for all frames and directions at once.
        let rows = [directions.clone(), gates.clone(), columns.clone()];
        let kernel = node("kernel", reshape(0, &rows, &[all.clone(), columns]), &inputs[1..2])?;
        let product = EinSum::new("tbc,gc->tbg".parse()?, f32::datum_type());
        let heard = node("heard", Box::new(product), &[inputs[0], kernel[0]])?;
        let halves = [gates.clone(), gates.clone() + &gates];
        let slice = |start: &TDim, end: &TDim| Box::new(ops::array::Slice::new(1, start.clone(), end.clone()));
        let of_input = node("bias_of_input", slice(&0.to_dim(), &halves[0]), &[inputs[self.bias]])?;
        let of_state = node("bias_of_state", slice(&halves[0], &halves[1]), &[inputs[self.bias]])?;
        let bias = node("bias", Box::new(math::add()), &[of_input[0], of_state[0]])?;
        let rows = [1.to_dim(), 1.to_dim(), all.clone()];
        let bias = node("bias_row", reshape(0, &[directions, gates], &rows), &bias)?;
        let heard = node("gates", Box::new(math::add()), &[heard[0], bias[0]])?;

        let recurrent = node("recurrent", Box::new(AxisOp::Move(1, 2)), &inputs[2..3])?;
        let states = [heard[0], recurrent[0], inputs[self.hidden], inputs[self.cell]];
        let states = graph.wire_node(prefix, Recurrence, &states)?;
        let mut outputs = tvec!(states[0]; self.nboutputs()?);
        if let Some(last) = self.onnx.optional_y_h_output {
            outputs[last] = states[1];
        }
        Ok(outputs)
    }
}

/// The steps of an LSTM, one direction after the other, for a batch of one.
///
/// Takes what frames give to the gates, `[time, 1, directions * 4 * units]`; the recurrent weights, `[directions, units,
/// 4 * units]`; and the first states and cells, each `[directions, 1, units]`. Gates are in ONNX's order: input, output,
/// forget, candidate. The second direction goes backwards in time. Gives all states, `[time, directions, 1, units]`, and the
/// last ones, `[directions, 1, units]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Recurrence;

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
        ensure!(
            units > 0 && fits && [last.len(), cells.len()] == [directions * units; 2],
            "states and gates do not fit"
        );
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
                    add_product(gates, state, weights);
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

/// Adds a row of states times weights `[states, gates]` to the gates. Four rows of weights at once, so that each gate is
/// loaded and stored a quarter as often.
fn add_product(gates: &mut [f32], state: &[f32], weights: &[f32]) {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers in [-1, 1) without a pattern that a mistaken order would keep.
    fn numbers(shape: &[usize], seed: u32) -> Tensor {
        let mut state = seed;
        let values = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        });
        let values: Vec<f32> = values.take(shape.iter().product()).collect();
        Tensor::from_shape(shape, &values).unwrap()
    }

    /// All outputs of an LSTM, read by this module or by tract alone.
    fn outputs(by_tract: bool, names: &[&str], directions: usize, units: usize) -> Vec<Tensor> {
        let (frames, columns) = (9, 3);
        let node = NodeProto {
            input: ["x", "w", "r", "b", "", "h", "c"].map(String::from).to_vec(),
            output: names.iter().map(ToString::to_string).collect(),
            ..NodeProto::default()
        };
        let memory = Memory::of(&node).unwrap().unwrap();
        let mut graph = TypedModel::default();
        let source = graph.add_source("x", f32::fact([frames, 1, columns])).unwrap();
        let mut inputs = vec![source];
        let gates = 4 * units;
        let shapes: [&[usize]; 5] = [
            &[directions, gates, columns],
            &[directions, gates, units],
            &[directions, 2 * gates],
            &[directions, 1, units],
            &[directions, 1, units],
        ];
        for (shape, seed) in shapes.into_iter().zip(1..) {
            inputs.push(graph.add_const(format!("input {seed}"), numbers(shape, seed)).unwrap());
        }
        let wired = if by_tract {
            memory.onnx.wire("lstm", &mut graph, &inputs)
        } else {
            memory.wire("lstm", &mut graph, &inputs)
        };
        graph.select_output_outlets(&wired.unwrap()).unwrap();
        let plan = graph.into_optimized().unwrap().into_runnable().unwrap();
        let outputs = plan.run(tvec!(numbers(&[frames, 1, columns], 9).into())).unwrap();
        outputs.into_iter().map(|output| output.into_tensor()).collect()
    }

    #[test]
    fn every_output_is_that_of_tracts_own_reading() {
        for (names, directions, units) in
            [(&["y"][..], 2, 64), (&["y"], 1, 6), (&["", "last"], 2, 5), (&["y", "last"], 2, 7), (&["", "last"], 1, 32)]
        {
            let ours = outputs(false, names, directions, units);
            let theirs = outputs(true, names, directions, units);
            assert_eq!(ours.len(), names.iter().filter(|name| !name.is_empty()).count());
            for (ours, theirs) in ours.iter().zip(&theirs) {
                assert_eq!(ours.shape(), theirs.shape());
                let (ours, theirs) = (ours.to_plain_array_view::<f32>(), theirs.to_plain_array_view::<f32>());
                for (ours, theirs) in ours.unwrap().iter().zip(theirs.unwrap()) {
                    assert!(
                        (ours - theirs).abs() <= 1e-6,
                        "{ours} instead of {theirs}: sums in another order differ less"
                    );
                }
            }
        }
    }

    #[test]
    fn another_kind_of_lstm_is_left_to_tract() {
        let node = |inputs: &[&str], outputs: &[&str]| NodeProto {
            input: inputs.iter().map(ToString::to_string).collect(),
            output: outputs.iter().map(ToString::to_string).collect(),
            ..NodeProto::default()
        };
        let states = ["x", "w", "r", "b", "", "h", "c"];
        assert!(Memory::of(&node(&states, &["y"])).unwrap().is_some());
        assert!(Memory::of(&node(&states, &["y", "h", "c"])).unwrap().is_none(), "the last cell is asked for");
        assert!(Memory::of(&node(&states[..4], &["y"])).unwrap().is_none(), "it starts from nothing");
        let peepholes = ["x", "w", "r", "b", "", "h", "c", "p"];
        assert!(Memory::of(&node(&peepholes, &["y"])).unwrap().is_none(), "cells look at gates");
    }
}
