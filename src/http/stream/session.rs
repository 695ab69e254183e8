//! The life of a live call on a WebSocket: opening, hearing, and an end that is always explained.

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};
use tracing::{debug, error, info};

use super::dialect::{BadFrame, Dialect, Wish};
use super::end::{End, MOST_BAD_FRAMES};
use super::frames::Frame;
use super::hearing::Hearing;
use super::opening::Opening;
use crate::http::lifecycle::Phase;
use crate::http::state::App;
use crate::pipeline::Pipeline;

/// Time for the frames that begin a call.
const OPENING: Duration = Duration::from_secs(10);
/// Time for the caller's side to close after ours has.
const CLOSING: Duration = Duration::from_secs(2);
/// Longest text frame, in bytes; a caller's words are short.
const LONGEST_TEXT: usize = 128 * 1024;
/// Most bytes that are heard between two looks at what is gathered.
const PIECE: usize = 16 * 1024;

/// A caller's socket, and the service behind it.
pub struct Session {
    socket: WebSocket,
    app: App,
    pipeline: Pipeline,
    id: String,
    /// The caller wishes to hear of nothing but errors.
    quiet: bool,
}

impl Session {
    /// A socket on which nothing was said yet; `id` is the call's name.
    pub fn new(socket: WebSocket, app: App, pipeline: Pipeline, id: String) -> Self {
        Self { socket, app, pipeline, id, quiet: false }
    }

    /// The whole call.
    pub async fn run(mut self) {
        let began = Instant::now();
        let end = match self.open().await {
            Ok((dialect, hearing)) => self.hear(dialect, hearing, began).await,
            Err(end) => {
                self.explain(&end).await;
                end
            }
        };
        match &end {
            End::Fault(fault) => error!(session_id = self.id, %fault, "call failed"),
            end => info!(session_id = self.id, seconds = began.elapsed().as_secs_f64(), ?end, "call ended"),
        }
        self.part(&end).await;
    }

    /// Waits for the frames that begin a call, and says that it is ready.
    async fn open(&mut self) -> Result<(Dialect, Hearing), End> {
        let (mut opening, deadline) = (Opening::default(), Instant::now() + OPENING);
        let start = loop {
            let message = tokio::select! {
                message = timeout_at(deadline, self.socket.recv()) => message.map_err(|_| End::Idle(OPENING))?,
                () = self.app.lifecycle.reached(Phase::Ending) => return Err(End::Ending),
            };
            let too_large = || End::BadStart(BadFrame::new("the frame is too large"));
            match received(message).map_err(|end| if let End::FrameTooLarge = end { too_large() } else { end })? {
                Message::Text(text) if text.len() <= LONGEST_TEXT => {
                    let read = opening.read(&text, self.pipeline.limits()).map_err(End::BadStart)?;
                    if let Some(start) = read {
                        break start;
                    }
                }
                Message::Text(_) => return Err(too_large()),
                Message::Binary(_) => {
                    return Err(End::BadStart(BadFrame::new("sound before a text frame says what it is")));
                }
                Message::Close(_) => return Err(End::Gone),
                Message::Ping(_) | Message::Pong(_) => {}
            }
        };
        let hearing = Hearing::new(&self.app, &self.pipeline, &self.id, &start).map_err(End::BadStart)?;
        info!(session_id = self.id, call_id = start.call_id, format = ?start.format, "call began");
        self.quiet = start.wishes.quiet();
        self.say(&hearing.ready()).await?;
        Ok((start.dialect, hearing))
    }

    /// Hears the call to its end, and says what is left to say of it.
    async fn hear(&mut self, mut dialect: Dialect, mut hearing: Hearing, began: Instant) -> End {
        let end = self.hear_frames(&mut dialect, &mut hearing, began).await;
        if let End::Fault(_) = end {
            self.explain(&end).await;
            return end;
        }
        dialect.finish(hearing.sound());
        if let End::Gone = end {
            // Nobody listens any more, but the webhook is to be told what was heard.
            return hearing.finish().await.map_or_else(End::Fault, |_| end);
        }
        match self.finish(&mut hearing, &end).await {
            Ok(()) => end,
            Err(other) => {
                self.explain(&other).await;
                other
            }
        }
    }

    /// Says why it ends, where there is something to say; who has gone is beyond it.
    async fn explain(&mut self, end: &End) {
        if let (_, Some((code, message))) = end.parting() {
            let _ = self.say(&Frame::Error { code, message }).await;
        }
    }

