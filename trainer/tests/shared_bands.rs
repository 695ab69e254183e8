//! Layers that are shared along the mel axis, against the same written out in plain loops.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use burn::tensor::{Device, Tensor, TensorData};
use emotone::features::Dct;
use emotone_trainer::network::{Layer, LayerSpec, Mode, Signal};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

const BATCH: usize = 2;
const FRAMES: usize = 3;

fn random(count: usize) -> Vec<f32> {
    let mut random = StdRng::seed_from_u64(8);
    (0..count).map(|_| random.random_range(-2.0..2.0)).collect()
}

/// What a layer makes of `[batch, FRAMES, channels]`, and the shape of that.
fn forward(spec: &LayerSpec, values: &[f32], channels: usize) -> (Vec<f32>, [usize; 3]) {
    let data = TensorData::new(values.to_vec(), [values.len() / FRAMES / channels, FRAMES, channels]);
    let layer = Layer::new(spec, channels, &mut StdRng::seed_from_u64(1), &Device::flex());
    let signal = Signal::new(Tensor::from_data(data, &Device::flex()));
    let output = layer.forward(signal, &mut Mode::Inference).values;
    let shape = output.dims();
    assert_eq!(spec.output([FRAMES, channels]), [shape[1], shape[2]]);
    (output.into_data().iter::<f32>().collect(), shape)
}

#[test]
fn bands_come_back_from_all_their_cepstra_and_other_columns_stay() {
    let (bands, others) = (6, 2);
    let scales: Vec<f32> = (1..=bands).map(|scale| scale as f32).collect();
    let dct = Dct::new(bands, bands);
    let (mut input, mut expected) = (Vec::new(), Vec::<f32>::new());
    for row in random(BATCH * FRAMES * (bands + others)).chunks_exact(bands + others) {
        let mut cepstrum = vec![0.0; bands];
        let decibels: Vec<f32> = row[..bands].iter().map(|level| level * 10.0).collect();
        dct.apply(&decibels, &mut cepstrum);
        input.extend(cepstrum.iter().zip(&scales).map(|(value, scale)| value / scale));
        input.extend(&row[bands..]);
        expected.extend(row);
    }
    let (output, _) = forward(&LayerSpec::Spectrum { bands, scales }, &input, bands + others);
    for (ours, expected) in output.iter().zip(expected) {
        assert!((ours - expected).abs() < 1e-4, "{ours} instead of {expected}");
    }
}

#[test]
fn groups_go_apart_and_together() {
    let (bands, others, size, step) = (7, 1, 3, 2);
    let channels = bands + others;
    let input = random(BATCH * FRAMES * channels);
    let groups = 3;
    let width = size + others;
    let (apart, shape) = forward(&LayerSpec::Split { bands, size, step }, &input, channels);
    assert_eq!(shape, [BATCH * groups, FRAMES, width]);
    let of_group = |example: usize, group: usize, frame: usize, channel: usize| {
        let column = if channel < size { group * step + channel } else { bands + channel - size };
        input[(example * FRAMES + frame) * channels + column]
    };
    for (place, value) in apart.iter().enumerate() {
        let (channel, frame, group) = (place % width, place / width % FRAMES, place / width / FRAMES);
        assert_eq!(*value, of_group(group / groups, group % groups, frame, channel));
    }

    let (span, every) = (2, 1);
    let (pairs, shape) = forward(&LayerSpec::Regroup { groups, span, step: every }, &apart, width);
    assert_eq!(shape, [BATCH * 2, FRAMES, span * width]);
    for (place, value) in pairs.iter().enumerate() {
        let (channel, member) = (place % width, place / width % span);
        let (frame, pair) = (place / width / span % FRAMES, place / width / span / FRAMES);
        assert_eq!(*value, of_group(pair / 2, pair % 2 * every + member, frame, channel));
    }

    let (joined, shape) = forward(&LayerSpec::Join { groups }, &apart, width);
    assert_eq!(shape, [BATCH, FRAMES, groups * width]);
    for (place, value) in joined.iter().enumerate() {
        let (channel, group) = (place % width, place / width % groups);
        let (frame, example) = (place / width / groups % FRAMES, place / width / groups / FRAMES);
        assert_eq!(*value, of_group(example, group, frame, channel));
    }
}
