//! Models are read again while requests run, and none of them is lost.

#![allow(clippy::unwrap_used, reason = "a test that cannot start the binary has failed")]

mod running;

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use running::{CLIP, KEY, Running};

const CLIENTS: usize = 4;
const RELOADS: usize = 6;

/// As a volume is updated: no half-written model is ever at its place.
fn replace(model: &Path, with: &[u8]) {
    let fresh = model.with_extension("fresh");
    std::fs::write(&fresh, with).unwrap();
    std::fs::rename(fresh, model).unwrap();
}

#[test]
fn reloading_loses_no_request_and_a_broken_file_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("some.onnx");
    let good = ["models/emotone-cnn-lstm.onnx", "models/emotone-lstm.onnx"].map(|file| std::fs::read(file).unwrap());
    replace(&model, &good[0]);
    let mut server = Running::start(&["--model", folder.path().to_str().unwrap()]);
    let (clip, end) = (std::fs::read(CLIP).unwrap(), AtomicBool::new(false));
    let (answered, lost) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let client = server.client();
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                while !end.load(Ordering::Relaxed) {
                    let answer = client.ask(&format!("POST /classify HTTP/1.1\r\nX-API-Key: {KEY}"), &clip);
                    let count = if answer.starts_with("HTTP/1.1 200") { &answered } else { &lost };
                    count.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for round in 0..RELOADS {
            let before = answered.load(Ordering::Relaxed);
            replace(&model, if round % 3 == 2 { b"no model at all" } else { &good[round % 2] });
            server.signal("HUP");
            if round % 3 == 2 {
                server.wait_for("the old model stays");
            }
            server.wait_for("model");
            while answered.load(Ordering::Relaxed) < before + CLIENTS && lost.load(Ordering::Relaxed) == 0 {
                thread::yield_now();
            }
        }
        end.store(true, Ordering::Relaxed);
    });
    assert_eq!(lost.into_inner(), 0);
    assert!(answered.into_inner() >= RELOADS * CLIENTS);
    let figures = client.ask(&format!("GET /metrics HTTP/1.1\r\nX-API-Key: {KEY}"), b"");
    assert!(figures.contains("emotone_model_reloads_total{result=\"failed\"} 2"), "{figures}");
    assert!(figures.contains("emotone_model_reloads_total{result=\"ok\"} 4"), "{figures}");
}

#[test]
fn a_signal_that_comes_while_models_are_read_ends_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("model.onnx");
    // A file that can be read once somebody writes it, so that there is a time in between.
    assert!(Command::new("mkfifo").arg(&model).status().unwrap().success());
    let mut server = Running::begin(&[], &["--model", model.to_str().unwrap()]);
    let mut writer = OpenOptions::new().write(true).open(&model).unwrap();
    server.signal("HUP");
    writer.write_all(&std::fs::read("models/emotone-lstm.onnx").unwrap()).unwrap();
    drop(writer);
    server.is_serving();
}
