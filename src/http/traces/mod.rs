//! Traces for OpenTelemetry: one span a request, sent over OTLP/HTTP to the collector that `OTEL_EXPORTER_OTLP_ENDPOINT`
//! (or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`) names. The other `OTEL_` variables work as its specification says.
//!
//! Only in programs built with the feature `otlp`; without it, these functions do nothing.

#[cfg(feature = "otlp")]
mod exporter;
#[cfg(feature = "otlp")]
mod span;

use axum::http::{HeaderMap, Method};
use tracing::Span;

use super::work::Timing;

#[cfg(feature = "otlp")]
pub use exporter::{Exporter, TracesError};

/// Variables that name a collector.
const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];

/// Whether the environment names a collector.
pub fn are_wanted() -> bool {
    ENDPOINTS.into_iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// Makes a request's span the child of the one its caller names, if it names one.
#[cfg_attr(not(feature = "otlp"), allow(unused_variables, reason = "nothing is traced"))]
pub(super) fn begin(span: &Span, headers: &HeaderMap, method: &Method, route: &str) {
    #[cfg(feature = "otlp")]
    span::begin(span, headers, method, route);
}

/// Notes where the time of the current request went.
#[cfg_attr(not(feature = "otlp"), allow(unused_variables, reason = "nothing is traced"))]
pub(super) fn timed(timing: &Timing) {
    #[cfg(feature = "otlp")]
    span::timed(timing);
}

/// Notes how a request was answered.
#[cfg_attr(not(feature = "otlp"), allow(unused_variables, reason = "nothing is traced"))]
pub(super) fn answered(span: &Span, status: u16, code: Option<&'static str>) {
    #[cfg(feature = "otlp")]
    span::answered(span, status, code);
}
