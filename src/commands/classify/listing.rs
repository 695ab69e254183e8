//! Which files to classify.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use emotone::config::Shard;
use sha2::{Digest, Sha256};

/// What audio files are called, in lower case; others in a folder are left alone.
const AUDIO_EXTENSIONS: [&str; 22] = [
    "wav", "wave", "rf64", "w64", "flac", "mp3", "mp2", "ogg", "oga", "opus", "m4a", "mp4", "aac", "aif", "aiff",
    "aifc", "au", "snd", "caf", "mka", "webm", "mkv",
];

/// Files in the order of the arguments, folders by name, without those done earlier and those of other shards.
pub fn files(arguments: &[PathBuf], shard: Option<Shard>, done: &HashSet<String>) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for argument in arguments {
        // A shard goes by names below the folder, so that it is the same wherever the folder is mounted.
        let wanted = |file: &Path| {
            let name = file.strip_prefix(argument).unwrap_or(file);
            shard.is_none_or(|shard| is_in(name, shard)) && !done.contains(&*file.to_string_lossy())
        };
        let found = if argument.is_dir() { below(argument)? } else { vec![argument.clone()] };
        files.extend(found.into_iter().filter(|file| wanted(file)));
    }
    Ok(files)
}

/// Threads that can work at once.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Every audio file below a folder, by name; links to folders are not followed, for they may lead back.
fn below(folder: &Path) -> Result<Vec<PathBuf>> {
    let (mut folders, mut files) = (vec![folder.to_path_buf()], Vec::new());
    while let Some(folder) = folders.pop() {
        let unreadable = || format!("cannot read folder {}", folder.display());
        for entry in std::fs::read_dir(&folder).with_context(unreadable)? {
            let entry = entry.with_context(unreadable)?;
            let path = entry.path();
            if entry.file_type().with_context(unreadable)?.is_dir() {
                folders.push(path);
            } else if is_audio(&path) {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

fn is_audio(path: &Path) -> bool {
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase());
    let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    !hidden && extension.is_some_and(|extension| AUDIO_EXTENSIONS.contains(&extension.as_str()))
}

/// Whether a file belongs to a shard: by a hash of its name, so that files that come or go do not move the others.
fn is_in(name: &Path, shard: Shard) -> bool {
    let hash: [u8; 32] = Sha256::digest(name.to_string_lossy().as_bytes()).into();
    let number = hash.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    number % shard.count == shard.index
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_cover_every_file_once_wherever_the_folder_is() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("some/calls");
        std::fs::create_dir_all(&deep).unwrap();
        for number in 0..50 {
            std::fs::write(deep.join(format!("call-{number}.WAV")), b"").unwrap();
        }
        std::fs::write(deep.join("notes.txt"), b"").unwrap();
        let list = |root: &Path, shard| files(&[root.to_path_buf()], shard, &HashSet::new()).unwrap();
        let mut all: Vec<PathBuf> = Vec::new();
        for index in 0..3 {
            let part = list(folder.path(), Some(Shard { index, count: 3 }));
            assert!((5..30).contains(&part.len()), "uneven: {}", part.len());
            all.extend(part);
        }
        all.sort();
        assert_eq!(all, list(folder.path(), None));
        assert_eq!(all.len(), 50);
    }

    #[test]
    fn files_done_earlier_are_left_out() {
        let done = HashSet::from(["b.wav".to_string()]);
        let arguments = ["a.wav", "b.wav"].map(PathBuf::from);
        assert_eq!(files(&arguments, None, &done).unwrap(), [PathBuf::from("a.wav")]);
    }
}
