//! A step of burn's tape whose gradient is a closure over plain slices.

use std::fmt;
use std::sync::Arc;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, NodeGuard, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::ops::FloatTensorOps;
use burn::backend::{Autodiff, Flex};
use burn::tensor::{Tensor, TensorData};
use rayon::prelude::*;

/// A tensor taken apart: its values, contiguous, and its place on the tape if it has one.
pub struct Input {
    /// The values.
    pub tensor: FlexTensor,
    guard: Option<NodeGuard>,
}

impl Input {
    /// Takes a tensor of the flex backend, with or without autodiff.
    pub fn new<const D: usize>(tensor: Tensor<D>) -> Self {
        if tensor.is_autodiff()
            && let Ok(primitive) = tensor.clone().try_into_primitive::<Autodiff<Flex>>()
        {
            let (values, guard) = primitive.into_parts();
            return Self { tensor: contiguous(values), guard: Some(guard) };
        }
        Self { tensor: matrix(tensor.inner().into_data()), guard: None }
    }

    /// The values, row-major.
    pub fn values(&self) -> &[f32] {
        slice(&self.tensor)
    }
}

/// Values of a contiguous tensor, row-major.
pub fn slice(tensor: &FlexTensor) -> &[f32] {
    tensor.as_slice().unwrap_or_default()
}

/// A tensor of `values`.
pub fn dense<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> FlexTensor {
    matrix(TensorData::new(values, shape))
}

fn matrix(data: TensorData) -> FlexTensor {
    FlexTensor::from_data(data)
}

fn contiguous(tensor: FlexTensor) -> FlexTensor {
    if tensor.as_slice::<f32>().is_some() { tensor } else { tensor.to_contiguous() }
}

/// Multiplications below which one core does a product alone.
const WORTH_SHARING: usize = 1 << 20;

/// The product of two matrices.
pub fn product(left: FlexTensor, right: FlexTensor) -> FlexTensor {
    contiguous(Flex::float_matmul(left, right))
}

/// The product of two matrices, the rows of the first shared among all cores where that pays.
pub fn shared_product(left: FlexTensor, right: FlexTensor) -> FlexTensor {
    let (rows, inner) = (left.layout().shape()[0], left.layout().shape()[1]);
    let columns = right.layout().shape()[1];
    let part = rows.div_ceil(rayon::current_num_threads());
    if part == rows || rows * inner * columns < WORTH_SHARING {
        return product(left, right);
    }
    let mut values = vec![0.0; rows * columns];
    values.par_chunks_mut(part * columns).enumerate().for_each(|(index, values)| {
        let from = index * part;
        let some = left.narrow(0, from, part.min(rows - from));
        values.copy_from_slice(slice(&product(some, right.clone())));
    });
    dense(values, [rows, columns])
}

/// Puts an output on the tape of its inputs, which are all on one or none of them. `pullback` is given the gradient of the output, row-major, and which
/// inputs need theirs, and returns those in the inputs' shapes; what is not needed may be `None`.
pub fn record<const N: usize, const D: usize>(
    inputs: [Input; N],
    output: FlexTensor,
    pullback: impl Fn(&[f32], [bool; N]) -> [Option<FlexTensor>; N] + Send + Sync + 'static,
) -> Tensor<D> {
    let guards: Vec<NodeGuard> = inputs.into_iter().filter_map(|input| input.guard).collect();
    let guarded = guards.len();
    let Ok(guards) = <[NodeGuard; N]>::try_from(guards) else {
        assert!(guarded == 0, "{guarded} of {N} inputs are on a tape: the others would get no gradient");
        return Tensor::from_primitive::<Flex>(output);
    };
    let recorded = match Custom.prepare::<NoCheckpointing>(guards).compute_bound().stateful() {
        OpsKind::Tracked(prepared) => prepared.finish(State(Arc::new(pullback)), output),
        OpsKind::UnTracked(prepared) => prepared.finish(output),
    };
    Tensor::from_primitive::<Autodiff<Flex>>(recorded)
}

type Pullback<const N: usize> = dyn Fn(&[f32], [bool; N]) -> [Option<FlexTensor>; N] + Send + Sync;

#[derive(Clone)]
struct State<const N: usize>(Arc<Pullback<N>>);

impl<const N: usize> fmt::Debug for State<N> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("State")
    }
}

#[derive(Debug)]
struct Custom;

impl<const N: usize> Backward<Flex, N> for Custom {
    type State = State<N>;

    fn backward(self, ops: Ops<Self::State, N>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = contiguous(grads.consume::<Flex>(&ops.node));
        let needed = ops.parents.each_ref().map(Option::is_some);
        let results = (ops.state.0)(slice(&grad), needed);
        for (parent, result) in ops.parents.into_iter().zip(results) {
            if let (Some(node), Some(result)) = (parent, result) {
                grads.register::<Flex>(node.id, result);
            }
        }
    }
}
