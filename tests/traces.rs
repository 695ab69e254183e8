//! Spans reach a collector, with the caller's trace and nothing that was said: `cargo test --features otlp --test traces`.

#![cfg(feature = "otlp")]
#![allow(clippy::unwrap_used, reason = "a test that cannot start the binary has failed")]

mod running;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::thread;

use running::{CLIP, KEY, Running};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// Takes one request as a collector does, and gives its path and body.
fn collect(listener: &TcpListener) -> (String, Vec<u8>) {
    let mut reader = BufReader::new(listener.accept().unwrap().0);
    let (mut line, mut path, mut length) = (String::new(), String::new(), 0);
    while reader.read_line(&mut line).unwrap() > 2 {
        if path.is_empty() {
            path = line.split(' ').nth(1).unwrap().to_owned();
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        line.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    reader.get_mut().write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
    (path, body)
}

#[test]
fn a_request_is_a_span_of_its_callers_trace() {
    let collector = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", collector.local_addr().unwrap());
    let collected = thread::spawn(move || collect(&collector));
    let mut server = Running::start_where(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)], &[]);
    let head = format!("POST /classify HTTP/1.1\r\nX-API-Key: {KEY}\r\ntraceparent: 00-{TRACE}-00f067aa0ba902b7-01");
    let answer = server.ask(&head, &std::fs::read(CLIP).unwrap());
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");

    // What has not been sent yet is sent at the end.
    server.signal("TERM");
    assert!(server.process.wait().unwrap().success());
    let (path, spans) = collected.join().unwrap();
    assert_eq!(path, "/v1/traces");
    let holds = |wanted: &[u8]| spans.windows(wanted.len()).any(|part| part == wanted);
    let trace: Vec<u8> = (0..16).map(|at| u8::from_str_radix(&TRACE[2 * at..2 * at + 2], 16).unwrap()).collect();
    assert!(holds(&trace), "the caller's trace");
    for wanted in ["emotone", "POST /classify", "http.response.status_code", "emotone.inference.seconds"] {
        assert!(holds(wanted.as_bytes()), "{wanted}");
    }
    assert!(!holds(b"probabilities"), "no result");
}
