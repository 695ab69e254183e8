//! Where to listen, and how patient to be with connections.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;

use super::units;

/// Listening, connections and their timeouts.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Network")]
pub struct Network {
    /// Address and port to serve on; `:PORT` is every IPv4 address of this machine, port 0 takes a free one.
    #[arg(long, env = "EMOTONE_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:8080",
          value_parser = units::address)]
    pub listen: SocketAddr,

    /// Connections at a time; beyond them, idle ones are closed and new ones wait.
    #[arg(long, env = "EMOTONE_MAX_CONNECTIONS", value_name = "CONNECTIONS", default_value_t = 10_000,
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_connections: u32,

    /// Longest time from the first byte of a request's head to its last, in seconds; then the connection is closed.
    #[arg(long, env = "EMOTONE_HEADER_TIMEOUT_SECONDS", value_name = "SECONDS", default_value = "10",
          value_parser = units::seconds)]
    pub header_timeout_seconds: Duration,

    /// Longest pause of a body, and how much longer it may take in all than its size grants, in seconds; then 408.
    #[arg(long, env = "EMOTONE_BODY_TIMEOUT_SECONDS", value_name = "SECONDS", default_value = "10",
          value_parser = units::seconds)]
    pub body_timeout_seconds: Duration,

    /// Slowest upload, in KiB a second: each KiB that came grants its time, but never a longer pause than
    /// --body-timeout-seconds.
    #[arg(long, env = "EMOTONE_MIN_UPLOAD_KIB_PER_SECOND", value_name = "KIB", default_value_t = 8,
          value_parser = clap::value_parser!(u32).range(1..=1_048_576))]
    pub min_upload_kib_per_second: u32,

    /// Longest time that a connection may be without a request, in seconds.
    #[arg(long, env = "EMOTONE_IDLE_TIMEOUT_SECONDS", value_name = "SECONDS", default_value = "75",
          value_parser = units::seconds)]
    pub idle_timeout_seconds: Duration,

    /// Time for requests and live calls to end after SIGTERM or SIGINT, in seconds; calls that go on are ended in its last third,
    /// or its last ten seconds.
    #[arg(long, env = "EMOTONE_DRAIN_SECONDS", value_name = "SECONDS", default_value = "30",
          value_parser = units::seconds_or_none)]
    pub drain_seconds: Duration,
}
