//! Data folders to labelled clips.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use emotone::audio::is_audio_name;
use walkdir::WalkDir;

use super::{Dataset, DatasetBuilder, label_of};

impl Dataset {
    /// Finds the clips of `folders`, in an order that does not depend on the file system.
    ///
    /// # Errors
    /// If a folder is none, or none holds a labelled clip.
    pub fn read(folders: &[PathBuf]) -> Result<Self> {
        let mut builder = DatasetBuilder::default();
        folders.iter().try_for_each(|folder| add(&mut builder, folder))?;
        let dataset = builder.build();
        let names: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
        ensure!(!dataset.is_empty(), "{}: no clip whose name or folder tells an emotion", names.join(", "));
        ensure!(u32::try_from(dataset.len()).is_ok(), "{}: too many clips", names.join(", "));
        Ok(dataset)
    }
}

fn add(builder: &mut DatasetBuilder, folder: &Path) -> Result<()> {
    ensure!(folder.is_dir(), "{}: not a folder", folder.display());
    let own_name = folder.canonicalize().ok().and_then(|path| Some(path.file_name()?.to_str()?.to_owned()));
    let own_name = own_name.unwrap_or_else(|| "data".into());
    builder.folder(folder);
    for entry in WalkDir::new(folder).follow_links(true).sort_by_file_name() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(problem) if problem.depth() == 0 => return Err(problem).context(folder.display().to_string()),
            Err(problem) => {
                eprintln!("left out: {problem}");
                continue;
            }
        };
        if !entry.file_type().is_file() || !is_audio_name(entry.path()) {
            continue;
        }
        let inside = entry.path().strip_prefix(folder).unwrap_or(entry.path());
        // Names that are not Unicode could not be kept in lists, and tell no emotion.
        match inside.to_str().zip(label_of(inside)) {
            None => builder.unlabelled(entry.path()),
            Some((inside, label)) => {
                builder.clip(inside, label.emotion, label.corpus.unwrap_or(&own_name), &label.speaker);
            }
        }
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clips_come_sorted_and_a_name_that_is_no_text_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let make = |inside: &Path| {
            std::fs::create_dir_all(folder.path().join(inside).parent().unwrap()).unwrap();
            std::fs::write(folder.path().join(inside), "").unwrap();
        };
        let files = ["sad/ö.wav", "angry/2.WAV", "angry/10.wav", "angry/._10.wav", "angry/notes.txt", "1.wav"];
        files.into_iter().map(Path::new).for_each(make);
        #[cfg(unix)]
        {
            use std::os::unix::ffi::OsStrExt;
            make(Path::new(std::ffi::OsStr::from_bytes(b"\xff/angry/1.wav")));
        }
        let dataset = Dataset::read(&[folder.path().into()]).unwrap();
        let own = folder.path().file_name().unwrap().display();
        let names: Vec<String> = dataset.indices().map(|index| dataset.name(index)).collect();
        assert_eq!(names, ["angry/10.wav", "angry/2.WAV", "sad/ö.wav"].map(|inside| format!("{own}/{inside}")));
        assert!(dataset.indices().all(|index| dataset.clip(index).path.is_file()));
        let unlabelled: Vec<String> = dataset.unlabelled().iter().collect();
        assert!(unlabelled[0].ends_with("/1.wav"), "{unlabelled:?}");
        assert_eq!(unlabelled.len(), 1 + usize::from(cfg!(unix)));
    }
}
