//! A service on a socket, callers of it, and calls in the dialects that it hears.

#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a call that cannot go on has failed")]

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use emotone::audio::g711;
use emotone::http;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::service::{Service, service_with};
use crate::sounds::at_level;

pub const RATE: u32 = 8_000;
/// Far longer than anything here takes; a call that hangs fails instead of hanging the test.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A service on a free port.
pub struct Server {
    pub service: Service,
    pub address: String,
}

impl Server {
    pub async fn start(options: &[&str]) -> Self {
        let service = service_with(options);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let listening = http::Listening { listener, tls: None };
        tokio::spawn(http::serve(listening, service.app.clone(), service.router.clone()));
        Self { service, address }
    }

    pub async fn call(&self) -> Call {
        let (socket, _) = connect_async(format!("ws://{}/stream", self.address)).await.unwrap();
        Call { socket }
    }

    /// Everything said, then everything heard.
    pub async fn converse(&self, frames: &[Message]) -> (Vec<Value>, Option<u16>) {
        let mut call = self.call().await;
        for frame in frames {
            // The server may have had enough.
            if call.socket.send(frame.clone()).await.is_err() {
                break;
            }
        }
        call.rest().await
    }

    /// Waits until no call is open.
    pub async fn quiet(&self) {
        let app = &self.service.app;
        tokio::time::timeout(PATIENCE, app.lifecycle.idle()).await.unwrap();
        let all = app.settings.limits.max_sessions as usize;
        assert_eq!(app.session_room.available_permits(), all, "a call is still counted");
    }
}

pub struct Call {
    pub socket: Socket,
}

impl Call {
    pub async fn say(&mut self, frame: Message) {
        self.socket.send(frame).await.unwrap();
    }

    pub async fn hear(&mut self) -> Value {
        match tokio::time::timeout(PATIENCE, self.socket.next()).await.unwrap().unwrap().unwrap() {
            Message::Text(text) => serde_json::from_str(&text).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    /// What comes until the server closes, and its close code.
    pub async fn rest(&mut self) -> (Vec<Value>, Option<u16>) {
        let mut heard = Vec::new();
        while let Some(Ok(message)) = tokio::time::timeout(PATIENCE, self.socket.next()).await.unwrap() {
            match message {
                Message::Text(text) => heard.push(serde_json::from_str(&text).unwrap()),
                Message::Close(close) => return (heard, close.map(|close| close.code.into())),
                _ => {}
            }
        }
        (heard, None)
    }
}

pub fn text(value: &Value) -> Message {
    Message::text(value.to_string())
}

pub fn start() -> Value {
    json!({"type": "start", "encoding": "mulaw", "sample_rate_hz": RATE, "channels": 1})
}

pub fn stop() -> Message {
    text(&json!({"type": "stop"}))
}

pub fn mulaw(samples: &[f32]) -> Vec<u8> {
    at_level(samples, 0.0).iter().map(|sample| g711::linear_to_mulaw((sample * 32_768.0) as i16)).collect()
}

pub fn plain(start: &Value, bytes: &[u8], frame: usize) -> Vec<Message> {
    let mut frames = vec![text(start)];
    frames.extend(bytes.chunks(frame).map(|piece| Message::binary(piece.to_vec())));
    frames.push(stop());
    frames
}

pub fn media(track: &str, chunk: usize, bytes: &[u8]) -> Message {
    text(&json!({"event": "media", "sequenceNumber": chunk.to_string(), "streamSid": "MZ0", "media": {
        "track": track, "chunk": chunk.to_string(), "timestamp": ((chunk - 1) * 20).to_string(),
        "payload": STANDARD.encode(bytes)}}))
}

pub fn twilio(tracks: &[(&str, &[u8])], parameters: &Value) -> Vec<Message> {
    let names: Vec<&str> = tracks.iter().map(|(name, _)| *name).collect();
    let mut frames = vec![
        text(&json!({"event": "connected", "protocol": "Call", "version": "1.0.0"})),
        text(&json!({"event": "start", "sequenceNumber": "1", "streamSid": "MZ0", "start": {
            "streamSid": "MZ0", "callSid": "CA0", "tracks": names, "customParameters": parameters,
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}}})),
    ];
    for chunk in 1..=tracks[0].1.len().div_ceil(160) {
        for (name, bytes) in tracks {
            let piece = &bytes[(chunk - 1) * 160..bytes.len().min(chunk * 160)];
            frames.push(media(name, chunk, piece));
        }
    }
    frames.push(text(&json!({"event": "stop", "sequenceNumber": "9", "streamSid": "MZ0"})));
    frames
}

pub fn of_type<'a>(frames: &'a [Value], kind: &str) -> Vec<&'a Value> {
    frames.iter().filter(|frame| frame["type"] == kind).collect()
}

/// Whether two values are the same, but for the last digits of numbers: the network's sums depend on the batch.
pub fn close(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| close(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, one)| other.get(key).is_some_and(|other| close(one, other)))
        }
        (Value::Number(one), Value::Number(other)) => {
            one.as_f64().zip(other.as_f64()).is_some_and(|(one, other)| (one - other).abs() <= 1e-3)
        }
        _ => one == other,
    }
}

/// The channel's timeline without what only one side of a comparison has.
pub fn timeline<'a>(segments: impl IntoIterator<Item = &'a Value>) -> Value {
    let strip = |segment: &Value| {
        let mut segment = segment.clone();
        ["type", "channel", "track"].into_iter().for_each(|key| {
            segment.as_object_mut().unwrap().remove(key);
        });
        segment
    };
    segments.into_iter().map(strip).collect()
}
