//! The binary as a process: signals, logs, exit statuses.

#![allow(clippy::unwrap_used, reason = "a test that cannot start the binary has failed")]

mod running;

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use running::{CLIP, Client, KEY, Running, emotone};

#[test]
fn the_log_knows_requests_by_id_and_neither_audio_nor_keys() {
    let mut server = Running::start(&[]);
    let clip = std::fs::read(CLIP).unwrap();
    let head = format!("POST /classify HTTP/1.1\r\nX-Request-Id: call-7391\r\nX-API-Key: {KEY}");
    assert!(server.ask(&head, &clip).starts_with("HTTP/1.1 200"));
    let line = server.wait_for("request answered");
    assert_eq!((&line["status"], &line["span"]["request_id"]), (&200.into(), &"call-7391".into()));
    assert!(
        server
            .ask("POST /classify HTTP/1.1\r\nAuthorization: Bearer wrong-key-4712", &clip)
            .starts_with("HTTP/1.1 401")
    );
    server.wait_for("request answered");
    server.signal("TERM");
    assert!(server.process.wait().unwrap().success());
    let log: String = server.seen.iter().cloned().chain(server.lines.iter()).collect();
    assert!(!log.contains(KEY) && !log.contains("wrong-key-4712"), "{log}");
    for piece in clip.chunks_exact(48).step_by(50) {
        let hex: String = piece.iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(!log.contains(&BASE64_STANDARD.encode(piece)) && !log.contains(&hex));
    }
}

#[test]
fn every_address_is_said_and_the_end_is_told_once() {
    let any = "127.0.0.1:0";
    let mut server = Running::begin(&[], &["--metrics-listen", any, "--audiosocket-listen", any]);
    let metrics = server.wait_for("serving metrics")["address"].as_str().unwrap().to_string();
    assert!(!metrics.ends_with(":0"));
    assert!(!server.wait_for("serving AudioSocket")["address"].as_str().unwrap().ends_with(":0"));
    server.is_serving();
    let watcher = Client { address: metrics };
    assert!(watcher.ask("GET /health/ready HTTP/1.1", b"").starts_with("HTTP/1.1 200"));
    let log = server.log();
    assert_eq!(log.matches("\"draining\"").count(), 1, "{log}");
}

#[test]
fn who_leaves_before_the_answer_has_a_line_in_the_log() {
    let mut server = Running::start(&["--workers", "1"]);
    // One leaves while uploading, one while a recording of 17 minutes is judged.
    for (id, sent) in [("early", 1000), ("late", 8_000_000)] {
        let mut socket = std::net::TcpStream::connect(&server.address).unwrap();
        let head = format!(
            "POST /classify?encoding=mulaw HTTP/1.1\r\nHost: test\r\nX-API-Key: {KEY}\r\nX-Request-Id: {id}\r\n\
             Content-Length: 8000000\r\n\r\n"
        );
        socket.write_all(head.as_bytes()).unwrap();
        socket.write_all(&vec![0x55; sent]).unwrap();
        drop(socket);
        let line = server.wait_for("request abandoned");
        assert_eq!((&line["span"]["request_id"], &line["route"]), (&id.into(), &"/classify".into()), "{line}");
        assert!(line["milliseconds"].as_f64().is_some() && line["method"] == "POST", "{line}");
    }
}

#[test]
fn sighup_reads_the_model_again_and_a_broken_one_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("model.onnx");
    std::fs::copy("models/emotone-cnn-lstm.onnx", &model).unwrap();
    let mut server = Running::start(&["--model", model.to_str().unwrap()]);
    server.signal("HUP");
    server.wait_for("model");
    std::fs::write(&model, b"no model any more").unwrap();
    server.signal("HUP");
    let line = server.wait_for("the old model stays");
    assert!(line["problem"].as_str().unwrap().contains("model.onnx"), "{line}");
    let head = format!("POST /classify HTTP/1.1\r\nX-API-Key: {KEY}");
    assert!(server.ask(&head, &std::fs::read(CLIP).unwrap()).starts_with("HTTP/1.1 200"));
}

