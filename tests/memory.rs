//! What calls and uploads take while they last, and that calls give it back however they end.

#![allow(clippy::unwrap_used, reason = "a call that cannot go on has failed")]

mod live;
mod service;
mod sounds;

use live::{Call, PATIENCE, RATE, Server, mulaw, plain, start, stop, text};
use peak_alloc::PeakAlloc;
use sounds::MAN;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio_tungstenite::tungstenite::Message;

/// Counts what is allocated and not freed: unlike resident memory, it does not depend on what an allocator keeps.
#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// What one test holds is no business of another.
static ALONE: Mutex<()> = Mutex::const_new(());

const CALLS: usize = 60;
/// The most that a live call may hold. The caller's side of it is counted here as well.
const MOST_OF_A_CALL: usize = 1 << 20;
/// Buffers that the service keeps for the next call, all together.
const SLACK: usize = 256 << 10;

async fn calls(server: &Server, frames: &[Message]) -> Vec<Call> {
    let mut calls = Vec::new();
    for _ in 0..CALLS {
        let mut call = server.call().await;
        for frame in frames {
            call.say(frame.clone()).await;
        }
        calls.push(call);
    }
    calls
}

/// Waits until no more than that is in use: the last pieces go when a worker drops a window that nobody waits for.
async fn in_use_at_most(most: usize) {
    let wait = async {
        while MEMORY.current_usage() > most {
            tokio::task::yield_now().await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, wait).await;
    assert!(waited.is_ok(), "{} bytes are in use, at most {most} should be", MEMORY.current_usage());
}

#[tokio::test]
async fn calls_take_at_most_a_mebibyte_and_give_it_back_however_they_end() {
    let _alone = ALONE.lock().await;
    let server = Server::start(&["--stream-idle-seconds", "60"]).await;
    let frames = plain(&start(), &mulaw(&MAN.speak(8.0, RATE)), 160);
    // What is made once, for the first call.
    server.converse(&frames).await;
    server.quiet().await;
    let before = MEMORY.current_usage();

    let mut open = calls(&server, &frames[..frames.len() - 1]).await;
    let a_call = (MEMORY.current_usage() - before) / CALLS;
    println!("{a_call} bytes a call");
    assert!(a_call <= MOST_OF_A_CALL, "{a_call} bytes a call");
    // A third hangs up without a word, a third talks nonsense first, a third says goodbye.
    for (number, call) in open.iter_mut().enumerate() {
        match number % 3 {
            0 => {}
            1 => call.say(text(&serde_json::json!({ "type": "nonsense" }))).await,
            _ => {
                call.say(stop()).await;
                call.rest().await;
            }
        }
    }
    drop(open);
    server.quiet().await;
    in_use_at_most(before + SLACK).await;
    println!("{before} bytes before, {} after", MEMORY.current_usage());
}

#[tokio::test]
async fn an_upload_holds_what_is_counted() {
    const MIB: usize = 1 << 20;
    let _alone = ALONE.lock().await;
    let server = Server::start(&["--body-timeout-seconds", "60"]).await;
    let form = "--limit\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n";
    let chunk = [b"10000\r\n".as_slice(), &[0; 0x10000], b"\r\n"].concat();
    for (kind, begin) in [("audio/wav", ""), ("multipart/form-data; boundary=limit", form)] {
        let before = MEMORY.current_usage();
        let mut socket = TcpStream::connect(&server.address).await.unwrap();
        let head =
            format!("POST /classify HTTP/1.1\r\nHost: test\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked");
        let begin = if begin.is_empty() { String::new() } else { format!("{:x}\r\n{begin}\r\n", begin.len()) };
        socket.write_all(format!("{head}\r\n\r\n{begin}").as_bytes()).await.unwrap();
        // A buffer that doubles has twice as much room as it needs now.
        for _ in 0..(8 * MIB + MIB / 2) / 0x10000 {
            socket.write_all(&chunk).await.unwrap();
        }
        let limits = &server.service.app.settings.limits;
        let room = &server.service.app.upload_room;
        let counted = || limits.max_buffered_bytes() - room.available_permits() * 1024;
        let arrived = async {
            while counted() < 8 * MIB + MIB / 2 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, arrived).await.unwrap();
        in_use_at_most(before + counted() + SLACK).await;
        println!("{kind}: {} bytes held, {} counted", MEMORY.current_usage() - before, counted());
        assert!(counted() < 10 * MIB, "{} bytes counted", counted());
        drop(socket);
        server.quiet().await;
        in_use_at_most(before + SLACK).await;
    }
}
