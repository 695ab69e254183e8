//! Archives: `emotone classify` on folders, in shards, killed and started again.

#![allow(clippy::unwrap_used, reason = "a test that cannot start the binary has failed")]

mod running;

use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use running::{CLIP, emotone};
use serde_json::Value;

/// A folder tree of ten clips and one that is none.
fn archive() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("some/calls")).unwrap();
    for number in 0..10 {
        std::fs::copy(CLIP, folder.path().join(format!("some/calls/call-{number}.wav"))).unwrap();
    }
    std::fs::write(folder.path().join("some/bad.wav"), b"no audio").unwrap();
    folder
}

fn files_in(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap();
    let mut files: Vec<String> = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["file"].as_str().unwrap().to_string())
        .collect();
    files.sort();
    files
}

#[test]
fn shards_judge_every_file_once_even_if_one_is_killed_and_started_again() {
    let (folder, results) = (archive(), tempfile::tempdir().unwrap());
    let root = folder.path().to_str().unwrap();
    let mut all = Vec::new();
    for shard in ["0/3", "1/3", "2/3"] {
        let output = results.path().join(shard.replace('/', "-of-"));
        let run = |more: &[&str]| {
            let fixed = ["classify", root, "--output", output.to_str().unwrap(), "--shard", shard, "--allow-failures"];
            emotone(&[&fixed, more].concat())
        };
        assert!(run(&[]).status.success());
        let whole = files_in(&output);
        assert_eq!(run(&[]).status.code(), Some(1), "an output is not overwritten");
        // As if it had been killed amid its second line.
        let text = std::fs::read_to_string(&output).unwrap();
        let second = text.find('\n').unwrap() + 20;
        std::fs::write(&output, &text[..second.min(text.len())]).unwrap();
        assert!(run(&["--resume"]).status.success());
        assert_eq!(files_in(&output), whole);
        all.extend(whole);
    }
    all.sort();
    let before = all.len();
    all.dedup();
    assert_eq!((all.len(), before), (11, 11));
}

#[test]
fn an_archive_survives_bad_files_and_says_how_fast_it_was() {
    let folder = archive();
    let output = emotone(&["classify", folder.path().to_str().unwrap(), "--csv"]);
    assert_eq!(output.status.code(), Some(1));
    let (rows, said) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(rows.lines().count(), 12, "{rows}");
    assert!(rows.starts_with("file,status,emotion,confidence,angry,"), "{rows}");
    assert!(rows.lines().nth(1).unwrap().contains("bad.wav"), "in the order of the names: {rows}");
    assert!(said.contains("11 files") && said.contains("audio hours a minute"), "{said}");
    assert!(said.lines().count() == 1 && said.contains("bad.wav: not supported"), "{said}");
}

/// What a shard is told; the same words each time it is started, as a job does.
fn shard(root: &str, output: &Path, number: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_emotone"));
    command.args(["classify", root, "--resume", "--allow-failures", "--workers", "1", "--shard", number, "--output"]);
    command.arg(output);
    command
}

