//! What a network is shown.

use std::ops::Range;

use anyhow::Result;
use burn::tensor::{Device, Tensor, TensorData};
use emotone::features::{FeatureMatrix, FeatureSpec, pad, standardize};
use emotone::model::Emotion;
use rand::RngExt;
use rand::rngs::StdRng;
use rayon::prelude::*;

use super::Variation;
use crate::augment::copy_seed;
use crate::dataset::{Dataset, Extracted, FeatureStore, Original};

/// Some clips of a store.
#[derive(Clone)]
pub struct Examples<'a> {
    /// What they are.
    pub dataset: &'a Dataset,
    /// Where their copies lie: those of the dataset's first clip, then of its second, and so on.
    pub store: &'a FeatureStore,
    /// What they are standardized and padded by.
    pub spec: &'a FeatureSpec,
    /// Copies of each.
    pub each: usize,
    /// The copy that is served.
    pub served: usize,
    /// Which clips of the dataset they are.
    pub clips: Vec<u32>,
}

impl<'a> Examples<'a> {
    /// The readable ones of the clips at `indices`.
    pub fn new(extracted: &'a Extracted, spec: &'a FeatureSpec, dataset: &'a Dataset, indices: &[u32]) -> Self {
        let clips = indices.iter().copied().filter(|index| extracted.is_readable(*index)).collect();
        Self { dataset, store: &extracted.store, spec, each: extracted.each, served: 0, clips }
    }

    /// The same clips, another of their copies being served.
    pub fn served_as(&self, copy: usize) -> Self {
        Self { served: copy, ..self.clone() }
    }

    /// Number of examples.
    pub fn len(&self) -> usize {
        self.clips.len()
    }

    /// The place of each.
    pub fn places(&self) -> Range<u32> {
        0..self.len() as u32
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.clips.is_empty()
    }

    /// What each expresses.
    pub fn emotions(&self) -> impl Iterator<Item = Emotion> {
        self.clips.iter().map(|clip| self.dataset.emotion(*clip))
    }

    /// What one expresses.
    pub fn emotion(&self, place: u32) -> Emotion {
        self.dataset.emotion(self.clips[place as usize])
    }

    /// All rows of a copy, standardized.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn rows(&self, place: u32, copy: usize) -> Result<FeatureMatrix> {
        let mut matrix = self.store.read(self.clips[place as usize] as usize * self.each + copy)?;
        standardize(&mut matrix, self.spec);
        Ok(matrix)
    }

    /// The window of an example as the serving side makes it.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn window(&self, place: u32) -> Result<FeatureMatrix> {
        Ok(pad(self.rows(place, self.served)?, self.spec.frames, self.spec.padding))
    }

    /// Windows as they are served, `[places, frames, width]`.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn windows(&self, places: &[u32], device: &Device) -> Result<Tensor<3>> {
        let windows = places.par_iter().map(|place| self.window(*place)).collect::<Result<Vec<_>>>()?;
        let values: Vec<f32> = windows.iter().flat_map(|window| window.values()).copied().collect();
        let shape = [places.len(), self.spec.frames, self.spec.width()];
        Ok(Tensor::from_data(TensorData::new(values, shape), device))
    }

    /// One of an example's copies by chance; `original_share` of them are the clip as it is or over the telephone.
    pub fn any_copy(&self, original_share: f64, random: &mut StdRng) -> usize {
        let originals = Original::ALL.len().min(self.each);
        let original = self.each == originals || random.random_bool(original_share.clamp(0.0, 1.0));
        random.random_range(if original { 0..originals } else { originals..self.each })
    }

    /// Stretches of copies, drawn by `variation`, `[places, frames, width]`; the same for the same `seed`.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn stretches(&self, places: &[u32], variation: &Variation, seed: u64, device: &Device) -> Result<Tensor<3>> {
        let one = |place: &u32| variation.draw(self, *place, places, copy_seed(seed, 0, u64::from(*place)));
        let drawn = places.par_iter().map(one).collect::<Result<Vec<_>>>()?;
        let shape = [places.len(), variation.frames, self.spec.width()];
        Ok(Tensor::from_data(TensorData::new(drawn.concat(), shape), device))
    }
}
