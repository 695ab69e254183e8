//! Features relative to their window, inside the network.

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};

/// `(x - mean) / (deviation + epsilon)` of each column over time, and the last columns once more as they are.
#[derive(Module, Debug)]
pub struct Standardize {
    /// Added to each column's deviation.
    #[module(skip)]
    pub epsilon: Vec<f32>,
    /// Last columns that follow once more as they are.
    #[module(skip)]
    pub kept: usize,
}

impl Standardize {
    /// `[batch, frames, columns + kept]`.
    pub fn forward(&self, input: Tensor<3>) -> Tensor<3> {
        let columns = input.dims()[2];
        let device: Device = input.device();
        let centred = input.clone() - input.clone().mean_dim(1);
        let epsilon = Tensor::<3>::from_data(TensorData::new(self.epsilon.clone(), [1, 1, columns]), &device);
        let deviation = centred.clone().square().mean_dim(1).sqrt() + epsilon;
        let standard = centred / deviation;
        if self.kept == 0 {
            return standard;
        }
        Tensor::cat(vec![standard, input.narrow(2, columns - self.kept, self.kept)], 2)
    }
}

/// Takes the mean over time off the first `columns`, and leaves the rest.
pub fn centre(input: Tensor<3>, columns: usize) -> Tensor<3> {
    let width = input.dims()[2];
    let first = input.clone().narrow(2, 0, columns);
    let centred = first.clone() - first.mean_dim(1);
    if columns == width { centred } else { Tensor::cat(vec![centred, input.narrow(2, columns, width - columns)], 2) }
}
