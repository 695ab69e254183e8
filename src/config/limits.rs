//! What one request, and all of them together, may ask of this process.

use std::time::Duration;

use clap::Args;

use super::units;
use crate::audio::AudioLimits;

/// Bytes in a mebibyte.
const MIB: usize = 1 << 20;

/// Limits on requests and on the work behind them.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Limits")]
pub struct Limits {
    /// Largest request body, in MiB; more is refused with 413.
    #[arg(long, env = "EMOTONE_MAX_UPLOAD_MIB", value_name = "MIB", default_value_t = 25,
          value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub max_upload_mib: u32,

    /// Memory for all request bodies together, and for the forms and tensors that are read from them, in MiB; more is refused with
    /// 503.
    #[arg(long, env = "EMOTONE_MAX_BUFFERED_MIB", value_name = "MIB", default_value_t = 512,
          value_parser = clap::value_parser!(u32).range(1..=1_048_576))]
    pub max_buffered_mib: u32,

    /// Longest recording, in seconds.
    #[arg(long, env = "EMOTONE_MAX_AUDIO_SECONDS", value_name = "SECONDS", default_value = "3600",
          value_parser = units::audio_seconds)]
    pub max_audio_seconds: f64,

    /// Shortest recording that is judged, in seconds.
    #[arg(long, env = "EMOTONE_MIN_AUDIO_SECONDS", value_name = "SECONDS", default_value = "0.1",
          value_parser = units::audio_seconds)]
    pub min_audio_seconds: f64,

    /// Most channels of a recording.
    #[arg(long, env = "EMOTONE_MAX_AUDIO_CHANNELS", value_name = "CHANNELS", default_value_t = 8,
          value_parser = clap::value_parser!(u16).range(1..=64))]
    pub max_audio_channels: u16,

    /// Lowest sample rate of a recording, in Hz.
    #[arg(long, env = "EMOTONE_MIN_SAMPLE_RATE_HZ", value_name = "HZ", default_value_t = 4_000,
          value_parser = clap::value_parser!(u32).range(1_000..=768_000))]
    pub min_sample_rate_hz: u32,

    /// Highest sample rate of a recording, in Hz.
    #[arg(long, env = "EMOTONE_MAX_SAMPLE_RATE_HZ", value_name = "HZ", default_value_t = 192_000,
          value_parser = clap::value_parser!(u32).range(1_000..=768_000))]
    pub max_sample_rate_hz: u32,

    /// Most memory for the decoded samples of a recording, in MiB; an hour of stereo at 48 kHz takes 1319.
    #[arg(long, env = "EMOTONE_MAX_DECODED_MIB", value_name = "MIB", default_value_t = 1_536,
          value_parser = clap::value_parser!(u32).range(1..=1_048_576))]
    pub max_decoded_mib: u32,

    /// Threads that decode, compute features and judge [default: one for each core].
    #[arg(long, env = "EMOTONE_WORKERS", value_name = "THREADS",
          value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub workers: Option<u16>,

    /// Recordings at work at a time, taking turns on the worker threads.
    #[arg(long, env = "EMOTONE_MAX_CONCURRENCY", value_name = "REQUESTS", default_value_t = 16,
          value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub max_concurrency: u32,

    /// Recordings that may wait for that; more are refused with 503 at once, and until that has not happened for a second,
    /// only as many may wait as there are worker threads, or as will be free soon while most are refused.
    #[arg(long, env = "EMOTONE_MAX_QUEUE", value_name = "REQUESTS", default_value_t = 64,
          value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    pub max_queue: u32,

    /// Longest wait there, in milliseconds, or 50 while more than half are refused for longer than a moment; then 503.
    #[arg(long, env = "EMOTONE_QUEUE_TIMEOUT_MS", value_name = "MS", default_value = "5000",
          value_parser = units::milliseconds)]
    pub queue_timeout_ms: Duration,

    /// Deadline for the work on a request, in seconds from its last byte; then 504.
    #[arg(long, env = "EMOTONE_REQUEST_TIMEOUT_SECONDS", value_name = "SECONDS", default_value = "60",
          value_parser = units::seconds)]
    pub request_timeout_seconds: Duration,

    /// Live calls at a time; more are refused with 503.
    #[arg(long, env = "EMOTONE_MAX_SESSIONS", value_name = "SESSIONS", default_value_t = 1000,
          value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    pub max_sessions: u32,
}

/// Threads that can work at once.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

impl Limits {
    /// Largest request body, in MiB: one that all bodies together have no room for is too large as well.
    pub fn largest_upload_mib(&self) -> u32 {
        self.max_upload_mib.min(self.max_buffered_mib)
    }

    /// Largest request body, in bytes.
    pub fn max_upload_bytes(&self) -> usize {
        self.largest_upload_mib() as usize * MIB
    }

    /// All request bodies together, in bytes.
    pub fn max_buffered_bytes(&self) -> usize {
        self.max_buffered_mib as usize * MIB
    }

    /// Worker threads: as many as were asked for, or as there are cores.
    pub fn worker_threads(&self) -> usize {
        self.workers.map_or_else(cores, usize::from)
    }

    /// Two limits that no recording could keep both of, in words.
    pub(super) fn contradiction(&self) -> Option<&'static str> {
        if self.min_audio_seconds > self.max_audio_seconds {
            return Some("--min-audio-seconds is above --max-audio-seconds");
        }
        (self.min_sample_rate_hz > self.max_sample_rate_hz)
            .then_some("--min-sample-rate-hz is above --max-sample-rate-hz")
    }

    /// What a recording may be.
    pub fn audio(&self) -> AudioLimits {
        AudioLimits {
            max_seconds: self.max_audio_seconds,
            min_seconds: self.min_audio_seconds,
            max_channels: self.max_audio_channels,
            min_sample_rate_hz: self.min_sample_rate_hz,
            max_sample_rate_hz: self.max_sample_rate_hz,
            max_decoded_mib: self.max_decoded_mib,
        }
    }
}
