//! Columns over time, and what is summed over them. All of it is inlined, to be compiled for the registers of its caller.

/// Added to the standard deviations of a correlation, so that columns that hardly move are hardly correlated; features
/// have a deviation of about 1.
pub const COUPLING_FLOOR: f32 = 0.1;

/// Weights over their sum and `floor`.
pub fn shares(mut weights: Vec<f32>, floor: f32) -> Vec<f32> {
    let total = weights.iter().sum::<f32>() + floor;
    weights.iter_mut().for_each(|weight| *weight /= total);
    weights
}

/// Roots of the products of the weights of frames `step` apart.
pub fn together(weights: &[f32], step: usize) -> Vec<f32> {
    weights.iter().zip(&weights[step.min(weights.len())..]).map(|(one, other)| (one * other).sqrt()).collect()
}

/// Rows of some columns, one a frame.
pub struct Frames {
    /// Row-major.
    pub x: Vec<f32>,
    /// Values in a row.
    pub columns: usize,
}

impl Frames {
    fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.x.chunks_exact(self.columns.max(1))
    }

    /// Mean of something of each value, by shares of the frames.
    #[inline(always)]
    pub fn mean(&self, shares: &[f32], of: impl Fn(f32, usize) -> f32) -> Vec<f32> {
        let mut sums = vec![0.0; self.columns];
        for (row, share) in self.rows().zip(shares) {
            for (column, (sum, value)) in sums.iter_mut().zip(row).enumerate() {
                *sum += share * of(*value, column);
            }
        }
        sums
    }

    /// Each value less something of its column.
    #[inline(always)]
    pub fn less(&self, of: impl Fn(usize) -> f32) -> Self {
        let offsets: Vec<f32> = (0..self.columns).map(of).collect();
        let mut x = self.x.clone();
        for row in x.chunks_exact_mut(self.columns.max(1)) {
            row.iter_mut().zip(&offsets).for_each(|(value, offset)| *value -= offset);
        }
        Self { x, columns: self.columns }
    }

    /// Each row less that `step` frames before.
    #[inline(always)]
    pub fn moved(&self, step: usize) -> Self {
        let later = self.x.get(step * self.columns..).unwrap_or_default();
        Self { x: later.iter().zip(&self.x).map(|(later, earlier)| later - earlier).collect(), columns: self.columns }
    }

    /// Some columns alone, in the order of `columns`.
    #[inline(always)]
    pub fn only(&self, columns: &[usize]) -> Self {
        let mut x = Vec::with_capacity(self.x.len() / self.columns.max(1) * columns.len());
        self.rows().for_each(|row| x.extend(columns.iter().map(|column| row[*column])));
        Self { x, columns: columns.len() }
    }

    /// Correlation of each column with each after it, by shares of the frames: `Σ s·a·b / ((σ(a) + floor)·(σ(b) + floor))`
    /// with [`COUPLING_FLOOR`]. The mean of each column by the same shares must be 0.
    #[inline(always)]
    pub fn correlations(&self, shares: &[f32]) -> Vec<f32> {
        let covariance = self.covariance(shares);
        let rows = || covariance.chunks_exact(self.columns.max(1)).enumerate();
        let scale: Vec<f32> = rows().map(|(column, row)| row[column].sqrt() + COUPLING_FLOOR).collect();
        let later = |(one, row): (usize, &[f32])| -> Vec<f32> {
            row.iter().zip(&scale).skip(one + 1).map(|(shared, other)| shared / (scale[one] * other)).collect()
        };
        rows().flat_map(later).collect()
    }

    /// `Σ s·a·b` of each column with each, row-major: their covariance, if the mean of each by the same shares is 0.
    #[inline(always)]
    pub fn covariance(&self, shares: &[f32]) -> Vec<f32> {
        let mut sums = vec![0.0; self.columns * self.columns];
        for (row, share) in self.rows().zip(shares) {
            for (sums, one) in sums.chunks_exact_mut(self.columns.max(1)).zip(row) {
                sums.iter_mut().zip(row).for_each(|(sum, other)| *sum += share * one * other);
            }
        }
        sums
    }

    /// What is best of something of each value and its frame's weight.
    #[inline(always)]
    pub fn extreme(
        &self,
        weights: &[f32],
        of: impl Fn(f32, f32) -> f32,
        better: impl Fn(f32, f32) -> f32,
        worst: f32,
    ) -> Vec<f32> {
        let mut best = vec![worst; self.columns];
        for (row, weight) in self.rows().zip(weights) {
            best.iter_mut().zip(row).for_each(|(best, value)| *best = better(*best, of(*value, *weight)));
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_that_move_together_are_correlated_where_frames_count() {
        // The third column moves against the first in the first four frames and with it afterwards; the second stays.
        let x = [
            [1.0, 0.0, -2.0],
            [-1.0, 0.0, 2.0],
            [1.0, 0.0, -2.0],
            [-1.0, 0.0, 2.0],
            [1.0, 0.0, 2.0],
            [-1.0, 0.0, -2.0],
        ];
        let frames = Frames { x: x.concat(), columns: 3 };
        let [first, last] = [[0.25, 0.25, 0.25, 0.25, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.5, 0.5]]
            .map(|shares| frames.correlations(&shares));
        // Deviations of 1 and 2, each with the floor.
        let all = 2.0 / ((1.0 + COUPLING_FLOOR) * (2.0 + COUPLING_FLOOR));
        // First and second, first and third, second and third.
        assert!((first[1] + all).abs() < 1e-6 && (last[1] - all).abs() < 1e-6, "{first:?} {last:?}");
        assert_eq!([first[0], first[2], last[0], last[2]], [0.0; 4]);
        assert_eq!(frames.only(&[2, 0]).correlations(&[0.25, 0.25, 0.25, 0.25, 0.0, 0.0]), [first[1]]);
    }
}
