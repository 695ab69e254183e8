//! How a live call on a WebSocket ends, and what is said of it.

use std::time::Duration;

use axum::extract::ws::close_code;
use tungstenite::Error as SocketError;
use tungstenite::error::ProtocolError;

use super::dialect::BadFrame;
use super::hearing::Fault;

/// Bad frames in a row that a call survives.
pub const MOST_BAD_FRAMES: u32 = 20;

/// How a call ends.
#[derive(Debug)]
pub enum End {
    /// The caller said so.
    Stopped,
    /// The caller has gone; nothing can be said any more.
    Gone,
    /// What began was no call.
    BadStart(BadFrame),
    /// Too many frames in a row could not be read.
    TooManyBadFrames,
    /// A frame beyond all limits.
    FrameTooLarge,
    /// What came is no WebSocket; the text says why.
    BadProtocol(BadFrame),
    /// Text that is no UTF-8.
    BadText,
    /// Nothing came for a long time.
    Idle(Duration),
    /// It went on for too long.
    TooLong(Duration),
    /// The server is about to end.
    Ending,
    /// Our fault.
    Fault(Fault),
}

impl End {
    /// Close code, and the error's code and text unless it is a good end.
    pub fn parting(&self) -> (u16, Option<(&'static str, String)>) {
        match self {
            End::Stopped | End::Gone => (close_code::NORMAL, None),
            End::BadStart(bad) => (close_code::POLICY, Some(("bad_start", bad.to_string()))),
            End::TooManyBadFrames => {
                let message = format!("more than {MOST_BAD_FRAMES} frames in a row were not understood");
                (close_code::POLICY, Some(("too_many_bad_frames", message)))
            }
            End::FrameTooLarge => (close_code::SIZE, Some(("frame_too_large", "the frame is too large".into()))),
            End::BadProtocol(bad) => (close_code::PROTOCOL, Some(("bad_protocol", bad.to_string()))),
            End::BadText => (close_code::INVALID, Some(("bad_protocol", "a text frame is not UTF-8".into()))),
            End::Idle(limit) => {
                (close_code::POLICY, Some(("idle", format!("nothing came for {} s", limit.as_secs_f64()))))
            }
            End::TooLong(limit) => {
                let message = format!("a call may last {} s", limit.as_secs_f64());
                (close_code::POLICY, Some(("too_long", message)))
            }
            End::Ending => (close_code::AWAY, Some(("ending", "the server is about to end".into()))),
            End::Fault(_) => (close_code::ERROR, Some(("internal", "a fault of the server".into()))),
        }
    }
}

/// What a socket's error means: a caller who breaks the rules hears of it, one who is lost does not.
impl From<axum::Error> for End {
    fn from(error: axum::Error) -> Self {
        match error.into_inner().downcast::<SocketError>().as_deref() {
            Ok(SocketError::Capacity(_)) => End::FrameTooLarge,
            Ok(SocketError::Utf8(_)) => End::BadText,
            Ok(SocketError::Protocol(ProtocolError::ResetWithoutClosingHandshake)) => End::Gone,
            Ok(SocketError::Protocol(broken)) => End::BadProtocol(BadFrame::new(broken)),
            _ => End::Gone,
        }
    }
}
