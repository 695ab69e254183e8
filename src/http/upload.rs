//! A request's body, read with limits: on its size, its speed, and on the memory of all bodies together.

use std::error::Error;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::{HeaderMap, header, request::Parts};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout_at;

use super::error::ApiError;
use super::pace::Pace;
use super::state::App;

/// Names under which a form may carry the audio.
const AUDIO_PARTS: [&str; 2] = ["file", "audio"];
/// A unit of the room that bodies take in memory.
const KIB: usize = 1024;
/// How long to stay away when the room is taken.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The audio of a request, and the room it takes.
#[derive(Debug)]
pub struct Upload {
    /// The audio, never empty.
    pub audio: Bytes,
    /// To be kept as long as the audio is.
    pub room: Room,
}

/// Room in memory; given back when dropped.
#[derive(Debug)]
pub struct Room(#[allow(dead_code, reason = "held, not read")] Option<OwnedSemaphorePermit>);

impl Upload {
    /// Reads the audio of a request: its body, or the part `file` or `audio` of its form.
    ///
    /// # Errors
    /// What the table says of bodies that are empty, too large, too slow, encoded, or forms that are broken.
    pub async fn read(request: Request, app: &App) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        check_encoding(&parts.headers)?;
        check_declared_length(&parts.headers, app.settings.limits.largest_upload_mib())?;
        let (bytes, room) = read_body(body, app).await?;
        let audio = if is_form(&parts.headers) { audio_part(parts, bytes).await? } else { bytes };
        if audio.is_empty() {
            return Err(ApiError::EmptyUpload("it has no bytes"));
        }
        Ok(Self { audio, room })
    }
}

/// Refuses a body that says it is too large, before it comes.
fn check_declared_length(headers: &HeaderMap, limit_mib: u32) -> Result<(), ApiError> {
    let declared = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    match declared {
        Some(bytes) if bytes > u64::from(limit_mib) << 20 => Err(ApiError::UploadTooLarge { limit_mib }),
        _ => Ok(()),
    }
}

/// Refuses compressed bodies: a small one can be large inside, and audio hardly gains by it.
fn check_encoding(headers: &HeaderMap) -> Result<(), ApiError> {
    match headers.get(header::CONTENT_ENCODING) {
        Some(encoding) if !encoding.as_bytes().eq_ignore_ascii_case(b"identity") => {
            Err(crate::audio::AudioError::Unsupported { what: "a body with Content-Encoding".into() }.into())
        }
        _ => Ok(()),
    }
}

impl From<crate::audio::AudioError> for ApiError {
    fn from(error: crate::audio::AudioError) -> Self {
        ApiError::Audio(error)
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let declared = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    declared.is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("multipart/form-data"))
}

/// Everything the client sends, at its [`Pace`].
async fn read_body(mut body: Body, app: &App) -> Result<(Bytes, Room), ApiError> {
    let limits = &app.settings.limits;
    let mut pace = Pace::new(&app.settings.network, Instant::now());
    let (mut first, mut rest, mut length, mut room) = (Bytes::new(), BytesMut::new(), 0_usize, Room(None));
    loop {
        let frame = match timeout_at(pace.until().into(), body.frame()).await {
            Err(_elapsed) => return Err(ApiError::BodyTooSlow),
            Ok(None) => break,
            Ok(Some(Err(error))) => return Err(broken(&error)),
            Ok(Some(Ok(frame))) => frame,
        };
        let Ok(piece) = frame.into_data() else { continue };
        length += piece.len();
        pace.came(piece.len(), Instant::now());
        if length > limits.max_upload_bytes() {
            return Err(ApiError::UploadTooLarge { limit_mib: limits.largest_upload_mib() });
        }
        room.grow_to(length, &app.upload_room)?;
        if first.is_empty() {
            first = piece;
        } else {
            if rest.is_empty() {
                rest.extend_from_slice(&first);
            }
            rest.extend_from_slice(&piece);
        }
    }
    Ok((if rest.is_empty() { first } else { rest.freeze() }, room))
}

/// Why a body cannot be read on: its client has left, or sends what is none.
fn broken(error: &axum::Error) -> ApiError {
    if has_left(error) {
        ApiError::BrokenOff(error.to_string())
    } else {
        ApiError::BadRequest(format!("the body cannot be read: {error}"))
    }
}

fn has_left(error: &(dyn Error + 'static)) -> bool {
    let is_end = |error: &io::Error| {
        matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted)
    };
    error.downcast_ref().is_some_and(is_end) || error.source().is_some_and(has_left)
}

impl Room {
    fn grow_to(&mut self, bytes: usize, all: &Arc<Semaphore>) -> Result<(), ApiError> {
        let held = self.0.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let more = u32::try_from(bytes.div_ceil(KIB).saturating_sub(held)).unwrap_or(u32::MAX);
        if more == 0 {
            return Ok(());
        }
        let full = ApiError::Overloaded { reason: "the uploads under way fill the memory", retry_after: RETRY_AFTER };
        let permit = all.clone().try_acquire_many_owned(more).map_err(|_| full)?;
        match &mut self.0 {
            Some(present) => present.merge(permit),
            none => *none = Some(permit),
        }
        Ok(())
    }
}

async fn audio_part(parts: Parts, bytes: Bytes) -> Result<Bytes, ApiError> {
    let broken = |error: &dyn std::fmt::Display| ApiError::BadMultipart(error.to_string());
    let request = Request::from_parts(parts, Body::from(bytes));
    let mut form = Multipart::from_request(request, &()).await.map_err(|error| broken(&error.body_text()))?;
    let mut empty = None;
    while let Some(part) = form.next_field().await.map_err(|error| broken(&error.body_text()))? {
        if part.name().is_some_and(|name| AUDIO_PARTS.contains(&name)) {
            let audio = part.bytes().await.map_err(|error| broken(&error.body_text()))?;
            if !audio.is_empty() {
                return Ok(audio);
            }
            // Browsers send an empty part for a field that nobody filled; a filled one may follow.
            empty = Some(audio);
        }
    }
    empty.ok_or(ApiError::EmptyUpload("the form has no part named `file` or `audio`"))
}
