//! The answer as a table: the same segments as in JSON.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod service;
mod sounds;

use emotone::audio::g711;
use service::{Answer, ask, post, service};
use sounds::{MAN, at_level, joined};

const RATE: u32 = 8_000;

async fn answer(query: &str) -> Answer {
    let sound = joined(&[&MAN.speak(6.0, RATE), &vec![0.0; 6 * RATE as usize]]);
    let bytes: Vec<u8> =
        at_level(&sound, 0.0).iter().map(|sample| g711::linear_to_mulaw((sample * 32_768.0) as i16)).collect();
    ask(&service(), post(&format!("/classify?encoding=mulaw{query}"), "application/octet-stream", bytes)).await
}

#[tokio::test]
async fn tables_hold_the_segments_of_the_answer() {
    let json = answer("").await.json;
    let segments = json["channels"][0]["segments"].as_array().unwrap();

    let csv = answer("&format=csv").await;
    assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8; header=present"));
    assert!(csv.header("x-request-id").is_some() && csv.header("server-timing").is_some());
    let text = String::from_utf8(csv.body).unwrap();
    let lines: Vec<&str> = text.lines().skip(1).collect();
    assert_eq!(lines.len(), segments.len());
    for (line, segment) in lines.iter().zip(segments) {
        let start = format!(
            "0,{:.3},{:.3},",
            segment["start_seconds"].as_f64().unwrap(),
            segment["end_seconds"].as_f64().unwrap()
        );
        assert!(line.starts_with(&start), "{line}");
        assert!(line.contains(segment["status"].as_str().unwrap()), "{line}");
    }

    let rttm = answer("&format=rttm").await;
    assert_eq!(rttm.header("content-type"), Some("text/plain; charset=utf-8"));
    let spoken = segments.iter().filter(|segment| segment["status"] != "no_speech").count();
    let text = String::from_utf8(rttm.body).unwrap();
    assert!(spoken < segments.len());
    assert_eq!(text.lines().filter(|line| line.starts_with("SPEAKER recording 1 ")).count(), spoken);

    let odd = answer("&format=xml").await;
    assert_eq!((odd.status.as_u16(), odd.json["error"]["code"].as_str()), (400, Some("bad_request")));
}
