//! What data folders are called.

use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, bail};

/// What the clips of each folder belong to where their own names tell no corpus: the folder's name, and where another has the
/// same, as many of those above it as tell them apart. One name would be one corpus, and strangers in it one person.
///
/// # Errors
/// If a folder is none, or two have one name all the same.
pub(super) fn own_names(folders: &[PathBuf]) -> Result<Vec<String>> {
    let whole = |folder: &PathBuf| folder.canonicalize().ok().filter(|whole| whole.is_dir());
    let not_a_folder = |folder: &PathBuf| format!("{}: not a folder", folder.display());
    let whole: Vec<PathBuf> =
        folders.iter().map(|folder| whole(folder).with_context(|| not_a_folder(folder))).collect::<Result<_>>()?;
    let own_name = |folder: &PathBuf| {
        let others = || whole.iter().filter(|other| *other != folder);
        let mut names = (1..=folder.iter().count()).map(|parts| (parts, last_parts(folder, parts)));
        let unique = names.find(|(parts, name)| others().all(|other| last_parts(other, *parts) != *name));
        unique.map_or_else(|| last_parts(folder, 1), |(_, name)| name)
    };
    let names: Vec<String> = whole.iter().map(own_name).collect();
    for (number, name) in names.iter().enumerate() {
        let same = (0..number).find(|other| names[*other] == *name && whole[*other] != whole[number]);
        if let Some(other) = same {
            let [one, two] = [other, number].map(|number| folders[number].display());
            bail!("{one} and {two} would both be called {name}: rename one of them");
        }
    }
    Ok(names)
}

/// The last parts of a path in one name, which has no slash in it.
fn last_parts(path: &Path, parts: usize) -> String {
    let own = |part: Component| match part {
        Component::Normal(part) => Some(part.to_str().unwrap_or("data").to_owned()),
        _ => None,
    };
    let mut names: Vec<String> = path.components().rev().filter_map(own).take(parts).collect();
    names.reverse();
    if names.is_empty() { "data".into() } else { names.join("-") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Dataset;

    #[test]
    fn folders_of_one_name_are_different_corpora() {
        let root = tempfile::tempdir().unwrap();
        let make = |folder: &str| {
            std::fs::create_dir_all(root.path().join(folder).join("angry")).unwrap();
            std::fs::write(root.path().join(folder).join("angry/anna_1.wav"), folder).unwrap();
            root.path().join(folder)
        };
        let speakers = |folders: &[&PathBuf]| {
            Dataset::read_once(&folders.iter().copied().cloned().collect::<Vec<_>>())
                .map(|data| data.speakers().to_vec())
        };
        let [a, b, other] = ["a/calls", "b/calls", "b/other"].map(make);
        assert_eq!(speakers(&[&a, &other]).unwrap(), ["calls/anna", "other/anna"]);
        assert_eq!(speakers(&[&a, &b, &other]).unwrap(), ["a-calls/anna", "b-calls/anna", "other/anna"]);
        assert_eq!(speakers(&[&a, &a.join("../calls")]).unwrap(), ["calls/anna"], "one folder, named twice");
        let [deep, deeper] = ["a/x/calls", "b/x/calls"].map(make);
        assert_eq!(speakers(&[&deep, &deeper]).unwrap(), ["a-x-calls/anna", "b-x-calls/anna"]);
        let refused = speakers(&[&a, &b, &make("a-calls")]).unwrap_err().to_string();
        assert!(refused.contains("both be called a-calls"), "{refused}");
    }
}
