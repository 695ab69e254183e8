//! Who may open a live call, and every way it can end.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod service;
mod sounds;
mod live;

use emotone::http::Phase;
use futures_util::{SinkExt, StreamExt};
use live::*;
use serde_json::{Value, json};
use service::ask;
use sounds::MAN;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Message};

#[tokio::test]
async fn a_frame_beyond_all_limits_ends_the_call() {
    let server = Server::start(&[]).await;
    let mut call = server.call().await;
    call.say(text(&start())).await;
    // The server may close before it has taken everything.
    let _ = call.socket.send(Message::binary(vec![0xFF; 4 << 20])).await;
    drop(call);
    server.quiet().await;
    // The head of such a frame alone: with nothing left unread, the server's last words are not lost in a reset.
    let told = last_words(&server, &[frame_head(0x82, 4 << 20)].concat()).await;
    assert!(told.contains("frame_too_large") && told.contains("summary"), "{told}");
    assert!(told.ends_with("\u{88}\u{2}\u{3}\u{f1}"), "no close with 1009: {told:?}");
    let (heard, code) = server.converse(&plain(&start(), &vec![0xFF; 1 << 20], 1 << 20)).await;
    assert_eq!((heard.last().unwrap()["type"].as_str(), code), (Some("summary"), Some(1000)));
}

/// The head of a frame from a client whose mask is 0: its kind, its length, its mask.
fn frame_head(kind: u8, length: u64) -> Vec<u8> {
    [&[kind, 0xFF][..], &length.to_be_bytes(), &[0; 4]].concat()
}

/// What the server says, byte for byte as a letter, until it closes, to a call that begins well and goes on with `bytes`.
async fn last_words(server: &Server, bytes: &[u8]) -> String {
    let mut socket = TcpStream::connect(&server.address).await.unwrap();
    let question = "GET /stream HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let first = start().to_string();
    let begin = [question.as_bytes(), &frame_head(0x81, first.len() as u64), first.as_bytes(), bytes].concat();
    socket.write_all(&begin).await.unwrap();
    let mut told = Vec::new();
    tokio::time::timeout(PATIENCE, socket.read_to_end(&mut told)).await.unwrap().unwrap();
    told.into_iter().map(char::from).collect()
}

#[tokio::test]
async fn what_is_no_websocket_is_told_before_the_end() {
    let server = Server::start(&[]).await;
    for (problem, bytes, close) in [
        ("text that is no UTF-8", &[0x81, 0x82, 0, 0, 0, 0, 0xFF, 0xFE][..], 0xEF),
        ("no mask", &[0x82, 1, 0], 0xEA),
        ("a reserved bit", &[0xC2, 0x80, 0, 0, 0, 0], 0xEA),
        ("an unknown kind", &[0x83, 0x80, 0, 0, 0, 0], 0xEA),
        ("a continuation of nothing", &[0x80, 0x80, 0, 0, 0, 0], 0xEA),
        ("a ping in parts", &[0x09, 0x80, 0, 0, 0, 0], 0xEA),
    ] {
        let told = last_words(&server, bytes).await;
        assert!(told.contains("bad_protocol") && told.contains("summary"), "{problem}: {told}");
        let end: String = [0x88, 2, 3, close].map(char::from).into_iter().collect();
        assert!(told.ends_with(&end), "{problem}: {told:?}");
    }
    server.quiet().await;
}

#[tokio::test]
async fn who_closes_is_answered() {
    let server = Server::start(&[]).await;
    let mut call = server.call().await;
    call.say(text(&start())).await;
    assert_eq!(call.hear().await["type"], "ready");
    call.say(Message::Close(None)).await;
    let answer = tokio::time::timeout(PATIENCE, call.socket.next()).await.unwrap();
    assert!(matches!(answer, Some(Ok(Message::Close(_)))), "{answer:?}");
    server.quiet().await;
}

