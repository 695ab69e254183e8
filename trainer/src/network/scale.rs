//! The units of what reaches a network.

use emotone::features::{FeatureSpec, Normalization};

/// What was taken off a column before it reached the network, and what it was divided by then. Cepstra that were
/// standardized by their own recording are left in that unit: 0 and 1.
pub fn scale(features: &FeatureSpec, column: usize) -> (f32, f32) {
    match &features.normalization {
        Normalization::Global { mean, std } => {
            (mean.get(column).copied().unwrap_or(0.0), std.get(column).copied().unwrap_or(1.0))
        }
        Normalization::Recording { .. } => {
            let further = column.checked_sub(features.n_mfcc).and_then(|place| features.columns.get(place));
            further.map_or((0.0, 1.0), |column| column.typical())
        }
    }
}
