//! What the log never holds, whatever it is asked for.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod running;

use std::net::TcpStream;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use running::{CLIP, KEY, Running};
use serde_json::json;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Message};

/// Bytes of a Twilio frame, and of the pieces that are looked for: whole triples, so that base64 cuts them alike.
const FRAME: usize = 480;
const PIECE: usize = 48;

fn logging(level: &str) -> Running {
    Running::start_where(&[("EMOTONE_LOG_LEVEL", level)], &[])
}

/// A call as Twilio has it, of that sound; says what the server said.
fn call(server: &Running, sound: &[u8]) -> String {
    let mut request = format!("ws://{}/stream", server.address).into_client_request().unwrap();
    request.headers_mut().insert("x-api-key", KEY.parse().unwrap());
    let (mut socket, _) = tungstenite::client(request, TcpStream::connect(&server.address).unwrap()).unwrap();
    let mut say = |frame: serde_json::Value| socket.send(Message::text(frame.to_string())).unwrap();
    say(json!({"event": "start", "start": {"tracks": ["inbound"]}}));
    for piece in sound.chunks(FRAME) {
        say(json!({"event": "media", "media": {"track": "inbound", "payload": BASE64_STANDARD.encode(piece)}}));
    }
    say(json!({"event": "stop"}));
    std::iter::from_fn(|| socket.read().ok()).filter_map(|said| Some(said.to_text().ok()?.to_string())).collect()
}

#[test]
fn neither_a_callers_sound_nor_what_was_heard_is_in_it_at_any_level() {
    let clip = std::fs::read(CLIP).unwrap();
    for level in ["trace", "trace,tungstenite=trace,hyper=trace,tract_core=trace,symphonia=trace"] {
        let server = logging(level);
        let answer = server.ask(&format!("POST /classify HTTP/1.1\r\nX-API-Key: {KEY}"), &clip);
        assert!(answer.contains("confidence") && call(&server, &clip).contains("confidence"));
        let log = server.log();
        assert!(log.contains("call ended") && log.contains("\"level\":\"DEBUG\""), "{level} says much");
        assert!(!log.contains("confidence") && !log.contains(KEY), "{level}");
        for piece in clip.chunks_exact(PIECE).step_by(FRAME / PIECE) {
            assert!(!log.contains(&BASE64_STANDARD.encode(piece)), "{level}");
        }
    }
}

#[test]
fn what_is_wrong_with_a_callers_bytes_fills_it_only_where_that_is_asked_for() {
    let junk = b"\xff\xfb\x90\0".repeat(1000);
    for (level, is_asked_for) in [("info", false), ("trace", false), ("info,symphonia=warn", true)] {
        let server = logging(level);
        let answer = server.ask(&format!("POST /classify HTTP/1.1\r\nX-API-Key: {KEY}"), &junk);
        assert!(answer.starts_with("HTTP/1.1 422"), "{answer}");
        assert_eq!(server.log().contains("\"target\":\"symphonia"), is_asked_for, "{level}");
    }
}
