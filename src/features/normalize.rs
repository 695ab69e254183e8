//! Standardization: every column around 0, with a spread of about 1.

use super::{FeatureMatrix, FeatureSpec, Normalization};

/// Standardizes the rows of `matrix` in place, as `spec.normalization` says.
///
/// Figures of the recording itself standardize the cepstral coefficients alone. The further columns are relative by
/// definition or absolute on purpose (a voice's pitch would vanish with its own mean), so they are brought to scale by
/// the fixed figures of [`Column::typical`](super::Column::typical).
pub fn standardize(matrix: &mut FeatureMatrix, spec: &FeatureSpec) {
    match &spec.normalization {
        Normalization::Global { mean, std } => scale(matrix, mean, std),
        Normalization::Recording { epsilon } => {
            let mut stats = RunningStats::new(matrix.columns());
            stats.add(matrix);
            let (mut mean, mut std) = (stats.mean(), stats.std());
            std.iter_mut().for_each(|std| *std += epsilon);
            for ((column, mean), std) in spec.columns.iter().zip(&mut mean[spec.n_mfcc..]).zip(&mut std[spec.n_mfcc..])
            {
                (*mean, *std) = column.typical();
            }
            scale(matrix, &mean, &std);
        }
    }
}

fn scale(matrix: &mut FeatureMatrix, mean: &[f32], std: &[f32]) {
    let factor: Vec<f32> = std.iter().map(|std| 1.0 / std).collect();
    for row in matrix.rows_mut() {
        for ((value, mean), factor) in row.iter_mut().zip(mean).zip(&factor) {
            *value = (*value - mean) * factor;
        }
    }
}

/// Mean and standard deviation of every column over any number of matrices, in one pass and without keeping them
/// (Welford's update, and Chan's for parts that were counted apart).
#[derive(Debug, Clone, PartialEq)]
pub struct RunningStats {
    count: u64,
    mean: Vec<f64>,
    /// Sum of squared differences from the mean.
    spread: Vec<f64>,
}

impl RunningStats {
    /// Of nothing yet, for rows of `columns` values.
    pub fn new(columns: usize) -> Self {
        Self { count: 0, mean: vec![0.0; columns], spread: vec![0.0; columns] }
    }

    /// Takes in all rows; those of another width are taken as far as both reach.
    pub fn add(&mut self, matrix: &FeatureMatrix) {
        for row in matrix.rows() {
            self.count += 1;
            let share = 1.0 / self.count as f64;
            for ((value, mean), spread) in row.iter().zip(&mut self.mean).zip(&mut self.spread) {
                let before = f64::from(*value) - *mean;
                *mean += before * share;
                *spread += before * (f64::from(*value) - *mean);
            }
        }
    }

    /// Takes in what another has counted.
    pub fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        let (ours, theirs) = (self.count as f64, other.count as f64);
        self.count += other.count;
        let share = theirs / self.count as f64;
        let columns = self.mean.iter_mut().zip(&mut self.spread).zip(other.mean.iter().zip(&other.spread));
        for ((mean, spread), (their_mean, their_spread)) in columns {
            let apart = their_mean - *mean;
            *mean += apart * share;
            *spread += their_spread + apart * apart * ours * share;
        }
    }

    /// Rows counted so far.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Mean of each column; 0 of nothing.
    pub fn mean(&self) -> Vec<f32> {
        self.mean.iter().map(|mean| *mean as f32).collect()
    }

    /// Standard deviation of each column, with division by the count, as `numpy.std`; 0 of nothing.
    pub fn std(&self) -> Vec<f32> {
        let count = self.count.max(1) as f64;
        self.spread.iter().map(|spread| (spread / count).sqrt() as f32).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_agree_with_two_passes_even_far_from_zero() {
        let values: Vec<f32> = (0..600).map(|n| 10_000.0 + ((n * 37) % 101) as f32).collect();
        let matrix = FeatureMatrix::new(3, values.clone());
        let mut stats = RunningStats::new(3);
        stats.add(&matrix);
        for column in 0..3 {
            let column_values: Vec<f64> =
                values.iter().skip(column).step_by(3).map(|value| f64::from(*value)).collect();
            let mean = column_values.iter().sum::<f64>() / 200.0;
            let variance = column_values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 200.0;
            assert!((f64::from(stats.mean()[column]) - mean).abs() < 1e-3);
            assert!((f64::from(stats.std()[column]) - variance.sqrt()).abs() < 1e-5);
        }
    }

    #[test]
    fn parts_merge_to_the_whole() {
        let values: Vec<f32> = (0..200).map(|n| ((n * n) % 17) as f32).collect();
        let mut whole = RunningStats::new(2);
        whole.add(&FeatureMatrix::new(2, values.clone()));
        let mut merged = RunningStats::new(2);
        for part in values.chunks(46) {
            let mut stats = RunningStats::new(2);
            stats.add(&FeatureMatrix::new(2, part.to_vec()));
            merged.merge(&stats);
        }
        merged.merge(&RunningStats::new(2));
        assert_eq!(merged.count(), 100);
        for (whole, merged) in whole.mean().iter().chain(&whole.std()).zip(merged.mean().iter().chain(&merged.std())) {
            assert!((whole - merged).abs() < 1e-5);
        }
    }
}
