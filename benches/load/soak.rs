//! Hours of mixed load: recordings of every length, errors, clients that leave, models read again; memory must stay flat.
//!
//! ```sh
//! cargo build --release
//! cargo run --release --example load-soak -- target/release/emotone 3600 10
//! ```
//!
//! Arguments: the binary, the duration, the time from one reading of the models to the next (0: never), both in seconds, and
//! further options of the server. Memory is read all the time, while models are read too. A single reading holds whatever
//! recordings and models are in hand at that moment; a level is the mean of a sixtieth of the duration, a minute of an hour.
//! At the end SIGTERM comes amid the load: whoever had begun before it must have been answered.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a measurement that cannot go on has failed")]

mod client;
mod server;
#[path = "../../tests/sounds/mod.rs"]
mod sounds;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use client::{Client, recording};
use emotone::audio::g711;
use server::Server;
use sounds::{Dice, Voice, at_level};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

const CLIENTS: u64 = 4;
/// Longest time that a client thinks between two requests, in seconds; half of it on average.
const LONGEST_PAUSE: f32 = 1.0;
/// Levels of the memory, over the whole time.
const LEVELS: u32 = 60;
/// Levels until the memory has settled.
const WARM_UP: u32 = LEVELS / 6;
/// Time from one reading of the memory to the next.
const READ_EVERY: Duration = Duration::from_millis(100);

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [binary, seconds, reload_seconds, options @ ..] = &arguments[..] else {
        panic!("usage: load-soak BINARY SECONDS RELOAD_SECONDS [OPTIONS OF THE SERVER]");
    };
    let duration = Duration::from_secs_f64(seconds.parse().unwrap());
    let reload_every = Duration::from_secs_f64(reload_seconds.parse().unwrap());
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let mut server = Server::start(binary, &options).unwrap();
    println!("memory at rest: {:.1} MiB", server.resident_mib());
    let samples = at_level(&Voice { pitch: 130.0, tract: 1.0, seed: 3 }.speak(60.0, 8_000), -6.0);
    let mulaw: Arc<[u8]> = samples.iter().map(|sample| g711::linear_to_mulaw((sample * 32_768.0) as i16)).collect();
    let counts: Counts = Arc::default();
    let ending = Arc::new(AtomicU64::new(0));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|seed| tokio::spawn(client(server.address, mulaw.clone(), seed, counts.clone(), ending.clone())))
        .collect();

    let mean = |levels: &[f64]| levels.iter().sum::<f64>() / levels.len().max(1) as f64;
    let (began, mut reloaded, mut levels, mut highest) = (Instant::now(), Instant::now(), Vec::new(), 0.0_f64);
    for level in 1..=LEVELS {
        let mut readings = Vec::new();
        while began.elapsed() < duration * level / LEVELS {
            tokio::time::sleep(READ_EVERY).await;
            readings.push(server.resident_mib());
            if !reload_every.is_zero() && reloaded.elapsed() > reload_every {
                reloaded = Instant::now();
                server.signal("HUP");
            }
        }
        highest = readings.iter().copied().fold(highest, f64::max);
        levels.push(mean(&readings));
    }
    ending.store(1, Ordering::SeqCst);
    server.signal("TERM");
    let status = server.wait();
    for client in clients {
        client.await.unwrap();
    }
    let warm = levels.get(WARM_UP as usize..).unwrap_or_default();
    let (least, most) =
        warm.iter().fold((f64::MAX, 0.0_f64), |(least, most), level| (least.min(*level), most.max(*level)));
    println!("memory: {}", levels.iter().map(|level| format!("{level:.0}")).collect::<Vec<_>>().join(" "));
    println!("memory after warming up: {least:.1} to {most:.1} MiB, {:.1} % apart", 100.0 * (most / least - 1.0));
    let third = warm.len() / 3;
    let (first, last) = (mean(&warm[..third]), mean(&warm[warm.len() - third..]));
    println!("mean {:.1} MiB; first third {first:.1}, last third {last:.1}; highest reading {highest:.1}", mean(warm));
    println!("answers by status (0: none came; after: begun after SIGTERM): {:?}", counts.lock().unwrap());
    println!("exit status after SIGTERM: {status}");
}

/// Answers by phase and status.
type Counts = Arc<Mutex<BTreeMap<(&'static str, u16), u64>>>;

async fn client(address: SocketAddr, mulaw: Arc<[u8]>, seed: u64, counts: Counts, ending: Arc<AtomicU64>) {
    let (mut client, mut dice) = (Client::new(address), Dice::new(seed + 1));
    loop {
        tokio::time::sleep(Duration::from_secs_f32(dice.uniform(0.0, LONGEST_PAUSE))).await;
        let phase = if ending.load(Ordering::SeqCst) == 0 { "before" } else { "after" };
        // Most are clips of some seconds, some last a minute.
        let part = dice.uniform(0.0, 1.0).powi(3);
        let length = ((mulaw.len() as f32 * part) as usize).clamp(1_600, mulaw.len());
        let body = match dice.below(20) {
            0 => b"this is no audio at all".repeat(length / 23),
            1 => Vec::new(),
            2 => {
                // One who leaves amid its upload.
                if let Ok(mut socket) = TcpStream::connect(address).await {
                    let head = "POST /classify HTTP/1.1\r\nHost: load\r\nContent-Length: 1000000\r\n\r\n";
                    let _ = socket.write_all(head.as_bytes()).await;
                    let _ = socket.write_all(mulaw.get(..length).unwrap_or_default()).await;
                }
                continue;
            }
            _ => recording(mulaw.get(..length).unwrap_or_default()),
        };
        let status = client.classify(&body).await.map_or(0, |answer| answer.status);
        *counts.lock().unwrap().entry((phase, status)).or_default() += 1;
        if phase == "after" {
            return;
        }
    }
}
