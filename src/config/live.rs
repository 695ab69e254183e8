//! Live calls.

use std::time::Duration;

use clap::Args;

use super::units;
use crate::call::AlertRule;

/// Live calls and their alerts.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Live calls")]
pub struct Live {
    /// Longest time without a frame, in seconds; then the call is ended.
    #[arg(long, env = "EMOTONE_STREAM_IDLE_SECONDS", value_name = "SECONDS", default_value = "30",
          value_parser = units::seconds)]
    pub stream_idle_seconds: Duration,

    /// Longest live call, in seconds.
    #[arg(long, env = "EMOTONE_MAX_CALL_SECONDS", value_name = "SECONDS", default_value = "14400",
          value_parser = units::seconds)]
    pub max_call_seconds: Duration,

    /// Alert rule for every live call, as EMOTION:THRESHOLD:SECONDS[:CHANNEL], such as angry:0.6:3:inbound; several are
    /// separated by commas.
    #[arg(long, env = "EMOTONE_ALERT", value_name = "RULE", value_delimiter = ',')]
    pub alert: Vec<AlertRule>,
}
