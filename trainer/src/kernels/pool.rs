//! Maximum and mean over stretches of time.

use burn::tensor::Tensor;
use rayon::prelude::*;

use super::operation::{Input, dense, record};

/// The maximum of each `size` frames; a last stretch may be shorter (Keras' `same` with strides of `size`).
///
/// `[batch, time, channels]` becomes `[batch, ceil(time / size), channels]`.
pub fn max_pool(input: Tensor<3>, size: usize) -> Tensor<3> {
    let [batch, time, channels] = input.dims();
    let pooled = time.div_ceil(size);
    let inputs = [Input::new(input)];
    let mut values = vec![0.0; batch * pooled * channels];
    let mut winners = vec![0_u32; values.len()];
    let samples = values.par_chunks_mut(pooled * channels).zip(winners.par_chunks_mut(pooled * channels));
    samples.zip(inputs[0].values().par_chunks(time * channels)).for_each(|((values, winners), sample)| {
        let outputs = values.chunks_exact_mut(channels).zip(winners.chunks_exact_mut(channels));
        for ((best, winner), (stretch, frames)) in outputs.zip(sample.chunks(size * channels).enumerate()) {
            for (frame, row) in frames.chunks_exact(channels).enumerate() {
                let place = (stretch * size + frame) as u32;
                for ((best, winner), value) in best.iter_mut().zip(winner.iter_mut()).zip(row) {
                    if frame == 0 || *value > *best {
                        (*best, *winner) = (*value, place);
                    }
                }
            }
        }
    });
    record(inputs, dense(values, [batch, pooled, channels]), move |grad, _| {
        let mut back = vec![0.0; batch * time * channels];
        let samples = back.par_chunks_mut(time * channels).zip(grad.par_chunks(pooled * channels));
        samples.zip(winners.par_chunks(pooled * channels)).for_each(|((back, grad), winners)| {
            for (index, (grad, winner)) in grad.iter().zip(winners).enumerate() {
                back[*winner as usize * channels + index % channels] += grad;
            }
        });
        [Some(dense(back, [batch, time, channels]))]
    })
}

/// The mean of each `size` frames; a last stretch may be shorter, and its mean is over what is there.
///
/// `[batch, time, channels]` becomes `[batch, ceil(time / size), channels]`.
pub fn average_pool(input: Tensor<3>, size: usize) -> Tensor<3> {
    let [batch, time, channels] = input.dims();
    let pooled = time.div_ceil(size);
    let inputs = [Input::new(input)];
    let mut values = vec![0.0; batch * pooled * channels];
    let samples = values.par_chunks_mut(pooled * channels).zip(inputs[0].values().par_chunks(time * channels));
    samples.for_each(|(values, sample)| {
        for (mean, frames) in values.chunks_exact_mut(channels).zip(sample.chunks(size * channels)) {
            let share = channels as f32 / frames.len() as f32;
            for row in frames.chunks_exact(channels) {
                mean.iter_mut().zip(row).for_each(|(mean, value)| *mean += share * value);
            }
        }
    });
    record(inputs, dense(values, [batch, pooled, channels]), move |grad, _| {
        let mut back = vec![0.0; batch * time * channels];
        let samples = back.par_chunks_mut(time * channels).zip(grad.par_chunks(pooled * channels));
        samples.for_each(|(back, grad)| {
            for (frames, grad) in back.chunks_mut(size * channels).zip(grad.chunks_exact(channels)) {
                let share = channels as f32 / frames.len() as f32;
                for row in frames.chunks_exact_mut(channels) {
                    row.iter_mut().zip(grad).for_each(|(back, grad)| *back = share * grad);
                }
            }
        });
        [Some(dense(back, [batch, time, channels]))]
    })
}
