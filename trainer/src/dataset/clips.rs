//! Labelled recordings, in little memory: some bytes each, however long their names.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::PathBuf;

use emotone::model::{Corpus, Emotion};

use super::{Names, licence_of};

/// One labelled recording.
#[derive(Debug, Clone, PartialEq)]
pub struct Clip {
    /// Where it lies.
    pub path: PathBuf,
    /// What it says of itself in lists: corpus and path inside the data folder.
    pub name: String,
    /// Its emotion.
    pub emotion: Emotion,
    /// Who speaks, unique over all corpora, such as `TESS/OAF`.
    pub speaker: String,
}

/// Labelled recordings, each known by its index.
#[derive(Debug, Clone, Default)]
pub struct Dataset {
    /// Data folders, with the index of each one's first clip.
    pub(super) folders: Vec<(PathBuf, u32)>,
    /// Of each clip, its path inside the data folder.
    pub(super) paths: Names,
    /// Of each clip.
    pub(super) emotions: Vec<Emotion>,
    /// Of each clip, its speaker's place in `speakers`.
    pub(super) spoken_by: Vec<u32>,
    /// Corpus and name of every speaker, sorted.
    pub(super) speakers: Vec<String>,
    /// Audio files that name none of the seven emotions.
    pub(super) unlabelled: Names,
}

impl Dataset {
    /// Number of clips.
    pub fn len(&self) -> usize {
        self.emotions.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.emotions.is_empty()
    }

    /// Of every clip.
    pub fn indices(&self) -> Range<u32> {
        0..self.len() as u32
    }

    /// Everything about a clip.
    pub fn clip(&self, index: u32) -> Clip {
        let inside = self.path_inside(index);
        let folder = self.folders.iter().rfind(|(_, first)| *first <= index);
        Clip {
            path: folder.map_or_else(PathBuf::new, |(folder, _)| folder.clone()).join(inside),
            name: self.name(index),
            emotion: self.emotion(index),
            speaker: self.speaker(index).to_owned(),
        }
    }

    /// What a clip is called in lists: corpus and path inside the data folder.
    pub fn name(&self, index: u32) -> String {
        format!("{}/{}", self.corpus(index), self.path_inside(index))
    }

    /// A clip's emotion.
    pub fn emotion(&self, index: u32) -> Emotion {
        self.emotions[index as usize]
    }

    /// A clip's speaker, as a place in [`Dataset::speakers`].
    pub fn spoken_by(&self, index: u32) -> u32 {
        self.spoken_by[index as usize]
    }

    /// Who speaks in a clip, unique over all corpora, such as `TESS/OAF`.
    pub fn speaker(&self, index: u32) -> &str {
        &self.speakers[self.spoken_by(index) as usize]
    }

    /// A clip's corpus, such as `TESS`, or the folder's own name.
    pub fn corpus(&self, index: u32) -> &str {
        corpus_of(self.speaker(index))
    }

    /// Every speaker, sorted.
    pub fn speakers(&self) -> &[String] {
        &self.speakers
    }

    /// Audio files that name none of the seven emotions.
    pub fn unlabelled(&self) -> &Names {
        &self.unlabelled
    }

    /// What a model card says of the clips at `indices`.
    pub fn corpora(&self, indices: &[u32]) -> Vec<Corpus> {
        let mut corpora: BTreeMap<&str, (usize, BTreeSet<u32>)> = BTreeMap::new();
        for index in indices {
            let (clips, speakers) = corpora.entry(self.corpus(*index)).or_default();
            *clips += 1;
            speakers.insert(self.spoken_by(*index));
        }
        let corpus = |(name, (clips, speakers)): (&str, (usize, BTreeSet<u32>))| Corpus {
            name: name.into(),
            licence: licence_of(name).into(),
            clips,
            speakers: speakers.len(),
        };
        corpora.into_iter().map(corpus).collect()
    }

    /// The clips of each speaker of each corpus.
    pub fn by_corpus(&self) -> BTreeMap<&str, BTreeMap<u32, Vec<u32>>> {
        let mut corpora: BTreeMap<&str, BTreeMap<u32, Vec<u32>>> = BTreeMap::new();
        for index in self.indices() {
            corpora.entry(self.corpus(index)).or_default().entry(self.spoken_by(index)).or_default().push(index);
        }
        corpora
    }

    pub(super) fn path_inside(&self, index: u32) -> String {
        self.paths.get(index as usize).unwrap_or_default()
    }
}

/// A speaker's name begins with the corpus, which is a file name and has no slash in it.
fn corpus_of(speaker: &str) -> &str {
    speaker.split('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::dataset::DatasetBuilder;

    #[test]
    fn what_is_known_of_a_clip_comes_back() {
        let mut builder = DatasetBuilder::default();
        builder.folder(Path::new("/one"));
        builder.clip("x/2.wav", Emotion::Sad, "Own", "zoe");
        builder.clip("x/3.wav", Emotion::Fear, "Own", "ada");
        builder.folder(Path::new("/none"));
        builder.folder(Path::new("/two"));
        builder.clip("OAF_back_angry.wav", Emotion::Angry, "TESS", "OAF");
        builder.unlabelled(Path::new("/two/1.wav"));
        let dataset = builder.build();
        let clip = |path: &str, name: &str, emotion, speaker: &str| Clip {
            path: path.into(),
            name: name.into(),
            emotion,
            speaker: speaker.into(),
        };
        let expected = [
            clip("/one/x/2.wav", "Own/x/2.wav", Emotion::Sad, "Own/zoe"),
            clip("/one/x/3.wav", "Own/x/3.wav", Emotion::Fear, "Own/ada"),
            clip("/two/OAF_back_angry.wav", "TESS/OAF_back_angry.wav", Emotion::Angry, "TESS/OAF"),
        ];
        assert_eq!(dataset.indices().map(|index| dataset.clip(index)).collect::<Vec<_>>(), expected);
        assert_eq!(dataset.speakers(), ["Own/ada", "Own/zoe", "TESS/OAF"]);
        assert_eq!(dataset.unlabelled().iter().collect::<Vec<_>>(), ["/two/1.wav"]);
        let corpora = dataset.corpora(&[0, 2]);
        let counts: Vec<_> = corpora.iter().map(|corpus| (&corpus.name[..], corpus.clips, corpus.speakers)).collect();
        assert_eq!(counts, [("Own", 1, 1), ("TESS", 1, 1)]);
    }
}
