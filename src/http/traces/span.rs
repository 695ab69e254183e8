//! What a request's span tells, in the names of OpenTelemetry's semantic conventions.

use axum::http::{HeaderMap, Method};
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{Status, TraceContextExt};
use opentelemetry_http::HeaderExtractor;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::http::work::Timing;

const SERVER_FAULT: u16 = 500;

pub(super) fn begin(span: &Span, headers: &HeaderMap, method: &Method, route: &str) {
    let caller = TraceContextPropagator::new().extract(&HeaderExtractor(headers));
    if caller.span().span_context().is_valid() {
        // It fails where no collector is named: then there is no span to have a parent.
        let _ = span.set_parent(caller);
    }
    span.set_attribute("http.request.method", method.to_string());
    span.set_attribute("http.route", route.to_string());
    span.record("otel.name", format!("{method} {route}"));
}

pub(super) fn timed(timing: &Timing) {
    let span = Span::current();
    for (stage, took) in timing.stages() {
        span.set_attribute(format!("emotone.{stage}.seconds"), took.as_secs_f64());
    }
}

pub(super) fn answered(span: &Span, status: u16, code: Option<&'static str>) {
    span.set_attribute("http.response.status_code", i64::from(status));
    if let Some(code) = code {
        span.set_attribute("error.type", code);
    }
    if status >= SERVER_FAULT {
        span.set_status(Status::error(code.unwrap_or_default()));
    }
}
