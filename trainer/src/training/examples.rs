//! What a network is shown.

use anyhow::Result;
use burn::tensor::{Device, Tensor, TensorData};
use emotone::model::Emotion;

use crate::dataset::FeatureStore;

/// Windows of a store with their emotions.
#[derive(Clone)]
pub struct Examples<'a> {
    /// Where the windows lie.
    pub store: &'a FeatureStore,
    /// Which ones.
    pub windows: Vec<usize>,
    /// What each of them is.
    pub emotions: Vec<Emotion>,
}

impl Examples<'_> {
    /// Number of examples.
    pub fn len(&self) -> usize {
        self.windows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.windows.is_empty()
    }

    /// Features `[places, frames, width]` and one-hot targets `[places, 7]`, smoothed: each class gets its share of
    /// `smoothing`, and the right one the rest.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn batch(&self, places: &[usize], smoothing: f32, device: &Device) -> Result<(Tensor<3>, Tensor<2>)> {
        let windows: Vec<usize> = places.iter().map(|place| self.windows[*place]).collect();
        let values = self.store.read(&windows)?;
        let features = TensorData::new(values, [places.len(), self.store.frames(), self.store.width()]);
        let share = smoothing / Emotion::COUNT as f32;
        let mut targets = Vec::with_capacity(places.len() * Emotion::COUNT);
        for place in places {
            let own = self.emotions[*place];
            let value = |emotion| if emotion == own { 1.0 - smoothing + share } else { share };
            targets.extend(Emotion::ALL.map(value));
        }
        let targets = TensorData::new(targets, [places.len(), Emotion::COUNT]);
        Ok((Tensor::from_data(features, device), Tensor::from_data(targets, device)))
    }
}
