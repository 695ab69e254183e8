//! `GET /stream`: live call audio in, a timeline out.
//!
//! The first text frame settles the [`dialect`](self): Twilio's, jambonz', or the plain one. From then on a `Session` reads
//! frames, a `Hearing` gathers their sound and has the workers judge it, and what they say goes out as `Frame`s. A session
//! holds, a channel, a window of frames, a hop and about a second at most, a small read buffer, and at most one frame of its
//! caller.

mod origin;
mod dialect;
mod opening;
mod plain;
mod clock;
mod order;
mod twilio;
mod frames;
mod hearing;
mod end;
mod session;
mod audiosocket;

use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{State, WebSocketUpgrade};
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use std::time::Duration;
use tracing::Instrument;

pub use self::audiosocket::serve_audiosocket;
use self::frames::Frame;
use self::session::Session;
use super::error::{ApiError, ErrorBody};
use super::query::{Parameters, Which};
use super::request_id::RequestId;
use super::state::App;

/// Largest frame that is read at all, in bytes: more than half a minute of 8 kHz stereo samples.
const LARGEST_FRAME: usize = (1 << 20) + (1 << 16);
/// Bytes read from a socket at a time.
const READ_BUFFER: usize = 4 * 1024;
/// When to come again if there is no room.
const RETRY_AFTER: Duration = Duration::from_secs(5);
/// Subprotocols that are agreed to.
const SUBPROTOCOLS: [&str; 1] = ["audio.jambonz.org"];

/// Judge a live call over a WebSocket.
///
/// The first text frame chooses the dialect: Twilio Media Streams as Twilio sends it; jambonz' `listen`; or
/// `{"type":"start","encoding":"pcm_s16le"|"mulaw"|"alaw","sample_rate_hz":8000,"channels":1}`, then binary frames of any
/// length, then `{"type":"stop"}`. Optional in `start`: `window_seconds`, `hop_seconds`, `smoothing`, `call_id`, `quiet`, and
/// `alerts` (`[{"emotion":"angry","threshold":0.6,"hold_seconds":3}]`, with `channel` or `track` for one side alone). The
/// server says `ready`, then `segment` and `alert` as the call goes on, and `summary` after `stop`; then it closes with
/// 1000. Streaming a file and posting it give the same segments.
#[utoipa::path(
    get, path = "/stream", tag = "emotion", params(Which),
    responses(
        (status = 101, description = "The call can begin: frames of text as `StreamFrame` come back", body = Frame),
        (status = 400, description = "`bad_request`: this route speaks WebSocket alone, over HTTP/1.1, or there is no such model", body = ErrorBody),
        (status = 401, description = "`unauthorized`: a missing or wrong API key; or, where there are no keys, a page of an origin that is neither the address called nor one of --cors-allow-origin", body = ErrorBody),
        (status = 429, description = "`rate_limited`; see Retry-After", body = ErrorBody),
        (status = 503, description = "`overloaded`, or the server is about to end; see Retry-After", body = ErrorBody),
    )
)]
pub async fn stream(
    State(app): State<App>,
    id: RequestId,
    which: Parameters<Which>,
    headers: HeaderMap,
    uri: Uri,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    app.check_open()?;
    if !app.keys.are_set() {
        // A page does not know a key, and cannot send one if it does.
        origin::check(&headers, &uri, &app.settings.security.cors_allow_origin)?;
    }
    let pipeline = app.models.get(which.0.model.as_deref())?.pipeline;
    let upgrade = upgrade.map_err(|refused| match refused {
        // axum asks for what a later version of HTTP would need, and what is not spoken here.
        WebSocketUpgradeRejection::MethodNotConnect(_) => {
            ApiError::BadRequest("WebSocket is spoken over HTTP/1.1 here".into())
        }
        WebSocketUpgradeRejection::InvalidWebSocketVersionHeader(_) => ApiError::WebSocketVersion,
        other => ApiError::BadRequest(other.body_text()),
    })?;
    let room = app.session_room.clone().try_acquire_owned().map_err(|_| ApiError::Overloaded {
        reason: "there is no room for another live call",
        retry_after: RETRY_AFTER,
    })?;
    let in_flight = app.lifecycle.begin();
    let span = tracing::Span::current();
    let upgrade = upgrade
        .protocols(SUBPROTOCOLS)
        .max_message_size(LARGEST_FRAME)
        .max_frame_size(LARGEST_FRAME)
        .read_buffer_size(READ_BUFFER)
        // A frame goes out at once; gathering would only delay it.
        .write_buffer_size(0);
    Ok(upgrade.on_upgrade(move |socket| {
        let call = async move {
            Session::new(socket, app, pipeline, id.as_str().to_string()).run().await;
            drop((room, in_flight));
        };
        call.instrument(span)
    }))
}
