//! Live calls over a real socket: both dialects and jambonz, what is said of them, and mistakes.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod service;
mod sounds;
mod live;

use emotone::model::Emotion;
use live::*;
use serde_json::{Value, json};
use service::{ask, post};
use sounds::{MAN, WOMAN, at_level};
use tokio_tungstenite::tungstenite::Message;

#[tokio::test]
async fn both_dialects_say_what_a_posted_file_gets() {
    let server = Server::start(&[]).await;
    let voices = [mulaw(&MAN.speak(7.0, RATE)), mulaw(&WOMAN.speak(7.0, RATE))];
    let interleaved: Vec<u8> = voices[0].iter().zip(&voices[1]).flat_map(|(one, other)| [*one, *other]).collect();
    let request = post("/classify?encoding=mulaw&channels=2", "application/octet-stream", interleaved.clone());
    let posted = ask(&server.service, request).await.json;

    let by_twilio = twilio(&[("inbound", &voices[0]), ("outbound", &voices[1])], &json!({}));
    let mut both = start();
    both["channels"] = json!(2);
    for (frames, tracks) in [(by_twilio, true), (plain(&both, &interleaved, 333), false)] {
        let (heard, code) = server.converse(&frames).await;
        assert_eq!((heard[0]["type"].as_str(), code), (Some("ready"), Some(1000)));
        let summary = heard.last().unwrap();
        assert_eq!((&summary["type"], &summary["duration_seconds"]), (&json!("summary"), &json!(7.0)));
        for (number, name) in ["inbound", "outbound"].into_iter().enumerate() {
            let own: Vec<_> =
                of_type(&heard, "segment").into_iter().filter(|segment| segment["channel"] == number).collect();
            let expected = posted["channels"][number]["segments"].as_array().unwrap();
            assert!(close(&timeline(own.iter().copied()), &timeline(expected)));
            let (live, file) = (&summary["channels"][number], &posted["channels"][number]);
            assert!(close(&live["probabilities"], &file["probabilities"]), "{live} {file}");
            let track = if tracks { json!(name) } else { Value::Null };
            assert!(own.iter().all(|segment| segment["track"] == track));
        }
    }
    server.quiet().await;
}

#[tokio::test]
async fn jambonz_says_what_its_sound_is_like_and_never_stops() {
    let server = Server::start(&[]).await;
    let mut call = server.call().await;
    let metadata =
        json!({"callSid": "c", "sampleRate": 16_000, "mixType": "mono", "window_seconds": 2, "hop_seconds": 1});
    call.say(text(&metadata)).await;
    assert_eq!(call.hear().await["type"], "ready");
    let samples = at_level(&MAN.speak(6.0, 16_000), 0.0);
    let bytes: Vec<u8> = samples.iter().flat_map(|sample| ((sample * 32_768.0) as i16).to_le_bytes()).collect();
    for piece in bytes.chunks(640) {
        call.say(Message::binary(piece.to_vec())).await;
    }
    call.say(text(&json!({"event": "dtmf", "dtmf": "1"}))).await;
    assert_eq!(call.hear().await["end_seconds"], 2.0);
    assert_eq!(call.hear().await["end_seconds"], 3.0);
    call.socket.close(None).await.unwrap();
    server.quiet().await;
}

#[tokio::test]
async fn a_twilio_call_in_disorder_is_the_call_in_order() {
    let server = Server::start(&[]).await;
    let voice = mulaw(&WOMAN.speak(5.0, RATE));
    let in_order = twilio(&[("inbound", &voice)], &json!({}));
    let mut disorder = in_order.clone();
    for at in (50..230).step_by(20) {
        disorder.swap(at, at + 1);
        disorder.insert(at + 10, disorder[at + 5].clone());
    }
    let (expected, _) = server.converse(&in_order).await;
    let (heard, code) = server.converse(&disorder).await;
    assert_eq!(code, Some(1000));
    assert_eq!(heard[1..], expected[1..]);

    let mut gaps = in_order;
    gaps.drain(100..110);
    let (heard, _) = server.converse(&gaps).await;
    assert_eq!(heard.last().unwrap()["duration_seconds"], 5.0, "what is missing is silence");
}

#[tokio::test]
async fn alerts_come_from_the_start_frame_from_twilio_parameters_and_from_the_settings() {
    // Whatever the model thinks of a synthetic voice, it thinks of one emotion at least.
    let voice = mulaw(&MAN.speak(6.0, RATE));
    let server = Server::start(&[]).await;
    let rule = |emotion: &Emotion| json!({"emotion": emotion.name(), "threshold": 0.1, "hold_seconds": 2.5, "track": "inbound"});
    let mut wishes = start();
    wishes["window_seconds"] = json!(2);
    wishes["alerts"] = Emotion::ALL.iter().map(rule).collect();
    let (heard, _) = server.converse(&plain(&wishes, &voice, 160)).await;
    let alerts = of_type(&heard, "alert");
    assert!(!alerts.is_empty());
    for alert in alerts {
        let held = alert["at_seconds"].as_f64().unwrap() - alert["since_seconds"].as_f64().unwrap();
        assert!(held >= 2.5 && alert["confidence"].as_f64().unwrap() >= 0.08, "{alert}");
    }

    let rules = Emotion::ALL.map(|emotion| format!("{emotion}:0.1:1:inbound")).join(", ");
    let parameters = json!({"alerts": rules, "window_seconds": "2", "hop_seconds": "2"});
    let (heard, _) = server.converse(&twilio(&[("inbound", &voice)], &parameters)).await;
    assert_eq!(of_type(&heard, "segment").len(), 3);
    assert_eq!(of_type(&heard, "alert")[0]["track"], "inbound");
    let (heard, code) = server.converse(&twilio(&[("inbound", &voice)], &json!({"quiet": "true"}))).await;
    assert_eq!((heard.len(), code), (0, Some(1000)), "Twilio objects to what it does not know");

    let rules = Emotion::ALL.map(|emotion| format!("{emotion}:0.1:0")).join(",");
    let server = Server::start(&["--alert", &rules]).await;
    let (heard, _) = server.converse(&plain(&start(), &voice, 160)).await;
    assert!(!of_type(&heard, "alert").is_empty());
}

