//! Features relative to their window, inside the network.

use burn::tensor::Tensor;

use super::Signal;

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
