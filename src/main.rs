//! The `emotone` binary: arguments in, one command done, an exit status out.

mod commands;

use std::io::Write;
use std::process::ExitCode;

use emotone::config::{Cli, Command};

fn main() -> ExitCode {
    let cli = match Cli::read(std::env::args_os()) {
        Ok(cli) => cli,
        Err(usage) => usage.exit(),
    };
    let done = match cli.command {
        Command::Serve(settings) => commands::serve(*settings),
        Command::Classify(options) => commands::classify(&options),
        Command::Model(options) => commands::model(&options),
        Command::Openapi => commands::openapi(),
        Command::Health(options) => commands::health(&options),
        Command::Version => commands::version(),
    };
    match done {
        Ok(status) => status,
        Err(error) => {
            // A stderr that takes nothing is no reason to panic.
            let _ = writeln!(std::io::stderr(), "emotone: {error:#}");
            ExitCode::FAILURE
        }
    }
}
