//! Training or not.

use burn::tensor::{Device, Tensor, TensorData};
use rand::RngExt;
use rand::rngs::StdRng;

/// What layers that behave differently in training need to know.
pub enum Mode<'a> {
    /// Dropout and batch moments, with this source of chance.
    Training(&'a mut StdRng),
    /// As the finished model.
    Inference,
}

impl Mode<'_> {
    /// Values that are 0 with probability `rate` and else `1 / (1 - rate)`; `None` if nothing is to be dropped.
    pub fn mask(&mut self, rate: f32, length: usize) -> Option<Vec<f32>> {
        match self {
            Self::Training(random) if rate > 0.0 => {
                let kept = 1.0 / (1.0 - rate);
                Some((0..length).map(|_| if random.random::<f32>() < rate { 0.0 } else { kept }).collect())
            }
            _ => None,
        }
    }

    /// Multiplies with such a mask of `shape`, which must be the tensor's but for ones.
    pub fn drop(&mut self, input: Tensor<3>, rate: f32, shape: [usize; 3]) -> Tensor<3> {
        match self.mask(rate, shape.iter().product()) {
            Some(mask) => {
                let device: Device = input.device();
                input * Tensor::from_data(TensorData::new(mask, shape), &device)
            }
            None => input,
        }
    }
}
