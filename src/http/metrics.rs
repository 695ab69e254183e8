//! `GET /metrics`: what a Prometheus server wants to know, in its conventional names and units.

use std::time::Duration;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use prometheus::process_collector::ProcessCollector;
use prometheus::{
    Counter, Encoder, Gauge, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    PullingGauge, Registry, TextEncoder,
};

use super::error::{ApiError, ErrorBody};
use super::models::Served;
use super::state::App;
use super::work::Timing;
use crate::audio::Recording;
use crate::call::{Judgement, Verdict};
use crate::config::{REVISION, VERSION};
use crate::model::Emotion;

/// Upper bounds of durations in seconds: from a millisecond, for a short clip is done in some of them, to a minute.
const DURATIONS: [f64; 16] =
    [0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 15.0, 60.0];
/// Upper bounds of parts of those durations.
const PARTS: [f64; 12] = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 2.5, 15.0];
/// Label of stretches in which nobody spoke.
const NO_EMOTION: &str = "none";

/// All metrics. Counters are counted where things happen; gauges are read when somebody asks.
pub struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    request_durations: HistogramVec,
    stage_durations: HistogramVec,
    judged: IntCounterVec,
    audio_seconds: Counter,
    abandoned: IntCounter,
    sessions: IntCounter,
    reloads: IntCounterVec,
    webhooks: IntCounterVec,
    model_info: IntGaugeVec,
    in_flight: IntGauge,
    waiting: IntGauge,
    live_waiting: IntGauge,
    untold: IntGauge,
    at_work: IntGauge,
    open_sessions: IntGauge,
    buffered_bytes: Gauge,
    connections: IntGauge,
}

