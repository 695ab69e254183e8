//! The fused operations against the same thing written out in burn's own operations: values and gradients.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

use burn::module::Param;
use burn::tensor::activation::{relu, sigmoid, tanh};
use burn::tensor::module::conv1d as burn_conv1d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Distribution, Tensor, TensorData};
use emotone_trainer::kernels::{LstmOptions, average_pool, batch_norm, conv1d, lstm, max_pool};

const CLOSE: f32 = 2e-5;

fn device() -> Device {
    Device::flex().autodiff()
}

/// Numbers in [-1, 1] that follow no pattern, the same on every run.
fn numbers<const D: usize>(shape: [usize; D], seed: u32) -> Tensor<D> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    let values = (0..shape.iter().product()).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    });
    let data = TensorData::new(values.collect::<Vec<f32>>(), shape);
    Tensor::<D>::from_data(data, &device()).require_grad()
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

fn assert_close(ours: &[f32], theirs: &[f32], what: &str) {
    assert_eq!(ours.len(), theirs.len(), "{what}");
    let largest = ours.iter().zip(theirs).map(|(a, b)| (a - b).abs() / (1.0 + b.abs())).fold(0.0, f32::max);
    assert!(largest < CLOSE, "{what}: largest difference {largest:e}");
}

/// Compares outputs, and the gradients that a weighted sum of them gives to the inputs.
macro_rules! assert_same {
    ($what:expr, $ours:expr, $theirs:expr, [$($input:expr),*]) => {{
        let (ours, theirs) = ($ours, $theirs);
        let weights = numbers(ours.dims(), 99).detach();
        assert_close(&values(ours.clone()), &values(theirs.clone()), $what);
        let (ours, theirs) = ((ours * weights.clone()).sum().backward(), (theirs * weights).sum().backward());
        $({
            let (ours, theirs) = ($input.grad(&ours).unwrap(), $input.grad(&theirs).unwrap());
            assert_close(&values(ours), &values(theirs), concat!("gradient of ", stringify!($input)));
        })*
    }};
}

#[test]
fn convolution_equals_burns() {
    for (batch, time, channels, filters, width, cut) in
        [(3, 10, 4, 5, 3, true), (2, 7, 3, 6, 4, false), (1, 1, 2, 2, 5, true), (4, 9, 5, 3, 1, false)]
    {
        let x = numbers([batch, time, channels], 1);
        let kernel = numbers([width * channels, filters], 2);
        let bias = numbers([filters], 3);
        let ours = conv1d(x.clone(), kernel.clone(), bias.clone(), cut);
        let ahead = (width - 1) / 2;
        let options = ConvOptions::new_with_padding([1], [(ahead, width - 1 - ahead)], [1], 1);
        let weight = kernel.clone().reshape([width, channels, filters]).permute([2, 1, 0]);
        let theirs = burn_conv1d(x.clone().swap_dims(1, 2), weight, Some(bias.clone()), options).swap_dims(1, 2);
        let theirs = if cut { relu(theirs) } else { theirs };
        assert_same!("convolution", ours, theirs, [x, kernel, bias]);
    }
}

#[test]
fn pooling_takes_the_maximum_of_each_stretch() {
    let x = numbers([3, 8, 5], 4);
    let theirs = x.clone().reshape([3, 4, 2, 5]).max_dim(2).reshape([3, 4, 5]);
    assert_same!("even length", max_pool(x.clone(), 2), theirs, [x]);
    let x = numbers([2, 7, 3], 5);
    let last = x.clone().narrow(1, 6, 1);
    let full = x.clone().narrow(1, 0, 6).reshape([2, 3, 2, 3]).max_dim(2).reshape([2, 3, 3]);
    assert_same!("odd length", max_pool(x.clone(), 2), Tensor::cat(vec![full, last], 1), [x]);
}

