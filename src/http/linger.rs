//! An answer that comes before its request has been read. Closing the connection then would reset it, and the client,
//! still sending, might never see the answer; so what is still coming is read for a while, and thrown away. And an answer that
//! a slow client takes its time with: its request lasts as long.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Frame, SizeHint};

use super::activity::RequestGuard;
use super::lifecycle::InFlight;

/// How long to go on reading.
const PATIENCE: Duration = Duration::from_secs(2);
/// Bytes of an answer that the connection takes at once. Given the whole, it would seem sent long before a slow client has it.
const PIECE: usize = 64 * 1024;

/// Where a request's body is left by a handler that did not read it to its end.
#[derive(Clone, Default)]
pub struct Leftover(Arc<Mutex<Option<Body>>>);

impl Leftover {
    /// The body as handlers see it.
    pub fn watch(&self, body: Body) -> Body {
        Body::new(Watched { body: Some(body), leftover: self.clone() })
    }

    fn put(&self, body: Body) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(body);
    }

    fn take(&self) -> Option<Body> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// A request's body that is put aside instead of being dropped half-read.
struct Watched {
    body: Option<Body>,
    leftover: Leftover,
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let polled = Pin::new(body).poll_frame(context);
        if let Poll::Ready(None | Some(Err(_))) = polled {
            self.body = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(SizeHint::default, HttpBody::size_hint)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if let Some(body) = self.body.take().filter(|body| !body.is_end_stream()) {
            self.leftover.put(body);
        }
    }
}

/// An answer's body: its request counts as in flight until its last piece is on the way, and what is left of the request is
/// read after it.
pub struct Answer {
    body: Body,
    /// What is left of the body's present frame.
    rest: Bytes,
    leftover: Leftover,
    _in_flight: InFlight,
    /// Lasts until the request has been read too: what still comes of it is not the next one's head, which has less time.
    guard: Option<Arc<RequestGuard>>,
}

impl Answer {
    /// Joins an answer's body with what has to last as long.
    pub fn new(body: Body, leftover: Leftover, in_flight: InFlight, guard: Option<Arc<RequestGuard>>) -> Self {
        Self { body, rest: Bytes::new(), leftover, _in_flight: in_flight, guard }
    }
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.rest.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_frame(context)).map(|frame| frame.map(Frame::into_data)) {
                Some(Ok(Ok(data))) => self.rest = data,
                Some(Ok(Err(other))) => return Poll::Ready(Some(Ok(other))),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
        let length = self.rest.len().min(PIECE);
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(length)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (rest, body) = (self.rest.len() as u64, self.body.size_hint());
        let mut hint = SizeHint::new();
        hint.set_lower(rest.saturating_add(body.lower()));
        if let Some(upper) = body.upper() {
            hint.set_upper(rest.saturating_add(upper));
        }
        hint
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if let (Some(body), Ok(runtime)) = (self.leftover.take(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(tokio::time::timeout(PATIENCE, read_away(body, self.guard.take())));
        }
    }
}

async fn read_away(mut body: Body, _guard: Option<Arc<RequestGuard>>) {
    while let Some(Ok(_frame)) = body.frame().await {}
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use futures_util::stream;

    use super::*;
    use crate::http::activity::{ConnectionActivity, Patience};
    use crate::http::lifecycle::Lifecycle;

    #[tokio::test]
    async fn a_body_that_was_not_read_is_put_aside() {
        let leftover = Leftover::default();
        drop(leftover.watch(Body::from("unread")));
        assert!(leftover.take().is_some());
        assert_eq!(leftover.watch(Body::from("read")).collect().await.unwrap().to_bytes(), "read");
        assert!(leftover.take().is_none());
        drop(leftover.watch(Body::empty()));
        assert!(leftover.take().is_none());
    }

    #[tokio::test]
    async fn an_answer_goes_out_in_pieces_and_its_request_lasts_until_the_last() {
        let (lifecycle, text) = (Lifecycle::default(), "0123456789".repeat(20_000));
        let mut answer = Answer::new(Body::from(text.clone()), Leftover::default(), lifecycle.begin(), None);
        let (mut sent, mut pieces) = (Vec::new(), 0);
        while !answer.is_end_stream() {
            assert_eq!(answer.size_hint().exact(), Some((text.len() - sent.len()) as u64));
            assert_eq!(lifecycle.in_flight(), 1);
            let piece = answer.frame().await.unwrap().unwrap().into_data().unwrap();
            assert!(!piece.is_empty() && piece.len() <= PIECE);
            sent.extend_from_slice(&piece);
            pieces += 1;
        }
        assert_eq!((sent, pieces), (text.into_bytes(), 4));
        drop(answer);
        assert_eq!(lifecycle.in_flight(), 0);
    }

    #[tokio::test]
    async fn a_request_lasts_until_it_has_been_read() {
        let hour = Duration::from_secs(3600);
        let activity = ConnectionActivity::new(Patience { header: hour, idle: hour, stalled: hour }, Instant::now());
        let is_idle = || activity.is_idle_for(Duration::ZERO, Instant::now() + hour);
        let (send_rest, rest) = tokio::sync::oneshot::channel::<Bytes>();
        let leftover = Leftover::default();
        drop(leftover.watch(Body::from_stream(stream::once(rest))));
        let guard = Some(Arc::new(activity.begin()));
        drop(Answer::new(Body::from("refused"), leftover, Lifecycle::default().begin(), guard));
        tokio::task::yield_now().await;
        assert!(!is_idle());
        send_rest.send("the rest".into()).unwrap();
        while !is_idle() {
            tokio::task::yield_now().await;
        }
    }
}
