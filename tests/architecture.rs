//! The two rules of the house that a compiler does not check: imports point one way, and a library has one door.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot read the source has failed")]

use std::fs;
use std::path::{Path, PathBuf};

/// Modules in reading order: each may use those before it, and itself.
const ORDER: [&str; 11] =
    ["registers", "audio", "features", "model", "call", "pipeline", "config", "http", "lib", "commands", "main"];

/// Libraries that one part of the server alone may know, and where that is.
/// (Fourier transforms and wide registers have several: they are arithmetic.)
const DOORS: [(&str, &str); 13] = [
    ("symphonia", "audio/"),
    ("rusty_opus", "audio/opus.rs"),
    ("tract_onnx", "model/"),
    ("axum", "http/"),
    ("hyper", "http/"),
    ("hyper_util", "http/"),
    ("tower_http", "http/"),
    ("utoipa", "http/"),
    ("prometheus", "http/"),
    ("governor", "http/"),
    ("opentelemetry", "http/traces/"),
    ("clap", "config"),
    ("anyhow", "commands/"),
];

/// Path below `src/` and text of every source file, without its comments.
fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut folders, mut found) = (vec![root.clone()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let code =
                    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
                found.push((path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned(), code));
            }
        }
    }
    found
}

fn rank(module: &str) -> Option<usize> {
    ORDER.iter().position(|name| *name == module)
}

/// Every identifier that follows `prefix` in `code`, of `use crate::{a::…, b::…}` only the first of each line.
fn names_after<'a>(code: &'a str, prefix: &'a str) -> impl Iterator<Item = &'a str> {
    code.match_indices(prefix).filter_map(move |(at, _)| {
        let rest = &code[at + prefix.len()..];
        let end = rest.find(|letter: char| !(letter.is_alphanumeric() || letter == '_')).unwrap_or(rest.len());
        (end > 0).then(|| &rest[..end])
    })
}

fn uses_library(code: &str, library: &str) -> bool {
    code.match_indices(&format!("{library}::"))
        .any(|(at, _)| !code[..at].ends_with(|letter: char| letter.is_alphanumeric() || letter == '_' || letter == ':'))
}

#[test]
fn imports_point_one_way() {
    let mut wrong = Vec::new();
    for (path, code) in sources() {
        let module = path.split(['/', '.']).next().unwrap();
        let own = rank(module).unwrap_or_else(|| panic!("src/{path} belongs to no module in reading order"));
        for other in names_after(&code, "crate::").chain(names_after(&code, "emotone::")) {
            if rank(other).is_some_and(|other| other > own) {
                wrong.push(format!("src/{path} uses {other}"));
            }
        }
    }
    assert!(wrong.is_empty(), "imports against the order {ORDER:?}: {wrong:#?}");
}

#[test]
fn each_library_has_one_door() {
    let mut wrong = Vec::new();
    for (path, code) in sources() {
        for (library, door) in DOORS {
            if !path.starts_with(door) && uses_library(&code, library) {
                wrong.push(format!("src/{path} uses {library}, whose door is src/{door}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_server_never_holds_the_training_framework() {
    let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
    assert!(!manifest.lines().any(|line| line.trim_start().starts_with("burn")), "burn belongs to trainer/ alone");
}

#[test]
fn fuzzing_knows_the_libraries_of_the_modules_that_it_compiles() {
    let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/Cargo.toml")).unwrap();
    let known = |name: &str| manifest.lines().any(|line| line.starts_with(&format!("{} = ", name.replace('_', "-"))));
    let ours = ["std", "crate", "super", "self", "proptest"];
    let is_crate = |name: &str| name.starts_with(char::is_lowercase) && !ours.contains(&name);
    for (path, code) in sources() {
        if path.starts_with("audio/") || path.starts_with("features/") {
            for name in names_after(&code, "\nuse ").filter(|name| is_crate(name)) {
                let is_module = code.contains(&format!("mod {name};"));
                assert!(is_module || known(name), "src/{path} uses {name}, which fuzz/Cargo.toml does not have");
            }
        }
    }
}
