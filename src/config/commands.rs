//! The commands that end by themselves.

use std::convert::Infallible;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;

/// Which model to use.
#[derive(Debug, Clone, Args)]
pub struct ModelFile {
    /// Model file (ONNX with its metadata) [default: the one compiled into this program].
    #[arg(long, env = "EMOTONE_MODEL", value_name = "FILE")]
    pub model: Option<PathBuf>,
}

/// Where a model comes from, and what it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelSource {
    /// What `?model=` calls it; its own name if this is not said.
    pub name: Option<String>,
    /// Its file, or a folder of models named by their files.
    pub path: PathBuf,
}

impl FromStr for ModelSource {
    type Err = Infallible;

    /// `NAME=FILE`, or `FILE`; a name is made of letters, digits and `-_.`, so that most paths with `=` stay paths.
    fn from_str(text: &str) -> Result<Self, Infallible> {
        let is_name = |name: &str| {
            !name.is_empty() && name.chars().all(|letter| letter.is_alphanumeric() || "-_.".contains(letter))
        };
        Ok(match text.split_once('=') {
            Some((name, path)) if is_name(name) => Self { name: Some(name.into()), path: path.into() },
            _ => Self { name: None, path: text.into() },
        })
    }
}

/// Classify audio files without a server.
#[derive(Debug, Clone, Args)]
pub struct Classify {
    /// Audio files.
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,

    /// Print one JSON line a file, as `/classify` answers.
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    #[allow(missing_docs, reason = "see ModelFile")]
    pub model: ModelFile,
}

/// Show what a model says of itself.
#[derive(Debug, Clone, Args)]
pub struct Model {
    #[command(flatten)]
    #[allow(missing_docs, reason = "see ModelFile")]
    pub model: ModelFile,

    /// Print it as JSON, as `/model` answers.
    #[arg(long)]
    pub json: bool,
}
