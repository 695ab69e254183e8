//! Every refusal has its status, its code and its request's id; asked of the router, without a socket.

mod service;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use service::{Answer, ask, form, post, service, service_with};

fn expect(answer: &Answer, status: StatusCode, code: &str) {
    assert_eq!((answer.status, answer.json["error"]["code"].as_str()), (status, Some(code)), "{answer:?}");
    assert_eq!(answer.json["error"]["request_id"].as_str(), answer.header("x-request-id"), "{answer:?}");
    assert!(answer.json["error"]["message"].as_str().is_some_and(|message| !message.is_empty()), "{answer:?}");
}

#[tokio::test]
async fn nothing_sent_is_an_empty_upload() {
    let service = service();
    expect(&ask(&service, post("/classify", "audio/wav", "")).await, StatusCode::BAD_REQUEST, "empty_upload");
    for parts in [&[("file", "")][..], &[("note", "hello")], &[]] {
        let (kind, body) = form(parts);
        let answer = ask(&service, post("/classify", &kind, body)).await;
        expect(&answer, StatusCode::BAD_REQUEST, "empty_upload");
    }
}

#[tokio::test]
async fn a_broken_form_is_called_one() {
    let service = service();
    let (kind, body) = form(&[("file", "some bytes that are cut")]);
    let cut = body[..body.len() - 40].to_string();
    for (kind, body) in [
        ("multipart/form-data; boundary=x", "no boundary in here".to_string()),
        ("multipart/form-data", body),
        (kind.as_str(), cut),
    ] {
        expect(&ask(&service, post("/classify", kind, body)).await, StatusCode::BAD_REQUEST, "bad_multipart");
    }
    let (kind, body) = form(&[("file", "")]);
    let padded = "x".repeat(200_000) + &body;
    expect(&ask(&service, post("/classify", &kind, padded)).await, StatusCode::BAD_REQUEST, "bad_multipart");
}

#[tokio::test]
async fn a_query_that_makes_no_sense_is_a_bad_request() {
    let answer = ask(&service(), post("/classify?encoding=mp3", "audio/wav", "xx")).await;
    expect(&answer, StatusCode::BAD_REQUEST, "bad_request");
}

#[tokio::test]
async fn a_compressed_body_is_not_unpacked() {
    let mut request = post("/classify", "audio/wav", "xx");
    request.headers_mut().insert("content-encoding", "gzip".parse().unwrap());
    expect(&ask(&service(), request).await, StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_audio");
}

#[tokio::test]
async fn unknown_routes_and_wrong_methods_are_told_apart() {
    let service = service();
    for path in ["/nothing", "/classify/more", "/health"] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        expect(&ask(&service, request).await, StatusCode::NOT_FOUND, "not_found");
    }
    for (method, path, allowed) in
        [(Method::GET, "/classify", "POST"), (Method::POST, "/model", "GET"), (Method::DELETE, "/health/live", "GET")]
    {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        let answer = ask(&service, request).await;
        expect(&answer, StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed");
        assert!(answer.header("allow").unwrap().contains(allowed), "{answer:?}");
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_by_its_length_and_by_its_bytes() {
    let service = service_with(&["--max-upload-mib", "1"]);
    let mut claims = post("/classify", "audio/wav", "");
    claims.headers_mut().insert("content-length", "10737418240".parse().unwrap());
    expect(&ask(&service, claims).await, StatusCode::PAYLOAD_TOO_LARGE, "upload_too_large");
    let large = vec![0_u8; 2 << 20];
    expect(
        &ask(&service, post("/classify", "audio/wav", large)).await,
        StatusCode::PAYLOAD_TOO_LARGE,
        "upload_too_large",
    );
}

#[tokio::test]
async fn uploads_that_fill_the_memory_together_are_refused() {
    let service = service_with(&["--max-buffered-mib", "1"]);
    let upload = || post("/classify", "audio/wav", vec![0_u8; 700 << 10]);
    // As another one of 700 KiB does that is under way.
    let held = service.app.upload_room.clone().try_acquire_many_owned(700).unwrap();
    let answer = ask(&service, upload()).await;
    expect(&answer, StatusCode::SERVICE_UNAVAILABLE, "overloaded");
    assert_eq!(answer.header("retry-after"), Some("1"));
    drop(held);
    expect(&ask(&service, upload()).await, StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_audio");
}

#[tokio::test]
async fn a_body_that_the_memory_of_all_has_no_room_for_is_too_large() {
    let service = service_with(&["--max-buffered-mib", "1"]);
    let answer = ask(&service, post("/classify", "audio/wav", vec![0_u8; 2 << 20])).await;
    expect(&answer, StatusCode::PAYLOAD_TOO_LARGE, "upload_too_large");
}

#[tokio::test]
async fn while_draining_new_work_is_refused_and_the_process_is_alive() {
    let service = service();
    service.app.lifecycle.advance(emotone::http::Phase::Draining);
    let answer = ask(&service, post("/classify", "audio/wav", "xx")).await;
    expect(&answer, StatusCode::SERVICE_UNAVAILABLE, "overloaded");
    let get = |path: &str| Request::get(path).body(Body::empty()).unwrap();
    expect(&ask(&service, get("/health/ready")).await, StatusCode::SERVICE_UNAVAILABLE, "overloaded");
    assert_eq!(ask(&service, get("/health/live")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn keys_are_asked_for_where_work_is_done_and_health_is_public() {
    let service = service_with(&["--api-keys", "first-key-4711,second-key-4712"]);
    let answer = ask(&service, post("/classify", "audio/wav", "xx")).await;
    expect(&answer, StatusCode::UNAUTHORIZED, "unauthorized");
    let get = |path: &str| Request::get(path).body(Body::empty()).unwrap();
    expect(&ask(&service, get("/model")).await, StatusCode::UNAUTHORIZED, "unauthorized");
    assert_eq!(ask(&service, get("/health/ready")).await.status, StatusCode::OK);
    let mut request = get("/model");
    request.headers_mut().insert("x-api-key", "second-key-4712".parse().unwrap());
    assert_eq!(ask(&service, request).await.status, StatusCode::OK);
}

#[tokio::test]
async fn more_than_the_rate_is_told_when_to_come_again() {
    let service = service_with(&["--rate-limit-per-minute", "2"]);
    let get = || Request::get("/model").body(Body::empty()).unwrap();
    assert_eq!(ask(&service, get()).await.status, StatusCode::OK);
    assert_eq!(ask(&service, get()).await.status, StatusCode::OK);
    let answer = ask(&service, get()).await;
    expect(&answer, StatusCode::TOO_MANY_REQUESTS, "rate_limited");
    assert!(!answer.json["error"]["message"].as_str().unwrap().contains("key"), "nobody gave one: {answer:?}");
    assert!(answer.header("retry-after").unwrap().parse::<u64>().is_ok_and(|seconds| (1..=60).contains(&seconds)));
}

#[tokio::test]
async fn a_callers_id_comes_back_in_header_and_body() {
    let service = service();
    let mut request = post("/classify", "audio/wav", "");
    request.headers_mut().insert("x-request-id", "call-42.a_b".parse().unwrap());
    let answer = ask(&service, request).await;
    expect(&answer, StatusCode::BAD_REQUEST, "empty_upload");
    assert_eq!(answer.header("x-request-id"), Some("call-42.a_b"));
}
