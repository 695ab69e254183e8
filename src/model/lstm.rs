//! ONNX's `LSTM` nodes, read as [`Recurrence`]s where that is the same.

use tract_onnx::Onnx;
use tract_onnx::ops::rec::common::CommonRec;
use tract_onnx::ops::rec::lstm::LSTM;
use tract_onnx::pb::NodeProto;
use tract_onnx::tract_core::ops::einsum::EinSum;
use tract_onnx::tract_core::ops::math;
use tract_onnx::tract_hir::internal::*;
use tract_onnx::tract_hir::ops;

use super::recurrence::Recurrence;

/// Makes tract read `LSTM` nodes in this way.
pub(super) fn register(onnx: &mut Onnx) {
    onnx.op_register.insert("LSTM", |_, node| Ok((expand(Memory::of(node)?), Vec::new())));
}

/// An LSTM of one direction, or of both.
#[derive(Debug, Clone)]
struct Memory {
    /// What tract makes of it; knows the shapes, and serves what a [`Recurrence`] does not.
    onnx: CommonRec,
    /// For one with time first whose last cells nobody reads.
    plain: Option<Plain>,
}

/// Places among the inputs.
#[derive(Debug, Clone, Copy)]
struct Plain {
    bias: usize,
    /// Zeros if not given, and so the cells.
    states: Option<usize>,
    cells: Option<usize>,
}

impl Memory {
    /// # Errors
    /// For what neither tract nor this understands, and tract would take for something else.
    fn of(node: &NodeProto) -> TractResult<Self> {
        let direction: Option<&str> = node.get_attr_opt("direction")?;
        ensure!(
            direction.is_none_or(|name| ["forward", "bidirectional"].contains(&name)),
            "an LSTM that is {direction:?}"
        );
        let activations: TVec<&str> = node.get_attr_opt_tvec("activations")?.unwrap_or_default();
        let mut usual = activations.iter().zip(["Sigmoid", "Tanh", "Tanh"].iter().cycle());
        ensure!(usual.all(|(name, usual)| name.eq_ignore_ascii_case(usual)), "an LSTM with {activations:?}");
        ensure!(node.get_attr_opt("input_forget")?.is_none_or(|value: i64| value == 0), "an LSTM with `input_forget`");
        for name in ["activation_alpha", "activation_beta", "clip"] {
            ensure!(node.attribute.iter().all(|attribute| attribute.name != name), "an LSTM with `{name}`");
        }
        let gates =
            LSTM { f: Box::new(ops::nn::sigmoid()), g: Box::new(ops::math::tanh()), h: Box::new(ops::math::tanh()) };
        let onnx = CommonRec::from_node_and_options(node, 3, 0, Box::new(gates))?;
        let is_plain = !onnx.batch_first
            && onnx.optional_sequence_lens_input.is_none()
            && onnx.optional_p_input.is_none()
            && onnx.optional_y_c_output.is_none();
        let (states, cells) = (onnx.optional_initial_h_input, onnx.optional_initial_c_input);
        let plain = onnx.optional_bias_input.filter(|_| is_plain).map(|bias| Plain { bias, states, cells });
        Ok(Self { onnx, plain })
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
        self.onnx.rules(solver, inputs, outputs)?;
        solver.equals(&inputs[1].shape[2], &inputs[0].shape[2])
    }

