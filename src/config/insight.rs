//! What the service tells of itself.

use std::net::SocketAddr;

use clap::{Args, ValueEnum};
use tracing_subscriber::filter::{LevelFilter, Targets};

use super::units;

/// Logs and metrics.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Insight")]
pub struct Insight {
    /// Form of the log lines on stderr.
    #[arg(long, env = "EMOTONE_LOG_FORMAT", value_name = "FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,

    /// What is logged: error, warn, info, debug, or a filter like `warn,emotone=debug`.
    #[arg(long, env = "EMOTONE_LOG_LEVEL", value_name = "LEVEL", default_value = "info",
          value_parser = log_level)]
    pub log_level: String,

    /// Serve /metrics on an address of its own instead of beside the other routes, and /health there too, over plain HTTP and without
    /// keys.
    #[arg(long, env = "EMOTONE_METRICS_LISTEN", value_name = "ADDRESS", value_parser = units::address)]
    pub metrics_listen: Option<SocketAddr>,
}

/// A filter that can be understood. A word alone would be taken for a part of the program of which everything is logged.
fn log_level(text: &str) -> Result<String, String> {
    let is_level = |part: &str| part.contains('=') || !part.is_empty() && part.parse::<LevelFilter>().is_ok();
    match text.parse::<Targets>() {
        Ok(_) if text.split(',').all(is_level) => Ok(text.into()),
        _ => Err("is no level (error, warn, info, debug, trace, off) and no filter like `warn,emotone=debug`".into()),
    }
}

/// Form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// A line for people.
    Text,
    /// A JSON object a line.
    Json,
}