#[tokio::test]
async fn what_begins_no_call_is_told_and_closed() {
    let server = Server::start(&[]).await;
    let with = |key: &str, value: Value| {
        let mut start = start();
        start[key] = value;
        text(&start)
    };
    let first = [
        Message::text("hello"),
        Message::text(""),
        Message::text("[".repeat(60_000)),
        Message::text("null"),
        Message::binary(vec![0xFF; 160]),
        stop(),
        text(&json!({"event": "media", "media": {"payload": "/w=="}})),
        text(&json!({"event": "start"})),
        text(&json!({"sampleRate": "fast"})),
        with("encoding", json!("mp3")),
        with("sample_rate_hz", json!(0)),
        with("sample_rate_hz", json!(4_294_967_296_u64)),
        with("channels", json!(65_535)),
        with("channels", json!(0)),
        with("window_seconds", json!(-3)),
        with("window_seconds", json!(1e9)),
        with("hop_seconds", json!(0)),
        with("alerts", json!("angry")),
        with("alerts", json!([{"emotion": "bored", "threshold": 0.5, "hold_seconds": 1}])),
        with("alerts", json!([{"emotion": "sad", "threshold": 7, "hold_seconds": 1}])),
        with("alerts", json!([{"emotion": "sad", "threshold": 0.5, "hold_seconds": 1, "track": "outbound"}])),
        with(
            "alerts",
            json!([{"emotion": "sad", "threshold": 0.5, "hold_seconds": 1, "track": "inbound", "channel": 0}]),
        ),
        twilio(&[("inbound", &[])], &json!({"alerts": "angry:0.6:3:outbound"})).swap_remove(1),
        twilio(&[("inbound", &[])], &json!({"quiet": "yes"})).swap_remove(1),
        text(&json!({"sampleRate": 8000, "mixType": "mono", "alerts": [{"emotion": "sad", "threshold": 0.5,
            "hold_seconds": 1, "channel": 1}]})),
        with("window_second", json!(2)),
        with("padding", json!("x".repeat(1 << 20))),
    ];
    for frame in first {
        let (heard, code) = server.converse(std::slice::from_ref(&frame)).await;
        assert_eq!((heard[0]["code"].as_str(), code), (Some("bad_start"), Some(1008)), "{frame:.80}");
        assert_eq!(heard.len(), 1);
    }
    server.quiet().await;
}

#[tokio::test]
async fn one_bad_frame_does_not_end_a_call_but_many_do() {
    let server = Server::start(&[]).await;
    let voice = mulaw(&MAN.speak(3.0, RATE));
    let good = plain(&start(), &voice, 160);
    let (expected, _) = server.converse(&good).await;
    let odd = [
        Message::text("not json"),
        text(&json!({"type": "sing"})),
        text(&start()),
        Message::text("x".repeat(1 << 20)),
        Message::text("[".repeat(60_000)),
    ];
    let mut frames = good.clone();
    frames.splice(50..50, odd);
    frames.splice(60..60, vec![Message::binary(Vec::new()); 100]);
    let (heard, code) = server.converse(&frames).await;
    assert_eq!((of_type(&heard, "error").len(), code), (5, Some(1000)));
    let others: Vec<&Value> = heard[1..].iter().filter(|frame| frame["type"] != "error").collect();
    assert_eq!(others, expected[1..].iter().collect::<Vec<_>>(), "what was not understood changes nothing");

    let mut frames = good;
    frames.splice(50..50, vec![Message::text("{"); 1000]);
    let (heard, code) = server.converse(&frames).await;
    assert_eq!(code, Some(1008));
    assert_eq!(of_type(&heard, "error").last().unwrap()["code"], "too_many_bad_frames");
    assert_eq!(of_type(&heard, "summary").len(), 1);
    server.quiet().await;
}

#[tokio::test]
async fn bad_twilio_frames_are_told() {
    let server = Server::start(&[]).await;
    let voice = mulaw(&MAN.speak(2.0, RATE));
    let mut frames = twilio(&[("inbound", &voice)], &json!({}));
    let media = |media: Value| text(&json!({"event": "media", "media": media}));
    let odd = [
        media(json!({"track": "inbound", "chunk": "9", "payload": "%%% not base64 %%%"})),
        media(json!({"track": "inbound"})),
        media(json!({"track": "sideways", "payload": "/w=="})),
        text(&json!({"event": "media"})),
        Message::binary(vec![0; 10]),
    ];
    let fine = [
        text(&json!({"event": "mark", "mark": {"name": "greeting"}})),
        text(&json!({"event": "of-next-year", "news": {"depth": [1, 2]}, "media": 5})),
    ];
    frames.splice(20..20, odd.into_iter().chain(fine));
    let (heard, code) = server.converse(&frames).await;
    assert_eq!((of_type(&heard, "error").len(), code), (5, Some(1000)));
    assert_eq!(heard.last().unwrap()["duration_seconds"], 2.0);
}
