//! A service to ask, with the model that is compiled into the binary.

#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test that cannot ask has failed")]

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use emotone::config::Serve;
use emotone::http::{self, App, Models};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

const MODEL: &[u8] = include_bytes!("../../models/emotone-robust.onnx");

/// A service and what is behind it.
pub struct Service {
    pub app: App,
    pub router: Router,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    /// Null if the body is no JSON.
    pub json: Value,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

pub fn service() -> Service {
    service_with(&[])
}

pub fn service_with(options: &[&str]) -> Service {
    let settings = Serve::with_options(options).unwrap();
    let models = Models::load(settings.model.clone(), MODEL, settings.limits.audio()).unwrap();
    let app = App::new(settings, models).unwrap();
    Service { router: http::router(app.clone()), app }
}

pub fn post(path: &str, kind: &str, body: impl Into<Body>) -> Request<Body> {
    Request::post(path).header("content-type", kind).body(body.into()).unwrap()
}

pub async fn ask(service: &Service, request: Request<Body>) -> Answer {
    let response = service.router.clone().oneshot(request).await.unwrap();
    let (head, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes().to_vec();
    let json = serde_json::from_slice(&body).unwrap_or_default();
    Answer { status: head.status, headers: head.headers, body, json }
}

/// A form of text parts: its content type and its body.
pub fn form(parts: &[(&str, &str)]) -> (String, String) {
    let mut body = String::new();
    for (name, content) in parts {
        body += &format!("--limit\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{content}\r\n");
    }
    ("multipart/form-data; boundary=limit".into(), body + "--limit--\r\n")
}

/// A service on a free port of this machine.
pub struct Server {
    pub service: Service,
    pub address: std::net::SocketAddr,
    pub ended: tokio::task::JoinHandle<std::io::Result<()>>,
}

pub async fn server_with(options: &[&str]) -> Server {
    server_by(options, None).await
}

pub async fn server_by(options: &[&str], tls: Option<tokio_rustls::TlsAcceptor>) -> Server {
    let service = service_with(options);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let listening = http::Listening { listener, tls };
    let ended = tokio::spawn(http::serve(listening, service.app.clone(), service.router.clone()));
    Server { service, address, ended }
}

/// The clip that comes with the repository: 8 kHz, 16 bit, mono.
pub fn clip() -> Vec<u8> {
    include_bytes!("../../examples/caller.wav").to_vec()
}
