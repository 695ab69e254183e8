//! Features relative to their window, inside the network.

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};

use super::Signal;

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
    pub fn forward(&self, signal: Signal) -> Signal {
        let columns = signal.values.dims()[2];
        let device: Device = signal.values.device();
        let centred = signal.centred(signal.values.clone());
        let epsilon = Tensor::<3>::from_data(TensorData::new(self.epsilon.clone(), [1, 1, columns]), &device);
        let deviation = signal.mean(centred.clone().square()).sqrt() + epsilon;
        let standard = centred / deviation;
        if self.kept == 0 {
            return signal.with(standard);
        }
        let kept = signal.values.clone().narrow(2, columns - self.kept, self.kept);
        signal.with(Tensor::cat(vec![standard, kept], 2))
    }
}

/// Takes the mean over time off the first `columns`, and leaves the rest.
pub fn centre(signal: Signal, columns: usize) -> Signal {
    let width = signal.values.dims()[2];
    let centred = signal.centred(signal.values.clone().narrow(2, 0, columns));
    if columns == width {
        return signal.with(centred);
    }
    let rest = signal.values.clone().narrow(2, columns, width - columns);
    signal.with(Tensor::cat(vec![centred, rest], 2))
}
