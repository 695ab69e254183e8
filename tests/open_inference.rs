//! The Open Inference Protocol: the same probabilities, from features.

#![allow(clippy::unwrap_used, reason = "a test that cannot ask has failed")]

mod service;
mod tools;

use std::process::Command;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use emotone::audio;
use emotone::model::Emotion;
use serde_json::json;
use service::{ask, clip, post, server_with, service, service_with};
use tools::is_there;

#[tokio::test]
async fn features_in_json_or_bytes_give_the_probabilities_of_the_clip() {
    let service = service();
    let pipeline = service.app.models.get(None).unwrap().pipeline;
    let recording = audio::decode(clip().into(), None, pipeline.limits()).unwrap();
    let spec = pipeline.classifier().features();
    let waveform = audio::resample(&recording.channels[0], spec.sample_rate).unwrap();
    let window = pipeline.extractor().features(&waveform).unwrap();
    let expected = pipeline.classifier().probabilities(std::slice::from_ref(&window)).unwrap()[0];
    let expected: Vec<f32> = Emotion::ALL.iter().map(|emotion| expected.of(*emotion)).collect();

    let name = &service.app.models.get(None).unwrap().name;
    let path = format!("/v2/models/{name}/infer");
    let shape = [2, spec.frames, spec.width()];
    let twice: Vec<f32> = window.values().repeat(2);
    let input = json!({"name": "features", "datatype": "FP32", "shape": shape, "data": twice});
    let answer =
        ask(&service, post(&path, "application/json", json!({"id": "7", "inputs": [input]}).to_string())).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!((&answer.json["id"], &answer.json["model_name"]), (&json!("7"), &json!(name)));
    assert_eq!(answer.json["outputs"][0]["shape"], json!([2, 7]));
    let numbers: Vec<f32> = serde_json::from_value(answer.json["outputs"][0]["data"].clone()).unwrap();
    assert_eq!(numbers, expected.repeat(2));

    let bytes: Vec<u8> = twice.iter().flat_map(|value| value.to_le_bytes()).collect();
    let input = json!({"name": "features", "datatype": "FP32", "shape": shape, "parameters": {"binary_data_size": bytes.len()}});
    let head = json!({"inputs": [input], "parameters": {"binary_data_output": true}}).to_string();
    let mut request = post(&path, "application/octet-stream", [head.as_bytes(), &bytes].concat());
    request.headers_mut().insert("inference-header-content-length", head.len().into());
    let answer = ask(&service, request).await;
    let length: usize = answer.header("inference-header-content-length").unwrap().parse().unwrap();
    let (head, rest) = answer.body.split_at(length);
    let head: serde_json::Value = serde_json::from_slice(head).unwrap();
    assert_eq!(head["outputs"][0]["parameters"]["binary_data_size"], rest.len());
    let numbers: Vec<f32> = rest.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    assert_eq!(numbers, expected.repeat(2));
}

#[tokio::test]
async fn models_describe_themselves() {
    let service = service();
    let name = service.app.models.get(None).unwrap().name;
    let get = |path: String| Request::get(path).body(Body::empty()).unwrap();
    assert_eq!(ask(&service, get("/v2".into())).await.json["name"], "emotone");
    assert_eq!(ask(&service, get("/v2/health/live".into())).await.json, json!({"live": true}));
    assert_eq!(ask(&service, get("/v2/health/ready".into())).await.json, json!({"ready": true}));
    let ready = ask(&service, get(format!("/v2/models/{name}/ready"))).await;
    assert_eq!(ready.json, json!({"name": name, "ready": true}));
    let metadata = ask(&service, get(format!("/v2/models/{name}"))).await.json;
    assert_eq!(metadata["outputs"][0]["shape"], json!([-1, 7]));
}

#[tokio::test]
async fn a_model_is_known_by_its_version_too_and_by_no_other() {
    let service = service();
    let served = service.app.models.get(None).unwrap();
    let (name, version) = (&served.name, &served.pipeline.classifier().card().version);
    for (path, expected) in [
        (format!("/v2/models/{name}/versions/{version}/ready"), StatusCode::OK),
        (format!("/v2/models/{name}/versions/{version}"), StatusCode::OK),
        (format!("/v2/models/{name}/versions/{}", version.replace('+', "%2B")), StatusCode::OK),
        (format!("/v2/models/{name}/versions/7/ready"), StatusCode::BAD_REQUEST),
    ] {
        let answer = ask(&service, Request::get(&path).body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, expected, "{path} {answer:?}");
    }
    let spec = served.pipeline.classifier().features();
    let (shape, data) = ([1, spec.frames, spec.width()], vec![0.0; spec.frames * spec.width()]);
    let input = json!({"name": "features", "datatype": "FP32", "shape": shape, "data": data, "parameters": null});
    // Some clients write what they have nothing to say of, and what an output says of itself goes before the rest.
    let output = json!({"name": "probabilities", "parameters": {"binary_data": false}});
    let all = json!({"id": null, "inputs": [input], "outputs": [output], "parameters": {"binary_data_output": true}});
    let nothing = json!({"inputs": [input], "outputs": null, "parameters": null});
    for body in [all, nothing] {
        let path = format!("/v2/models/{name}/versions/{version}/infer");
        let answer = ask(&service, post(&path, "application/json", body.to_string())).await;
        assert_eq!(answer.json["outputs"][0]["shape"], json!([1, 7]), "{answer:?}");
    }
}

