//! Data folders to labelled clips.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use emotone::audio::is_audio_name;
use sha2::{Digest, Sha256};
use walkdir::WalkDir;

use super::{Dataset, DatasetBuilder, label_of};
use crate::say::tell;

impl Dataset {
    /// Finds the clips of `folders`, in an order that does not depend on the file system.
    ///
    /// # Errors
    /// If a folder is none, or none holds a labelled clip.
    pub fn read(folders: &[PathBuf]) -> Result<Self> {
        Self::gather(folders, |_| false)
    }

    /// The same without clips whose bytes are those of an earlier one, and says how many there are: corpora are unpacked into
    /// themselves, given twice, copied beside the original, and a copy in another part of a split would be tested by a
    /// training that knows it.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_once(folders: &[PathBuf]) -> Result<Self> {
        let (mut seen, mut copies) = (HashSet::new(), 0_usize);
        let dataset = Self::gather(folders, |path| {
            // What cannot be read, or is empty, is told when it is to be used.
            let Some(bytes) = std::fs::read(path).ok().filter(|bytes| !bytes.is_empty()) else { return false };
            let digest: [u8; 32] = Sha256::digest(&bytes).into();
            let is_copy = !seen.insert(digest);
            copies += usize::from(is_copy);
            is_copy
        })?;
        if copies > 0 {
            tell(format!("{copies} clips are copies of others and are left out"));
        }
        Ok(dataset)
    }

    fn gather(folders: &[PathBuf], mut is_unwanted: impl FnMut(&Path) -> bool) -> Result<Self> {
        let mut builder = DatasetBuilder::default();
        folders.iter().try_for_each(|folder| add(&mut builder, folder, &mut is_unwanted))?;
        let dataset = builder.build();
        let names: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
        ensure!(!dataset.is_empty(), "{}: no clip whose name or folder tells an emotion", names.join(", "));
        ensure!(u32::try_from(dataset.len()).is_ok(), "{}: too many clips", names.join(", "));
        Ok(dataset)
    }
}

fn add(builder: &mut DatasetBuilder, folder: &Path, is_unwanted: &mut impl FnMut(&Path) -> bool) -> Result<()> {
    ensure!(folder.is_dir(), "{}: not a folder", folder.display());
    let own_name = folder.canonicalize().ok().and_then(|path| Some(path.file_name()?.to_str()?.to_owned()));
    let own_name = own_name.unwrap_or_else(|| "data".into());
    builder.folder(folder);
    for entry in WalkDir::new(folder).follow_links(true).sort_by_file_name() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(problem) if problem.depth() == 0 => return Err(problem).context(folder.display().to_string()),
            Err(problem) => {
                tell(format!("left out: {problem}"));
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
            Some(_) if is_unwanted(entry.path()) => {}
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
    fn a_recording_counts_once_however_often_it_lies_there() {
        let folder = tempfile::tempdir().unwrap();
        let put = |inside: &str, bytes: &str| {
            std::fs::create_dir_all(folder.path().join(inside).parent().unwrap()).unwrap();
            std::fs::write(folder.path().join(inside), bytes).unwrap();
        };
        put("angry/anna_1.wav", "one");
        put("angry/anna_1 (1).wav", "one");
        put("again/angry/anna_1.wav", "one");
        put("sad/anna_2.wav", "two");
        put("sad/anna_3.wav", "");
        put("sad/anna_4.wav", "");
        let folders = [folder.path().to_path_buf(), folder.path().to_path_buf()];
        let names = |dataset: Dataset| dataset.indices().map(|index| dataset.name(index)).collect::<Vec<_>>();
        let once = names(Dataset::read_once(&folders).unwrap());
        assert_eq!(once.iter().filter(|name| name.contains("anna_1")).count(), 1, "{once:?}");
        assert_eq!(once.iter().filter(|name| name.contains("anna_2")).count(), 1, "{once:?}");
        assert_eq!(names(Dataset::read(&folders).unwrap()).len(), 12);
    }

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
