//! `emotone-train`: arguments to one command.

use std::process::ExitCode;

use clap::Parser;
use emotone_trainer::commands::Arguments;

fn main() -> ExitCode {
    match Arguments::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("emotone-train: {error:#}");
            ExitCode::FAILURE
        }
    }
}
