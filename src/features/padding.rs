//! As many rows as the model takes.

use super::{FeatureMatrix, Padding};

/// Cuts or fills `matrix` to `frames` rows; of no rows at all, only zeros can come.
pub fn pad(matrix: FeatureMatrix, frames: usize, padding: Padding) -> FeatureMatrix {
    let columns = matrix.columns();
    let wanted = frames * columns;
    let mut values = matrix.into_values();
    let filled = values.len();
    if padding == Padding::Repeat && filled > 0 {
        values.reserve_exact(wanted.saturating_sub(filled));
        while values.len() < wanted {
            let more = filled.min(wanted - values.len());
            values.extend_from_within(..more);
        }
    }
    values.resize(wanted, 0.0);
    FeatureMatrix::new(columns, values)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn padded(frames: usize, padding: Padding) -> Vec<f32> {
        pad(FeatureMatrix::new(2, vec![1.0, 2.0, 3.0, 4.0]), frames, padding).into_values()
    }

    #[test]
    fn rows_are_cut_repeated_or_followed_by_zeros() {
        assert_eq!(padded(1, Padding::Repeat), [1.0, 2.0]);
        assert_eq!(padded(5, Padding::Repeat), [1.0, 2.0, 3.0, 4.0, 1.0, 2.0, 3.0, 4.0, 1.0, 2.0]);
        assert_eq!(padded(3, Padding::Zero), [1.0, 2.0, 3.0, 4.0, 0.0, 0.0]);
    }

    #[test]
    fn nothing_repeated_is_zeros() {
        assert_eq!(pad(FeatureMatrix::new(2, vec![]), 2, Padding::Repeat).values(), [0.0; 4]);
    }
}
