//! A long stereo call, posted: how fast it is judged, and how long short clips wait beside it.
//!
//! ```sh
//! cargo build --release
//! cargo run --release --example load-long-call -- target/release/emotone 600 --workers 1
//! ```
//!
//! Arguments: the binary, the length of the call in seconds, further options of the server.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a measurement that cannot go on has failed")]

mod server;
#[path = "../../tests/sounds/mod.rs"]
mod sounds;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use emotone::audio::g711;

use server::{Server, quantile};
use sounds::{MAN, WOMAN, at_level};

const RATE: u32 = 8_000;
/// Length of a turn and of the silence after it, in seconds: two people who let each other finish.
const TURNS: (f32, f32) = (13.0, 15.0);
const SHORT_SECONDS: usize = 2;
/// Clips that are posted alone first.
const ALONE: usize = 200;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [binary, seconds, options @ ..] = &arguments[..] else {
        panic!("usage: load-long-call BINARY SECONDS [OPTIONS OF THE SERVER]");
    };
    let seconds: f32 = seconds.parse().unwrap();
    let silence = vec![0.0; (TURNS.1 * RATE as f32 / 2.0) as usize];
    let man = sounds::pulsed(&MAN.speak(seconds, RATE), RATE, TURNS.0, TURNS.1);
    let woman =
        sounds::joined(&[&silence, &silence, &sounds::pulsed(&WOMAN.speak(seconds, RATE), RATE, TURNS.0, TURNS.1)]);
    let call: Vec<u8> = mulaw(&man).into_iter().zip(mulaw(&woman)).flat_map(|(one, other)| [one, other]).collect();
    let clip = mulaw(&MAN.speak(SHORT_SECONDS as f32, RATE));

    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let server = Server::start(binary, &options).unwrap();
    let mut alone: Vec<f64> = (0..ALONE).map(|_| post(server.address, 1, &clip)).collect();
    print("short clips alone", &mut alone);

    let (cpu_before, mib_before) = (server.cpu_seconds(), server.resident_mib());
    let took = post(server.address, 2, &call);
    let cpu_seconds = server.cpu_seconds() - cpu_before;
    println!(
        "call of {seconds} s, stereo: {took:.2} s, {:.0} x real time; {cpu_seconds:.2} s of processor time, {:.0} x; {:.1} MiB more memory",
        f64::from(seconds) / took,
        f64::from(seconds) / cpu_seconds,
        server.resident_mib() - mib_before
    );

    let (done, mut beside) = (AtomicBool::new(false), Vec::new());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            (0..4).for_each(|_| {
                post(server.address, 2, &call);
            });
            done.store(true, Ordering::Relaxed);
        });
        while !done.load(Ordering::Relaxed) {
            beside.push(post(server.address, 1, &clip));
            std::thread::sleep(Duration::from_millis(5));
        }
    });
    print("short clips beside that call", &mut beside);
}

fn mulaw(samples: &[f32]) -> Vec<u8> {
    at_level(samples, -6.0).iter().map(|sample| g711::linear_to_mulaw((sample * 32_768.0) as i16)).collect()
}

fn print(what: &str, seconds: &mut [f64]) {
    println!(
        "{what}: {} answers, p50 {:.1} ms, p99 {:.1} ms, max {:.1} ms",
        seconds.len(),
        quantile(seconds, 0.5) * 1e3,
        quantile(seconds, 0.99) * 1e3,
        quantile(seconds, 1.0) * 1e3
    );
}

/// Posts headerless mu-law; the time to the whole answer, in seconds.
fn post(address: SocketAddr, channels: usize, body: &[u8]) -> f64 {
    let start = Instant::now();
    let mut socket = TcpStream::connect(address).unwrap();
    let head = format!(
        "POST /classify?encoding=mulaw&channels={channels} HTTP/1.1\r\nHost: emotone\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    socket.write_all(head.as_bytes()).unwrap();
    socket.write_all(body).unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
    start.elapsed().as_secs_f64()
}
