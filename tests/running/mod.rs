//! The binary as a process of its own.

#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot start the binary has failed")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use serde_json::Value;

pub const KEY: &str = "a-secret-key-4711";
pub const CLIP: &str = "examples/caller.wav";

/// A server with its log, a JSON object a line.
pub struct Running {
    pub process: Child,
    pub lines: Receiver<String>,
    pub seen: Vec<String>,
    pub address: String,
}

impl Running {
    pub fn start(options: &[&str]) -> Self {
        Self::start_where(&[], options)
    }

    /// With more environment variables.
    pub fn start_where(variables: &[(&str, &str)], options: &[&str]) -> Self {
        let mut running = Self::begin(variables, options);
        running.is_serving();
        running
    }

    /// Without waiting until it serves.
    pub fn begin(variables: &[(&str, &str)], options: &[&str]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_emotone"))
            .args(["serve", "--listen", "127.0.0.1:0", "--log-format", "json"])
            .args(options)
            .env("EMOTONE_API_KEYS", KEY)
            .env("EMOTONE_LOG_LEVEL", "debug")
            .envs(variables.iter().copied())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = channel();
        let log = BufReader::new(process.stderr.take().unwrap());
        thread::spawn(move || log.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { process, lines, seen: Vec::new(), address: String::new() }
    }

    /// Waits until it serves.
    pub fn is_serving(&mut self) {
        self.address = self.wait_for("serving")["address"].as_str().unwrap().to_string();
    }

    /// The next log line with that message.
    pub fn wait_for(&mut self, message: &str) -> Value {
        loop {
            let line = self.lines.recv().unwrap_or_else(|_| panic!("no `{message}` in {:?}", self.seen));
            self.seen.push(line.clone());
            let line: Value = serde_json::from_str(&line).unwrap();
            if line["message"] == message {
                return line;
            }
        }
    }

    /// Ends it, and gives all that it logged.
    pub fn log(mut self) -> String {
        self.signal("TERM");
        assert!(self.process.wait().unwrap().success());
        self.seen.iter().cloned().chain(self.lines.iter()).collect()
    }

    pub fn signal(&self, name: &str) {
        let kill = Command::new("kill").args([format!("-{name}"), self.process.id().to_string()]).status();
        assert!(kill.unwrap().success());
    }

    /// Who asks it, from any thread.
    pub fn client(&self) -> Client {
        Client { address: self.address.clone() }
    }

    pub fn ask(&self, head: &str, body: &[u8]) -> String {
        self.client().ask(head, body)
    }
}

/// Asks a server, on a connection for each question.
pub struct Client {
    pub address: String,
}

impl Client {
    pub fn ask(&self, head: &str, body: &[u8]) -> String {
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

/// Runs the binary to its end.
pub fn emotone(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_emotone")).args(arguments).output().unwrap()
}
