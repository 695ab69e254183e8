//! Convolution over time as one matrix product on overlapping rows.
//!
//! With the samples of a batch one after the other, each with its padding, the inputs of consecutive outputs are rows that
//! overlap: row `t` begins `channels` values after row `t - 1` and is `width * channels` long. A matrix product takes
//! such rows as they lie, so nothing is copied out. The few rows that reach from one sample into the next are computed
//! and ignored.

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::backend::ops::FloatTensorOps;
use burn::tensor::Tensor;
use rayon::prelude::*;

use super::operation::{Input, dense, record, shared_product, slice};

/// Convolution along time with zero padding that keeps the length (Keras' `same`: the odd one more goes behind), plus
/// bias, and cut at zero if `relu`.
///
/// `input` has shape `[batch, time, channels]`, `kernel` `[width * channels, filters]` (Keras' `[width, channels, filters]`,
/// flattened), `bias` `[filters]`; the result `[batch, time, filters]`.
pub fn conv1d(input: Tensor<3>, kernel: Tensor<2>, bias: Tensor<1>, relu: bool) -> Tensor<3> {
    let [batch, time, channels] = input.dims();
    let [rows, filters] = kernel.dims();
    let width = rows / channels;
    let ahead = (width - 1) / 2;
    let inputs = [Input::new(input), Input::new(kernel), Input::new(bias)];
    let geometry = Geometry { batch, time, width };

    let padded = geometry.pad(inputs[0].values(), channels, ahead);
    let raw = shared_product(geometry.overlapping(padded.clone(), channels), inputs[1].tensor.clone());
    let offset = inputs[2].values();
    let mut values = vec![0.0; batch * time * filters];
    values.par_chunks_mut(time * filters).enumerate().for_each(|(sample, out)| {
        let from = sample * geometry.padded() * filters;
        out.copy_from_slice(&slice(&raw)[from..from + time * filters]);
        for row in out.chunks_exact_mut(filters) {
            for (value, offset) in row.iter_mut().zip(offset) {
                *value += offset;
                if relu {
                    *value = value.max(0.0);
                }
            }
        }
    });
    let output = dense(values, [batch, time, filters]);

    let (kernel, result) = (inputs[1].tensor.clone(), output.clone());
    record(inputs, output, move |grad, [input_needed, ..]| {
        let mut grad = grad.to_vec();
        if relu {
            for (grad, value) in grad.iter_mut().zip(slice(&result)) {
                *grad = if *value > 0.0 { *grad } else { 0.0 };
            }
        }
        let mut bias = vec![0.0; filters];
        for row in grad.chunks_exact(filters) {
            bias.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
        }
        let mut upstream = geometry.pad(&grad, filters, 0);
        upstream.truncate(geometry.rows() * filters);
        let upstream = dense(upstream, [geometry.rows(), filters]);
        let rows = geometry.overlapping(padded.clone(), channels).transpose(0, 1);
        let (for_kernel, for_bias) = (Some(shared_product(rows, upstream)), Some(dense(bias, [filters])));
        if !input_needed {
            return [None, for_kernel, for_bias];
        }
        let mirrored = mirror(slice(&kernel), width, channels, filters);
        let upstream = geometry.pad(&grad, filters, width - 1 - ahead);
        let spread = shared_product(geometry.overlapping(upstream, filters), mirrored);
        let for_input = dense(geometry.unpad(slice(&spread), channels), [batch, time, channels]);
        [Some(for_input), for_kernel, for_bias]
    })
}

#[derive(Clone, Copy)]
struct Geometry {
    batch: usize,
    time: usize,
    width: usize,
}

impl Geometry {
    /// Frames of a sample with its padding.
    fn padded(&self) -> usize {
        self.time + self.width - 1
    }

    /// Overlapping rows of the whole batch.
    fn rows(&self) -> usize {
        self.batch * self.padded() - (self.width - 1)
    }

    /// Puts `ahead` frames of zeros before each sample, and the rest of the padding behind it.
    fn pad(&self, values: &[f32], columns: usize, ahead: usize) -> Vec<f32> {
        let mut padded = vec![0.0; self.batch * self.padded() * columns];
        let samples = padded.par_chunks_mut(self.padded() * columns).zip(values.par_chunks(self.time * columns));
        samples.for_each(|(padded, sample)| {
            padded[ahead * columns..(ahead + self.time) * columns].copy_from_slice(sample);
        });
        padded
    }

    /// The first `time` rows of each sample.
    fn unpad(&self, rows: &[f32], columns: usize) -> Vec<f32> {
        let mut values = vec![0.0; self.batch * self.time * columns];
        values.par_chunks_mut(self.time * columns).enumerate().for_each(|(sample, out)| {
            let from = sample * self.padded() * columns;
            out.copy_from_slice(&rows[from..from + self.time * columns]);
        });
        values
    }

    /// A view of `[rows, width * columns]` on padded values.
    fn overlapping(&self, padded: Vec<f32>, columns: usize) -> FlexTensor {
        let length = padded.len();
        Flex::float_unfold(dense(padded, [length]), 0, self.width * columns, columns)
    }
}

/// The kernel that carries gradients back: taps in reverse order, each transposed.
fn mirror(kernel: &[f32], width: usize, channels: usize, filters: usize) -> FlexTensor {
    let mut mirrored = vec![0.0; kernel.len()];
    for tap in 0..width {
        for channel in 0..channels {
            for filter in 0..filters {
                let target = ((width - 1 - tap) * filters + filter) * channels + channel;
                mirrored[target] = kernel[(tap * channels + channel) * filters + filter];
            }
        }
    }
    dense(mirrored, [width * filters, channels])
}
