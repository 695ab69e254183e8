//! Models read again while clients ask as fast as they can: how many requests are lost, and how long the slowest waits.
//!
//! ```sh
//! cargo build --release
//! cargo run --release --example load-reload -- target/release/emotone models/emotone-cnn-lstm.onnx 8 50
//! ```
//!
//! Arguments: the binary, the model, the number of clients and of reloads, further options of the server.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a measurement that cannot go on has failed")]

mod client;
mod server;
#[path = "../../tests/sounds/mod.rs"]
mod sounds;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use client::{Client, recording};
use emotone::audio::g711;
use server::{Server, quantile};
use sounds::{Voice, at_level};

const BETWEEN_RELOADS: Duration = Duration::from_millis(200);

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [binary, model, clients, reloads, options @ ..] = &arguments[..] else {
        panic!("usage: load-reload BINARY MODEL CLIENTS RELOADS [OPTIONS OF THE SERVER]");
    };
    let (clients, reloads): (usize, usize) = (clients.parse().unwrap(), reloads.parse().unwrap());
    let options: Vec<&str> = ["--model", model].into_iter().chain(options.iter().map(String::as_str)).collect();
    let server = Server::start(binary, &options).unwrap();
    let samples = at_level(&Voice { pitch: 130.0, tract: 1.0, seed: 3 }.speak(3.0, 8_000), -6.0);
    let mulaw: Vec<u8> = samples.iter().map(|sample| g711::linear_to_mulaw((sample * 32_768.0) as i16)).collect();
    let (body, end) = (Arc::new(recording(&mulaw)), Arc::new(AtomicBool::new(false)));

    let asked: Vec<_> = (0..clients)
        .map(|_| {
            let (mut client, body, end) = (Client::new(server.address), body.clone(), end.clone());
            tokio::spawn(async move {
                let (mut took, mut lost) = (Vec::new(), 0);
                while !end.load(Ordering::Relaxed) {
                    match client.classify(&body).await {
                        Ok(answer) if answer.status == 200 => took.push(answer.took.as_secs_f64() * 1e3),
                        _ => lost += 1,
                    }
                }
                (took, lost)
            })
        })
        .collect();
    for _ in 0..reloads {
        tokio::time::sleep(BETWEEN_RELOADS).await;
        server.signal("HUP");
    }
    tokio::time::sleep(BETWEEN_RELOADS).await;
    end.store(true, Ordering::Relaxed);
    let (mut took, mut lost) = (Vec::new(), 0);
    for client in asked {
        let (times, failures) = client.await.unwrap();
        took.extend(times);
        lost += failures;
    }
    let (answered, slowest) = (took.len(), took.iter().copied().fold(0.0, f64::max));
    println!("{reloads} reloads, {clients} clients: {answered} answered, {lost} lost");
    println!(
        "p50 {:.2} ms, p99 {:.2} ms, slowest {slowest:.2} ms",
        quantile(&mut took, 0.5),
        quantile(&mut took, 0.99)
    );
    println!("memory: {:.1} MiB", server.resident_mib());
}