#[tokio::test]
async fn errors_are_sentences() {
    let service = service_with(&["--api-keys", "some-key"]);
    let request = || post("/v2/models/nobody/infer", "application/json", "{}");
    let answer = ask(&service, request()).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(answer.json["error"].is_string(), "{answer:?}");
    let mut with_key = request();
    with_key.headers_mut().insert("authorization", "Bearer some-key".parse().unwrap());
    let answer = ask(&service, with_key).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.json["error"].as_str().unwrap().contains("no such model"), "{answer:?}");
    for (method, path) in [("GET", "/v2/models/nobody/infer"), ("PUT", "/v2"), ("GET", "/v2/nothing")] {
        let answer = ask(&service, Request::builder().method(method).uri(path).body(Body::empty()).unwrap()).await;
        assert!(answer.status.is_client_error() && answer.json["error"].is_string(), "{answer:?}");
    }
}

#[tokio::test]
async fn numbers_take_room_before_they_are_read() {
    let service = service_with(&["--max-buffered-mib", "4"]);
    let path = format!("/v2/models/{}/infer", service.app.models.get(None).unwrap().name);
    // Two bytes of JSON a number, of which each takes four.
    let body = |numbers: usize| {
        let data = "0,".repeat(numbers - 1);
        format!(r#"{{"inputs":[{{"name":"features","datatype":"FP32","shape":[1,1,1],"data":[{data}0]}}]}}"#)
    };
    let infer = async |numbers| ask(&service, post(&path, "application/json", body(numbers))).await;
    assert_eq!(infer(1 << 20).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    // As another request does that is under way.
    let held = service.app.upload_room.clone().try_acquire_many_owned(2 << 10).unwrap();
    assert_eq!(infer(1 << 19).await.status, StatusCode::SERVICE_UNAVAILABLE);
    drop(held);
    assert_eq!(infer(1 << 19).await.status, StatusCode::BAD_REQUEST, "a shape that does not fit");
    let answer = ask(&service, post(&path, "application/json", "")).await;
    assert_eq!((answer.status, &answer.json["error"]), (StatusCode::BAD_REQUEST, &json!("the body is empty")));
}

#[tokio::test]
async fn who_has_no_key_learns_no_name_and_no_version() {
    let served = service().app.models.get(None).unwrap();
    let (name, version) = (&served.name, &served.pipeline.classifier().card().version);
    for (options, are_told) in [(&["--api-keys", "some-key"][..], false), (&[], true)] {
        let service = service_with(options);
        for (path, secret) in [
            ("/v2/models/nobody/ready".to_string(), name),
            (format!("/v2/models/{name}/versions/nothing/ready"), version),
        ] {
            let answer = ask(&service, Request::get(&path).body(Body::empty()).unwrap()).await;
            let said = answer.json["error"].as_str().unwrap();
            assert_eq!((answer.status, said.contains(secret)), (StatusCode::BAD_REQUEST, are_told), "{said}");
        }
        let path = format!("/v2/models/{name}/ready");
        assert_eq!(ask(&service, Request::get(path).body(Body::empty()).unwrap()).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn the_client_of_triton_gets_what_classify_answers() {
    if !is_there("python3", &["-c", "import numpy, tritonclient.http"]) {
        return;
    }
    let server = server_with(&[]).await;
    // One window: the file ends before what its header promises, as recordings do.
    let clip = clip()[..2 * 2 * 8_000].to_vec();
    let posted = ask(&server.service, post("/classify", "audio/wav", clip.clone())).await.json;
    assert_eq!(posted["channels"][0]["segments"].as_array().unwrap().len(), 1, "{posted}");
    let classified: Vec<f32> =
        Emotion::ALL.iter().map(|emotion| posted["probabilities"][emotion.name()].as_f64().unwrap() as f32).collect();

    let served = server.service.app.models.get(None).unwrap();
    let pipeline = served.pipeline;
    let recording = audio::decode(clip.into(), None, pipeline.limits()).unwrap();
    let spec = pipeline.classifier().features().clone();
    let waveform = audio::resample(&recording.channels[0], spec.sample_rate).unwrap();
    let window = pipeline.extractor().features(&waveform).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("features.f32");
    std::fs::write(&file, window.values().iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>()).unwrap();

    let (address, frames, width) = (server.address.to_string(), spec.frames.to_string(), spec.width().to_string());
    let mut client = Command::new("python3");
    client.args(["tests/open_inference_client.py", &address, &served.name]).arg(&file).args([&frames, &width]);
    let output = tokio::task::spawn_blocking(move || client.output()).await.unwrap().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    println!("classify: {classified:?}\nclient: {}", String::from_utf8_lossy(&output.stdout));
    let answers: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    for way in ["binary", "json"] {
        let inferred: Vec<f32> = serde_json::from_value(answers[way][0].clone()).unwrap();
        for (inferred, classified) in inferred.iter().zip(&classified) {
            assert!((inferred - classified).abs() < 1e-6, "{way}: {answers}");
        }
    }
}
