//! All settings of the server.

use clap::{Args, Parser};

use super::{Insight, Limits, Live, ModelSource, Network, Security};

/// Settings of `emotone serve`, by concern.
#[derive(Debug, Clone, Args)]
#[allow(missing_docs, reason = "each group says what it is")]
pub struct Serve {
    /// Model file, NAME=FILE, or a folder of models; may be given several times (or separated by commas in the environment).
    /// Read again on SIGHUP [default: the model compiled into this program].
    #[arg(long, env = "EMOTONE_MODEL", value_name = "FILE", value_delimiter = ',')]
    pub model: Vec<ModelSource>,
    #[command(flatten)]
    pub network: Network,
    #[command(flatten)]
    pub limits: Limits,
    #[command(flatten)]
    pub live: Live,
    #[command(flatten)]
    pub security: Security,
    #[command(flatten)]
    pub insight: Insight,
}

impl Serve {
    /// Settings as if these options had been typed, and the environment's; for tests and programs that embed the server.
    ///
    /// # Errors
    /// What clap says of options that make no sense.
    pub fn with_options(options: &[&str]) -> Result<Self, clap::Error> {
        #[derive(Parser)]
        struct Options {
            #[command(flatten)]
            serve: Serve,
        }
        Options::try_parse_from(["serve"].iter().chain(options)).map(|options| options.serve)
    }
}
