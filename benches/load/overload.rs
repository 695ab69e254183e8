//! Ten times more than can be done: how soon those are served who are let in, and whether everybody is answered.
//!
//! ```sh
//! cargo build --release
//! cargo run --release --example load-overload -- target/release/emotone 3 60
//! ```
//!
//! Who sends ten times too much takes the processor from who serves. A core for each tells more: `taskset -c 0` in front
//! of the command, and for the binary a script that says `exec taskset -c 1 target/release/emotone "$@"`.
//!
//! Arguments: the binary, the length of a recording and of the siege, both in seconds, further options of the server.
//! First one client asks alone, then as many as keep the server busy; then requests come at ten times that rate, each at
//! its time, whatever has become of those before.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a measurement that cannot go on has failed")]

mod client;
mod server;
#[path = "../../tests/sounds/mod.rs"]
mod sounds;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use client::{Answer, Client, recording};
use emotone::audio::g711;
use server::{Server, quantile};
use sounds::{Voice, at_level};

const ALONE: usize = 400;
const BUSY_CLIENTS: usize = 16;
const BUSY: Duration = Duration::from_secs(5);
const TIMES: f64 = 10.0;
/// Requests under way at a time; beyond, the machine that sends is the one that is overloaded.
const MOST_UNDER_WAY: usize = 4_000;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [binary, length, seconds, options @ ..] = &arguments[..] else {
        panic!("usage: load-overload BINARY LENGTH SECONDS [OPTIONS OF THE SERVER]");
    };
    let (length, seconds): (f32, f64) = (length.parse().unwrap(), seconds.parse().unwrap());
    // A connection that a client has left idle must not be closed just as it is used again.
    let options: Vec<&str> =
        ["--idle-timeout-seconds", "3600"].into_iter().chain(options.iter().map(String::as_str)).collect();
    let server = Server::start(binary, &options).unwrap();
    let body: Arc<[u8]> = voice(length).into();

    let mut client = Client::new(server.address);
    let mut alone = Vec::new();
    for _ in 0..ALONE {
        alone.push(client.classify(&body).await.unwrap());
    }
    tell("alone", &alone, 0);

    let began = Instant::now();
    let busy: Vec<_> = (0..BUSY_CLIENTS)
        .map(|_| {
            let (mut client, body) = (Client::new(server.address), body.clone());
            tokio::spawn(async move {
                let mut answers = Vec::new();
                while began.elapsed() < BUSY {
                    answers.push(client.classify(&body).await.unwrap());
                }
                answers
            })
        })
        .collect();
    let mut answers = Vec::new();
    for client in busy {
        answers.extend(client.await.unwrap());
    }
    let rate = answers.iter().filter(|answer| answer.status == 200).count() as f64 / BUSY.as_secs_f64();
    tell(&format!("{BUSY_CLIENTS} clients"), &answers, 0);
    println!("sustainable: {rate:.0} requests a second");

    let idle = Arc::new(Mutex::new(Vec::<Client>::new()));
    let (results, began) = (Arc::new(Mutex::new((Vec::new(), 0))), Instant::now());
    let mut sent = 0_u64;
    let mut running = tokio::task::JoinSet::new();
    while began.elapsed().as_secs_f64() < seconds {
        let due = (began.elapsed().as_secs_f64() * rate * TIMES) as u64;
        while sent < due {
            sent += 1;
            if running.len() >= MOST_UNDER_WAY {
                continue;
            }
            let (idle, results, body, address) = (idle.clone(), results.clone(), body.clone(), server.address);
            running.spawn(async move {
                let client = idle.lock().unwrap().pop();
                let mut client = client.unwrap_or_else(|| Client::new(address));
                let answer = client.classify(&body).await;
                let mut results = results.lock().unwrap();
                match answer {
                    Ok(answer) => {
                        results.0.push(answer);
                        idle.lock().unwrap().push(client);
                    }
                    Err(error) => {
                        eprintln!("lost after {:.1} s: {error}", began.elapsed().as_secs_f64());
                        results.1 += 1;
                    }
                }
            });
        }
        while running.try_join_next().is_some() {}
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    while running.join_next().await.is_some() {}
    let (answers, lost) = std::mem::take(&mut *results.lock().unwrap());
    tell(&format!("{:.0} a second came", answers.len() as f64 / seconds), &answers, lost);
    println!("memory: {:.1} MiB", server.resident_mib());
}

fn tell(what: &str, answers: &[Answer], lost: usize) {
    let milliseconds = |wanted: bool| -> Vec<f64> {
        let answers = answers.iter().filter(|answer| (answer.status == 200) == wanted);
        answers.map(|answer| answer.took.as_secs_f64() * 1e3).collect()
    };
    let (mut served, mut refused) = (milliseconds(true), milliseconds(false));
    let others = answers.iter().filter(|answer| ![200, 503].contains(&answer.status)).count();
    println!(
        "{what}: {} served, p50 {:.2} ms, p90 {:.2} ms, p99 {:.2} ms, max {:.2} ms; {} refused, p50 {:.2} ms, p99 {:.2} ms; {others} others, {lost} lost",
        served.len(),
        quantile(&mut served, 0.5),
        quantile(&mut served, 0.9),
        quantile(&mut served, 0.99),
        quantile(&mut served, 1.0),
        refused.len(),
        quantile(&mut refused, 0.5),
        quantile(&mut refused, 0.99),
    );
}

fn voice(seconds: f32) -> Vec<u8> {
    let samples = at_level(&Voice { pitch: 130.0, tract: 1.0, seed: 3 }.speak(seconds, 8_000), -6.0);
    let mulaw: Vec<u8> = samples.iter().map(|sample| g711::linear_to_mulaw((sample * 32_768.0) as i16)).collect();
    recording(&mulaw)
}
