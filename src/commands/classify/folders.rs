//! What lies below a folder, links followed, each file once.

use std::collections::{BTreeSet, HashSet};
use std::io;
use std::path::{Path, PathBuf};

use emotone::audio::is_audio_name;

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

/// A file or folder.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    /// The way that led to it, which it is named by.
    path: PathBuf,
    /// The same without the links to folders on it.
    real: PathBuf,
}

/// Links that are still to be followed, by name: file systems list a folder in any order, and each shard lists it anew.
#[derive(Debug, Default)]
struct Links {
    files: BTreeSet<Place>,
    folders: BTreeSet<PathBuf>,
}

/// Every audio file below a folder, by name. `seen` holds files and folders by where they are: what is in it is left out, and what is
/// found is put in. Of several ways to a file it is named by one without links, then by a link to the file, then by a way through
/// linked folders, so that no link that is added gives another name to what is found without it.
pub fn below(folder: &Path, seen: &mut HashSet<PathBuf>) -> Found {
    let (mut found, mut links) = (Found::default(), Links::default());
    links.folders.insert(folder.to_path_buf());
    while let Some(path) = links.folders.pop_first() {
        let mut folders = match path.canonicalize() {
            Ok(real) => vec![Place { path, real }],
            Err(error) => {
                found.unreadable.push((path, error));
                continue;
            }
        };
        while let Some(folder) = folders.pop() {
            // Links may lead back.
            if seen.insert(folder.real.clone())
                && let Err(error) = list(&folder, &mut folders, &mut links, seen, &mut found)
            {
                found.unreadable.push((folder.path, error));
            }
        }
        for link in std::mem::take(&mut links.files) {
            // One that leads nowhere is to be told.
            if seen.insert(link.real.canonicalize().unwrap_or(link.real)) {
                found.files.push(link.path);
            }
        }
    }
    found.files.sort();
    found
}

fn list(
    folder: &Place,
    folders: &mut Vec<Place>,
    links: &mut Links,
    seen: &mut HashSet<PathBuf>,
    found: &mut Found,
) -> io::Result<()> {
    for entry in std::fs::read_dir(&folder.path)? {
        let entry = entry?;
        let (kind, place) =
            (entry.file_type()?, Place { path: entry.path(), real: folder.real.join(entry.file_name()) });
        let led_to = if kind.is_symlink() { place.path.metadata().ok() } else { None };
        if kind.is_dir() {
            folders.push(place);
        } else if led_to.as_ref().is_some_and(std::fs::Metadata::is_dir) {
            links.folders.insert(place.path);
        } else if !is_audio_name(&place.path) {
            found.others += 1;
        } else if kind.is_symlink() {
            // A pipe would be waited for, behind a link as well.
            if led_to.is_none_or(|led_to| led_to.is_file()) {
                links.files.insert(place);
            }
        } else if kind.is_file() && seen.insert(place.real) {
            found.files.push(place.path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// Makes files below a folder, and links `(name, target)`.
    fn fill(folder: &Path, files: &[&str], links: &[(&str, &str)]) {
        for file in files {
            let file = folder.join(file);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, b"").unwrap();
        }
        for (name, target) in links {
            symlink(target, folder.join(name)).unwrap();
        }
    }

    fn names(found: &Found, root: &Path) -> Vec<String> {
        found.files.iter().map(|file| file.strip_prefix(root).unwrap().to_str().unwrap().to_string()).collect()
    }

    #[test]
    fn links_are_followed_out_of_the_folder_and_never_in_circles() {
        let folder = tempfile::tempdir().unwrap();
        fill(
            folder.path(),
            &["archive/a.wav", "archive/notes.txt", "old/b.wav", "old/deep/c.wav"],
            &[
                ("archive/2019", "../old"),
                ("old/back", "../archive"),
                ("archive/here", "."),
                ("old/deep/round", "round"),
                ("archive/gone.wav", "nowhere"),
            ],
        );
        let root = folder.path().join("archive");
        let found = below(&root, &mut HashSet::new());
        assert_eq!(names(&found, &root), ["2019/b.wav", "2019/deep/c.wav", "a.wav", "gone.wav"]);
        assert_eq!((found.unreadable.len(), found.others), (0, 2), "a note, and a link that leads to itself");
    }

    #[test]
    fn a_file_goes_by_the_plainest_of_its_names() {
        let folder = tempfile::tempdir().unwrap();
        fill(
            folder.path(),
            &["archive/m/plain.wav", "else/one.wav", "else/two.wav"],
            &[
                ("archive/a", "m"),
                ("archive/b.wav", "m/plain.wav"),
                ("archive/c", "../else"),
                ("archive/d", "../else"),
                ("archive/e.wav", "../else/one.wav"),
            ],
        );
        let root = folder.path().join("archive");
        assert_eq!(names(&below(&root, &mut HashSet::new()), &root), ["c/two.wav", "e.wav", "m/plain.wav"]);
    }

    #[test]
    fn a_folder_that_cannot_be_read_hides_no_other() {
        let folder = tempfile::tempdir().unwrap();
        fill(folder.path(), &["call.wav"], &[]);
        let (gone, mut seen) = (folder.path().join("gone"), HashSet::new());
        let (nothing, found) = (below(&gone, &mut seen), below(folder.path(), &mut seen));
        assert_eq!((nothing.unreadable.len(), found.files.len()), (1, 1));
        assert_eq!(nothing.unreadable[0].0, gone);
    }
}