#[tokio::test]
async fn calls_that_hang_up_leave_nothing_behind() {
    let server = Server::start(&[]).await;
    let voice = mulaw(&MAN.speak(5.0, RATE));
    for at in [0, 1, 2, 50, 240] {
        let mut call = server.call().await;
        for frame in plain(&start(), &voice, 160).into_iter().take(at) {
            call.say(frame).await;
        }
        drop(call);
    }
    server.quiet().await;
}

#[tokio::test]
async fn silence_has_no_emotion_and_a_call_may_stop_at_once() {
    let server = Server::start(&[]).await;
    let (heard, code) = server.converse(&plain(&start(), &vec![0xFF; 80_000], 160)).await;
    assert!(of_type(&heard, "segment").iter().all(|segment| segment["status"] == "no_speech"));
    let channel = &heard.last().unwrap()["channels"][0];
    assert_eq!((&channel["status"], &channel["probabilities"], code), (&json!("no_speech"), &Value::Null, Some(1000)));
    let (heard, code) = server.converse(&[text(&start()), stop()]).await;
    assert_eq!((heard.len(), code), (2, Some(1000)));
    assert_eq!(heard[1]["duration_seconds"], 0.0);
}

#[tokio::test]
async fn a_client_that_never_reads_loses_its_call() {
    let server = Server::start(&["--stream-idle-seconds", "0.5"]).await;
    let mut call = server.call().await;
    call.say(text(&start())).await;
    // Each answer is longer than its question, until there is no room for answers between the two.
    let (question, pause) = (Message::text("{"), Message::binary(Vec::new()));
    let flood = async {
        loop {
            for frame in [&question, &pause] {
                if call.socket.send(frame.clone()).await.is_err() {
                    return;
                }
            }
        }
    };
    tokio::time::timeout(PATIENCE, flood).await.unwrap();
    server.quiet().await;
}

#[tokio::test]
async fn an_idle_call_and_a_long_one_are_ended_with_a_summary() {
    for (option, code) in [("--stream-idle-seconds", "idle"), ("--max-call-seconds", "too_long")] {
        let server = Server::start(&[option, "0.05"]).await;
        let mut call = server.call().await;
        call.say(text(&start())).await;
        let (heard, close) = call.rest().await;
        let kinds: Vec<_> = heard.iter().map(|frame| frame["type"].as_str().unwrap()).collect();
        assert_eq!((&kinds[..], close), (&["ready", "error", "summary"][..], Some(1008)));
        assert_eq!(heard[1]["code"], code);
        server.quiet().await;
    }
}

#[tokio::test]
async fn a_server_that_ends_says_the_summary_first() {
    let server = Server::start(&["--drain-seconds", "0"]).await;
    let mut call = server.call().await;
    call.say(text(&start())).await;
    assert_eq!(call.hear().await["type"], "ready");
    for piece in mulaw(&MAN.speak(2.0, RATE)).chunks(160) {
        call.say(Message::binary(piece.to_vec())).await;
    }
    server.service.app.lifecycle.advance(Phase::Draining);
    let (heard, code) = call.rest().await;
    let kinds: Vec<_> = heard.iter().map(|frame| frame["type"].as_str().unwrap()).collect();
    assert_eq!(code, Some(1001));
    assert_eq!(kinds.last(), Some(&"summary"));
    server.quiet().await;
    assert!(connect_async(format!("ws://{}/stream", server.address)).await.is_err(), "no new calls");
}

#[tokio::test]
async fn there_is_room_for_so_many_calls_and_no_more() {
    let server = Server::start(&["--max-sessions", "1"]).await;
    let mut first = server.call().await;
    first.say(text(&start())).await;
    first.hear().await;
    let refused = connect_async(format!("ws://{}/stream", server.address)).await.unwrap_err();
    assert!(refused.to_string().contains("503"), "{refused}");
    first.say(stop()).await;
    first.rest().await;
    server.quiet().await;
    server.call().await;
}

