//! A request's body as it comes: not too slowly, and not too much.

use std::error::Error;
use std::io::{self, ErrorKind};
use std::time::Instant;

use axum::body::Body;
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use http_body_util::BodyExt;
use tokio::time::timeout_at;

use super::error::ApiError;
use super::pace::Pace;
use super::state::App;

/// A body that comes at its [`Pace`].
pub struct Incoming {
    body: Body,
    pace: Pace,
    length: usize,
    most: usize,
    limit: usize,
    limit_mib: u32,
}

impl Incoming {
    /// A body that begins to come now.
    ///
    /// # Errors
    /// [`ApiError::UploadTooLarge`] if it says that it is, before it comes.
    pub fn new(headers: &HeaderMap, body: Body, app: &App) -> Result<Self, ApiError> {
        let limits = &app.settings.limits;
        let (limit, limit_mib) = (limits.max_upload_bytes(), limits.largest_upload_mib());
        let declared = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        let most = declared.unwrap_or(limit);
        if most > limit {
            return Err(ApiError::UploadTooLarge { limit_mib });
        }
        Ok(Self { body, pace: Pace::new(&app.settings.network, Instant::now()), length: 0, most, limit, limit_mib })
    }

    /// Bytes that can come at most: as many as it says, or as are allowed.
    pub fn most(&self) -> usize {
        self.most
    }

    /// Its next piece; `None` at its end.
    ///
    /// # Errors
    /// [`ApiError::BodyTooSlow`], [`ApiError::UploadTooLarge`], [`ApiError::BrokenOff`], or [`ApiError::BadRequest`] for what is no
    /// body.
    pub async fn next(&mut self) -> Result<Option<Bytes>, ApiError> {
        loop {
            let frame = match timeout_at(self.pace.until().into(), self.body.frame()).await {
                Err(_elapsed) => return Err(ApiError::BodyTooSlow),
                Ok(None) => return Ok(None),
                Ok(Some(Err(error))) => return Err(broken(&error)),
                Ok(Some(Ok(frame))) => frame,
            };
            let Ok(piece) = frame.into_data() else { continue };
            self.length = self.length.saturating_add(piece.len());
            self.pace.came(piece.len(), Instant::now());
            if self.length > self.limit {
                return Err(ApiError::UploadTooLarge { limit_mib: self.limit_mib });
            }
            return Ok(Some(piece));
        }
    }
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
