//! A connection's bytes as they pass.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use tokio::io::{self, AsyncRead, AsyncWrite, ReadBuf};

use super::activity::ConnectionActivity;

/// What an HTTP/2 connection begins with (RFC 9113, 3.4). It is no request's head: browsers connect before they have one.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A socket whose bytes a [`ConnectionActivity`] knows of.
pub struct ObservedSocket<T> {
    socket: T,
    activity: Arc<ConnectionActivity>,
    /// What must still come of [`PREFACE`]; `None` once something else came, or all of it.
    preface: Option<&'static [u8]>,
}

impl<T> ObservedSocket<T> {
    /// Joins the two.
    pub fn new(socket: T, activity: Arc<ConnectionActivity>) -> Self {
        Self { socket, activity, preface: Some(PREFACE) }
    }

    fn came(&mut self, bytes: &[u8]) {
        if let Some(preface) = self.preface {
            let (expected, rest) = preface.split_at(preface.len().min(bytes.len()));
            self.preface = bytes.starts_with(expected).then_some(rest);
            if self.preface.is_some_and(<[u8]>::is_empty) {
                self.preface = None;
                self.activity.multiplex();
            }
        }
        self.activity.moved(true, Instant::now());
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for ObservedSocket<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.socket).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.came(&buffer.filled()[before..]);
        }
        polled
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for ObservedSocket<T> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.socket).poll_write(context, bytes);
        if let Poll::Ready(Ok(1..)) = polled {
            self.activity.moved(false, Instant::now());
        }
        polled
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[std::io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.socket).poll_write_vectored(context, pieces);
        if let Poll::Ready(Ok(1..)) = polled {
            self.activity.moved(false, Instant::now());
        }
        polled
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;
    use crate::http::activity::Patience;

    #[tokio::test]
    async fn a_preface_is_no_head() {
        let [header, idle, stalled] = [10, 75, 100].map(Duration::from_secs);
        let patience = Patience { header, idle, stalled };
        for (came, is_closed) in [(&[PREFACE, b"settings"].concat()[..], false), (b"PRI * HTTP/1.1", true)] {
            let start = Instant::now();
            let activity = ConnectionActivity::new(patience, start);
            let (mut client, server) = io::duplex(came.len());
            let mut socket = ObservedSocket::new(server, activity.clone());
            for byte in came {
                client.write_all(&[*byte]).await.unwrap();
                socket.read_u8().await.unwrap();
            }
            let after = |seconds| start + Duration::from_secs(seconds);
            assert_eq!(activity.check(after(20)).is_none(), is_closed, "{came:?}");
            assert!(activity.check(after(76)).is_none());
        }
    }
}
