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
    let zeros = vec![0.0; channels];
    let [sums, _] = column_sums(values, values, &zeros);
    let mean: Vec<f32> = sums.iter().map(|sum| sum / count).collect();
    let [_, squares] = column_sums(values, values, &mean);
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
        let [for_beta, with_distance] = column_sums(grad, values, &mean);
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

/// For each column, the sum of `weights`, and the sum of `weights` times the distance of `values` from `center`, where
/// the distance is also taken of the weights themselves if both are the same slice.
fn column_sums(weights: &[f32], values: &[f32], center: &[f32]) -> [Vec<f32>; 2] {
    let channels = center.len();
    let own = std::ptr::eq(weights, values);
    let parts: Vec<[Vec<f32>; 2]> = weights
        .par_chunks(ROWS * channels)
        .zip(values.par_chunks(ROWS * channels))
        .map(|(weights, values)| {
            let (mut plain, mut distant) = (vec![0.0; channels], vec![0.0; channels]);
            for (weights, values) in weights.chunks_exact(channels).zip(values.chunks_exact(channels)) {
                for channel in 0..channels {
                    let distance = values[channel] - center[channel];
                    plain[channel] += weights[channel];
                    distant[channel] += distance * if own { distance } else { weights[channel] };
                }
            }
            [plain, distant]
        })
        .collect();
    let mut sums = [vec![0.0; channels], vec![0.0; channels]];
    for part in &parts {
        for (sum, part) in sums.iter_mut().zip(part) {
            sum.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
        }
    }
    sums
}