#[tokio::test]
async fn who_speaks_no_websocket_is_told_so() {
    let server = Server::start(&[]).await;
    let request = axum::http::Request::get("/stream").body(axum::body::Body::empty()).unwrap();
    let answer = ask(&server.service, request).await;
    assert_eq!((answer.status.as_u16(), answer.json["error"]["code"].as_str()), (400, Some("bad_request")));

    let by_http2 = axum::http::Request::get("/stream").version(axum::http::Version::HTTP_2);
    let answer = ask(&server.service, by_http2.body(axum::body::Body::empty()).unwrap()).await;
    assert_eq!((answer.status.as_u16(), answer.json["error"]["code"].as_str()), (400, Some("bad_request")));
    let message = answer.json["error"]["message"].as_str().unwrap();
    assert!(message.contains("HTTP/1.1") && !message.contains("CONNECT"), "{message}");

    let old = axum::http::Request::get("/stream").header("connection", "Upgrade").header("upgrade", "websocket");
    let old = old.header("sec-websocket-version", "8").header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
    let answer = ask(&server.service, old.body(axum::body::Body::empty()).unwrap()).await;
    assert_eq!((answer.status.as_u16(), answer.header("sec-websocket-version")), (400, Some("13")));
}

#[tokio::test]
async fn a_callers_words_are_repeated_in_part() {
    let server = Server::start(&[]).await;
    let long = "x".repeat(100_000);
    let mut named = start();
    named["call_id"] = json!(&long);
    for first in [json!({"type": &long}), json!({"event": &long}), json!({"type": "start", "encoding": &long}), named] {
        let (heard, code) = server.converse(&[text(&first)]).await;
        let message = heard[0]["message"].as_str().unwrap();
        assert_eq!((heard[0]["code"].as_str(), code), (Some("bad_start"), Some(1008)));
        assert!(message.chars().count() <= 201, "{} characters", message.len());
    }
    let (heard, _) = server.converse(&[text(&start()), text(&json!({"type": &long})), stop()]).await;
    assert!(heard[1]["code"] == "bad_frame" && heard[1]["message"].as_str().unwrap().chars().count() <= 201);
}

#[tokio::test]
async fn a_page_of_another_site_opens_no_call_unless_it_is_named_or_there_are_keys() {
    let evil = "https://evil.example";
    for (options, origin, key, status) in [
        (&[][..], Some(evil), None, Some(401)),
        (&[], Some("null"), None, Some(401)),
        (&[], Some("http://{address}"), None, None),
        (&[], None, None, None),
        (&["--cors-allow-origin", "https://example.org"], Some(evil), None, Some(401)),
        (&["--cors-allow-origin", evil], Some(evil), None, None),
        (&["--cors-allow-origin", "*"], Some(evil), None, None),
        (&["--api-keys", "some-key"], Some(evil), Some("some-key"), None),
    ] {
        let server = Server::start(options).await;
        let mut request = format!("ws://{}/stream", server.address).into_client_request().unwrap();
        if let Some(origin) = origin {
            let origin = origin.replace("{address}", &server.address);
            request.headers_mut().insert("origin", origin.parse().unwrap());
        }
        if let Some(key) = key {
            request.headers_mut().insert("x-api-key", key.parse().unwrap());
        }
        let opened = connect_async(request).await.map(|_| ());
        let refused = opened.err().map(|refused| match refused {
            tungstenite::Error::Http(answer) => answer,
            other => panic!("{other}"),
        });
        let told = refused.as_ref().map(|answer| answer.status().as_u16());
        assert_eq!(told, status, "{options:?} {origin:?}");
        if let Some(answer) = refused {
            let body = String::from_utf8_lossy(answer.body().as_deref().unwrap_or_default()).into_owned();
            assert!(body.contains("unauthorized") && body.contains("--cors-allow-origin"), "{body}");
        }
    }
}