impl Metrics {
    /// Registers everything.
    ///
    /// # Errors
    /// If two metrics had the same name.
    pub fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let durations =
            |name: &str, help: &str, label: &str, bounds: &[f64]| -> Result<HistogramVec, prometheus::Error> {
                let histogram = HistogramVec::new(HistogramOpts::new(name, help).buckets(bounds.to_vec()), &[label])?;
                registry.register(Box::new(histogram.clone()))?;
                Ok(histogram)
            };
        let counters = |name: &str, help: &str, labels: &[&str]| -> Result<IntCounterVec, prometheus::Error> {
            let counters = IntCounterVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(counters.clone()))?;
            Ok(counters)
        };
        let counter = |name: &str, help: &str| -> Result<IntCounter, prometheus::Error> {
            let counter = IntCounter::new(name, help)?;
            registry.register(Box::new(counter.clone()))?;
            Ok(counter)
        };
        let gauge = |name: &str, help: &str| -> Result<IntGauge, prometheus::Error> {
            let gauge = IntGauge::new(name, help)?;
            registry.register(Box::new(gauge.clone()))?;
            Ok(gauge)
        };
        let audio_seconds = Counter::new("emotone_audio_seconds_total", "Sound judged, in seconds, all channels.")?;
        registry.register(Box::new(audio_seconds.clone()))?;
        let buffered_bytes = Gauge::new(
            "emotone_buffered_bytes",
            "Memory that request bodies take, and what forms and tensors are read with, in bytes.",
        )?;
        registry.register(Box::new(buffered_bytes.clone()))?;
        let model_info =
            IntGaugeVec::new(Opts::new("emotone_model_info", "The models at work."), &["name", "version"])?;
        registry.register(Box::new(model_info.clone()))?;
        let build_info = IntGaugeVec::new(Opts::new("emotone_build_info", "This program."), &["version", "revision"])?;
        registry.register(Box::new(build_info.clone()))?;
        build_info.with_label_values(&[VERSION, REVISION]).set(1);
        registry.register(Box::new(ProcessCollector::for_self()))?;
        let metrics = Self {
            requests: counters("emotone_requests_total", "Requests answered.", &["route", "status"])?,
            request_durations: durations(
                "emotone_request_duration_seconds",
                "From a request's head to its answer, in seconds.",
                "route",
                &DURATIONS,
            )?,
            stage_durations: durations(
                "emotone_stage_duration_seconds",
                "Parts of a recording's way, in seconds: queue, decode, features, inference.",
                "stage",
                &PARTS,
            )?,
            judged: counters(
                "emotone_judged_total",
                "Stretches judged, by status and emotion.",
                &["status", "emotion"],
            )?,
            abandoned: counter("emotone_abandoned_total", "Requests whose client left before the answer.")?,
            sessions: counter("emotone_sessions_total", "Live calls begun.")?,
            reloads: counters(
                "emotone_model_reloads_total",
                "Times that the models were read again, by result.",
                &["result"],
            )?,
            webhooks: counters("emotone_webhook_events_total", "Alerts and summaries told, by result.", &["result"])?,
            in_flight: gauge("emotone_requests_in_flight", "Requests and live calls being answered.")?,
            waiting: gauge("emotone_queue_depth", "Recordings that wait for their first turn.")?,
            live_waiting: gauge("emotone_live_queue_depth", "Pieces of live calls that wait for a worker.")?,
            untold: gauge(
                "emotone_webhook_queue_depth",
                "Alerts and summaries that wait to be told or are being told.",
            )?,
            at_work: gauge("emotone_recordings_at_work", "Recordings being judged.")?,
            open_sessions: gauge("emotone_sessions", "Live calls open.")?,
            connections: gauge("emotone_connections", "Connections open, but for those that became live calls.")?,
            audio_seconds,
            buffered_bytes,
            model_info,
            registry,
        };
        // Prometheus sees no increase in a counter that comes with its first event.
        for result in ["ok", "failed"] {
            metrics.reloads.with_label_values(&[result]);
        }
        for result in ["delivered", "failed", "dropped"] {
            metrics.webhooks.with_label_values(&[result]);
        }
        Ok(metrics)
    }

    /// Where the lines are counted that the log has lost.
    ///
    /// # Errors
    /// If that is known already.
    pub fn follow_log(&self, lost: impl Fn() -> usize + Send + Sync + 'static) -> Result<(), prometheus::Error> {
        let help = "Log lines lost since the start, because nobody read them in time.";
        let lost = PullingGauge::new("emotone_log_lines_lost", help, Box::new(move || lost() as f64))?;
        self.registry.register(Box::new(lost))
    }

    /// A request was answered.
    pub fn answered(&self, route: &str, status: u16, took: Duration) {
        self.requests.with_label_values(&[route, &status.to_string()]).inc();
        self.request_durations.with_label_values(&[route]).observe(took.as_secs_f64());
    }

    /// A client left before its answer.
    pub fn abandoned(&self) {
        self.abandoned.inc();
    }

    /// A recording was judged.
    pub fn judged(&self, recording: &Recording, judgement: &Judgement, timing: &Timing) {
        self.took(timing.stages());
        self.audio_seconds.inc_by(recording.seconds() * recording.channels.len() as f64);
        for channel in &judgement.channels {
            channel.segments.iter().for_each(|segment| self.heard(&segment.verdict));
        }
    }

    /// Stages took so long.
    pub fn took(&self, stages: impl IntoIterator<Item = (&'static str, Duration)>) {
        for (stage, took) in stages {
            self.stage_durations.with_label_values(&[stage]).observe(took.as_secs_f64());
        }
    }

    /// A stretch was judged, of a recording or of a live call.
    pub fn heard(&self, verdict: &Verdict) {
        let emotion = verdict.best().map_or(NO_EMOTION, |(emotion, _)| Emotion::name(emotion));
        self.judged.with_label_values(&[verdict.status(), emotion]).inc();
    }

    /// Seconds of sound that a live call brought.
    pub fn listened(&self, seconds: f64) {
        self.audio_seconds.inc_by(seconds.max(0.0));
    }

    /// A live call began.
    pub fn session_began(&self) {
        self.sessions.inc();
    }

    /// An event of a live call was `delivered` to the webhook, `failed`, or was `dropped` because too many
    /// waited or the service ended.
    pub fn webhook(&self, result: &str) {
        self.webhooks.with_label_values(&[result]).inc();
    }

    /// How many events had that result.
    #[cfg(test)]
    pub fn webhooks_of(&self, result: &str) -> u64 {
        self.webhooks.with_label_values(&[result]).get()
    }

    /// The models were read again, and all of them could be, or not.
    pub fn reloaded(&self, worked: bool) {
        self.reloads.with_label_values(&[if worked { "ok" } else { "failed" }]).inc();
    }

    /// These are the models at work now.
    pub fn models(&self, served: &[Served]) {
        self.model_info.reset();
        for model in served {
            let version = &model.pipeline.classifier().card().version;
            self.model_info.with_label_values(&[&model.name, version]).set(1);
        }
    }

    /// Everything, as Prometheus reads it.
    fn text(&self, app: &App) -> Result<String, ApiError> {
        self.in_flight.set(as_gauge(app.lifecycle.in_flight()));
        self.untold.set(as_gauge(app.lifecycle.untold()));
        self.waiting.set(as_gauge(app.workers.waiting()));
        self.live_waiting.set(as_gauge(app.workers.small_waiting()));
        self.at_work.set(as_gauge(app.workers.at_work()));
        let limits = &app.settings.limits;
        let free_sessions = app.session_room.available_permits();
        self.open_sessions.set(as_gauge((limits.max_sessions as usize).saturating_sub(free_sessions)));
        let free_bytes = app.upload_room.available_permits() * 1024;
        self.buffered_bytes.set(limits.max_buffered_bytes().saturating_sub(free_bytes) as f64);
        let most = app.settings.network.max_connections as usize;
        self.connections.set(as_gauge(most.saturating_sub(app.connection_room.available_permits())));
        let mut text = Vec::new();
        let written = TextEncoder::new().encode(&self.registry.gather(), &mut text);
        written.map_err(|error| ApiError::Internal(error.to_string()))?;
        String::from_utf8(text).map_err(|error| ApiError::Internal(error.to_string()))
    }
}

fn as_gauge(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Figures for Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "operation",
    responses(
        (status = 200, description = "Prometheus text format", content_type = "text/plain", body = String),
        (status = 401, description = "`unauthorized`: a missing or wrong API key", body = ErrorBody),
        (status = 429, description = "`rate_limited`; see Retry-After", body = ErrorBody),
    ))]
pub async fn metrics(State(app): State<App>) -> Result<Response, ApiError> {
    let text = app.metrics.text(&app)?;
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
}
