//! The commands that end by themselves.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Args;
use clap::builder::BoolishValueParser;

use super::units;

/// Which model to use.
#[derive(Debug, Clone, Args)]
pub struct ModelFile {
    /// Model file (ONNX with its metadata); of several, or of a folder, the first is used [default: the one compiled into this
    /// program].
    #[arg(long, env = "EMOTONE_MODEL", value_name = "FILE", value_delimiter = ',')]
    pub model: Vec<ModelSource>,
}

/// Where a model comes from, and what it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelSource {
    /// What `?model=` calls it; its own name by default.
    pub name: Option<String>,
    /// Its file, or a folder of models named by their files.
    pub path: PathBuf,
}

impl FromStr for ModelSource {
    type Err = Infallible;

    /// `NAME=FILE`, or `FILE`; a name is made of letters, digits and `-_.`, and a path that is there is one.
    fn from_str(text: &str) -> Result<Self, Infallible> {
        let is_name = |name: &str| {
            !name.is_empty() && name.chars().all(|letter| letter.is_alphanumeric() || "-_.".contains(letter))
        };
        Ok(match text.split_once('=') {
            Some((name, path)) if is_name(name) && !Path::new(text).exists() => {
                Self { name: Some(name.into()), path: path.into() }
            }
            _ => Self { name: None, path: text.into() },
        })
    }
}

/// Classify audio files, or whole folders of them, without a server.
#[derive(Debug, Clone, Args)]
pub struct Classify {
    /// Audio files, or folders: every audio file below them, links followed, each file once.
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,

    /// Write one JSON line a file, as `/classify` answers.
    #[arg(long, env = "EMOTONE_JSON", value_parser = BoolishValueParser::new())]
    pub json: bool,

    /// Write one CSV row a file: what was heard in all of it. Not with --json.
    #[arg(long, env = "EMOTONE_CSV", value_parser = BoolishValueParser::new())]
    pub csv: bool,

    /// Write to this file, as files are done, instead of to stdout in their order.
    #[arg(long, env = "EMOTONE_OUTPUT", value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// Go on where an earlier run with this --output, which it needs, ended: files that are in it are not read again.
    #[arg(long, env = "EMOTONE_RESUME", value_parser = BoolishValueParser::new())]
    pub resume: bool,

    /// Do one share of the files: I of N, from 0 (`--shard 0/4` to `--shard 3/4` do all, each file once).
    #[arg(long, env = "EMOTONE_SHARD", value_name = "I/N")]
    pub shard: Option<Shard>,

    /// Exit with 0 even if some files could not be judged; what is named here and not there, or no folder that can be listed, fails
    /// all the same.
    #[arg(long, env = "EMOTONE_ALLOW_FAILURES", value_parser = BoolishValueParser::new())]
    pub allow_failures: bool,

    /// Threads that work [default: one for each core].
    #[arg(long, env = "EMOTONE_WORKERS", value_name = "THREADS",
          value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub workers: Option<u16>,

    #[command(flatten)]
    #[allow(missing_docs, reason = "see ModelFile")]
    pub model: ModelFile,
}

impl Classify {
    /// Options that cannot be kept together, in words. clap would ask whether they were given, which in the environment
    /// `false` is too.
    pub(super) fn contradiction(&self) -> Option<&'static str> {
        if self.json && self.csv {
            return Some("the argument '--csv' cannot be used with '--json'");
        }
        (self.resume && self.output.is_none())
            .then_some("the argument '--resume' cannot be used without '--output <FILE>'")
    }
}

/// A share of the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// Which share, from 0.
    pub index: u64,
    /// Of how many, at least 1.
    pub count: u64,
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('/').and_then(|(index, count)| Some((index.parse().ok()?, count.parse().ok()?)));
        match parts {
            Some((index, count)) if index < count => Ok(Self { index, count }),
            Some((_, 0)) => Err("there are no shards of 0".into()),
            Some((index, count)) => {
                Err(format!("there is no shard {index} of {count}: shards are numbered 0 to {}", count - 1))
            }
            None => Err("is no shard like 0/4".into()),
        }
    }
}

/// Show what a model says of itself.
#[derive(Debug, Clone, Args)]
pub struct Model {
    #[command(flatten)]
    #[allow(missing_docs, reason = "see ModelFile")]
    pub model: ModelFile,

    /// Print it as JSON, as `/model` answers.
    #[arg(long, env = "EMOTONE_JSON", value_parser = BoolishValueParser::new())]
    pub json: bool,
}

/// Where the server is that is asked for its health; its own settings in the environment tell.
#[derive(Debug, Clone, Args)]
pub struct Health {
    /// Address and port that it listens on.
    #[arg(long, env = "EMOTONE_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:8080",
          value_parser = units::address)]
    pub listen: SocketAddr,

    /// Its certificate chain in PEM, if it speaks TLS.
    #[arg(long, env = "EMOTONE_TLS_CERT_FILE", value_name = "FILE")]
    pub tls_cert_file: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_numbered_from_0() {
        assert_eq!("3/4".parse(), Ok(Shard { index: 3, count: 4 }));
        let problem = "4/4".parse::<Shard>().unwrap_err();
        assert_eq!(problem, "there is no shard 4 of 4: shards are numbered 0 to 3");
        for nonsense in ["0/0", "-1/4", "one", "1"] {
            assert!(nonsense.parse::<Shard>().is_err(), "{nonsense}");
        }
    }
}
