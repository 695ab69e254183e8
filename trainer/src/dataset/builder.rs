//! Clips one by one to a dataset.

use std::collections::BTreeMap;
use std::path::Path;

use emotone::model::Emotion;

use super::Dataset;

/// A [`Dataset`] that is being gathered.
#[derive(Debug, Default)]
pub struct DatasetBuilder {
    dataset: Dataset,
    /// Speakers, numbered as they come.
    speakers: BTreeMap<String, u32>,
}

impl DatasetBuilder {
    /// Begins a data folder, in which the clips that follow lie.
    pub fn folder(&mut self, folder: &Path) {
        self.dataset.folders.push((folder.into(), self.dataset.len() as u32));
    }

    /// Appends a clip by its path inside the data folder.
    pub fn clip(&mut self, inside: &str, emotion: Emotion, corpus: &str, speaker: &str) {
        let next = self.speakers.len() as u32;
        let number = *self.speakers.entry(format!("{corpus}/{speaker}")).or_insert(next);
        self.dataset.paths.push(inside);
        self.dataset.emotions.push(emotion);
        self.dataset.spoken_by.push(number);
    }

    /// Appends an audio file that names no emotion.
    pub fn unlabelled(&mut self, path: &Path) {
        self.dataset.unlabelled.push(&path.to_string_lossy());
    }

    /// Begins with those of a dataset's clips that are in `kept`, in its order, and with all its unlabelled files.
    pub fn with(dataset: &Dataset, kept: &[u32]) -> Self {
        let mut builder = Self::default();
        let mut folders = dataset.folders.iter().peekable();
        for &index in kept {
            while let Some((folder, _)) = folders.next_if(|(_, first)| *first <= index) {
                builder.folder(folder);
            }
            let (corpus, speaker) = dataset.speaker(index).split_once('/').unwrap_or_default();
            builder.clip(&dataset.path_inside(index), dataset.emotion(index), corpus, speaker);
        }
        builder.dataset.unlabelled = dataset.unlabelled.clone();
        builder
    }

    /// The dataset, its speakers in order.
    pub fn build(self) -> Dataset {
        let Self { mut dataset, speakers } = self;
        let mut places = vec![0; speakers.len()];
        for (place, number) in speakers.values().enumerate() {
            places[*number as usize] = place as u32;
        }
        dataset.spoken_by.iter_mut().for_each(|number| *number = places[*number as usize]);
        dataset.speakers = speakers.into_keys().collect();
        dataset
    }
}