    fn wire(&self, prefix: &str, graph: &mut TypedModel, inputs: &[OutletId]) -> TractResult<TVec<OutletId>> {
        let heard = graph.outlet_fact(inputs[0])?;
        let kernel = graph.outlet_fact(inputs[1])?.shape.to_tvec();
        let (directions, gates, columns) = (kernel[0].clone(), kernel[1].clone(), kernel[2].clone());
        // Kernels of products trust that these are the same.
        ensure!(columns == heard.shape[2], "weights for {columns} columns, {} come", heard.shape[2]);
        ensure!(![&directions, &gates, &columns].contains(&&0.to_dim()), "weights of shape {kernel:?}");
        let Some(Plain { bias, states, cells }) = self.plain else { return self.onnx.wire(prefix, graph, inputs) };
        if !heard.shape[1].is_one() || heard.datum_type != f32::datum_type() {
            return self.onnx.wire(prefix, graph, inputs);
        }
        let units = graph.outlet_fact(inputs[2])?.shape[2].clone();
        let mut first = |place: Option<usize>, name: &str| match place {
            Some(place) => Ok(inputs[place]),
            None => {
                let zeros = Tensor::zero::<f32>(&[directions.to_usize()?, 1, units.to_usize()?])?;
                graph.add_const(format!("{prefix}.{name}"), zeros)
            }
        };
        let (states, cells) = (first(states, "states")?, first(cells, "cells")?);
        let all: TDim = directions.clone() * &gates;
        let mut node = |name: &str, op: Box<dyn TypedOp>, inputs: &[OutletId]| -> TractResult<TVec<OutletId>> {
            graph.wire_node(format!("{prefix}.{name}"), op, inputs)
        };
        let reshape = |from: &[TDim], to: &[TDim]| Box::new(AxisOp::Reshape(0, from.into(), to.into()));

        // What frames give to the gates, for all frames and directions at once.
        let rows = reshape(&kernel, &[all.clone(), columns]);
        let kernel = node("kernel", rows, &inputs[1..2])?;
        let product = EinSum::new("tbc,gc->tbg".parse()?, f32::datum_type());
        let heard = node("heard", Box::new(product), &[inputs[0], kernel[0]])?;
        let both = gates.clone() + &gates;
        let slice = |start: &TDim, end: &TDim| Box::new(ops::array::Slice::new(1, start.clone(), end.clone()));
        let of_input = node("bias_of_input", slice(&0.to_dim(), &gates), &[inputs[bias]])?;
        let of_state = node("bias_of_state", slice(&gates, &both), &[inputs[bias]])?;
        let bias = node("bias", Box::new(math::add()), &[of_input[0], of_state[0]])?;
        let row = reshape(&[directions, gates], &[1.to_dim(), 1.to_dim(), all]);
        let bias = node("bias_row", row, &bias)?;
        let heard = node("gates", Box::new(math::add()), &[heard[0], bias[0]])?;

        let recurrent = node("recurrent", Box::new(AxisOp::Move(1, 2)), &inputs[2..3])?;
        let inputs = [heard[0], recurrent[0], states, cells];
        let states = graph.wire_node(prefix, Recurrence, &inputs)?;
        let mut outputs = tvec!(states[0]; self.nboutputs()?);
        if let Some(last) = self.onnx.optional_y_h_output {
            outputs[last] = states[1];
        }
        Ok(outputs)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use tract_onnx::pb::AttributeProto;
    use tract_onnx::pb::attribute_proto::AttributeType;

    use super::*;

    /// Numbers in [-1, 1) without a pattern that a mistaken order would keep.
    pub(in crate::model) fn numbers(shape: &[usize], seed: u32) -> Tensor {
        let mut state = seed;
        let values = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        });
        let values: Vec<f32> = values.take(shape.iter().product()).collect();
        Tensor::from_shape(shape, &values).unwrap()
    }

    /// A node with biases, first states and these outputs.
    fn plain(outputs: &[&str]) -> NodeProto {
        node(&["x", "w", "r", "b", "", "h", "c"], outputs)
    }

    fn node(inputs: &[&str], outputs: &[&str]) -> NodeProto {
        NodeProto {
            input: inputs.iter().map(ToString::to_string).collect(),
            output: outputs.iter().map(ToString::to_string).collect(),
            ..NodeProto::default()
        }
    }

    struct Sizes {
        directions: usize,
        units: usize,
        batch: usize,
        /// Of the weights; those of the input are 3.
        columns: usize,
        /// Whether there are first states and cells.
        begins: bool,
    }

    /// All outputs of an LSTM, read by this module or by tract alone, and whether it became a [`Recurrence`].
    fn outputs(by_tract: bool, names: &[&str], sizes: &Sizes) -> TractResult<(bool, Vec<Tensor>)> {
        let &Sizes { directions, units, batch, columns, begins } = sizes;
        let memory = Memory::of(&if begins { plain(names) } else { node(&["x", "w", "r", "b"], names) })?;
        let heard = [9, batch, 3];
        let mut graph = TypedModel::default();
        let mut inputs = vec![graph.add_source("x", f32::fact(heard))?];
        let gates = 4 * units;
        let shapes: [&[usize]; 5] = [
            &[directions, gates, columns],
            &[directions, gates, units],
            &[directions, 2 * gates],
            &[directions, batch, units],
            &[directions, batch, units],
        ];
        for (shape, seed) in shapes.into_iter().zip(1..).take(if begins { 5 } else { 3 }) {
            inputs.push(graph.add_const(format!("input {seed}"), numbers(shape, seed))?);
        }
        let wired = if by_tract {
            memory.onnx.wire("lstm", &mut graph, &inputs)?
        } else {
            memory.wire("lstm", &mut graph, &inputs)?
        };
        let is_one = graph.nodes.iter().any(|node| node.op_is::<Recurrence>());
        graph.select_output_outlets(&wired)?;
        let outputs = graph.into_optimized()?.into_runnable()?.run(tvec!(numbers(&heard, 9).into()))?;
        Ok((is_one, outputs.into_iter().map(|output| output.into_tensor()).collect()))
    }

    #[test]
    fn every_output_is_that_of_tracts_own_reading() {
        for (names, directions, units, batch, begins) in [
            (&["y"][..], 2, 64, 1, true),
            (&["y"], 1, 6, 1, true),
            (&["", "last"], 2, 5, 1, true),
            (&["y", "last"], 2, 7, 1, true),
            (&["", "last"], 1, 32, 1, true),
            (&["y", "last"], 2, 7, 2, true),
            (&["y", "last"], 2, 7, 1, false),
            (&["", "last"], 1, 6, 1, false),
        ] {
            let sizes = Sizes { directions, units, batch, columns: 3, begins };
            let (is_one, ours) = outputs(false, names, &sizes).unwrap();
            assert_eq!(is_one, batch == 1, "a batch is left to tract");
            let (_, theirs) = outputs(true, names, &sizes).unwrap();
            assert_eq!(ours.len(), names.iter().filter(|name| !name.is_empty()).count());
            for (ours, theirs) in ours.iter().zip(&theirs) {
                assert_eq!(ours.shape(), theirs.shape());
                let (ours, theirs) = (ours.to_plain_array_view::<f32>(), theirs.to_plain_array_view::<f32>());
                for (ours, theirs) in ours.unwrap().iter().zip(theirs.unwrap()) {
                    assert!(
                        (ours - theirs).abs() <= 1e-5,
                        "{ours} instead of {theirs}: sums in another order differ less"
                    );
                }
            }
        }
    }

    #[test]
    fn weights_for_other_columns_are_refused() {
        for (batch, columns) in [(1, 4), (1, 2), (2, 4)] {
            let sizes = Sizes { directions: 1, units: 2, batch, columns, begins: true };
            let error = outputs(false, &["y"], &sizes).unwrap_err().to_string();
            assert!(error.contains(&format!("weights for {columns} columns, 3 come")), "{error}");
        }
        assert!(
            outputs(false, &["y"], &Sizes { directions: 1, units: 0, batch: 1, columns: 3, begins: true }).is_err()
        );
    }

    #[test]
    fn another_kind_of_lstm_is_left_to_tract() {
        let is_plain = |node: &NodeProto| Memory::of(node).unwrap().plain.is_some();
        assert!(is_plain(&plain(&["y"])));
        assert!(!is_plain(&plain(&["y", "h", "c"])), "the last cell is asked for");
        assert!(is_plain(&node(&["x", "w", "r", "b"], &["y"])), "it starts from nothing");
        assert!(!is_plain(&node(&["x", "w", "r"], &["y"])), "it has no biases");
        assert!(!is_plain(&node(&["x", "w", "r", "b", "lengths", "h", "c"], &["y"])), "it has lengths");
        assert!(!is_plain(&node(&["x", "w", "r", "b", "", "h", "c", "p"], &["y"])), "cells look at gates");
    }

    #[test]
    fn what_tract_would_take_for_something_else_is_refused() {
        let text = |value: &str| AttributeProto {
            r#type: AttributeType::String.into(),
            s: value.into(),
            ..AttributeProto::default()
        };
        let texts = |values: [&str; 3]| AttributeProto {
            r#type: AttributeType::Strings.into(),
            strings: values.map(|value| value.as_bytes().to_vec()).to_vec(),
            ..AttributeProto::default()
        };
        let clip = AttributeProto { r#type: AttributeType::Float.into(), f: 3.0, ..AttributeProto::default() };
        let number = |i: i64| AttributeProto { r#type: AttributeType::Int.into(), i, ..AttributeProto::default() };
        for (name, value, is_understood) in [
            ("direction", text("bidirectional"), true),
            ("direction", text("reverse"), false),
            ("activations", texts(["sigmoid", "Tanh", "Tanh"]), true),
            ("activations", texts(["Sigmoid", "Relu", "Tanh"]), false),
            ("clip", clip, false),
            ("input_forget", number(0), true),
            ("input_forget", number(1), false),
        ] {
            let attribute = vec![AttributeProto { name: name.into(), ..value }];
            let memory = Memory::of(&NodeProto { attribute, ..plain(&["y"]) });
            assert_eq!(memory.is_ok(), is_understood, "{name}");
        }
    }
}
