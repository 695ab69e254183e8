//! A good client beside a crowd: connections that say nothing, and clients that send next to nothing.
//!
//! ```sh
//! cargo build --release
//! cargo run --release --example load-crowd -- target/release/emotone 5000 500
//! ```
//!
//! Arguments: the binary, the number of idle connections and of slow writers, further options of the server.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a measurement that cannot go on has failed")]

mod client;
mod server;
#[path = "../../tests/sounds/mod.rs"]
mod sounds;

use std::time::Duration;

use client::{Client, recording};
use emotone::audio::g711;
use server::{Server, quantile};
use sounds::{Voice, at_level};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

const REQUESTS: usize = 500;
/// A slow writer sends a byte this often.
const BETWEEN_BYTES: Duration = Duration::from_secs(1);

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [binary, idle, slow, options @ ..] = &arguments[..] else {
        panic!("usage: load-crowd BINARY IDLE SLOW [OPTIONS OF THE SERVER]");
    };
    let (idle, slow): (usize, usize) = (idle.parse().unwrap(), slow.parse().unwrap());
    rlimit::increase_nofile_limit((idle + slow + 100) as u64).unwrap();
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let server = Server::start(binary, &options).unwrap();
    let samples = at_level(&Voice { pitch: 130.0, tract: 1.0, seed: 3 }.speak(3.0, 8_000), -6.0);
    let mulaw: Vec<u8> = samples.iter().map(|sample| g711::linear_to_mulaw((sample * 32_768.0) as i16)).collect();
    let body = recording(&mulaw);

    let alone = ask(&server, &body).await;
    let mut crowd = Vec::new();
    for _ in 0..idle {
        crowd.push(TcpStream::connect(server.address).await.unwrap());
    }
    let head = "POST /classify HTTP/1.1\r\nHost: load\r\nContent-Length: 100000\r\n\r\nRIFF";
    for _ in 0..slow {
        let address = server.address;
        tokio::spawn(async move {
            loop {
                // The server lets go of it after a while; then the next one comes.
                let Ok(mut socket) = TcpStream::connect(address).await else { continue };
                let _ = socket.write_all(head.as_bytes()).await;
                while socket.write_all(b"\0").await.is_ok() {
                    tokio::time::sleep(BETWEEN_BYTES).await;
                }
            }
        });
    }
    let beside = ask(&server, &body).await;
    println!("alone: p50 {:.2} ms, p99 {:.2} ms", alone.0, alone.1);
    println!("beside {idle} idle and {slow} slow: p50 {:.2} ms, p99 {:.2} ms", beside.0, beside.1);
    println!("memory: {:.1} MiB", server.resident_mib());
}

/// Median and 99th percentile of some requests, in milliseconds.
async fn ask(server: &Server, body: &[u8]) -> (f64, f64) {
    let mut client = Client::new(server.address);
    let mut took = Vec::new();
    for _ in 0..REQUESTS {
        let answer = client.classify(body).await.unwrap();
        assert_eq!(answer.status, 200);
        took.push(answer.took.as_secs_f64() * 1e3);
    }
    (quantile(&mut took, 0.5), quantile(&mut took, 0.99))
}
