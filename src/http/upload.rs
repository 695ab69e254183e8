//! What a request brings, read within the limits on size and speed, and on the memory of all requests together.

use axum::extract::Request;
use axum::http::{HeaderMap, header};
use bytes::Bytes;

use super::error::ApiError;
use super::form;
use super::incoming::Incoming;
use super::room::{Buffer, Room};
use super::state::App;

/// What a request brought, and the room it takes.
#[derive(Debug)]
pub struct Upload {
    /// Never empty.
    pub bytes: Bytes,
    /// To be kept as long as the bytes are.
    pub room: Room,
}

impl Upload {
    /// Reads a request: its body, or the part `file` or `audio` of its form.
    ///
    /// # Errors
    /// What the table says of bodies that are empty, too large, too slow, encoded, or forms that are broken.
    pub async fn read(request: Request, app: &App) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        check_encoding(&parts.headers)?;
        let mut body = Incoming::new(&parts.headers, body, app)?;
        let mut buffer = Buffer::new(Room::none(&app.upload_room), body.most());
        if is_form(&parts.headers) {
            form::read_audio(parts, body, &mut buffer, &app.upload_room).await?;
        } else {
            while let Some(piece) = body.next().await? {
                buffer.push(&piece)?;
            }
        }
        if buffer.is_empty() {
            return Err(ApiError::EmptyUpload("the body is empty"));
        }
        let (bytes, room) = buffer.finish();
        Ok(Self { bytes, room })
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

fn is_form(headers: &HeaderMap) -> bool {
    let declared = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    declared.is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("multipart/form-data"))
}
