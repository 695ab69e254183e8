//! Layers shared along the mel axis: bands in groups, and the groups as examples of their own.

use burn::module::Module;
use burn::tensor::{Int, Tensor, TensorData};
use emotone::features::Dct;

/// Cepstra back to mel bands, in units of 10 dB; the columns behind them stay.
#[derive(Module, Debug)]
pub struct Spectrum {
    /// How many bands.
    #[module(skip)]
    pub bands: usize,
    /// Deviation of each standardized coefficient, in dB.
    #[module(skip)]
    pub scales: Vec<f32>,
}

impl Spectrum {
    /// `[channels, channels - cepstra + bands]`, row-major: the inverse of the cosine transform where coefficients beyond
    /// those that are kept count as 0, and the other columns as they are.
    pub fn matrix(&self, channels: usize) -> (Vec<f32>, usize) {
        let (cepstra, bands) = (self.scales.len(), self.bands);
        let (dct, width) = (Dct::new(bands, cepstra), channels - cepstra + bands);
        let (mut matrix, mut level, mut cepstrum) = (vec![0.0; channels * width], vec![0.0; bands], vec![0.0; cepstra]);
        // The transform is orthonormal: its inverse is its transpose.
        for band in 0..bands {
            level.fill(0.0);
            level[band] = 0.1;
            dct.apply(&level, &mut cepstrum);
            for (row, (value, scale)) in matrix.chunks_exact_mut(width).zip(cepstrum.iter().zip(&self.scales)) {
                row[band] = value * scale;
            }
        }
        for column in cepstra..channels {
            matrix[column * width + column - cepstra + bands] = 1.0;
        }
        (matrix, width)
    }

    /// `[batch, frames, channels - cepstra + bands]`.
    pub fn forward(&self, input: Tensor<3>) -> Tensor<3> {
        let [batch, frames, channels] = input.dims();
        let (matrix, width) = self.matrix(channels);
        let matrix = Tensor::<2>::from_data(TensorData::new(matrix, [channels, width]), &input.device());
        input.reshape([batch * frames, channels]).matmul(matrix).reshape([batch, frames, width])
    }
}

/// Overlapping groups of neighbouring bands, each with all columns behind the bands, as examples of their own.
#[derive(Module, Debug)]
pub struct Split {
    /// Bands, the first columns.
    #[module(skip)]
    pub bands: usize,
    /// Bands in a group.
    #[module(skip)]
    pub size: usize,
    /// Bands from one group to the next.
    #[module(skip)]
    pub step: usize,
}

impl Split {
    /// Groups that come out.
    pub fn groups(&self) -> usize {
        (self.bands - self.size) / self.step + 1
    }

    /// The columns of each group, one group after the other.
    pub fn columns(&self, channels: usize) -> Vec<i64> {
        let group = |group: usize| (group * self.step..group * self.step + self.size).chain(self.bands..channels);
        (0..self.groups()).flat_map(group).map(|column| column as i64).collect()
    }

    /// `[batch * groups, frames, size + channels - bands]`.
    pub fn forward(&self, input: Tensor<3>) -> Tensor<3> {
        let [batch, frames, channels] = input.dims();
        let columns = Tensor::<1, Int>::from_data(self.columns(channels).as_slice(), &input.device());
        let (groups, width) = (self.groups(), channels - self.bands + self.size);
        let split = input.select(2, columns).reshape([batch, frames, groups, width]);
        split.permute([0, 2, 1, 3]).reshape([batch * groups, frames, width])
    }
}

/// Neighbouring groups as one, their channels side by side.
#[derive(Module, Debug)]
pub struct Regroup {
    /// Groups that come in.
    #[module(skip)]
    pub groups: usize,
    /// Groups that become one.
    #[module(skip)]
    pub span: usize,
    /// Groups from one to the next.
    #[module(skip)]
    pub step: usize,
}

impl Regroup {
    /// The groups of each group that comes out, one after the other.
    pub fn members(&self) -> Vec<i64> {
        let firsts = (0..=self.groups - self.span).step_by(self.step);
        firsts.flat_map(|first| first..first + self.span).map(|group| group as i64).collect()
    }

    /// `[batch * fewer groups, frames, channels * span]`.
    pub fn forward(&self, input: Tensor<3>) -> Tensor<3> {
        let [all, frames, channels] = input.dims();
        let members = self.members();
        let batch = all / self.groups;
        let chosen = Tensor::<1, Int>::from_data(members.as_slice(), &input.device());
        let input = input.reshape([batch, self.groups, frames * channels]).select(1, chosen);
        join(input.reshape([batch * members.len(), frames, channels]), self.span)
    }
}

/// All groups of an example as one again, `[batch, frames, groups * channels]`.
pub fn join(input: Tensor<3>, groups: usize) -> Tensor<3> {
    let [all, frames, channels] = input.dims();
    let batch = all / groups;
    let joined = input.reshape([batch, groups, frames, channels]).permute([0, 2, 1, 3]);
    joined.reshape([batch, frames, groups * channels])
}
