//! Which files to classify.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

use emotone::audio::is_audio_name;
use emotone::config::Shard;
use sha2::{Digest, Sha256};

use super::lines::{known, name};

/// What there is to do.
#[derive(Debug, Default)]
pub struct Found {
    /// Files to classify.
    pub files: Vec<PathBuf>,
    /// Folders whose files cannot be told.
    pub unreadable: Vec<(PathBuf, io::Error)>,
    /// Files in folders that are left out, for their names are not those of audio.
    pub others: usize,
}

/// Files in the order of the arguments, folders by name, each once, without those done earlier and those of other shards.
pub fn files(arguments: &[PathBuf], shard: Option<Shard>, done: &HashSet<String>) -> Found {
    let (mut all, mut taken) = (Found::default(), HashSet::new());
    for argument in arguments {
        // A shard goes by names below the folder, so that it is the same wherever the folder is mounted.
        let mut wanted = |file: &Path| {
            let below = file.strip_prefix(argument).ok().filter(|below| !below.as_os_str().is_empty());
            let named = below.or_else(|| file.file_name().map(Path::new)).unwrap_or(file);
            let known = known(&name(file));
            shard.is_none_or(|shard| is_in(named, shard)) && !done.contains(&known) && taken.insert(known)
        };
        let mut found = Found::default();
        if argument.is_dir() {
            below(argument, &mut found);
        } else {
            found.files.push(argument.clone());
        }
        all.files.extend(found.files.into_iter().filter(|file| wanted(file)));
        all.others += found.others;
        all.unreadable.extend(found.unreadable.into_iter().filter(|(folder, _)| wanted(folder)));
    }
    all
}

/// Every audio file below a folder, by name; links to folders are not followed, for they may lead back.
fn below(folder: &Path, found: &mut Found) {
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        if let Err(error) = list(&folder, &mut folders, found) {
            found.unreadable.push((folder, error));
        }
    }
    found.files.sort();
}

fn list(folder: &Path, folders: &mut Vec<PathBuf>, found: &mut Found) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let (kind, path) = (entry.file_type()?, entry.path());
        // A pipe would be waited for; a link that leads nowhere is to be told.
        let is_file = || kind.is_file() || kind.is_symlink() && path.metadata().map_or(true, |led_to| led_to.is_file());
        if kind.is_dir() {
            folders.push(path);
        } else if !is_audio_name(&path) {
            found.others += 1;
        } else if is_file() {
            found.files.push(path);
        }
    }
    Ok(())
}

/// Whether a file belongs to a shard: by a hash of its name, so that files that come or go do not move the others.
fn is_in(file: &Path, shard: Shard) -> bool {
    let hash: [u8; 32] = Sha256::digest(name(file).as_bytes()).into();
    let number = hash.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    number % shard.count == shard.index
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

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
        let found = |shard| files(&[folder.path().to_path_buf()], shard, &HashSet::new());
        assert_eq!(found(None).others, 1);
        let mut all: Vec<PathBuf> = Vec::new();
        for index in 0..3 {
            let part = found(Some(Shard { index, count: 3 })).files;
            assert!((5..30).contains(&part.len()), "uneven: {}", part.len());
            all.extend(part);
        }
        all.sort();
        assert_eq!(all, found(None).files);
        assert_eq!(all.len(), 50);
    }

    #[test]
    fn files_that_are_named_one_by_one_are_shared_too() {
        let arguments: Vec<PathBuf> = (0..40).map(|number| format!("call-{number}.wav").into()).collect();
        let shares =
            [0, 1].map(|index| files(&arguments, Some(Shard { index, count: 2 }), &HashSet::new()).files.len());
        assert_eq!(shares.iter().sum::<usize>(), 40);
        assert!(shares.iter().all(|share| *share > 5), "{shares:?}");
    }

    #[test]
    fn a_folder_that_cannot_be_read_hides_no_other() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("call.wav"), b"").unwrap();
        let mut found = Found::default();
        let gone = folder.path().join("gone");
        below(&gone, &mut found);
        below(folder.path(), &mut found);
        assert_eq!((found.files.len(), found.unreadable.len()), (1, 1));
        assert_eq!(found.unreadable[0].0, gone);
    }

    #[test]
    fn files_done_earlier_are_left_out() {
        let done = HashSet::from(["b.wav".to_string(), "calls/c.wav".to_string()]);
        let arguments = ["a.wav", "./b.wav", "calls//c.wav", "calls/./c.wav", "./a.wav", "a.wav"].map(PathBuf::from);
        assert_eq!(files(&arguments, None, &done).files, [PathBuf::from("a.wav")]);
    }

    #[test]
    fn names_that_are_no_text_are_not_taken_for_each_other() {
        let named = |bytes: &[u8]| PathBuf::from(OsStr::from_bytes(bytes));
        let arguments = [named(b"b\xf6se.wav"), named(b"b\xfcse.wav")];
        let done = HashSet::from([name(&arguments[0]).into_owned()]);
        assert_eq!(files(&arguments, None, &done).files, arguments[1..]);
        assert_eq!(name(&arguments[0]), "b\\xf6se.wav");
        assert_eq!(name(Path::new("böse.wav")), "böse.wav");
    }
}
