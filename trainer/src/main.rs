//! `emotone-train`: arguments to one command.

use std::process::ExitCode;

use clap::Parser;
use emotone_trainer::commands::Arguments;
use emotone_trainer::say::tell;

fn main() -> ExitCode {
    // On one of rayon's threads, so that what is shared among them needs no change of threads to begin.
    match rayon::scope(|_| Arguments::parse().run()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(format!("emotone-train: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
