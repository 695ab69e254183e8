//! Frames that count by their level, against the same written out in plain loops.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use burn::tensor::{Device, Tensor, TensorData};
use emotone_trainer::network::{Layer, LayerSpec, Mode, POOLED_WEIGHT_FLOOR, SPREAD_EPSILON, Signal};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

const FRAMES: usize = 13;
const CHANNELS: usize = 3;
/// Column of the level.
const LEVEL: usize = 2;

/// Two windows of random columns, their level in dB between -60 and 0.
fn windows(random: &mut StdRng) -> Vec<f32> {
    let rows = 0..2 * FRAMES;
    rows.flat_map(|_| [random.random_range(-2.0..2.0), random.random_range(3.0..9.0), random.random_range(-60.0..0.0)])
        .collect()
}

fn weighed(values: &[f32]) -> Signal {
    let data = TensorData::new(values.to_vec(), [2, FRAMES, CHANNELS]);
    forward(
        &LayerSpec::Weigh { column: LEVEL, line: [1.0 / 15.0, 40.0 / 15.0] },
        Signal::new(Tensor::from_data(data, &Device::flex())),
    )
}

fn forward(spec: &LayerSpec, signal: Signal) -> Signal {
    let layer = Layer::new(spec, signal.values.dims()[2], &mut StdRng::seed_from_u64(1), &Device::flex());
    layer.forward(signal, &mut Mode::Inference)
}

fn floats(tensor: Tensor<3>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

/// Weighted mean and deviation of a column of one window.
fn moments(values: &[f32], weights: &[f32], column: usize) -> (f32, f32) {
    let pairs = || values.chunks_exact(CHANNELS).map(|row| row[column]).zip(weights);
    let total: f32 = weights.iter().sum();
    let mean = pairs().map(|(value, weight)| value * weight).sum::<f32>() / total;
    let variance = pairs().map(|(value, weight)| (value - mean).powi(2) * weight).sum::<f32>() / total;
    (mean, variance.sqrt())
}

fn assert_close(ours: f32, expected: f32, what: &str) {
    assert!((ours - expected).abs() < 1e-4, "{what}: {ours} instead of {expected}");
}

#[test]
fn weights_go_from_the_loudest_frame_of_the_window_down() {
    let values = windows(&mut StdRng::seed_from_u64(3));
    let weights = floats(weighed(&values).weights.unwrap());
    for (window, weights) in values.chunks_exact(FRAMES * CHANNELS).zip(weights.chunks_exact(FRAMES)) {
        let level = |frame: usize| window[frame * CHANNELS + LEVEL];
        let highest = (0..FRAMES).map(level).fold(f32::MIN, f32::max);
        for (frame, weight) in weights.iter().enumerate() {
            assert_close(*weight, ((level(frame) - highest + 40.0) / 15.0).clamp(0.0, 1.0), "weight");
        }
        assert_eq!(weights.iter().copied().fold(0.0, f32::max), 1.0);
    }
    let quieter: Vec<f32> =
        values.iter().enumerate().map(|(place, x)| if place % CHANNELS == LEVEL { x - 20.0 } else { *x }).collect();
    for (one, other) in weights.iter().zip(floats(weighed(&quieter).weights.unwrap())) {
        assert_close(other, *one, "weight of the same in a quieter recording");
    }
}

#[test]
fn centring_counts_frames_by_weight() {
    let values = windows(&mut StdRng::seed_from_u64(4));
    let signal = weighed(&values);
    let weights = floats(signal.weights.clone().unwrap());
    let centre = |scaled| floats(forward(&LayerSpec::Centre { columns: 2, scaled }, signal.clone()).values);
    let (centred, scaled) = (centre(false), centre(true));
    for (window, (values, weights)) in
        values.chunks_exact(FRAMES * CHANNELS).zip(weights.chunks_exact(FRAMES)).enumerate()
    {
        for (frame, row) in values.chunks_exact(CHANNELS).enumerate() {
            let place = window * FRAMES + frame;
            for (column, value) in row.iter().enumerate() {
                let (mean, deviation) = moments(values, weights, column);
                let scale = (deviation.powi(2) + SPREAD_EPSILON).sqrt();
                let expected = if column < 2 { [value - mean, (value - mean) / scale] } else { [*value; 2] };
                assert_close(centred[place * CHANNELS + column], expected[0], "centred");
                assert_close(scaled[place * CHANNELS + column], expected[1], "centred and scaled");
            }
        }
    }
}

#[test]
fn pooling_counts_frames_by_the_mean_weight_of_what_became_them() {
    let values = windows(&mut StdRng::seed_from_u64(5));
    let halved = forward(&LayerSpec::AveragePool { size: 2 }, weighed(&values));
    let (pooled, weights) = (floats(halved.values.clone()), floats(halved.weights.clone().unwrap()));
    let frames = FRAMES.div_ceil(2);
    // Without hidden units there is no attention; mean, maximum and deviation come in this order.
    let spec = LayerSpec::TimePooling { attention: 0, mean: true, max: true, spread: true };
    let ours = floats(forward(&spec, halved).values);
    for window in 0..2 {
        let values = &pooled[window * frames * CHANNELS..][..frames * CHANNELS];
        let weights: Vec<f32> =
            weights[window * frames..][..frames].iter().map(|weight| weight + POOLED_WEIGHT_FLOOR).collect();
        for column in 0..CHANNELS {
            let (mean, deviation) = moments(values, &weights, column);
            let lowered = values.chunks_exact(CHANNELS).zip(&weights);
            let lowered = lowered.map(|(row, weight)| row[column] - 2.0 * (1.0 - (2.0 * weight).min(1.0)));
            let at = |part: usize| ours[(window * 3 + part) * CHANNELS + column];
            assert_close(at(0), mean, "mean");
            assert_close(at(1), lowered.fold(f32::MIN, f32::max), "maximum");
            assert_close(at(2), (deviation.powi(2) + SPREAD_EPSILON).sqrt(), "deviation");
        }
    }
}

#[test]
fn what_attention_gives_a_frame_is_multiplied_by_its_weight() {
    let spec = LayerSpec::TimePooling { attention: 4, mean: false, max: false, spread: false };
    let pool = |signal: Signal| floats(forward(&spec, signal).values);
    let values = windows(&mut StdRng::seed_from_u64(6));
    let signal = weighed(&values);
    let heard = pool(signal.clone());
    // Two equal frames of half the weight each are as one of the whole.
    let twice = Signal {
        values: Tensor::cat(vec![signal.values.clone(), signal.values.clone()], 1),
        weights: signal.weights.clone().map(|weights| {
            let half = (weights.clone() + POOLED_WEIGHT_FLOOR) * 0.5 - POOLED_WEIGHT_FLOOR;
            Tensor::cat(vec![half.clone(), half], 1)
        }),
    };
    for (one, other) in heard.iter().zip(pool(twice)) {
        assert_close(other, *one, "two halves");
    }
    let silent = Signal { weights: signal.weights.clone().map(|weights| weights * 0.0), ..signal.clone() };
    let unweighted = Signal::new(signal.values);
    for (one, other) in pool(unweighted).iter().zip(pool(silent)) {
        assert_close(other, *one, "all alike");
    }
}
