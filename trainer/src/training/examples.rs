//! What a network is shown.

use anyhow::Result;
use burn::tensor::{Device, Tensor, TensorData};
use emotone::features::{FeatureMatrix, FeatureSpec, pad, standardize};
use emotone::model::Emotion;
use rayon::prelude::*;

use super::Variation;
use crate::augment::copy_seed;
use crate::dataset::{Clip, Extracted, FeatureStore};

/// A clip: its copies in the store, and what it is.
#[derive(Debug, Clone)]
pub struct Example {
    /// Record of its first copy; the others follow.
    pub record: usize,
    /// What it expresses.
    pub emotion: Emotion,
    /// Who speaks.
    pub speaker: String,
}

/// Some clips of a store.
#[derive(Clone)]
pub struct Examples<'a> {
    /// Where their copies lie.
    pub store: &'a FeatureStore,
    /// What they are standardized and padded by.
    pub spec: &'a FeatureSpec,
    /// Copies of each.
    pub each: usize,
    /// The copy that is served.
    pub served: usize,
    /// The clips.
    pub list: Vec<Example>,
}

impl<'a> Examples<'a> {
    /// The readable ones of the clips at `indices`.
    pub fn new(extracted: &'a Extracted, spec: &'a FeatureSpec, clips: &[Clip], indices: &[usize]) -> Self {
        let readable = |index: &&usize| extracted.unreadable.iter().all(|unreadable| unreadable.index != **index);
        let example = |index: &usize| Example {
            record: index * extracted.each,
            emotion: clips[*index].emotion,
            speaker: clips[*index].speaker.clone(),
        };
        let list = indices.iter().filter(readable).map(example).collect();
        Self { store: &extracted.store, spec, each: extracted.each, served: 0, list }
    }

    /// The same clips, another of their copies being served.
    pub fn served_as(&self, copy: usize) -> Self {
        Self { served: copy, ..self.clone() }
    }

    /// Number of examples.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// What each expresses.
    pub fn emotions(&self) -> impl Iterator<Item = Emotion> {
        self.list.iter().map(|example| example.emotion)
    }

    /// All rows of a copy, standardized.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn rows(&self, place: usize, copy: usize) -> Result<FeatureMatrix> {
        let mut matrix = self.store.read(self.list[place].record + copy)?;
        standardize(&mut matrix, self.spec);
        Ok(matrix)
    }

    /// The window of an example as the serving side makes it.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn window(&self, place: usize) -> Result<FeatureMatrix> {
        Ok(pad(self.rows(place, self.served)?, self.spec.frames, self.spec.padding))
    }

    /// Windows as they are served, `[places, frames, width]`.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn windows(&self, places: &[usize], device: &Device) -> Result<Tensor<3>> {
        let windows = places.par_iter().map(|place| self.window(*place)).collect::<Result<Vec<_>>>()?;
        let values: Vec<f32> = windows.iter().flat_map(|window| window.values()).copied().collect();
        let shape = [places.len(), self.spec.frames, self.spec.width()];
        Ok(Tensor::from_data(TensorData::new(values, shape), device))
    }

    /// Stretches of copies, drawn by `variation`, `[places, frames, width]`; the same for the same `seed`.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn varied(&self, places: &[usize], variation: &Variation, seed: u64, device: &Device) -> Result<Tensor<3>> {
        let one = |place: &usize| variation.draw(self, *place, copy_seed(seed, 0, *place as u64));
        let drawn = places.par_iter().map(one).collect::<Result<Vec<_>>>()?;
        let shape = [places.len(), variation.frames, self.spec.width()];
        Ok(Tensor::from_data(TensorData::new(drawn.concat(), shape), device))
    }

    /// One-hot targets `[places, 7]`, smoothed: each class gets its share of `smoothing`, and the right one the rest.
    pub fn targets(&self, places: &[usize], smoothing: f32, device: &Device) -> Tensor<2> {
        let share = smoothing / Emotion::COUNT as f32;
        let row = |place: &usize| {
            let own = self.list[*place].emotion;
            Emotion::ALL.map(|emotion| if emotion == own { 1.0 - smoothing + share } else { share })
        };
        let values: Vec<f32> = places.iter().flat_map(row).collect();
        Tensor::from_data(TensorData::new(values, [places.len(), Emotion::COUNT]), device)
    }
}
