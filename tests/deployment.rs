//! What lies in `deploy/` fits the program, and the manifests fit the schemas of a cluster.

#![allow(clippy::unwrap_used, reason = "a test that cannot read what is deployed has failed")]

mod tools;

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tools::is_there;

/// What `kubectl kustomize` renders.
const FOLDERS: [&str; 5] = ["base", "overlays/monitored", "overlays/small", "archive", "kserve"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files_below(folder: PathBuf) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_below(path) } else { vec![path] }).collect()
}

/// Environment variables of the program that a text names.
fn settings_in(text: &str) -> BTreeSet<&str> {
    let is_of_a_name = |letter: char| letter.is_ascii_uppercase() || letter == '_';
    text.split(|letter| !is_of_a_name(letter)).filter(|word| word.starts_with("EMOTONE_")).collect()
}

#[test]
fn settings_that_are_deployed_are_settings_of_the_program() {
    let helps = ["serve", "classify", "health"].map(|command| {
        let help = Command::new(env!("CARGO_BIN_EXE_emotone")).args([command, "--help"]).output().unwrap();
        String::from_utf8(help.stdout).unwrap()
    });
    let known: BTreeSet<&str> =
        helps.iter().flat_map(|help| settings_in(help)).chain(["EMOTONE_GIT_REVISION"]).collect();
    let mut files = files_below(root().join("deploy"));
    files.extend(["Dockerfile", "compose.yaml"].map(|file| root().join(file)));
    let mut found = 0;
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for setting in settings_in(&text) {
            assert!(known.contains(setting), "{} sets {setting}, which is none", file.display());
            found += 1;
        }
    }
    assert!(found > 20, "{found}");
}

#[test]
fn the_image_is_built_by_the_toolchain_of_the_repository() {
    let toolchain = fs::read_to_string(root().join("rust-toolchain.toml")).unwrap();
    let version = toolchain.lines().find_map(|line| line.strip_prefix("channel = ")).unwrap().trim_matches('"');
    let dockerfile = fs::read_to_string(root().join("Dockerfile")).unwrap();
    assert!(dockerfile.contains(&format!("/rust:{version}-slim-bookworm AS build")), "not {version}");
}

#[test]
fn shards_of_the_archive_are_as_many_as_the_job_completes() {
    let job = fs::read_to_string(root().join("deploy/kubernetes/archive/job.yaml")).unwrap();
    let completions = job.lines().find_map(|line| line.trim().strip_prefix("completions: ")).unwrap();
    assert!(job.contains(&format!("- --shard=$(INDEX)/{completions}\n")), "not {completions}");
}

#[test]
fn manifests_fit_the_schemas_of_a_cluster() {
    let tools = [
        is_there("kubectl", &["kustomize", "--help"]),
        is_there("python3", &["-c", "import kubernetes_validate, jsonschema, yaml"]),
    ];
    if tools != [true; 2] {
        return;
    }
    for folder in FOLDERS {
        let path = root().join("deploy/kubernetes").join(folder);
        let rendered = Command::new("kubectl").arg("kustomize").arg(path).output().unwrap();
        assert!(rendered.status.success(), "{folder}: {}", String::from_utf8_lossy(&rendered.stderr));
        let mut check = Command::new("python3")
            .arg(root().join("tests/kubernetes/validate.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        check.stdin.take().unwrap().write_all(&rendered.stdout).unwrap();
        let checked = check.wait_with_output().unwrap();
        let (said, wrong) = (String::from_utf8_lossy(&checked.stdout), String::from_utf8_lossy(&checked.stderr));
        assert!(checked.status.success(), "{folder}: {said}{wrong}");
        println!("{folder}:\n{said}");
    }
}
