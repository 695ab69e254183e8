//! The examples and what docs/integrations.md says, run against a server.
//!
//! They need `python3` (3.10 or later) and `node` (20.10 or later); what is missing on a machine is skipped, and says so.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod service;
mod sounds;
mod tools;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use emotone::http;
use emotone::model::Emotion;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use service::service;
use sounds::{WOMAN, at_level};
use tokio::net::TcpListener;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tools::is_there;

const RATE: u32 = 8_000;

/// A server on a free port; its address.
async fn server() -> String {
    let service = service();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let listening = http::Listening { listener, tls: None };
    tokio::spawn(http::serve(listening, service.app.clone(), service.router.clone()));
    address
}

fn at_root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn python_is_there() -> bool {
    is_there("python3", &["-c", "import sys; assert sys.version_info >= (3, 10)"])
}

fn node_is_there() -> bool {
    is_there("node", &["--experimental-websocket", "-e", "if (typeof WebSocket !== 'function') process.exit(1)"])
}

/// Runs a program without blocking the server.
async fn end_of(program: &str, arguments: &[String]) -> Output {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).env("PYTHONDONTWRITEBYTECODE", "1");
    tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap()
}

/// Runs a program that works, and gives what it printed.
async fn run(program: &str, arguments: Vec<String>) -> String {
    let output = end_of(program, &arguments).await;
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{program} {arguments:?}: {err}");
    out.into_owned()
}

/// The commands that play a recording as fast as possible, of those that work here.
fn players(file: &str, url: &str) -> Vec<(&'static str, Vec<String>)> {
    let mut players = Vec::new();
    if python_is_there() {
        let words = ["examples/python/stream_call.py", file, "--fast", "--url", url];
        players.push(("python3", words.map(str::to_string).to_vec()));
    }
    if node_is_there() {
        let words = ["--experimental-websocket", "examples/javascript/stream-call.mjs", file, url, "--fast"];
        players.push(("node", words.map(str::to_string).to_vec()));
    }
    players
}

/// Ten seconds of a voice as a WAV file.
fn recording(folder: &Path) -> String {
    let path = folder.join("voice.wav");
    let spec =
        hound::WavSpec { channels: 1, sample_rate: RATE, bits_per_sample: 16, sample_format: hound::SampleFormat::Int };
    let mut writer = hound::WavWriter::create(&path, spec).unwrap();
    for sample in at_level(&WOMAN.speak(10.0, RATE), 0.0) {
        writer.write_sample((sample * 32_768.0) as i16).unwrap();
    }
    writer.finalize().unwrap();
    path.display().to_string()
}

/// The blocks of one language in docs/integrations.md.
fn blocks(language: &str) -> Vec<String> {
    let document = std::fs::read_to_string(at_root("docs/integrations.md")).unwrap();
    let parts = document.split("```");
    let blocks = parts.skip(1).step_by(2).filter_map(|block| block.strip_prefix(&format!("{language}\n")));
    blocks.map(str::to_string).collect()
}

