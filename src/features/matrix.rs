//! A rectangle of features.

/// Features of one window, row-major: one row a frame, one column a coefficient.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureMatrix {
    columns: usize,
    values: Vec<f32>,
}

impl FeatureMatrix {
    /// Wraps row-major `values`; a last row that is not complete is dropped. `columns` of 0 gives an empty matrix.
    pub fn new(columns: usize, mut values: Vec<f32>) -> Self {
        let frames = values.len().checked_div(columns).unwrap_or(0);
        values.truncate(frames * columns);
        Self { columns, values }
    }

    /// Number of rows.
    pub fn frames(&self) -> usize {
        self.values.len().checked_div(self.columns).unwrap_or(0)
    }

    /// Number of values in each row.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// All values, row-major, shape `[frames, columns]`.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The same, to be changed in place.
    pub fn values_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }

    /// All values, row-major, without a copy.
    pub fn into_values(self) -> Vec<f32> {
        self.values
    }

    /// The rows in order, to be changed in place.
    pub fn rows_mut(&mut self) -> impl Iterator<Item = &mut [f32]> {
        self.values.chunks_exact_mut(self.columns.max(1))
    }

    /// The rows in order, each of `columns` values.
    pub fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.columns.max(1))
    }
}
