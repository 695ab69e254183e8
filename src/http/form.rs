//! The audio in a form, taken out of it as it comes: the form is never in memory as a whole.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::Body;
use axum::extract::multipart::MultipartError;
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::request::Parts;
use bytes::Bytes;
use futures_util::{Stream, stream};
use tokio::sync::{Mutex, Semaphore};
use tokio::task::yield_now;

use super::error::ApiError;
use super::incoming::Incoming;
use super::room::{Buffer, Room};

/// Names under which a form may carry the audio.
const AUDIO_PARTS: [&str; 2] = ["file", "audio"];
/// Bytes of a form that its reader is given at once.
const PIECE: usize = 16 * 1024;
/// Bytes of a form at most that are no part's content: heads, delimiters, what stands before the first of them.
const MOST_AROUND: usize = 64 * 1024;
/// Bytes that the reader of a form holds at most, in a buffer that doubles.
const READER_BYTES: usize = 2 * (PIECE + MOST_AROUND);

/// Reads a form to its end, and the first part named `file` or `audio` that has bytes into `audio`.
///
/// # Errors
/// [`ApiError::BadMultipart`], [`ApiError::EmptyUpload`] if there is no such part, or those of [`Incoming`] and [`Room`].
pub async fn read_audio(
    parts: Parts,
    body: Incoming,
    audio: &mut Buffer,
    all_room: &Arc<Semaphore>,
) -> Result<(), ApiError> {
    let mut readers_room = Room::none(all_room);
    readers_room.grow_to(READER_BYTES)?;
    let around = Arc::new(AtomicUsize::new(0));
    let raw = Raw { body, rest: Bytes::new(), around: around.clone(), problem: None };
    let raw = Arc::new(Mutex::new(raw));
    let request = Request::from_parts(parts, Body::from_stream(pieces(raw.clone())));
    let read = match Multipart::from_request(request, &()).await {
        Ok(form) => read_parts(form, audio, &around).await,
        Err(problem) => Err(ApiError::BadMultipart(problem.body_text())),
    };
    let mut raw = raw.lock().await;
    match raw.problem.take() {
        // The reader's problem, then, is that of the body.
        Some(problem) => return Err(problem),
        None => read?,
    }
    // What follows may be broken as it likes, but belongs to this request and not to the connection's next.
    while raw.body.next().await?.is_some() {}
    Ok(())
}

async fn read_parts(mut form: Multipart, audio: &mut Buffer, around: &AtomicUsize) -> Result<(), ApiError> {
    let broken = |problem: MultipartError| ApiError::BadMultipart(problem.body_text());
    let mut is_there = false;
    while let Some(mut part) = form.next_field().await.map_err(broken)? {
        let is_audio = part.name().is_some_and(|name| AUDIO_PARTS.contains(&name));
        while let Some(content) = part.chunk().await.map_err(broken)? {
            around.fetch_sub(content.len(), Ordering::Relaxed);
            if is_audio {
                audio.push(&content)?;
            }
        }
        if !audio.is_empty() {
            return Ok(());
        }
        // Browsers send an empty part for a field that nobody filled; a filled one may follow.
        is_there |= is_audio;
    }
    Err(ApiError::EmptyUpload(if is_there {
        "the part `file` or `audio` of the form is empty"
    } else {
        "the form has no part named `file` or `audio`"
    }))
}

/// A form as its reader is given it.
struct Raw {
    body: Incoming,
    /// What is left of the body's present piece.
    rest: Bytes,
    /// Bytes that the reader was given and that were, so far, no content.
    around: Arc<AtomicUsize>,
    problem: Option<ApiError>,
}

impl Raw {
    async fn next(&mut self) -> Result<Option<Bytes>, ApiError> {
        while self.rest.is_empty() {
            match self.body.next().await? {
                Some(piece) => self.rest = piece,
                None => return Ok(None),
            }
        }
        let piece = self.rest.split_to(self.rest.len().min(PIECE));
        if self.around.fetch_add(piece.len(), Ordering::Relaxed) > MOST_AROUND {
            return Err(ApiError::BadMultipart("there is too much around its parts".into()));
        }
        Ok(Some(piece))
    }
}

fn pieces(raw: Arc<Mutex<Raw>>) -> impl Stream<Item = Result<Bytes, ApiError>> {
    stream::try_unfold(raw, |raw| async move {
        // The reader takes all that is there before it looks at it: so there is one piece at a time.
        yield_now().await;
        let mut form = raw.lock().await;
        let next = form.next().await;
        form.problem = next.as_ref().err().cloned();
        drop(form);
        Ok(next?.map(|piece| (piece, raw)))
    })
}