/// What comes back for some frames.
async fn converse(address: &str, frames: Vec<Message>) -> Vec<Value> {
    let (mut socket, _) = connect_async(format!("ws://{address}/stream")).await.unwrap();
    for frame in frames {
        socket.send(frame).await.unwrap();
    }
    let mut heard = Vec::new();
    while let Some(Ok(Message::Text(text))) = socket.next().await {
        heard.push(serde_json::from_str(&text).unwrap());
    }
    heard
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clients_post_and_stream_a_recording() {
    let (address, folder) = (server().await, tempfile::tempdir().unwrap());
    let voice = recording(folder.path());
    let (post, stream) = (format!("http://{address}"), format!("ws://{address}/stream"));
    if python_is_there() {
        let told =
            run("python3", vec!["examples/python/classify.py".into(), voice.clone(), "--url".into(), post.clone()]);
        assert!(told.await.starts_with("channel 0: "));
    }
    if node_is_there() {
        let told = run("node", vec!["examples/javascript/classify.mjs".into(), voice.clone(), post]).await;
        assert!(told.starts_with("channel 0: "));
    }
    for (program, arguments) in players(&voice, &stream) {
        let told = run(program, arguments).await;
        assert!(told.contains("10 s in all: ") || told.contains("10.00 s in all: "), "{told}");
        assert!(told.lines().count() >= 5, "{told}");
    }
}

/// A WAV file of a second, with a chunk before its samples, and half a sample at their end.
fn wav(channels: u16, rate: u32, bits: u16) -> Vec<u8> {
    let mut bytes = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0".to_vec();
    let block = channels * bits / 8;
    let samples = vec![0; usize::from(block) * rate as usize + 1];
    bytes.extend([&channels.to_le_bytes()[..], &rate.to_le_bytes(), &(rate * u32::from(block)).to_le_bytes()].concat());
    bytes.extend([block.to_le_bytes(), bits.to_le_bytes()].concat());
    bytes.extend(b"LIST\x05\0\0\0INFOx\0data");
    bytes.extend((samples.len() as u32).to_le_bytes());
    bytes.extend(samples);
    // Python believes it.
    let length = (bytes.len() - 8) as u32;
    bytes[4..8].copy_from_slice(&length.to_le_bytes());
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clients_find_the_samples_and_refuse_what_is_not_of_a_telephone() {
    let (url, folder) = (format!("ws://{}/stream", server().await), tempfile::tempdir().unwrap());
    let file = folder.path().join("call.wav");
    let kinds = [(wav(1, RATE, 16), true), (wav(2, RATE, 16), false), (wav(1, 16_000, 16), false)];
    for (bytes, is_played) in kinds.into_iter().chain([(wav(1, RATE, 8), false), (b"no audio".to_vec(), false)]) {
        std::fs::write(&file, bytes).unwrap();
        for (program, arguments) in players(file.to_str().unwrap(), &url) {
            let output = end_of(program, &arguments).await;
            let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
            assert_eq!(output.status.success(), is_played, "{program}: {out}{err}");
            if is_played {
                assert!(out.contains("1 s in all: no speech") || out.contains("1.00 s in all: no speech"), "{out}");
            } else {
                let said = "call.wav: needs a WAV file of 16 bit, 8000 Hz, mono";
                assert!(err.lines().any(|line| line.contains(said)) && out.is_empty(), "{program}: {out}{err}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_callbot_changes_what_it_says() {
    if !python_is_there() {
        return;
    }
    let (address, folder) = (server().await, tempfile::tempdir().unwrap());
    let mut arguments = vec!["examples/python/callbot.py".into(), recording(folder.path()), "--fast".into()];
    arguments.extend(["--url".into(), format!("ws://{address}/stream")]);
    let calm = run("python3", arguments.clone()).await;
    assert!(calm.contains("BOT: Welcome. What can I do for you?"), "{calm}");
    for emotion in Emotion::ALL {
        arguments.extend(["--alert".into(), format!("{emotion}:0.05:0")]);
    }
    let alarmed = run("python3", arguments).await;
    let answers = ["BOT: I am sorry", "BOT: Don't worry", "BOT: I see."];
    assert!(answers.iter().any(|answer| alarmed.contains(answer)), "{alarmed}");
}

#[tokio::test]
async fn the_frames_of_the_document_are_what_the_server_reads_and_says() {
    let address = server().await;
    let [jambonz, start, stop, said] = &blocks("json")[..] else { panic!("four blocks of JSON") };
    let sound = Message::binary(vec![0xFF; 4 * RATE as usize]);
    let heard = converse(&address, vec![Message::text(start), sound.clone(), Message::text(stop)]).await;
    let (first, last) = (&heard[0], heard.last().unwrap());
    assert_eq!((&first["type"], &last["type"]), (&json!("ready"), &json!("summary")), "{first} {last}");

    let said: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<&str> = said.iter().map(|frame| frame["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["ready", "segment", "alert", "summary", "error"]);
    for frame in &heard {
        let documented = said.iter().find(|known| known["type"] == frame["type"]).unwrap().as_object().unwrap();
        let keys = documented.keys().filter(|key| *key != "track");
        assert!(keys.eq(frame.as_object().unwrap().keys()), "{frame}");
    }

    // jambonz sends the verb's metadata beside the call's data.
    let verb: Value = serde_json::from_str(jambonz).unwrap();
    let mut first = verb["metadata"].clone();
    first["callSid"] = json!("a call");
    ["sampleRate", "mixType"].into_iter().for_each(|key| first[key] = verb[key].clone());
    let frames = vec![Message::text(first.to_string()), sound, Message::text(stop)];
    assert!(converse(&address, frames).await.is_empty(), "quiet");
}

#[tokio::test]
async fn the_twiml_of_the_document_is_understood() {
    let address = server().await;
    let twiml = &blocks("xml")[0];
    let attribute = |line: &str, name: &str| {
        let after = line.split_once(&format!("{name}=\"")).unwrap().1;
        after.split_once('"').unwrap().0.to_string()
    };
    let parameters = twiml.lines().filter(|line| line.contains("<Parameter"));
    let mut parameters: serde_json::Map<String, Value> =
        parameters.map(|line| (attribute(line, "name"), json!(attribute(line, "value")))).collect();
    assert_eq!(parameters.remove("quiet"), Some(json!("true")));
    let start =
        json!({"event": "start", "start": {"callSid": "CA0", "tracks": ["inbound"], "customParameters": parameters}});
    let frames = [json!({"event": "connected"}), start, json!({"event": "stop"})];
    let heard = converse(&address, frames.iter().map(|frame| Message::text(frame.to_string())).collect()).await;
    assert_eq!((&heard[0]["type"], heard.len()), (&json!("ready"), 2));
}

#[test]
fn the_check_of_a_webhook_in_the_document_knows_the_genuine() {
    if !python_is_there() {
        return;
    }
    let check = format!(
        "{}\n{}",
        blocks("python")[0],
        r#"
now = str(int(time.time()))
def signed(secret_key, timestamp):
    mac = hmac.new(secret_key, f"msg_1.{timestamp}.".encode() + b"{}", hashlib.sha256).digest()
    return {"webhook-id": "msg_1", "webhook-timestamp": timestamp, "webhook-signature": "v1," + base64.b64encode(mac).decode()}
assert is_genuine("whsec_aHVzaA==", signed(b"hush", now), b"{}")
assert is_genuine("hush", signed(b"hush", now), b"{}")
assert not is_genuine("hush", signed(b"hush", now), b"[]")
assert not is_genuine("hush", signed(b"other", now), b"{}")
assert not is_genuine("hush", signed(b"hush", "1"), b"{}")
"#
    );
    let output = Command::new("python3").args(["-c", &check]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn commands_of_the_document_name_files_that_exist() {
    let commands = blocks("sh").join("\n");
    let files = commands.split_whitespace().map(|word| word.trim_start_matches('@'));
    let files: Vec<&str> = files.filter(|word| word.starts_with("examples/")).collect();
    assert!(files.len() >= 10);
    assert!(files.iter().all(|file| at_root(file).exists()), "{files:?}");
}
