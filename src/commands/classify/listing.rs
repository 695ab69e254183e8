//! Which files to classify.

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};

use emotone::config::Shard;
use sha2::{Digest, Sha256};

use super::folders::{Found, below};
use super::lines::{known, name};

/// Files in the order of the arguments, folders by name, each once, without those done earlier and those of other shards.
pub fn files(arguments: &[PathBuf], shard: Option<Shard>, done: &HashSet<String>) -> Found {
    let (mut all, mut seen) = (Found::default(), HashSet::new());
    for argument in arguments {
        // A shard goes by names below the folder, so that it is the same wherever the folder is mounted.
        let wanted = |file: &Path| {
            let below = file.strip_prefix(argument).ok().filter(|below| !below.as_os_str().is_empty());
            let named = below.or_else(|| file.file_name().map(Path::new)).unwrap_or(file);
            shard.is_none_or(|shard| is_in(named, shard)) && !done.contains(&known(&name(file)))
        };
        // In every shard a file is the first argument's that leads to it: it has one name to be hashed.
        let found = if argument.is_dir() {
            below(argument, &mut seen)
        } else {
            let real = argument.canonicalize().unwrap_or_else(|_| known(&name(argument)).into());
            let files = seen.insert(real).then(|| argument.clone()).into_iter().collect();
            Found { files, ..Found::default() }
        };
        all.files.extend(found.files.into_iter().filter(|file| wanted(file)));
        all.others += found.others;
        all.unreadable.extend(found.unreadable.into_iter().filter(|(folder, _)| wanted(folder)));
    }
    all
}

/// Arguments that are not there, and folders that cannot be listed. They are the same in every shard: none has done its share of
/// what nobody could look into.
pub fn missing(arguments: &[PathBuf], done: &HashSet<String>) -> BTreeMap<PathBuf, io::Error> {
    let problem = |argument: &Path| {
        let looked_into = argument.metadata().and_then(|about| match about.is_dir() {
            true => argument.read_dir()?.try_for_each(|entry| entry.map(drop)),
            false => Ok(()),
        });
        Some((argument.to_path_buf(), looked_into.err()?))
    };
    let mut seen = HashSet::new();
    let names = arguments.iter().map(|argument| (argument, known(&name(argument))));
    let asked = names.filter(|(_, known)| !done.contains(known) && seen.insert(known.clone()));
    asked.filter_map(|(argument, _)| problem(argument)).collect()
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
    use std::fs::Permissions;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::{PermissionsExt, symlink};

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
    fn a_file_is_in_one_shard_whatever_arguments_lead_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(at("arch/sub")).unwrap();
        (0..20).for_each(|number| std::fs::write(at(&format!("arch/sub/call-{number}.wav")), b"").unwrap());
        symlink(at("arch/sub"), at("arch/again")).unwrap();
        symlink(at("arch"), at("link")).unwrap();
        let found = |names: &[&str], shard| {
            let arguments: Vec<PathBuf> = names.iter().map(|name| at(name)).collect();
            files(&arguments, shard, &HashSet::new()).files
        };
        let halves = |names: &[&str]| [0, 1].map(|index| found(names, Some(Shard { index, count: 2 })));
        for names in [
            &["arch", "arch/sub"][..],
            &["arch/sub", "arch"],
            &["arch/sub/call-7.wav", "link", "arch/./sub"],
            &["arch/again", "arch/sub/../sub/call-7.wav", "arch"],
        ] {
            let judged = halves(names).concat();
            let real: HashSet<PathBuf> = judged.iter().map(|file| file.canonicalize().unwrap()).collect();
            assert_eq!((judged.len(), real.len(), found(names, None).len()), (20, 20, 20), "{names:?}");
        }
        assert_eq!(halves(&["arch", "arch/sub", "link"]), halves(&["arch"]), "no share changes");
    }

    #[test]
    fn arguments_that_are_not_there_are_told_once_unless_they_were_done() {
        let folder = tempfile::tempdir().unwrap();
        let (gone, done) = (folder.path().join("gone"), folder.path().join("done.wav"));
        let arguments = [folder.path().to_path_buf(), gone.clone(), done.clone(), gone.join(".")];
        let earlier = HashSet::from([name(&done).into_owned()]);
        assert!(missing(&arguments, &earlier).keys().eq([&gone]));
    }

    #[test]
    fn a_folder_that_may_not_be_listed_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let locked = folder.path().join("locked");
        std::fs::create_dir(&locked).unwrap();
        std::fs::set_permissions(&locked, Permissions::from_mode(0o000)).unwrap();
        // For root, nothing is locked.
        let expected = usize::from(locked.read_dir().is_err());
        assert_eq!(missing(std::slice::from_ref(&locked), &HashSet::new()).len(), expected);
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
