//! Batch normalization with the batch's own moments.

use burn::tensor::Tensor;
use rayon::prelude::*;

use super::operation::{Input, dense, record, slice};

/// Rows that one core sums up before partial sums are joined, in a fixed order so that runs repeat exactly.
const ROWS: usize = 512;

/// Mean and biased variance of each channel over a batch.
pub struct BatchMoments {
    /// Mean.
    pub mean: Vec<f32>,
    /// Mean squared distance from the mean.
    pub variance: Vec<f32>,
}

/// `(x - mean) / sqrt(variance + epsilon) * gamma + beta` with moments over batch and time of each channel.
///
/// `input` has shape `[batch, time, channels]`, `gamma` and `beta` `[channels]`.
pub fn batch_norm(input: Tensor<3>, gamma: Tensor<1>, beta: Tensor<1>, epsilon: f32) -> (Tensor<3>, BatchMoments) {
    let [batch, time, channels] = input.dims();
    let count = (batch * time) as f32;
    let inputs = [Input::new(input), Input::new(gamma), Input::new(beta)];
    let values = inputs[0].values();
    let [sums] = column_sums(values, channels, |[sums], _, row| {
        sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
    });
    let mean: Vec<f32> = sums.iter().map(|sum| sum / count).collect();
    let [squares] = column_sums(values, channels, |[squares], _, row| {
        for ((square, value), mean) in squares.iter_mut().zip(row).zip(&mean) {
            *square += (value - mean) * (value - mean);
        }
    });
    let variance: Vec<f32> = squares.iter().map(|sum| sum / count).collect();
    let scale: Vec<f32> = variance.iter().map(|variance| 1.0 / (variance + epsilon).sqrt()).collect();

    let (gammas, betas) = (inputs[1].values().to_vec(), inputs[2].values());
    let mut output = vec![0.0; values.len()];
    output.par_chunks_mut(ROWS * channels).zip(values.par_chunks(ROWS * channels)).for_each(|(output, values)| {
        for (output, row) in output.chunks_exact_mut(channels).zip(values.chunks_exact(channels)) {
            for channel in 0..channels {
                let normal = (row[channel] - mean[channel]) * scale[channel];
                output[channel] = normal * gammas[channel] + betas[channel];
            }
        }
    });

    let moments = BatchMoments { mean: mean.clone(), variance };
    let kept = inputs[0].tensor.clone();
    let output = record(inputs, dense(output, [batch, time, channels]), move |grad, _| {
        let values = slice(&kept);
        let [for_beta, with_distance] = column_sums(grad, channels, |[sums, with_distance], row, grad| {
            let values = &values[row * channels..][..channels];
            for channel in 0..channels {
                sums[channel] += grad[channel];
                with_distance[channel] += grad[channel] * (values[channel] - mean[channel]);
            }
        });
        let for_gamma: Vec<f32> = with_distance.iter().zip(&scale).map(|(sum, scale)| sum * scale).collect();
        let mut back = vec![0.0; values.len()];
        let rows = back.par_chunks_mut(ROWS * channels).zip(values.par_chunks(ROWS * channels));
        rows.zip(grad.par_chunks(ROWS * channels)).for_each(|((back, values), grad)| {
            let rows = back.chunks_exact_mut(channels).zip(values.chunks_exact(channels));
            for ((back, row), grad) in rows.zip(grad.chunks_exact(channels)) {
                for channel in 0..channels {
                    let normal = (row[channel] - mean[channel]) * scale[channel];
                    let through_moments = (for_beta[channel] + normal * for_gamma[channel]) / count;
                    back[channel] = gammas[channel] * scale[channel] * (grad[channel] - through_moments);
                }
            }
        });
        let moments = [for_gamma, for_beta].map(|values| Some(dense(values, [channels])));
        let [for_gamma, for_beta] = moments;
        [Some(dense(back, [batch, time, channels])), for_gamma, for_beta]
    });
    (output, moments)
}

/// `N` sums over the rows of `values` for each of `channels` columns; `add` adds a row, given with its number, to them.
fn column_sums<const N: usize>(
    values: &[f32],
    channels: usize,
    add: impl Fn(&mut [Vec<f32>; N], usize, &[f32]) + Sync,
) -> [Vec<f32>; N] {
    let zeros = || std::array::from_fn(|_| vec![0.0; channels]);
    let parts: Vec<[Vec<f32>; N]> = values
        .par_chunks(ROWS * channels)
        .enumerate()
        .map(|(part, values)| {
            let mut sums = zeros();
            values
                .chunks_exact(channels)
                .enumerate()
                .for_each(|(row, values)| add(&mut sums, part * ROWS + row, values));
            sums
        })
        .collect();
    let mut sums = zeros();
    for part in &parts {
        for (sum, part) in sums.iter_mut().zip(part) {
            sum.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
        }
    }
    sums
}
