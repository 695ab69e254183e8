//! What first layers that learn nothing make of stretches.

use anyhow::Result;
use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use emotone::features::FeatureMatrix;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rayon::prelude::*;

use super::{Examples, Variation};
use crate::augment::copy_seed;
use crate::dataset::{FeatureStore, StoreWriter};
use crate::network::Network;

/// Examples that are described together.
const TOGETHER: usize = 16;

/// Some stretches of every copy behind the layers that learn nothing: the same in all epochs, so computed once. They lie on
/// the disk, in a file without a name beside the features, and go with the process.
pub struct Described<'a> {
    /// The layer that they go into.
    pub next: usize,
    variation: &'a Variation,
    /// Stretches of each copy.
    stretches: usize,
    /// Examples, their copies, their stretches.
    store: FeatureStore,
}

impl<'a> Described<'a> {
    /// Of all copies of the examples; the same for the same `seed`.
    ///
    /// # Errors
    /// If features cannot be read, or the disk is full.
    pub fn new(
        network: &Network,
        examples: &Examples,
        variation: &'a Variation,
        stretches: usize,
        seed: u64,
    ) -> Result<Self> {
        let (network, device) = (network.valid(), Device::flex());
        let describe = |places: &[u32]| -> Result<Tensor<3>> {
            let draw = |place: &u32| -> Result<Vec<f32>> {
                let mut random = StdRng::seed_from_u64(copy_seed(seed, 0, u64::from(*place)));
                let copies = (0..examples.each).flat_map(|copy| std::iter::repeat_n(copy, stretches));
                let drawn = copies.map(|copy| variation.of_copy(examples, *place, copy, &mut random));
                Ok(drawn.collect::<Result<Vec<_>>>()?.concat())
            };
            let drawn = places.par_iter().map(draw).collect::<Result<Vec<_>>>()?.concat();
            let dims = [places.len() * examples.each * stretches, variation.frames, examples.spec.width()];
            Ok(network.describe(Tensor::from_data(TensorData::new(drawn, dims), &device)))
        };
        let places: Vec<u32> = examples.places().collect();
        let channels = describe(&[])?.dims()[2];
        let mut writer = StoreWriter::unnamed(examples.store.folder(), channels)?;
        for places in places.chunks(TOGETHER) {
            let described = describe(places)?;
            let [count, frames, _] = described.dims();
            let values: Vec<f32> = described.into_data().iter::<f32>().collect();
            for index in 0..count {
                let one = values[index * frames * channels..][..frames * channels].to_vec();
                writer.push(&FeatureMatrix::new(channels, one))?;
            }
        }
        Ok(Self { next: network.unlearned(), variation, stretches, store: writer.finish()? })
    }

    /// One stretch of one copy of each place by chance, `[places, frames, channels]`.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn draw(&self, examples: &Examples, places: &[u32], random: &mut StdRng, device: &Device) -> Result<Tensor<3>> {
        let mut chosen = Vec::with_capacity(places.len());
        for place in places {
            let copy = *place as usize * examples.each + examples.any_copy(self.variation.original_share, random);
            let stretch = copy * self.stretches + random.random_range(0..self.stretches);
            chosen.push(self.store.read(stretch)?);
        }
        let shape = chosen.first().map_or([0, 0], |one| [one.frames(), one.columns()]);
        let values: Vec<f32> = chosen.into_iter().flat_map(FeatureMatrix::into_values).collect();
        Ok(Tensor::from_data(TensorData::new(values, [places.len(), shape[0], shape[1]]), device))
    }
}
