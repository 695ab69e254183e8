//! Live calls at once, in real time: how soon segments come, what a call costs.
//!
//! ```sh
//! cargo build --release
//! cargo run --release --example load-live -- target/release/emotone 50 60
//! ```
//!
//! Arguments: the binary, the number of calls, their length in seconds, further options of the server. Each call is one
//! voice at 8 kHz mu-law, sent as Twilio does: 20 ms a message. A segment's delay is counted from the moment the message
//! with its window's last sample went out.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a measurement that cannot go on has failed")]

mod server;
#[path = "../../tests/sounds/mod.rs"]
mod sounds;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use emotone::audio::g711;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

use server::{Server, quantile};
use sounds::{Voice, at_level};

const RATE: u32 = 8_000;
const FRAME_SAMPLES: usize = 160;
const FRAME_SECONDS: f64 = 0.02;
/// Voices; calls share them, each beginning elsewhere.
const VOICES: u64 = 8;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [binary, calls, seconds, options @ ..] = &arguments[..] else {
        panic!("usage: load-live BINARY CALLS SECONDS [OPTIONS OF THE SERVER]");
    };
    let (calls, seconds): (usize, f32) = (calls.parse().unwrap(), seconds.parse().unwrap());
    let voices: Vec<Arc<Vec<u8>>> = (0..VOICES).map(|seed| Arc::new(voice(seconds, seed))).collect();

    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let server = Server::start(binary, &options).unwrap();
    let (cpu_before, mib_before) = (server.cpu_seconds(), server.resident_mib());
    let (delays, began) = (Arc::new(Mutex::new(Vec::new())), Instant::now());
    let running: Vec<_> = (0..calls)
        .map(|number| {
            let address = format!("ws://{}/stream", server.address);
            // Calls begin spread over a second, as they do in life.
            let start = began + Duration::from_secs_f64(number as f64 / calls as f64);
            let voice = voices[number % voices.len()].clone();
            tokio::spawn(call(address, voice, start, delays.clone()))
        })
        .collect();
    let mut most_mib: f64 = 0.0;
    while began.elapsed().as_secs_f32() < seconds {
        tokio::time::sleep(Duration::from_millis(500)).await;
        most_mib = most_mib.max(server.resident_mib());
    }
    for call in running {
        call.await.unwrap();
    }

    let cpu_seconds = server.cpu_seconds() - cpu_before;
    let audio_seconds = calls as f64 * f64::from(seconds);
    let mut delays = std::mem::take(&mut *delays.lock().unwrap());
    println!("calls {calls}, each {seconds} s, {} segments", delays.len());
    println!(
        "delay of a segment: p50 {:.0} ms, p99 {:.0} ms, max {:.0} ms",
        quantile(&mut delays, 0.5) * 1e3,
        quantile(&mut delays, 0.99) * 1e3,
        quantile(&mut delays, 1.0) * 1e3
    );
    println!(
        "server: {cpu_seconds:.1} s of processor time, {:.2} ms a second of audio: {:.0} calls a core",
        1e3 * cpu_seconds / audio_seconds,
        audio_seconds / cpu_seconds
    );
    println!(
        "memory: {mib_before:.1} MiB before, {most_mib:.1} MiB with all calls: {:.0} KiB a call; {:.1} MiB after",
        1024.0 * (most_mib - mib_before) / calls as f64,
        server.resident_mib()
    );
}

/// A voice as mu-law.
fn voice(seconds: f32, seed: u64) -> Vec<u8> {
    let voice = Voice { pitch: 110.0 + 15.0 * seed as f32, tract: 1.0 + 0.02 * seed as f32, seed };
    let samples = at_level(&voice.speak(seconds, RATE), -6.0);
    samples.iter().map(|sample| g711::linear_to_mulaw((sample * 32_768.0) as i16)).collect()
}

/// One call, frame by frame in real time.
async fn call(address: String, voice: Arc<Vec<u8>>, start: Instant, delays: Arc<Mutex<Vec<f64>>>) {
    sleep_until(start).await;
    let (socket, _) = connect_async(address).await.unwrap();
    let (mut out, mut heard) = socket.split();
    let start = Instant::now();
    let listening = tokio::spawn(async move {
        while let Some(Ok(Message::Text(text))) = heard.next().await {
            let frame: Value = serde_json::from_str(&text).unwrap();
            if let (Some("segment"), Some(end)) = (frame["type"].as_str(), frame["end_seconds"].as_f64()) {
                // The frame that holds the last sample goes out at its own beginning.
                let sent = (end / FRAME_SECONDS).ceil() * FRAME_SECONDS - FRAME_SECONDS;
                delays.lock().unwrap().push(start.elapsed().as_secs_f64() - sent);
            }
        }
    });
    let media_format = json!({"encoding": "audio/x-mulaw", "sampleRate": RATE, "channels": 1});
    let begin =
        json!({"event": "start", "start": {"callSid": "CA0", "tracks": ["inbound"], "mediaFormat": media_format}});
    out.send(Message::text(begin.to_string())).await.unwrap();
    for (number, piece) in voice.chunks(FRAME_SAMPLES).enumerate() {
        sleep_until(start + Duration::from_secs_f64(number as f64 * FRAME_SECONDS)).await;
        let payload = STANDARD.encode(piece);
        let chunk = (number + 1).to_string();
        let timestamp = (20 * number).to_string();
        let media = json!({"track": "inbound", "chunk": chunk, "timestamp": timestamp, "payload": payload});
        let event = json!({"event": "media", "sequenceNumber": chunk, "streamSid": "MZ0", "media": media});
        out.send(Message::text(event.to_string())).await.unwrap();
    }
    out.send(Message::text(json!({"event": "stop"}).to_string())).await.unwrap();
    listening.await.unwrap();
}
