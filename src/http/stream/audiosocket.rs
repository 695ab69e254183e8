//! Asterisk's AudioSocket: a TCP connection a call, small binary messages, no answer but the sound that Asterisk may expect.
//! What is heard goes to the webhook.
//!
//! A message is its kind (a byte), the length of its payload (two bytes, big-endian), and the payload:
//! <https://docs.asterisk.org/Configuration/Channel-Drivers/AudioSocket/>

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Duration, Instant, sleep, sleep_until, timeout};
use tracing::{error, info, warn};
use uuid::Uuid;

use super::hearing::{Fault, Hearing};
use super::opening::Start;
use super::plain;
use crate::audio::{RawEncoding, RawFormat};
use crate::http::lifecycle::Phase;
use crate::http::state::App;

/// The caller has hung up.
const HANG_UP: u8 = 0x00;
/// Name of the call: 16 bytes.
const NAME: u8 = 0x01;
/// Rates of 16-bit samples, in Hz, by kind from 0x10 on.
const RATES_HZ: [u32; 9] = [8_000, 12_000, 16_000, 24_000, 32_000, 44_100, 48_000, 96_000, 192_000];
const FIRST_RATE: u8 = 0x10;
/// Time for the first message.
const OPENING: Duration = Duration::from_secs(10);
/// How long to wait when the system gives no more sockets.
const BREATH: Duration = Duration::from_millis(50);

/// A message of Asterisk's.
#[derive(Debug, PartialEq, Eq)]
struct Message {
    kind: u8,
    payload: Vec<u8>,
}

/// Why a call has ended.
type Ended = &'static str;

/// Hears calls until the server drains; those that go on are heard to their end.
pub async fn serve_audiosocket(listener: TcpListener, app: App) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = app.lifecycle.reached(Phase::Draining) => return,
        };
        match accepted {
            Ok((socket, peer)) => {
                let Ok(room) = app.session_room.clone().try_acquire_owned() else {
                    warn!(%peer, "there is no room for another live call");
                    continue;
                };
                let (app, in_flight) = (app.clone(), app.lifecycle.begin());
                tokio::spawn(async move {
                    hear(socket, app).await;
                    drop((room, in_flight));
                });
            }
            Err(error) => {
                warn!(%error, "no AudioSocket could be accepted");
                sleep(BREATH).await;
            }
        }
    }
}

/// The whole call.
async fn hear(mut socket: TcpStream, app: App) {
    let (began, session_id) = (Instant::now(), Uuid::now_v7().to_string());
    let ended = match open(&mut socket, &app, &session_id).await {
        Ok((start, hearing, first)) => {
            hear_messages(&mut socket, &app, &session_id, began, start, hearing, first).await
        }
        Err(ended) => ended,
    };
    info!(session_id, seconds = began.elapsed().as_secs_f64(), ended, "AudioSocket call ended");
}

/// Waits for the call's name and its first sound, which says its rate.
async fn open(socket: &mut TcpStream, app: &App, session_id: &str) -> Result<(Start, Hearing, Message), Ended> {
    let deadline = Instant::now() + OPENING;
    let mut call_id = None;
    loop {
        let message = tokio::select! {
            message = read(socket) => message.map_err(|_| "gone")?,
            () = sleep_until(deadline) => return Err("nothing came"),
            () = app.lifecycle.reached(Phase::Ending) => return Err("the server ends"),
        };
        match message.kind {
            HANG_UP => return Err("hung up"),
            NAME => call_id = Uuid::from_slice(&message.payload).ok().map(|id| id.to_string()),
            _ => {
                let Some(sample_rate_hz) = rate_hz(message.kind) else { continue };
                let format = RawFormat { encoding: RawEncoding::PcmS16le, sample_rate_hz, channels: 1 };
                let start = Start { format, wishes: Default::default(), call_id, dialect: plain::dialect(format) };
                let pipeline = app.models.get(None).map_err(|_| "there is no model")?.pipeline;
                let hearing = Hearing::new(app, &pipeline, session_id, &start).map_err(|problem| {
                    warn!(session_id, %problem, "an AudioSocket call cannot be heard");
                    "it cannot be heard"
                })?;
                info!(session_id, call_id = start.call_id, sample_rate_hz, "AudioSocket call began");
                return Ok((start, hearing, message));
            }
        }
    }
}

async fn hear_messages(
    socket: &mut TcpStream,
    app: &App,
    session_id: &str,
    began: Instant,
    mut start: Start,
    mut hearing: Hearing,
    first: Message,
) -> Ended {
    let limits = &app.settings.live;
    let (kind, mut warned) = (first.kind, false);
    let mut message = first;
    let ended = loop {
        if let Some(other_hz) = rate_hz(message.kind)
            && message.kind != kind
            && !warned
        {
            warned = true;
            let sample_rate_hz = start.format.sample_rate_hz;
            warn!(
                session_id,
                sample_rate_hz, other_hz, "an AudioSocket call changes its rate; sound of another is not heard"
            );
        }
        if message.kind == kind
            && start.dialect.binary(&message.payload, hearing.sound()).is_ok()
            && let Err(fault) = hearing.listen().await
        {
            return at_fault(&fault);
        }
        if message.kind == HANG_UP {
            break "hung up";
        }
        message = tokio::select! {
            read = timeout(limits.stream_idle_seconds, read(socket)) => match read {
                Ok(Ok(message)) => message,
                Ok(Err(_)) => break "gone",
                Err(_) => break "idle",
            },
            () = sleep_until(began + limits.max_call_seconds) => break "too long",
            () = app.lifecycle.reached(Phase::Ending) => break "the server ends",
        };
    };
    hearing.finish().await.map_or_else(|fault| at_fault(&fault), |_| ended)
}

fn at_fault(fault: &Fault) -> Ended {
    error!(%fault, "call failed");
    "a fault of the server"
}

/// The next message; a length is at most 64 KiB by its two bytes.
async fn read(socket: &mut (impl AsyncRead + Unpin)) -> io::Result<Message> {
    let kind = socket.read_u8().await?;
    let mut payload = vec![0; usize::from(socket.read_u16().await?)];
    socket.read_exact(&mut payload).await?;
    Ok(Message { kind, payload })
}

/// Rate of a kind of sound, in Hz.
fn rate_hz(kind: u8) -> Option<u32> {
    RATES_HZ.get(usize::from(kind.checked_sub(FIRST_RATE)?)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn messages_are_kind_length_and_payload() {
        let mut bytes = &[0x10, 0, 4, 1, 2, 3, 4, 0x00, 0, 0, 0x10, 0, 9, 1][..];
        assert_eq!(read(&mut bytes).await.unwrap(), Message { kind: 0x10, payload: vec![1, 2, 3, 4] });
        assert_eq!(read(&mut bytes).await.unwrap(), Message { kind: HANG_UP, payload: Vec::new() });
        assert!(read(&mut bytes).await.is_err(), "cut off");
    }

    #[test]
    fn kinds_of_sound_say_their_rate() {
        assert_eq!((rate_hz(0x10), rate_hz(0x12), rate_hz(0x18)), (Some(8_000), Some(16_000), Some(192_000)));
        assert_eq!((rate_hz(0x03), rate_hz(0x19), rate_hz(0xFF)), (None, None, None));
    }
}
