//! Alerts and summaries as signed POSTs, and Asterisk's AudioSocket, which has no other way to tell.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod service;
mod sounds;
mod live;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Request, StatusCode};
use axum::routing::post;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use emotone::http;
use emotone::model::Emotion;
use hmac::{Hmac, Mac};
use serde_json::Value;
use service::service_with;
use sha2::Sha256;
use sounds::{MAN, at_level};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio_tungstenite::tungstenite::Message;

const SECRET: &str = "whsec_dGhlIHRlc3QncyBzZWNyZXQ=";
const PATIENCE: Duration = Duration::from_secs(60);

struct Received {
    headers: HeaderMap,
    body: Bytes,
}

impl Received {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    fn is_signed(&self) -> bool {
        let mut mac = Hmac::<Sha256>::new_from_slice(b"the test's secret").unwrap();
        mac.update(format!("{}.{}.", self.header("webhook-id"), self.header("webhook-timestamp")).as_bytes());
        mac.update(&self.body);
        self.header("webhook-signature") == format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

/// A receiver that answers as it is told, once for each status, and then with 204.
async fn receiver(statuses: Vec<u16>) -> (String, mpsc::UnboundedReceiver<Received>) {
    type Shared = (mpsc::UnboundedSender<Received>, Arc<Mutex<std::vec::IntoIter<u16>>>);
    async fn receive(State((sender, statuses)): State<Shared>, headers: HeaderMap, body: Bytes) -> StatusCode {
        sender.send(Received { headers, body }).unwrap();
        let status = statuses.lock().unwrap().next().unwrap_or(204);
        StatusCode::from_u16(status).unwrap()
    }
    let (sender, received) = mpsc::unbounded_channel();
    let statuses = Arc::new(Mutex::new(statuses.into_iter()));
    (listen(Router::new().route("/hook", post(receive)).with_state((sender, statuses))).await, received)
}

/// Serves on a free port; says where its `/hook` is.
async fn listen(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

async fn next(received: &mut mpsc::UnboundedReceiver<Received>) -> Received {
    tokio::time::timeout(PATIENCE, received.recv()).await.unwrap().unwrap()
}

/// A call by AudioSocket, whole: its name, its sound, its end.
async fn call(options: &[&str]) -> service::Service {
    call_of(options, &sound(0x12, &at_level(&MAN.speak(5.0, 16_000), 0.0))).await
}

/// AudioSocket's messages of that kind.
fn sound(kind: u8, samples: &[f32]) -> Vec<u8> {
    let message = |piece: &[f32]| {
        let mut message = vec![kind, ((2 * piece.len()) >> 8) as u8, (2 * piece.len()) as u8];
        message.extend(piece.iter().flat_map(|sample| ((sample * 32_768.0) as i16).to_le_bytes()));
        message
    };
    samples.chunks(320).flat_map(message).collect()
}

async fn call_of(options: &[&str], sound: &[u8]) -> service::Service {
    let service = service_with(options);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let http_listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let listening = http::Listening { listener: http_listener, tls: None };
    tokio::spawn(http::serve(listening, service.app.clone(), service.router.clone()));
    tokio::spawn(http::serve_audiosocket(listener, service.app.clone()));

    let mut socket = TcpStream::connect(address).await.unwrap();
    let mut message = vec![0x01, 0, 16];
    message.extend(0..16);
    message.extend(sound);
    message.extend([0x03, 0, 1, b'5', 0x00, 0, 0]);
    socket.write_all(&message).await.unwrap();
    service
}

async fn metrics(service: &service::Service) -> String {
    let request = Request::get("/metrics").body(Body::empty()).unwrap();
    String::from_utf8(service::ask(service, request).await.body).unwrap()
}

#[tokio::test]
async fn an_asterisk_call_is_told_with_its_name_and_a_signature() {
    let (address, mut received) = receiver(vec![]).await;
    let rules = Emotion::ALL.map(|emotion| format!("{emotion}:0.1:0")).join(",");
    let service = call(&["--webhook", &address, "--webhook-secret", SECRET, "--alert", &rules]).await;
    let (mut kinds, mut ids) = (Vec::new(), Vec::new());
    while kinds.last().is_none_or(|kind| kind != "summary") {
        let event = next(&mut received).await;
        assert!(event.is_signed());
        let json = event.json();
        assert_eq!(json["call_id"], "00010203-0405-0607-0809-0a0b0c0d0e0f");
        assert!(json["session_id"].is_string() && json["model"]["name"].is_string());
        kinds.push(json["type"].as_str().unwrap().to_string());
        ids.push(event.header("webhook-id").to_string());
        if kinds.last().unwrap() == "summary" {
            assert_eq!((&json["duration_seconds"], &json["channels"][0]["channel"]), (&5.0.into(), &0.into()));
        }
    }
    assert!(kinds.iter().any(|kind| kind == "alert"), "{kinds:?}");
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), kinds.len(), "every event has its own id");
    tokio::time::timeout(PATIENCE, service.app.lifecycle.idle()).await.unwrap();
}

#[tokio::test]
async fn sound_of_another_rate_is_not_heard_and_the_log_says_so_once() {
    let log = tempfile::NamedTempFile::new().unwrap();
    let logger = tracing_subscriber::fmt().with_ansi(false).with_writer(Arc::new(log.reopen().unwrap())).finish();
    let _guard = tracing::subscriber::set_default(logger);
    let (address, mut received) = receiver(vec![]).await;
    let sounds = [sound(0x10, &[0.1; 8_000]), sound(0x12, &[0.1; 16_000]), sound(0x10, &[0.1; 4_000])];
    let _service = call_of(&["--webhook", &address, "--webhook-secret", SECRET], &sounds.concat()).await;
    assert_eq!(next(&mut received).await.json()["duration_seconds"], 1.5);
    let log = std::fs::read_to_string(log.path()).unwrap();
    assert_eq!(log.matches("other_hz=16000").count(), 1, "{log}");
}

/// A receiver that answers its first event after `released`, and others at once. It says null when it is asked first, and each
/// event when it answers with `status`.
async fn slow_receiver(
    released: oneshot::Receiver<()>,
    status: StatusCode,
) -> (String, mpsc::UnboundedReceiver<Value>) {
    type Shared = (mpsc::UnboundedSender<Value>, Arc<Mutex<Option<oneshot::Receiver<()>>>>, StatusCode);
    async fn receive(State((sender, released, status)): State<Shared>, body: Bytes) -> StatusCode {
        let first = released.lock().unwrap().take();
        if let Some(released) = first {
            sender.send(Value::Null).unwrap();
            let _ = released.await;
        }
        sender.send(serde_json::from_slice(&body).unwrap()).unwrap();
        status
    }
    let (sender, received) = mpsc::unbounded_channel();
    let state = (sender, Arc::new(Mutex::new(Some(released))), status);
    (listen(Router::new().route("/hook", post(receive)).with_state(state)).await, received)
}

#[tokio::test]
async fn a_calls_events_come_in_order_though_the_first_is_taken_slowly() {
    let (release, released) = oneshot::channel();
    let (address, mut received) = slow_receiver(released, StatusCode::NO_CONTENT).await;
    let rules = Emotion::ALL.map(|emotion| format!("{emotion}:0.1:0")).join(",");
    let service = call(&["--webhook", &address, "--webhook-secret", SECRET, "--alert", &rules]).await;
    let mut next = async || tokio::time::timeout(PATIENCE, received.recv()).await.unwrap().unwrap();
    assert_eq!(next().await, Value::Null);
    call_is_over(&service.app).await;
    assert!(service.app.lifecycle.untold() > 1, "an alert and a summary");
    let metrics = metrics(&service).await;
    assert!(!metrics.contains("emotone_webhook_queue_depth 0"), "{metrics}");
    assert!(metrics.contains("\nemotone_requests_in_flight 1\n"), "whoever asks, and no event: {metrics}");
    release.send(()).unwrap();
    let mut times = Vec::new();
    loop {
        let event = next().await;
        if event["type"] == "summary" {
            break;
        }
        times.push(event["at_seconds"].as_f64().unwrap());
    }
    assert!(!times.is_empty() && times.is_sorted(), "{times:?}");
    tokio::time::timeout(PATIENCE, service.app.lifecycle.idle()).await.unwrap();
    assert!(received.try_recv().is_err(), "nothing after the summary");
}

#[tokio::test]
async fn a_receiver_that_fails_is_asked_again_and_one_that_refuses_is_not() {
    let (address, mut received) = receiver(vec![503]).await;
    let address = address.replace("://", "://me:hush@");
    let service = call(&["--webhook", &address, "--webhook-secret", SECRET]).await;
    let (first, again) = (next(&mut received).await, next(&mut received).await);
    assert_eq!(first.header("webhook-id"), again.header("webhook-id"));
    assert_eq!(first.body, again.body);
    assert_eq!((first.header("authorization"), first.header("host").contains('@')), ("Basic bWU6aHVzaA==", false));
    assert!(again.is_signed());
    tokio::time::timeout(PATIENCE, service.app.lifecycle.idle()).await.unwrap();
    assert!(received.try_recv().is_err(), "it was taken");

    let (address, mut received) = receiver(vec![410]).await;
    let service = call(&["--webhook", &address, "--webhook-secret", SECRET]).await;
    next(&mut received).await;
    tokio::time::timeout(PATIENCE, service.app.lifecycle.idle()).await.unwrap();
    assert!(received.try_recv().is_err(), "it was refused for good");
}

#[tokio::test]
async fn calls_that_end_without_a_word_are_told_too() {
    let (address, mut received) = receiver(vec![]).await;
    let options = ["--webhook", &address, "--webhook-secret", SECRET, "--drain-seconds", "0"];
    let server = live::Server::start(&options).await;
    let voice = live::mulaw(&MAN.speak(2.0, live::RATE));
    // As jambonz does, by closing; by a lost connection; and cut off by the end of the server.
    for end in ["closed", "lost", "cut off"] {
        let mut call = server.call().await;
        call.say(live::text(&live::start())).await;
        assert_eq!(call.hear().await["type"], "ready");
        for piece in voice.chunks(160) {
            call.say(Message::binary(piece.to_vec())).await;
        }
        match end {
            "closed" => call.socket.close(None).await.unwrap(),
            "lost" => drop(call),
            _ => {
                server.service.app.lifecycle.advance(http::Phase::Draining);
                call.rest().await;
            }
        }
        let event = next(&mut received).await.json();
        assert_eq!(event["type"], "summary", "{end}");
    }
}

/// Waits until a call is over; its events alone are waited for then.
async fn call_is_over(app: &http::App) {
    let all = app.settings.limits.max_sessions as usize;
    while app.session_room.available_permits() < all {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn in_the_end_every_event_has_one_more_attempt() {
    let (release, released) = oneshot::channel();
    let (address, mut received) = slow_receiver(released, StatusCode::SERVICE_UNAVAILABLE).await;
    let rules = Emotion::ALL.map(|emotion| format!("{emotion}:0.1:0")).join(",");
    let options = ["--webhook", &address, "--webhook-secret", SECRET, "--alert", &rules, "--drain-seconds", "60"];
    let service = call(&options).await;
    let mut next = async || tokio::time::timeout(PATIENCE, received.recv()).await.unwrap().unwrap();
    assert_eq!(next().await, Value::Null);
    call_is_over(&service.app).await;
    service.app.lifecycle.advance(http::Phase::Ending);
    release.send(()).unwrap();
    let mut tried = vec![next().await];
    while tried.last().is_none_or(|event| event["type"] != "summary") {
        tried.push(next().await);
    }
    tokio::time::timeout(PATIENCE, service.app.lifecycle.idle()).await.unwrap();
    assert!(received.try_recv().is_err(), "nothing after the summary");
    assert_eq!(tried[0], tried[1], "the first was on its way when the end came");
    let others = &tried[1..];
    assert!(others.windows(2).all(|pair| pair[0] != pair[1]), "{others:?}");
    assert!(metrics(&service).await.contains(&format!("{{result=\"failed\"}} {}", others.len())));
}

#[tokio::test]
async fn what_is_left_in_the_end_is_dropped_and_counted() {
    let (_release, released) = oneshot::channel();
    let (address, mut received) = slow_receiver(released, StatusCode::NO_CONTENT).await;
    let options = ["--webhook", &address, "--webhook-secret", SECRET, "--drain-seconds", "0"];
    let server = service::server_with(&options).await;
    let app = &server.service.app;
    let (webhook, lifecycle) = (app.webhook.as_ref().unwrap(), &app.lifecycle);
    (0..3).for_each(|number| webhook.tell("a call", &number, lifecycle, &app.metrics));
    tokio::time::timeout(PATIENCE, received.recv()).await.unwrap().unwrap();
    lifecycle.advance(http::Phase::Draining);
    tokio::time::timeout(PATIENCE, server.ended).await.unwrap().unwrap().unwrap();
    assert!(metrics(&server.service).await.contains("{result=\"dropped\"} 3"));
}
