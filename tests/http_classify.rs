//! What `/classify` and its relatives say of a clip, however it is sent; asked of the router, without a socket.

#![allow(clippy::unwrap_used, reason = "a test that cannot ask has failed")]

mod service;

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use emotone::model::Emotion;
use service::{Answer, ask, clip, post, service, service_with};

/// Bytes before the samples in a plain WAV file.
const WAV_HEAD: usize = 44;

fn judged(answer: &Answer) -> &serde_json::Value {
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let sum: f64 =
        answer.json["probabilities"].as_object().unwrap().values().map(|share| share.as_f64().unwrap()).sum();
    assert!((sum - 1.0).abs() < 1e-4);
    &answer.json["probabilities"]
}

#[tokio::test]
async fn a_clip_is_judged_and_the_answer_says_how() {
    let answer = ask(&service(), post("/classify", "audio/wav", clip())).await;
    let labels: Vec<&str> = judged(&answer).as_object().unwrap().keys().map(String::as_str).collect();
    let mut expected = Emotion::ALL.map(Emotion::name);
    expected.sort_unstable();
    assert_eq!(labels, expected);
    assert_eq!(answer.json["audio"]["format"], "pcm_s16le");
    assert_eq!(answer.json["audio"]["channels"], 1);
    assert_eq!(answer.json["request_id"].as_str(), answer.header("x-request-id"));
    assert!(answer.json["model"]["name"].is_string());
    let segments = answer.json["channels"][0]["segments"].as_array().unwrap();
    assert_eq!(segments.last().unwrap()["end_seconds"], answer.json["audio"]["duration_seconds"]);
    for stage in ["queue", "decode", "features", "inference"] {
        assert!(answer.header("server-timing").unwrap().contains(&format!("{stage};dur=")), "{answer:?}");
    }
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn however_a_clip_is_sent_it_is_the_same_clip() {
    let (service, clip) = (service(), clip());
    let plain = ask(&service, post("/classify", "audio/wav", clip.clone())).await;
    let mut form = b"--x\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nhello\r\n".to_vec();
    // A browser's field that nobody filled.
    form.extend(b"--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"\"\r\n\r\n\r\n");
    form.extend(b"--x\r\nContent-Disposition: form-data; name=\"audio\"; filename=\"../../song.mp3\"\r\n\r\n");
    form.extend(&clip);
    form.extend(b"\r\n--x--\r\n");
    let ways = [
        post("/classify", "image/png", clip.clone()),
        post("/classify", "multipart/form-data; boundary=x", form),
        Request::post("/classify").body(clip.clone().into()).unwrap(),
        post("/classify?encoding=pcm_s16le&sample_rate_hz=8000&channels=1", "audio/L16", clip[WAV_HEAD..].to_vec()),
    ];
    for way in ways {
        let shown = format!("{way:?}");
        assert_eq!(judged(&ask(&service, way).await), judged(&plain), "{shown}");
    }
}

#[tokio::test]
async fn windows_can_be_chosen() {
    let service = service();
    let count = |answer: &Answer| answer.json["channels"][0]["segments"].as_array().unwrap().len();
    let own = ask(&service, post("/classify", "audio/wav", clip())).await;
    let short = ask(&service, post("/classify?window_seconds=0.6&hop_seconds=0.5", "audio/wav", clip())).await;
    assert!(count(&short) > count(&own), "{short:?}");
}

#[tokio::test]
async fn several_models_answer_by_name() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy("models/emotone-cnn-lstm.onnx", folder.path().join("copy.onnx")).unwrap();
    let copy = format!("other={}", folder.path().join("copy.onnx").display());
    let service = service_with(&["--model", &copy]);
    judged(&ask(&service, post("/classify?model=other", "audio/wav", clip())).await);
    let answer = ask(&service, post("/classify?model=nobody", "audio/wav", clip())).await;
    assert_eq!((answer.status, &answer.json["error"]["code"]), (StatusCode::BAD_REQUEST, &"bad_request".into()));

    std::fs::write(folder.path().join("copy.onnx"), b"no model any more").unwrap();
    assert!(service.app.reload_models()[0].to_string().contains("copy.onnx"));
    judged(&ask(&service, post("/classify?model=other", "audio/wav", clip())).await);
    let metrics = ask(&service, Request::get("/metrics").body(Body::empty()).unwrap()).await;
    assert!(String::from_utf8(metrics.body).unwrap().contains("emotone_model_reloads_total{result=\"failed\"} 1"));
}

