//! The binary as a process: signals, logs, exit statuses, archives.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot start the binary has failed")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

const KEY: &str = "a-secret-key-4711";
const CLIP: &str = "examples/caller.wav";

/// A server with its log, a JSON object a line.
struct Running {
    process: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
    address: String,
}

impl Running {
    fn start(options: &[&str]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_emotone"))
            .args(["serve", "--listen", "127.0.0.1:0", "--log-format", "json", "--log-level", "debug"])
            .args(options)
            .env("EMOTONE_API_KEYS", KEY)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = channel();
        let log = BufReader::new(process.stderr.take().unwrap());
        thread::spawn(move || log.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let mut running = Self { process, lines, seen: Vec::new(), address: String::new() };
        running.address = running.wait_for("serving")["address"].as_str().unwrap().to_string();
        running
    }

    /// The next log line with that message.
    fn wait_for(&mut self, message: &str) -> Value {
        loop {
            let line = self.lines.recv().unwrap_or_else(|_| panic!("no `{message}` in {:?}", self.seen));
            self.seen.push(line.clone());
            let line: Value = serde_json::from_str(&line).unwrap();
            if line["message"] == message {
                return line;
            }
        }
    }

    fn signal(&self, name: &str) {
        let kill = Command::new("kill").args([format!("-{name}"), self.process.id().to_string()]).status();
        assert!(kill.unwrap().success());
    }

    fn ask(&self, head: &str, body: &[u8]) -> String {
        let mut socket = TcpStream::connect(&self.address).unwrap();
        let length = body.len();
        let head = format!("{head}\r\nHost: test\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n");
        socket.write_all(head.as_bytes()).unwrap();
        socket.write_all(body).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        answer
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

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

fn emotone(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_emotone")).args(arguments).output().unwrap()
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

/// A folder tree of ten clips and one that is none.
fn archive() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("some/calls")).unwrap();
    for number in 0..10 {
        std::fs::copy(CLIP, folder.path().join(format!("some/calls/call-{number}.wav"))).unwrap();
    }
    std::fs::write(folder.path().join("some/bad.wav"), b"no audio").unwrap();
    folder
}

fn files_in(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap();
    let mut files: Vec<String> = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["file"].as_str().unwrap().to_string())
        .collect();
    files.sort();
    files
}

#[test]
fn shards_judge_every_file_once_even_if_one_is_killed_and_started_again() {
    let (folder, results) = (archive(), tempfile::tempdir().unwrap());
    let root = folder.path().to_str().unwrap();
    let mut all = Vec::new();
    for shard in ["0/3", "1/3", "2/3"] {
        let output = results.path().join(shard.replace('/', "-of-"));
        let run = |more: &[&str]| {
            let fixed = ["classify", root, "--output", output.to_str().unwrap(), "--shard", shard, "--allow-failures"];
            emotone(&[&fixed, more].concat())
        };
        assert!(run(&[]).status.success());
        let whole = files_in(&output);
        assert_eq!(run(&[]).status.code(), Some(1), "an output is not overwritten");
        // As if it had been killed amid its second line.
        let text = std::fs::read_to_string(&output).unwrap();
        let second = text.find('\n').unwrap() + 20;
        std::fs::write(&output, &text[..second.min(text.len())]).unwrap();
        assert!(run(&["--resume"]).status.success());
        assert_eq!(files_in(&output), whole);
        all.extend(whole);
    }
    all.sort();
    let before = all.len();
    all.dedup();
    assert_eq!((all.len(), before), (11, 11));
}

#[test]
fn an_archive_survives_bad_files_and_says_how_fast_it_was() {
    let folder = archive();
    let output = emotone(&["classify", folder.path().to_str().unwrap(), "--csv"]);
    assert_eq!(output.status.code(), Some(1));
    let (rows, said) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(rows.lines().count(), 12, "{rows}");
    assert!(rows.starts_with("file,status,emotion,confidence,angry,"), "{rows}");
    assert!(rows.lines().nth(1).unwrap().contains("bad.wav"), "in the order of the names: {rows}");
    assert!(said.contains("11 files") && said.contains("audio hours a minute"), "{said}");
}