    async fn finish(&mut self, hearing: &mut Hearing, end: &End) -> Result<(), End> {
        self.explain(end).await;
        for frame in hearing.finish().await.map_err(End::Fault)? {
            self.say(&frame).await?;
        }
        Ok(())
    }

    async fn hear_frames(&mut self, dialect: &mut Dialect, hearing: &mut Hearing, began: Instant) -> End {
        let mut bad_frames = 0;
        loop {
            if let Err(end) = self.hear_frame(dialect, hearing, began, &mut bad_frames).await {
                return end;
            }
        }
    }

    /// Hears one frame, unless the call ends; `bad_frames` counts those in a row.
    async fn hear_frame(
        &mut self,
        dialect: &mut Dialect,
        hearing: &mut Hearing,
        began: Instant,
        bad_frames: &mut u32,
    ) -> Result<(), End> {
        let (idle, longest) = (self.app.settings.live.stream_idle_seconds, self.app.settings.live.max_call_seconds);
        let message = tokio::select! {
            message = self.socket.recv() => received(message)?,
            () = sleep_until(Instant::now() + idle) => return Err(End::Idle(idle)),
            () = sleep_until(began + longest) => return Err(End::TooLong(longest)),
            () = self.app.lifecycle.reached(Phase::Ending) => return Err(End::Ending),
        };
        let understood = match message {
            Message::Text(text) if text.len() > LONGEST_TEXT => {
                Err(BadFrame::new(format!("a text frame of {} bytes, {LONGEST_TEXT} are possible", text.len())))
            }
            Message::Text(text) => dialect.text(&text, hearing.sound()),
            Message::Binary(bytes) => self.hear_bytes(&bytes, dialect, hearing).await?,
            Message::Close(_) => return Err(End::Gone),
            Message::Ping(_) | Message::Pong(_) => return Ok(()),
        };
        match understood {
            Ok(Wish::GoOn) => *bad_frames = 0,
            Ok(Wish::Stop) => return Err(End::Stopped),
            Err(bad) => {
                *bad_frames += 1;
                if *bad_frames > MOST_BAD_FRAMES {
                    return Err(End::TooManyBadFrames);
                }
                self.say(&Frame::Error { code: "bad_frame", message: bad.to_string() }).await?;
            }
        }
        self.listen(hearing).await
    }

    /// Hears a binary frame in pieces, so that a large one takes turns with other calls.
    async fn hear_bytes(
        &mut self,
        bytes: &[u8],
        dialect: &mut Dialect,
        hearing: &mut Hearing,
    ) -> Result<Result<Wish, BadFrame>, End> {
        for piece in bytes.chunks(PIECE) {
            if let Err(bad) = dialect.binary(piece, hearing.sound()) {
                return Ok(Err(bad));
            }
            self.listen(hearing).await?;
        }
        Ok(Ok(Wish::GoOn))
    }

    async fn listen(&mut self, hearing: &mut Hearing) -> Result<(), End> {
        for frame in hearing.listen().await.map_err(End::Fault)? {
            self.say(&frame).await?;
        }
        Ok(())
    }

    /// Says something, unless the caller doesn't listen: who doesn't read has no call.
    async fn say(&mut self, frame: &Frame) -> Result<(), End> {
        if self.quiet && !matches!(frame, Frame::Error { .. }) {
            return Ok(());
        }
        let text = serde_json::to_string(frame).map_err(|_| End::Gone)?;
        match timeout(self.app.settings.live.stream_idle_seconds, self.socket.send(Message::text(text))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(End::Gone),
        }
    }

    /// Closes, and waits a little for the caller to do the same, so that the last words are not lost in a reset.
    async fn part(mut self, end: &End) {
        let close = CloseFrame { code: end.parting().0, reason: "".into() };
        // Who closed first is answered by reading on.
        let is_closed = matches!(end, End::Gone);
        if is_closed || matches!(timeout(CLOSING, self.socket.send(Message::Close(Some(close)))).await, Ok(Ok(()))) {
            let closed = async { while let Some(Ok(_)) = self.socket.recv().await {} };
            if timeout(CLOSING, closed).await.is_err() {
                debug!(session_id = self.id, "the caller did not close");
            }
        }
    }
}

/// What came, unless the caller is gone.
fn received(message: Option<Result<Message, axum::Error>>) -> Result<Message, End> {
    match message {
        Some(Ok(message)) => Ok(message),
        Some(Err(error)) => Err(End::from(error)),
        None => Err(End::Gone),
    }
}
