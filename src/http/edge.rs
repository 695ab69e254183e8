//! The outermost layer: names each request, counts it, writes its error, logs it.

use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::{Instrument, Span, error, error_span, field, info};

use super::activity::RequestGuard;
use super::error::ApiError;
use super::linger::{Answer, Leftover};
use super::oip::{self, ErrorSentence};
use super::request_id::{self, RequestId};
use super::server::Peer;
use super::state::App;
use super::{trace_context, traces};

const SERVER_FAULT: u16 = 500;
/// Answers hold what callers said; nobody between is to keep them.
const NO_STORE: (HeaderName, HeaderValue) = (header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
const NO_SNIFF: (HeaderName, HeaderValue) = (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));

/// Surrounds every request.
pub async fn surround(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let start = Instant::now();
    let in_flight = app.lifecycle.begin();
    let id = RequestId::of(request.headers());
    let method = request.method().clone();
    let trace_id = trace_context::trace_id(request.headers()).map(str::to_string);
    let route = request.extensions().get::<MatchedPath>().map_or("unknown", MatchedPath::as_str).to_string();
    let in_sentences = oip::is_path(request.uri().path());
    let multiplexed = request.version() == Version::HTTP_2;
    let guard = request.extensions().get::<Arc<RequestGuard>>().cloned();
    let leftover = Leftover::default();
    request.extensions_mut().insert(id.clone());
    let request = request.map(|body| leftover.watch(body));

    // Of the highest level, so that whatever is logged at all says which request it is about.
    let span = error_span!("request", request_id = id.as_str(), trace_id, otel.name = field::Empty);
    traces::begin(&span, request.headers(), &method, &route);
    let mut unanswered = Unanswered { app: &app, span: &span, method: &method, route: &route, start, answered: false };
    let response = match check_host(&request) {
        Ok(()) => next.run(request).instrument(span.clone()).await,
        Err(problem) => problem.into_response(),
    };

    let problem = response.extensions().get::<Arc<ApiError>>().cloned();
    let answered = !matches!(problem.as_deref(), Some(ApiError::BrokenOff(_)));
    unanswered.answered = answered;
    drop(unanswered);
    let mut response = match &problem {
        Some(problem) if in_sentences => with_body(response, Json(ErrorSentence { error: problem.to_string() })),
        Some(problem) => with_body(response, Json(problem.body(Some(id.as_str())))),
        None => response,
    };
    let headers = response.headers_mut();
    headers.extend(id.header_value().map(|value| (request_id::HEADER, value)));
    if app.lifecycle.is_draining() && !multiplexed {
        // Whoever keeps this connection alive would ask a server that is about to end.
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    headers.entry(NO_STORE.0).or_insert(NO_STORE.1);
    headers.entry(NO_SNIFF.0).or_insert(NO_SNIFF.1);
    traces::answered(&span, response.status().as_u16(), problem.as_ref().map(|problem| problem.status_and_code().1));
    if answered {
        app.metrics.answered(&route, response.status().as_u16(), start.elapsed());
        span.in_scope(|| log(&method, &route, &response, problem.as_deref(), start));
    }
    response.map(|body| Body::new(Answer::new(body, leftover, in_flight, guard)))
}

/// Refuses what came by HTTP/1 and does not say once whom it asks, as RFC 9112 (3.2) has it: who stands between might take it
/// for another's.
fn check_host(request: &Request) -> Result<(), ApiError> {
    let hosts = request.headers().get_all(header::HOST).iter().count();
    let may_have_none = request.version() != Version::HTTP_11 || request.extensions().get::<Peer>().is_none();
    match hosts {
        1 => Ok(()),
        0 if may_have_none => Ok(()),
        _ => Err(ApiError::BadRequest("a request has one Host header".into())),
    }
}

/// Counts and logs a request whose client left: hyper drops it then, wherever it is.
struct Unanswered<'a> {
    app: &'a App,
    span: &'a Span,
    method: &'a Method,
    route: &'a str,
    start: Instant,
    answered: bool,
}

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        if !self.answered {
            self.app.metrics.abandoned();
            let Self { method, route, .. } = self;
            let milliseconds = milliseconds_since(self.start);
            self.span.in_scope(|| info!(%method, route, milliseconds, "request abandoned"));
        }
    }
}

/// Turns a panic of a handler into an answer; the panic itself has been logged by the hook.
pub fn on_panic(_panic: Box<dyn std::any::Any + Send>) -> Response {
    ApiError::Internal("a handler panicked".into()).into_response()
}

fn with_body(response: Response, body: impl IntoResponse) -> Response {
    let (mut head, _) = response.into_parts();
    let (body_head, body) = body.into_response().into_parts();
    head.headers.remove(header::CONTENT_LENGTH);
    head.headers.extend(body_head.headers);
    Response::from_parts(head, body)
}

fn log(method: &Method, route: &str, response: &Response, problem: Option<&ApiError>, start: Instant) {
    let status = response.status().as_u16();
    let milliseconds = milliseconds_since(start);
    let code = problem.map(|problem| problem.status_and_code().1);
    let why = problem.map(|problem| problem.detail().map_or_else(|| problem.to_string(), str::to_string));
    if status >= SERVER_FAULT && code == Some("internal") {
        error!(%method, route, status, code, why, milliseconds, "request failed");
    } else {
        info!(%method, route, status, code, why, milliseconds, "request answered");
    }
}

fn milliseconds_since(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1000.0
}
