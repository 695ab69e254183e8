//! Where log lines and traces go.

use anyhow::{Context, Result};
use emotone::config::{Insight, LogFormat};
use emotone::http::traces;
use tokio::runtime::Handle;
use tracing::warn;
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::filter::{FilterExt, LevelFilter, Targets};
use tracing_subscriber::layer::Filter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry};

/// What stands before every filter that is asked for. A caller's junk, of which symphonia complains frame by frame, is no
/// business of who keeps the log; who names the library hears it all the same.
const UNASKED: &str = "symphonia=off";

/// A part of what receives events and spans.
type Receiver = Box<dyn Layer<Registry> + Send + Sync>;

/// Lines that wait at most where nobody reads the log. The service goes on, and what comes beyond them is lost, but counted.
const MOST_LINES: usize = 4096;

/// What log and traces have not written or sent yet; that is done when it goes.
pub struct Telemetry {
    /// Log lines that nobody read in time.
    pub lost_lines: ErrorCounter,
    _log: WorkerGuard,
    traces: Traces,
}

/// Spans that are still to be sent when the service ends.
struct Traces {
    #[cfg(feature = "otlp")]
    exporter: Option<traces::Exporter>,
}

impl Telemetry {
    /// Waits until the last spans are sent and the last lines written, unless nobody takes them. Not to be called from an async
    /// thread.
    pub fn end(self) {
        self.traces.end();
    }
}

impl Traces {
    fn end(self) {
        #[cfg(feature = "otlp")]
        if let Some(exporter) = self.exporter {
            exporter.end();
        }
    }
}

/// Sets up the log and, where a collector is named, the traces; their sockets belong to `runtime`.
///
/// # Errors
/// If the level or the collector's address cannot be understood.
pub fn set_up(insight: &Insight, runtime: &Handle) -> Result<Telemetry> {
    let filter = filter(&insight.log_level)?;
    // A pipe that nobody empties takes no more after some hundred lines; a thread of its own may wait for that, no other.
    let (stderr, log) = NonBlockingBuilder::default().buffered_lines_limit(MOST_LINES).finish(std::io::stderr());
    let lost_lines = stderr.error_counter();
    let layer = tracing_subscriber::fmt::layer().with_writer(stderr);
    let layer = match insight.log_format {
        LogFormat::Json => {
            layer.json().flatten_event(true).with_current_span(true).with_span_list(false).with_filter(filter).boxed()
        }
        LogFormat::Text => {
            layer.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).with_filter(filter).boxed()
        }
    };
    let (traces, sender) = set_up_traces(runtime)?;
    tracing_subscriber::registry().with([Some(layer), sender].into_iter().flatten().collect::<Vec<Receiver>>()).init();
    if cfg!(not(feature = "otlp")) && traces::are_wanted() {
        // Not an error: clusters set the variable for every program alike.
        warn!("a collector of traces is named, but this program was built without the feature `otlp`");
    }
    Ok(Telemetry { lost_lines, _log: log, traces })
}

/// What is logged at a level, or of a filter like `warn,emotone=debug`.
fn filter(level: &str) -> Result<impl Filter<Registry> + use<>> {
    let asked = format!("{UNASKED},{level}");
    let asked: Targets = asked.parse().with_context(|| format!("--log-level: cannot understand `{level}`"))?;
    // At trace, libraries write what they carry: sockets the audio and the answers, the network its numbers. Whatever is asked
    // for, they do not.
    let discreet = Targets::new().with_default(LevelFilter::DEBUG).with_target("emotone", LevelFilter::TRACE);
    Ok(asked.and(discreet))
}

#[cfg(feature = "otlp")]
fn set_up_traces(runtime: &Handle) -> Result<(Traces, Option<Receiver>)> {
    if !traces::are_wanted() {
        return Ok((Traces { exporter: None }, None));
    }
    let exporter = traces::Exporter::new(runtime.clone())?;
    // The log's level is the log's business: a service that logs errors alone is still traced.
    let own_spans = Targets::new().with_target("emotone", LevelFilter::INFO);
    let sender = exporter.layer().with_filter(own_spans).boxed();
    Ok((Traces { exporter: Some(exporter) }, Some(sender)))
}

#[cfg(not(feature = "otlp"))]
fn set_up_traces(_runtime: &Handle) -> Result<(Traces, Option<Receiver>)> {
    Ok((Traces {}, None))
}