#[test]
fn averages_leave_out_what_is_not_there() {
    let x = numbers([2, 7, 3], 11);
    let last = x.clone().narrow(1, 6, 1);
    let full = x.clone().narrow(1, 0, 6).reshape([2, 3, 2, 3]).mean_dim(2).reshape([2, 3, 3]);
    assert_same!("average", average_pool(x.clone(), 2), Tensor::cat(vec![full, last], 1), [x]);
}

#[test]
fn batch_normalization_uses_and_differentiates_the_batch_moments() {
    let x = numbers([5, 300, 4], 6);
    let (gamma, beta) = (numbers([4], 7), numbers([4], 8));
    let (ours, moments) = batch_norm(x.clone(), gamma.clone(), beta.clone(), 1e-3);
    let rows = x.clone().reshape([1500, 4]);
    let mean = rows.clone().mean_dim(0);
    let variance = (rows.clone() - mean.clone()).square().mean_dim(0);
    assert_close(&moments.mean, &values(mean.clone()), "mean");
    assert_close(&moments.variance, &values(variance.clone()), "variance");
    let normal = (rows - mean) / (variance + 1e-3).sqrt();
    let theirs = (normal * gamma.clone().unsqueeze() + beta.clone().unsqueeze()).reshape([5, 300, 4]);
    assert_same!("batch normalization", ours, theirs, [x, gamma, beta]);
}

/// The cell written out, gate by gate and step by step.
fn plain_lstm(gates: Tensor<3>, recurrent: Tensor<2>, backwards: bool, mask: Option<Vec<f32>>) -> Tensor<3> {
    let [batch, time, _] = gates.dims();
    let units = recurrent.dims()[0];
    let zeros = Tensor::<2>::zeros([batch, units], &device());
    let mask = mask.map(|mask| Tensor::<2>::from_data(TensorData::new(mask, [batch, units]), &device()));
    let (mut state, mut cell) = (zeros.clone(), zeros);
    let mut states = vec![None; time];
    for step in 0..time {
        let frame = if backwards { time - 1 - step } else { step };
        let recalled = match &mask {
            Some(mask) => state * mask.clone(),
            None => state,
        };
        let sum = gates.clone().narrow(1, frame, 1).squeeze_dim::<2>(1) + recalled.matmul(recurrent.clone());
        let part = |gate: usize| sum.clone().narrow(1, gate * units, units);
        cell = sigmoid(part(1)) * cell + sigmoid(part(0)) * tanh(part(2));
        state = sigmoid(part(3)) * tanh(cell.clone());
        states[frame] = Some(state.clone());
    }
    Tensor::stack(states.into_iter().flatten().collect(), 1)
}

#[test]
fn memory_equals_the_cell_written_out() {
    let (batch, time, units) = (5, 6, 3);
    let gates = numbers([batch, time, 4 * units], 9);
    let recurrent = numbers([units, 4 * units], 10);
    let mask: Vec<f32> = (0..batch * units).map(|index| if index % 4 == 0 { 0.0 } else { 1.25 }).collect();
    for backwards in [false, true] {
        for mask in [None, Some(mask.clone())] {
            let ours = lstm(gates.clone(), recurrent.clone(), LstmOptions { backwards, mask: mask.clone() });
            let theirs = plain_lstm(gates.clone(), recurrent.clone(), backwards, mask);
            assert_same!("memory", ours, theirs, [gates, recurrent]);
        }
    }
}

#[test]
fn operations_work_without_autodiff_too() {
    let plain = |shape| Tensor::<3>::random(shape, Distribution::Default, &Device::flex());
    let recurrent = Param::from_tensor(Tensor::<2>::zeros([2, 8], &Device::flex()));
    let states = lstm(plain([2, 4, 8]), recurrent.val(), LstmOptions::default());
    assert_eq!(states.dims(), [2, 4, 2]);
    assert_eq!(max_pool(plain([1, 5, 3]), 2).dims(), [1, 3, 3]);
}
