//! A form to `POST /classify`: its first line is the content type, the rest its body.
#![no_main]

use std::sync::LazyLock;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use emotone::config::Serve;
use emotone::http::{self, App, Models};
use http_body_util::BodyExt;
use libfuzzer_sys::fuzz_target;
use tokio::runtime::Runtime;
use tower::ServiceExt;

const MODEL: &[u8] = include_bytes!("../../models/emotone-cnn-lstm.onnx");

/// No recording is long enough to be judged, so each request costs the way to its audio, and not the network behind it.
const OPTIONS: [&str; 2] = ["--min-audio-seconds", "3600"];

static SERVICE: LazyLock<(Runtime, Router)> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let settings = Serve::with_options(&OPTIONS).expect("the options are known");
    let models = Models::load(settings.model.clone(), MODEL, settings.limits.audio()).expect("the model is good");
    let app = App::new(settings, models).expect("the settings are good");
    (runtime, http::router(app))
});

fuzz_target!(|input: &[u8]| {
    let (kind, body) = match input.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&input[..end], &input[end + 1..]),
        None => (b"multipart/form-data; boundary=x".as_slice(), input),
    };
    let request = Request::post("/classify").header("content-type", kind).body(Body::from(body.to_vec()));
    // What is no header never reaches the service.
    let Ok(request) = request else { return };
    let (runtime, router) = &*SERVICE;
    runtime.block_on(async {
        let response = router.clone().oneshot(request).await.expect("the router always answers");
        let status = response.status();
        let body = response.into_body().collect().await.expect("the answer has an end").to_bytes();
        assert!(
            matches!(
                status,
                StatusCode::BAD_REQUEST
                    | StatusCode::PAYLOAD_TOO_LARGE
                    | StatusCode::UNSUPPORTED_MEDIA_TYPE
                    | StatusCode::UNPROCESSABLE_ENTITY
            ),
            "{status}: {}",
            String::from_utf8_lossy(&body)
        );
    });
});
