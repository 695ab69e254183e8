//! All clips of some data folders.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use emotone::model::{Corpus, Emotion};
use walkdir::WalkDir;

use super::label_of;

/// Endings of files that are taken for audio.
const AUDIO_ENDINGS: [&str; 12] =
    ["wav", "flac", "mp3", "ogg", "oga", "opus", "m4a", "mp4", "aiff", "aif", "mkv", "webm"];

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
    /// The corpus, such as `TESS`, or the folder's own name.
    pub corpus: String,
}

/// The clips of some data folders, in an order that does not depend on the file system.
#[derive(Debug, Clone, Default)]
pub struct Dataset {
    /// Every labelled clip.
    pub clips: Vec<Clip>,
    /// Audio files that name none of the seven emotions.
    pub unlabelled: Vec<PathBuf>,
}

impl Dataset {
    /// Finds the clips of `folders`.
    ///
    /// # Errors
    /// If a folder cannot be read, or none holds a labelled clip.
    pub fn read(folders: &[PathBuf]) -> Result<Self> {
        let mut dataset = Self::default();
        for folder in folders {
            dataset.add(folder)?;
        }
        let names: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
        ensure!(!dataset.clips.is_empty(), "{}: no clip whose name or folder tells an emotion", names.join(", "));
        Ok(dataset)
    }

    fn add(&mut self, folder: &Path) -> Result<()> {
        ensure!(folder.is_dir(), "{}: not a folder", folder.display());
        let own_name = folder.canonicalize().ok().and_then(|path| Some(path.file_name()?.to_str()?.to_owned()));
        let own_name = own_name.unwrap_or_else(|| "data".into());
        for entry in WalkDir::new(folder).follow_links(true).sort_by_file_name() {
            let entry = entry.with_context(|| format!("{}: cannot be read", folder.display()))?;
            if !entry.file_type().is_file() || !is_audio(entry.path()) {
                continue;
            }
            let inside = entry.path().strip_prefix(folder).unwrap_or(entry.path());
            match label_of(inside) {
                None => self.unlabelled.push(entry.path().to_owned()),
                Some(label) => {
                    let corpus = label.corpus.map_or_else(|| own_name.clone(), str::to_owned);
                    self.clips.push(Clip {
                        path: entry.path().to_owned(),
                        name: format!("{corpus}/{}", inside.display()),
                        emotion: label.emotion,
                        speaker: format!("{corpus}/{}", label.speaker),
                        corpus,
                    });
                }
            }
        }
        Ok(())
    }

    /// Every speaker, sorted.
    pub fn speakers(&self) -> Vec<String> {
        let speakers: BTreeSet<&str> = self.clips.iter().map(|clip| clip.speaker.as_str()).collect();
        speakers.into_iter().map(str::to_owned).collect()
    }

    /// What a model card says of the clips that `indices` point at.
    pub fn corpora(&self, indices: &[usize]) -> Vec<Corpus> {
        let clips: Vec<&Clip> = indices.iter().filter_map(|index| self.clips.get(*index)).collect();
        let names: BTreeSet<&str> = clips.iter().map(|clip| clip.corpus.as_str()).collect();
        let corpus = |name: &str| {
            let own = clips.iter().filter(|clip| clip.corpus == name);
            let speakers: BTreeSet<&str> = own.clone().map(|clip| clip.speaker.as_str()).collect();
            Corpus { name: name.into(), licence: licence_of(name).into(), clips: own.count(), speakers: speakers.len() }
        };
        names.into_iter().map(corpus).collect()
    }
}

fn is_audio(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str()).map(str::to_lowercase);
    ending.is_some_and(|ending| AUDIO_ENDINGS.contains(&ending.as_str()))
}

/// The licence of a corpus, as its authors state it.
pub fn licence_of(corpus: &str) -> &'static str {
    match corpus {
        "TESS" => "CC BY-NC-ND 4.0",
        "RAVDESS" => "CC BY-NC-SA 4.0",
        "EmoDB" => "free for research, as its authors state",
        _ => "not stated in the data folder",
    }
}