#[tokio::test]
async fn what_happens_is_counted() {
    let service = service();
    ask(&service, post("/classify", "audio/wav", clip())).await;
    ask(&service, post("/classify", "audio/wav", "no audio")).await;
    let answer = ask(&service, Request::get("/metrics").body(Body::empty()).unwrap()).await;
    let text = String::from_utf8(answer.body).unwrap();
    for line in [
        "emotone_requests_total{route=\"/classify\",status=\"200\"} 1",
        "emotone_requests_total{route=\"/classify\",status=\"415\"} 1",
        "emotone_stage_duration_seconds_count{stage=\"inference\"} 1",
        "emotone_queue_depth 0",
        "emotone_live_queue_depth 0",
    ] {
        assert!(text.lines().any(|other| other == line), "{line} is not in {text}");
    }
    for name in
        ["emotone_audio_seconds_total", "emotone_judged_total", "emotone_model_info", "process_resident_memory_bytes"]
    {
        assert!(text.contains(&format!("\n{name}")), "{name} is not in {text}");
    }
}

#[tokio::test]
async fn more_work_than_there_is_room_for_is_refused_and_the_rest_is_done() {
    let service = service_with(&["--workers", "1", "--max-concurrency", "1", "--max-queue", "1"]);
    let long = [clip()[..WAV_HEAD].to_vec(), clip()[WAV_HEAD..].repeat(20)].concat();
    let requests = (0..16).map(|_| ask(&service, post("/classify?encoding=pcm_s16le", "audio/L16", long.clone())));
    let answers = futures_util::future::join_all(requests).await;
    let statuses: BTreeSet<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
    assert_eq!(statuses, BTreeSet::from([200, 503]));
    for refused in answers.iter().filter(|answer| answer.status != StatusCode::OK) {
        assert_eq!(refused.json["error"]["code"], "overloaded");
        assert_eq!(refused.header("retry-after"), Some("1"));
    }
}

#[tokio::test]
async fn work_that_takes_too_long_ends_at_its_deadline() {
    let service = service_with(&["--request-timeout-seconds", "0.001"]);
    let long = clip()[WAV_HEAD..].repeat(400);
    let answer = ask(&service, post("/classify?encoding=mulaw", "audio/basic", long)).await;
    assert_eq!((answer.status.as_u16(), &answer.json["error"]["code"]), (504, &"deadline_exceeded".into()));
}

#[tokio::test]
async fn pages_are_pages_and_load_nothing_from_elsewhere() {
    let service = service();
    for path in ["/", "/docs"] {
        let answer = ask(&service, Request::get(path).body(Body::empty()).unwrap()).await;
        assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, Some("text/html; charset=utf-8")));
        assert!(answer.header("content-security-policy").unwrap().contains("frame-ancestors 'none'"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        let text = String::from_utf8(answer.body).unwrap();
        for asset in text.split('"').filter(|word| word.starts_with("/docs/")) {
            let answer = ask(&service, Request::get(asset).body(Body::empty()).unwrap()).await;
            assert_eq!(answer.status, StatusCode::OK, "{asset}");
        }
    }
}

#[tokio::test]
async fn other_origins_are_let_in_only_where_they_are_named() {
    let preflight = || {
        Request::options("/classify")
            .header("origin", "https://example.org")
            .header("access-control-request-method", "POST")
            .body(Body::empty())
            .unwrap()
    };
    assert_eq!(ask(&service(), preflight()).await.header("access-control-allow-origin"), None);
    let open = service_with(&["--cors-allow-origin", "https://example.org", "--api-keys", "some-key"]);
    let answer = ask(&open, preflight()).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://example.org"));
}
