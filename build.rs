//! Tells the program which revision it is built from.

use std::env;
use std::path::Path;
use std::process::Command;

const GIVEN: &str = "EMOTONE_GIT_REVISION";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed={GIVEN}");
    let given = env::var(GIVEN).ok().filter(|revision| !revision.is_empty());
    // Who develops would compile everything anew after each commit, for nothing.
    let is_release = env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let found = || if is_release { revision_of_checkout() } else { None };
    println!("cargo::rustc-env=EMOTONE_REVISION={}", given.or_else(found).unwrap_or_else(|| "unknown".into()));
}

/// The commit that is checked out here; none if this folder is no repository of its own, but a part of another, say.
fn revision_of_checkout() -> Option<String> {
    let here = Path::new(&env::var("CARGO_MANIFEST_DIR").ok()?).canonicalize().ok()?;
    if Path::new(&git("--show-toplevel")?).canonicalize().ok()? != here {
        return None;
    }
    // Grows with every commit and checkout.
    let log = Path::new(&git("--absolute-git-dir")?).join("logs/HEAD");
    if log.exists() {
        println!("cargo::rerun-if-changed={}", log.display());
    }
    git("HEAD")
}

fn git(question: &str) -> Option<String> {
    let output = Command::new("git").args(["rev-parse", question]).output().ok()?;
    let answer = String::from_utf8(output.stdout).ok()?.trim().to_string();
    (output.status.success() && !answer.is_empty()).then_some(answer)
}