#[test]
fn a_killed_shard_goes_on_where_it_was_killed() {
    let (folder, results) = (archive(), tempfile::tempdir().unwrap());
    let (root, output) = (folder.path().to_str().unwrap(), results.path().join("killed.jsonl"));
    let (rehearsal, other) = (results.path().join("rehearsal.jsonl"), results.path().join("other.jsonl"));
    assert!(shard(root, &rehearsal, "0/2").status().unwrap().success());
    assert!(shard(root, &other, "1/2").status().unwrap().success());
    let whole = files_in(&rehearsal);
    assert!(whole.len() >= 3, "{whole:?}");

    // A pipe that nobody writes to holds the shard's last file up for ever: it is killed in the middle of its work.
    let (last, done) = whole.split_last().unwrap();
    std::fs::remove_file(last).unwrap();
    assert!(Command::new("mkfifo").arg(last).status().unwrap().success());
    let mut killed = shard(root, &output, "0/2").stderr(Stdio::null()).spawn().unwrap();
    while std::fs::read_to_string(&output).unwrap_or_default().lines().count() < done.len() {
        assert!(killed.try_wait().unwrap().is_none(), "it ended by itself");
        thread::sleep(Duration::from_millis(5));
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    std::fs::remove_file(last).unwrap();
    std::fs::copy(CLIP, last).unwrap();

    // What it had done is not read again: it is not even there any more.
    let written = std::fs::read_to_string(&output).unwrap();
    for file in done {
        std::fs::write(file, b"").unwrap();
    }
    let again = shard(root, &output, "0/2").output().unwrap();
    assert!(again.status.success(), "{again:?}");
    let said = String::from_utf8(again.stderr).unwrap();
    assert!(said.starts_with(&format!("1 file ({} were done before)", done.len())), "{said}");
    assert!(std::fs::read_to_string(&output).unwrap().starts_with(&written));
    assert_eq!(files_in(&output), whole);
    let mut all = [whole, files_in(&other)].concat();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 11, "each file once, in one of the shards");
}

#[test]
fn answers_of_two_models_do_not_come_together() {
    let (folder, results) = (archive(), tempfile::tempdir().unwrap());
    let root = folder.path().to_str().unwrap();
    for (name, form) in [("answers.jsonl", "--json"), ("answers.csv", "--csv")] {
        let output = results.path().join(name);
        let fixed = ["classify", root, form, "--allow-failures", "--resume", "--output", output.to_str().unwrap()];
        assert!(emotone(&fixed).status.success());
        assert!(emotone(&fixed).status.success(), "the same model goes on");
        let whole = std::fs::read_to_string(&output).unwrap();
        let another = concat!(env!("CARGO_MANIFEST_DIR"), "/models/emotone-cnn.onnx");
        let refused = emotone(&[&fixed[..], &["--model", another]].concat());
        let said = String::from_utf8(refused.stderr).unwrap();
        assert_eq!((refused.status.code(), said.lines().count()), (Some(1), 1), "{said}");
        assert!(said.contains("emotone-robust") && said.contains("emotone-cnn"), "{said}");
        assert_eq!(std::fs::read_to_string(&output).unwrap(), whole);
    }
}

#[test]
fn what_is_not_there_fails_every_shard_and_is_in_the_results_once() {
    let (folder, results) = (archive(), tempfile::tempdir().unwrap());
    let (root, nowhere) = (folder.path().to_str().unwrap(), "/nowhere/recordings");
    let mut all = Vec::new();
    for shard in ["0/4", "1/4", "2/4", "3/4"] {
        let output = results.path().join(shard.replace('/', "-of-"));
        let fixed = ["classify", nowhere, root, "--shard", shard, "--allow-failures"];
        let ended = emotone(&[&fixed[..], &["--output", output.to_str().unwrap()]].concat());
        let said = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(1), "{shard}: {said}");
        assert!(said.starts_with(&format!("{nowhere}: cannot be read: ")), "{shard}: {said}");
        all.extend(files_in(&output));

        let alone = emotone(&["classify", nowhere, "--shard", shard, "--allow-failures"]);
        let said = String::from_utf8(alone.stderr).unwrap();
        assert_eq!((alone.status.code(), said.lines().count()), (Some(1), 1), "{shard}: {said}");
    }
    assert_eq!(all.iter().filter(|file| *file == nowhere).count(), 1, "{all:?}");
    assert_eq!(all.len(), 12);
}

#[test]
fn a_share_that_is_not_there_is_wrong_usage() {
    for share in ["2/2", "7/3", "0/0", "-1/2", "1", "a/b"] {
        let output = emotone(&["classify", "examples", &format!("--shard={share}")]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{share}: {said}");
        assert!(said.contains("--shard"), "{said}");
    }
}
