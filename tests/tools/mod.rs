//! Programs that a machine may have or not.

use std::io::Write;
use std::process::Command;

/// Whether a program is there and can do what is asked of it. If not, it says so where even a test that passes is heard.
pub fn is_there(program: &str, question: &[&str]) -> bool {
    let there = Command::new(program).args(question).output().is_ok_and(|output| output.status.success());
    if !there {
        // The macros would write where nobody reads.
        let _ = writeln!(std::io::stderr(), "skipped: `{program} {}` does not work here", question.join(" "));
    }
    there
}
