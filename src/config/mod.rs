//! Settings: commands, options, environment variables. Every option is also `EMOTONE_` + its name.

mod release;
mod units;
mod secret;
mod commands;
mod limits;
mod live;
mod network;
mod security;
mod insight;
mod serve;

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};

pub use commands::{Classify, Health, Model, ModelFile, ModelSource, Shard};
pub use insight::{Insight, LogFormat};
pub use limits::{Limits, cores};
pub use live::{Live, WebhookAddress, WebhookSecret};
pub use network::Network;
pub use release::{REVISION, VERSION};
pub use security::{ApiKeyList, Security};
pub use serve::Serve;

const USAGE: &str = "emotone [COMMAND] [OPTIONS]";
const DEFAULT: &str = "Without a command it serves: `emotone --listen :8080` is `emotone serve --listen :8080`, whose options\n\
                       `emotone serve --help` lists.";

/// Hears the emotion in a voice.
#[derive(Debug, Parser)]
#[command(name = "emotone", version, about, propagate_version = true, override_usage = USAGE, after_help = DEFAULT)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// One command of the binary.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Answer HTTP requests (the default command).
    Serve(Box<Serve>),
    /// Classify audio files without a server.
    Classify(Classify),
    /// Show what a model says of itself.
    Model(Model),
    /// Print the API description (OpenAPI 3.1, YAML).
    Openapi,
    /// Ask the server on this machine whether it takes requests; fails if not (for health checks of containers).
    Health(Health),
    /// Print version, git revision and the model that is compiled in (as -V does).
    Version,
}

impl Cli {
    /// Reads arguments and environment; `emotone --listen …` means `emotone serve --listen …`.
    ///
    /// # Errors
    /// What clap says of a wrong usage, or the help that was asked for.
    pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let mut arguments: Vec<OsString> = arguments.into_iter().collect();
        let about_the_program = ["-h", "--help", "-V", "--version"];
        let serve = match arguments.get(1).map(|first| first.to_string_lossy()) {
            None => true,
            Some(first) => first.starts_with('-') && !about_the_program.contains(&first.as_ref()),
        };
        if serve {
            arguments.insert(arguments.len().min(1), "serve".into());
        }
        match Self::try_parse_from(arguments) {
            // clap's own answer knows no model.
            Err(asked) if asked.kind() == ErrorKind::DisplayVersion => Ok(Self { command: Command::Version }),
            read => read.and_then(Self::checked),
        }
    }

    /// Refuses options that contradict each other.
    fn checked(self) -> Result<Self, clap::Error> {
        let problem = match &self.command {
            Command::Serve(serve) => serve.limits.contradiction(),
            Command::Classify(options) => options.contradiction(),
            _ => None,
        };
        match problem {
            Some(problem) => Err(Self::command().error(ErrorKind::ValueValidation, problem)),
            None => Ok(self),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str]) -> Result<Cli, clap::Error> {
        Cli::read(arguments.iter().map(OsString::from))
    }

    #[test]
    fn serve_is_the_default_command() {
        for arguments in [&["emotone"][..], &["emotone", "--listen", "127.0.0.1:1"], &["emotone", "serve"]] {
            assert!(matches!(read(arguments).unwrap().command, Command::Serve(_)), "{arguments:?}");
        }
    }

    #[test]
    fn wrong_usage_is_refused() {
        for arguments in [
            &["emotone", "sing"][..],
            &["emotone", "serve", "--no-such-flag"],
            &["emotone", "serve", "--listen", "nowhere"],
            &["emotone", "serve", "--model"],
            &["emotone", "serve", "--max-upload-mib", "0"],
            &["emotone", "serve", "--request-timeout-seconds", "-1"],
            &["emotone", "serve", "--tls-cert-file", "only-half.pem"],
            &["emotone", "serve", "--min-audio-seconds", "5", "--max-audio-seconds", "1"],
            &["emotone", "serve", "--min-sample-rate-hz", "9000", "--max-sample-rate-hz", "8000"],
            &["emotone", "serve", "--webhook", "ftp:foo", "--webhook-secret", "hush"],
            &["emotone", "serve", "--log-level", "inof"],
            &["emotone", "serve", "--log-level", ""],
            &["emotone", "serve", "--cors-allow-origin", "https://*.example.org"],
            &["emotone", "serve", "--log-level", "emotone=loud"],
            &["emotone", "classify"],
            &["emotone", "classify", "folder", "--shard", "4/4"],
            &["emotone", "classify", "folder", "--shard", "1"],
            &["emotone", "classify", "folder", "--resume"],
            &["emotone", "classify", "folder", "--json", "--csv"],
            &["emotone", "openapi", "--loud"],
        ] {
            assert_eq!(read(arguments).unwrap_err().exit_code(), 2, "{arguments:?}");
        }
    }

    #[test]
    fn secrets_that_are_refused_are_not_shown() {
        for (option, secret, hidden) in [
            ("--webhook-secret", "whsec_", "'whsec_'"),
            ("--webhook-secret", "whsec_not+base64!", "not+base64!"),
            ("--webhook-secret", "whsec_YQ", "YQ"),
            ("--api-keys", "one-key,", "one-key"),
            ("--webhook", "ftp://me:hush@localhost/", "hush"),
        ] {
            let error = read(&["emotone", option, secret]).unwrap_err();
            let said = error.render().to_string();
            assert!(error.exit_code() == 2 && said.contains(option), "{said}");
            assert!(!said.contains(hidden), "{said}");
        }
    }

    #[test]
    fn every_option_of_serve_has_its_environment_variable_and_a_line_of_help() {
        let program = Cli::command();
        let serve = program.find_subcommand("serve").unwrap();
        for option in serve.get_arguments().filter(|option| !["help", "version"].contains(&option.get_id().as_str())) {
            let name = option.get_long().unwrap();
            let expected = format!("EMOTONE_{}", name.to_uppercase().replace('-', "_"));
            assert_eq!(option.get_env().unwrap().to_string_lossy(), expected);
            assert!(option.get_help().is_some(), "--{name} has no help");
        }
    }
}
