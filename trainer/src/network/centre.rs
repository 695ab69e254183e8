//! Features relative to their window, inside the network.

use burn::module::Module;
use burn::tensor::Tensor;

use super::Signal;

/// Takes the mean over time off the first columns and leaves the rest.
#[derive(Module, Debug)]
pub struct Centre {
    /// How many.
    #[module(skip)]
    pub columns: usize,
    /// Divides them by their deviation over time, too.
    #[module(skip)]
    pub scaled: bool,
}

impl Centre {
    /// The same frames with other values.
    pub fn forward(&self, signal: Signal) -> Signal {
        let width = signal.values.dims()[2];
        let mut relative = signal.centred(signal.values.clone().narrow(2, 0, self.columns));
        if self.scaled {
            relative = relative.clone() / signal.deviation(relative);
        }
        if self.columns == width {
            return signal.with(relative);
        }
        let rest = signal.values.clone().narrow(2, self.columns, width - self.columns);
        signal.with(Tensor::cat(vec![relative, rest], 2))
    }
}
