//! What calls take while they last, and that they give it back however they end.

#![allow(clippy::unwrap_used, reason = "a call that cannot go on has failed")]

mod live;
mod service;
mod sounds;

use live::{Call, PATIENCE, RATE, Server, mulaw, plain, start, stop, text};
use peak_alloc::PeakAlloc;
use sounds::MAN;
use tokio_tungstenite::tungstenite::Message;

/// Counts what is allocated and not freed: unlike resident memory, it does not depend on what an allocator keeps.
#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

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