#[test]
fn what_keeps_the_server_from_starting_is_one_line_that_names_it() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().to_string();
    for (options, named) in [
        (&["--listen", &port][..], port.as_str()),
        (&["--model", "nowhere.onnx"], "nowhere.onnx"),
        (&["--api-keys-file", "nowhere.keys"], "nowhere.keys"),
        (&["--tls-cert-file", "nowhere.pem", "--tls-key-file", "tests/tls/old.key"], "nowhere.pem"),
        (&["--tls-cert-file", "tests/tls/new.pem", "--tls-key-file", "tests/tls/old.key"], "new.pem"),
    ] {
        let output = emotone(&[&["serve"], options].concat());
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        let lines: Vec<&str> = said.lines().filter(|line| !line.starts_with("20")).collect();
        assert!(lines.len() == 1 && lines[0].contains(named), "{said}");
    }
}

/// A container has one variable for its server and for whoever runs another command in it.
#[test]
fn of_a_servers_models_the_other_commands_take_the_first() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy("models/emotone-cnn.onnx", folder.path().join("one.onnx")).unwrap();
    for models in ["first=models/emotone-cnn.onnx,models/emotone-lstm.onnx", folder.path().to_str().unwrap()] {
        for arguments in [&["model", "--json"][..], &["classify", "--json", CLIP]] {
            let output =
                Command::new(env!("CARGO_BIN_EXE_emotone")).args(arguments).env("EMOTONE_MODEL", models).output();
            let answer: serde_json::Value = serde_json::from_slice(&output.unwrap().stdout).unwrap();
            let name = answer.pointer("/model/name").or(answer.get("name"));
            assert_eq!(name, Some(&"emotone-cnn".into()), "{arguments:?} {models}");
        }
    }
}

#[test]
fn what_is_false_in_the_environment_is_not_asked_for() {
    let end = |variable: &str, value: &str, options: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_emotone"));
        let output = command.args(["classify", CLIP]).args(options).env(variable, value).output().unwrap();
        let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        (output.status.code(), out, err)
    };
    for (variable, option, begin) in [
        ("EMOTONE_JSON", "--csv", "file,"),
        ("EMOTONE_CSV", "--json", "{\"file\":"),
        ("EMOTONE_RESUME", "--allow-failures", CLIP),
    ] {
        let (status, out, err) = end(variable, "false", &[option]);
        assert!(status == Some(0) && out.starts_with(begin), "{variable}: {out}{err}");
    }
    for (variable, options, said) in [
        ("EMOTONE_JSON", &["--csv"][..], "'--csv' cannot be used with '--json'"),
        ("EMOTONE_CSV", &["--json"], "'--csv' cannot be used with '--json'"),
        ("EMOTONE_RESUME", &[], "'--resume' cannot be used without '--output <FILE>'"),
    ] {
        let (status, _, err) = end(variable, "true", options);
        assert!(status == Some(2) && err.contains(said), "{variable}: {err}");
    }
}

#[test]
fn a_log_that_nobody_reads_stops_nothing() {
    // More lines than a pipe and those that may wait.
    const REQUESTS: usize = 5000;
    let mut server = Command::new(env!("CARGO_BIN_EXE_emotone"))
        .args(["serve", "--listen", "127.0.0.1:0", "--log-format", "json"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = BufReader::new(server.stderr.take().unwrap());
    let serving = log.by_ref().lines().map_while(Result::ok).find(|line| line.contains("serving")).unwrap();
    let serving: serde_json::Value = serde_json::from_str(&serving).unwrap();
    let client = Client { address: serving["address"].as_str().unwrap().to_owned() };
    let asked = |path: &str| client.ask(&format!("GET {path} HTTP/1.1"), b"");
    for _ in 0..REQUESTS {
        assert!(asked("/health/live").starts_with("HTTP/1.1 200"));
    }
    let metrics = asked("/metrics");
    let lost = metrics.lines().find_map(|line| line.strip_prefix("emotone_log_lines_lost ")).unwrap();
    assert!(lost.parse::<f64>().unwrap() > 0.0, "{lost}");
    server.kill().unwrap();
    server.wait().unwrap();
}
