//! First weights, as Keras draws them.

use burn::module::Param;
use burn::tensor::{Device, Tensor, TensorData};
use rand::rngs::StdRng;
use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

/// Glorot's uniform distribution: in ±sqrt(6 / (`fan_in` + `fan_out`)).
pub fn glorot_uniform(
    shape: [usize; 2],
    fan_in: usize,
    fan_out: usize,
    random: &mut StdRng,
    device: &Device,
) -> Param<Tensor<2>> {
    let limit = (6.0 / (fan_in + fan_out) as f32).sqrt();
    let values = (0..shape[0] * shape[1]).map(|_| random.random_range(-limit..limit)).collect();
    parameter(values, shape, device)
}

/// A matrix of `[rows, columns]`, no more rows than columns, whose rows are orthonormal: normal random vectors, each freed
/// of the others (Gram-Schmidt).
pub fn orthogonal([rows, columns]: [usize; 2], random: &mut impl Rng, device: &Device) -> Param<Tensor<2>> {
    let mut basis: Vec<Vec<f64>> = Vec::with_capacity(rows);
    while basis.len() < rows.min(columns) {
        let mut vector: Vec<f64> = (0..columns).map(|_| random.sample(StandardNormal)).collect();
        // Twice, for the first pass leaves rounding errors of what it takes away.
        for _ in 0..2 {
            for other in &basis {
                let along: f64 = vector.iter().zip(other).map(|(a, b)| a * b).sum();
                vector.iter_mut().zip(other).for_each(|(value, other)| *value -= along * other);
            }
        }
        let length = vector.iter().map(|value| value * value).sum::<f64>().sqrt();
        if length > 1e-6 {
            vector.iter_mut().for_each(|value| *value /= length);
            basis.push(vector);
        }
    }
    parameter(basis.concat().into_iter().map(|value| value as f32).collect(), [rows, columns], device)
}

/// The same value everywhere.
pub fn constant(value: f32, length: usize, device: &Device) -> Param<Tensor<1>> {
    parameter(vec![value; length], [length], device)
}

/// A parameter of `values`, row-major.
pub fn parameter<const D: usize>(values: Vec<f32>, shape: [usize; D], device: &Device) -> Param<Tensor<D>> {
    Param::from_data(TensorData::new(values, shape), device)
}
