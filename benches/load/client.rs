//! A client as plain as can be, so that little of what is measured is its own.

#![allow(dead_code, reason = "each measurement uses its part")]

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Far longer than any answer takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// A connection that is kept alive.
pub struct Client {
    address: SocketAddr,
    socket: Option<TcpStream>,
}

/// What came back.
#[derive(Debug, Clone, Copy)]
pub struct Answer {
    pub status: u16,
    pub took: Duration,
}

impl Client {
    pub fn new(address: SocketAddr) -> Self {
        Self { address, socket: None }
    }

    /// Posts a recording and waits for the answer; an error is an answer that never came.
    pub async fn classify(&mut self, body: &[u8]) -> io::Result<Answer> {
        let start = Instant::now();
        let mut socket = match self.socket.take() {
            Some(socket) => socket,
            None => TcpStream::connect(self.address).await?,
        };
        socket.set_nodelay(true)?;
        let status = tokio::time::timeout(PATIENCE, exchange(&mut socket, body)).await.map_err(io::Error::other)??;
        if status.1 {
            self.socket = Some(socket);
        }
        Ok(Answer { status: status.0, took: start.elapsed() })
    }
}

/// Status, and whether the connection stays open.
async fn exchange(socket: &mut TcpStream, body: &[u8]) -> io::Result<(u16, bool)> {
    let mut request =
        format!("POST /classify HTTP/1.1\r\nHost: load\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes();
    request.extend_from_slice(body);
    let (mut read, mut write) = socket.split();
    let all_sent = AtomicBool::new(false);
    // An early answer may come while the body is still on its way.
    let sent = async {
        // If the server wants no more of it, its answer says so.
        all_sent.store(write.write_all(&request).await.is_ok(), Ordering::Relaxed);
        std::future::pending::<()>().await;
    };
    let (status, stays_open) = tokio::select! {
        answer = receive(&mut read) => answer?,
        () = sent => return Err(io::Error::other("never")),
    };
    // What follows half a body would be taken for the rest of it.
    Ok((status, stays_open && all_sent.load(Ordering::Relaxed)))
}

async fn receive(read: &mut (impl AsyncReadExt + Unpin)) -> io::Result<(u16, bool)> {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 8192]);
    loop {
        let count = read.read(&mut buffer).await?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        bytes.extend_from_slice(buffer.get(..count).unwrap_or_default());
        let Some(head) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let text = String::from_utf8_lossy(bytes.get(..head).unwrap_or_default()).to_ascii_lowercase();
        let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name).map(str::trim));
        let length: usize = field("content-length:").and_then(|length| length.parse().ok()).unwrap_or(0);
        if bytes.len() >= head + 4 + length {
            let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
            return Ok((status, field("connection:") != Some("close")));
        }
    }
}

/// A voice at 8 kHz in mu-law, as a WAV file.
pub fn recording(mulaw: &[u8]) -> Vec<u8> {
    let length = u32::try_from(mulaw.len()).unwrap_or(u32::MAX);
    let mut file = b"RIFF".to_vec();
    file.extend((length + 36).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x07\0\x01\0");
    file.extend(8_000_u32.to_le_bytes());
    file.extend(8_000_u32.to_le_bytes());
    file.extend(b"\x01\0\x08\0data");
    file.extend(length.to_le_bytes());
    file.extend_from_slice(mulaw);
    file
}
