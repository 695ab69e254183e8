//! The commands that end by themselves.

use std::path::PathBuf;

use clap::Args;

/// Which model to use.
#[derive(Debug, Clone, Args)]
pub struct ModelFile {
    /// Model file (ONNX with its metadata) [default: the one compiled into this program].
    #[arg(long, env = "EMOTONE_MODEL", value_name = "FILE")]
    pub model: Option<PathBuf>,
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
