//! Real connections on a free port: slow clients, early answers, draining, TLS.

#![allow(clippy::unwrap_used, reason = "a test that cannot ask has failed")]

mod service;

use std::io::Cursor;
use std::sync::Arc;
use std::time::Duration;

use emotone::http::{Certificate, Phase};
use service::{Server, clip, server_by, server_with};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// Far longer than anything here takes; what hangs fails instead of hanging the test.
const PATIENCE: Duration = Duration::from_secs(60);

async fn connect(server: &Server) -> TcpStream {
    TcpStream::connect(server.address).await.unwrap()
}

/// Everything until the other side closes.
async fn rest(mut socket: impl AsyncRead + Unpin) -> String {
    let mut bytes = Vec::new();
    // A reset is an end as well; what came before it counts.
    let _ = tokio::time::timeout(PATIENCE, socket.read_to_end(&mut bytes)).await.unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

async fn ask(mut socket: impl AsyncRead + AsyncWrite + Unpin, method_and_path: &str) -> String {
    let request = format!("{method_and_path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).await.unwrap();
    rest(socket).await
}

fn head(length: usize, more: &str) -> String {
    format!("POST /classify HTTP/1.1\r\nHost: test\r\nContent-Length: {length}\r\n{more}\r\n")
}

#[tokio::test]
async fn a_head_that_never_ends_is_not_waited_for() {
    let server = server_with(&["--header-timeout-seconds", "0.05"]).await;
    let mut socket = connect(&server).await;
    socket.write_all(b"GET /health/live HTTP/1.1\r\nX-Slow: ").await.unwrap();
    assert_eq!(rest(socket).await, "");
    assert!(ask(connect(&server).await, "GET /health/live").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_connection_without_a_request_is_closed_in_the_end() {
    let server = server_with(&["--idle-timeout-seconds", "0.05"]).await;
    assert_eq!(rest(connect(&server).await).await, "");
}

/// The kinds of all frames until the other side closes; pings are answered, as clients do.
async fn frames(mut socket: TcpStream) -> Vec<u8> {
    const PING: u8 = 6;
    let mut kinds = Vec::new();
    let all = async {
        let mut head = [0; 9];
        while socket.read_exact(&mut head).await.is_ok() {
            let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
            socket.read_exact(&mut payload).await.unwrap();
            kinds.push(head[3]);
            if head[3] == PING && head[4] == 0 {
                head[4] = 1;
                socket.write_all(&[&head[..], &payload].concat()).await.unwrap();
            }
        }
    };
    tokio::time::timeout(PATIENCE, all).await.unwrap();
    kinds
}

#[tokio::test]
async fn an_idle_http_2_connection_is_told_before_it_is_closed() {
    const GOAWAY: u8 = 7;
    let begin = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    let server = server_with(&["--idle-timeout-seconds", "0.05"]).await;
    let mut socket = connect(&server).await;
    socket.write_all(begin).await.unwrap();
    assert!(frames(socket).await.contains(&GOAWAY));

    let server = server_with(&["--max-connections", "1"]).await;
    let mut socket = connect(&server).await;
    socket.write_all(begin).await.unwrap();
    let (kinds, asked) = tokio::join!(frames(socket), ask(connect(&server).await, "GET /health/live"));
    assert!(kinds.contains(&GOAWAY), "{kinds:?}");
    assert!(asked.starts_with("HTTP/1.1 200"), "{asked}");
}

#[tokio::test]
async fn who_is_asked_must_be_said_once() {
    let server = server_with(&[]).await;
    for (head, status) in [
        ("HTTP/1.1", "400"),
        ("HTTP/1.1\r\nHost: one\r\nHost: other", "400"),
        ("HTTP/1.0\r\nHost: one\r\nHost: other", "400"),
        ("HTTP/1.1\r\nHost: one", "200"),
        ("HTTP/1.0", "200"),
    ] {
        let mut socket = connect(&server).await;
        let request = format!("GET /health/live {head}\r\nConnection: close\r\n\r\n");
        socket.write_all(request.as_bytes()).await.unwrap();
        let answer = rest(socket).await;
        assert_eq!(answer.split(' ').nth(1), Some(status), "{head:?} {answer}");
        assert_eq!(answer.contains("\"bad_request\""), status == "400", "{head:?} {answer}");
    }
}

#[tokio::test]
async fn a_form_that_comes_in_pieces_is_read_and_its_connection_goes_on() {
    let server = server_with(&[]).await;
    let part = |name: &str| format!("--limit\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
    let form =
        [part("note").as_bytes(), b"hello\r\n", part("file").as_bytes(), &clip(), b"\r\n--limit--\r\nbye"].concat();
    let mut socket = connect(&server).await;
    let head = "Content-Type: multipart/form-data; boundary=limit\r\nTransfer-Encoding: chunked\r\n\r\n";
    socket.write_all(format!("POST /classify HTTP/1.1\r\nHost: test\r\n{head}").as_bytes()).await.unwrap();
    for piece in form.chunks(1000) {
        socket.write_all(format!("{:x}\r\n", piece.len()).as_bytes()).await.unwrap();
        socket.write_all(&[piece, b"\r\n"].concat()).await.unwrap();
    }
    socket.write_all(b"0\r\n\r\n").await.unwrap();
    let answers = ask(socket, "GET /health/live").await;
    assert!(answers.starts_with("HTTP/1.1 200") && answers.matches("HTTP/1.1 200").count() == 2, "{answers}");
}

#[tokio::test]
async fn a_body_that_does_not_come_is_answered_408() {
    let server = server_with(&["--body-timeout-seconds", "0.05"]).await;
    // At the slowest speed the second would have four minutes.
    for (length, sent) in [(100_000, 4), (2 << 20, (2 << 20) - 60)] {
        let mut socket = connect(&server).await;
        socket.write_all(head(length, "Connection: close\r\n").as_bytes()).await.unwrap();
        socket.write_all(&vec![0; sent]).await.unwrap();
        let answer = rest(socket).await;
        assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("\"timeout\""), "{answer}");
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_before_it_comes_and_the_client_can_read_why() {
    let server = server_with(&["--max-upload-mib", "1"]).await;
    let mut socket = connect(&server).await;
    socket.write_all(head(10 << 30, "").as_bytes()).await.unwrap();
    let mut first = [0; 12];
    tokio::time::timeout(PATIENCE, socket.read_exact(&mut first)).await.unwrap().unwrap();
    assert_eq!(&first, b"HTTP/1.1 413");

    let mut socket = connect(&server).await;
    socket.write_all(head(3 << 20, "Connection: close\r\n").as_bytes()).await.unwrap();
    socket.write_all(&vec![0; 3 << 20]).await.unwrap();
    let answer = rest(socket).await;
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("upload_too_large"), "{answer}");
}

#[tokio::test]
async fn who_asks_whether_to_go_on_is_told() {
    let server = server_with(&[]).await;
    let (mut socket, clip) = (connect(&server).await, clip());
    let more = "Expect: 100-continue\r\nConnection: close\r\n";
    socket.write_all(head(clip.len(), more).as_bytes()).await.unwrap();
    let mut first = [0; 25];
    tokio::time::timeout(PATIENCE, socket.read_exact(&mut first)).await.unwrap().unwrap();
    assert_eq!(&first, b"HTTP/1.1 100 Continue\r\n\r\n");
    socket.write_all(&clip).await.unwrap();
    assert!(rest(socket).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn draining_finishes_what_has_begun_and_refuses_what_has_not() {
    let server = server_with(&[]).await;
    let (mut upload, half_head, clip) = (connect(&server).await, connect(&server).await, clip());
    upload.write_all(head(clip.len(), "").as_bytes()).await.unwrap();
    upload.write_all(&clip[..1000]).await.unwrap();
    let (mut half_read, mut half_write) = half_head.into_split();
    half_write.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
    while server.service.app.lifecycle.in_flight() == 0 {
        tokio::task::yield_now().await;
    }
    server.service.app.lifecycle.advance(Phase::Draining);
    let ready = ask(connect(&server).await, "GET /health/ready").await;
    assert!(ready.starts_with("HTTP/1.1 503") && ready.to_lowercase().contains("retry-after"), "{ready}");
    upload.write_all(&clip[1000..]).await.unwrap();
    assert!(rest(&mut upload).await.starts_with("HTTP/1.1 200"));
    tokio::time::timeout(PATIENCE, server.ended).await.unwrap().unwrap().unwrap();
    drop(half_write);
    let _ = half_read.read(&mut [0; 1]).await;
}

#[tokio::test]
async fn draining_ends_even_if_a_client_does_not() {
    let server = server_with(&["--drain-seconds", "0.05"]).await;
    let mut upload = connect(&server).await;
    upload.write_all((head(100_000, "") + "RIFF").as_bytes()).await.unwrap();
    while server.service.app.lifecycle.in_flight() == 0 {
        tokio::task::yield_now().await;
    }
    server.service.app.lifecycle.advance(Phase::Draining);
    tokio::time::timeout(PATIENCE, server.ended).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn work_whose_client_has_left_is_dropped() {
    let server = server_with(&["--workers", "1"]).await;
    let mut socket = connect(&server).await;
    let path = "POST /classify?encoding=mulaw HTTP/1.1\r\nHost: test\r\nContent-Length: 8000000\r\n\r\n";
    socket.write_all(path.as_bytes()).await.unwrap();
    socket.write_all(&vec![0x55; 8_000_000]).await.unwrap();
    while server.service.app.workers.at_work() == 0 {
        tokio::task::yield_now().await;
    }
    drop(socket);
    while server.service.app.workers.at_work() > 0 || server.service.app.lifecycle.in_flight() > 0 {
        tokio::task::yield_now().await;
    }
    let metrics = ask(connect(&server).await, "GET /metrics").await;
    assert!(metrics.contains("emotone_abandoned_total 1"), "{metrics}");
}

#[tokio::test]
async fn who_leaves_while_uploading_has_abandoned_the_request() {
    let server = server_with(&[]).await;
    let app = &server.service.app;
    let mut socket = connect(&server).await;
    socket.write_all((head(100_000, "") + "RIFF").as_bytes()).await.unwrap();
    while app.lifecycle.in_flight() == 0 {
        tokio::task::yield_now().await;
    }
    drop(socket);
    while app.lifecycle.in_flight() > 0 {
        tokio::task::yield_now().await;
    }
    let metrics = ask(connect(&server).await, "GET /metrics").await;
    assert!(metrics.contains("emotone_abandoned_total 1"), "{metrics}");
    assert!(!metrics.contains("status=\"400\""), "{metrics}");

    let mut socket = connect(&server).await;
    let head = "POST /classify HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
    socket.write_all([head, "no length\r\n"].concat().as_bytes()).await.unwrap();
    assert!(rest(socket).await.starts_with("HTTP/1.1 400"), "who is still there is answered");
    let metrics = ask(connect(&server).await, "GET /metrics").await;
    assert!(metrics.contains("emotone_abandoned_total 1") && metrics.contains("status=\"400\""), "{metrics}");
}

#[tokio::test]
async fn idle_connections_make_room_for_those_who_ask() {
    let server = server_with(&["--max-connections", "2"]).await;
    let (_one, _other) = (connect(&server).await, connect(&server).await);
    let asked = ask(connect(&server).await, "GET /health/live");
    assert!(tokio::time::timeout(PATIENCE, asked).await.unwrap().starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn tls_is_spoken_and_a_renewed_certificate_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let (chain, key) = (folder.path().join("chain.pem"), folder.path().join("key.pem"));
    let copy = |name: &str| {
        std::fs::copy(format!("tests/tls/{name}.pem"), &chain).unwrap();
        std::fs::copy(format!("tests/tls/{name}.key"), &key).unwrap();
    };
    copy("old");
    let options = ["--tls-cert-file", chain.to_str().unwrap(), "--tls-key-file", key.to_str().unwrap()];
    let settings = emotone::config::Serve::with_options(&options).unwrap();
    let certificate = Certificate::load(&settings.security).unwrap().unwrap();
    let server = server_by(&[], Some(certificate.acceptor().unwrap())).await;

    assert!(ask(by_tls(&server, "old").await.unwrap(), "GET /health/live").await.starts_with("HTTP/1.1 200"));
    assert!(by_tls(&server, "new").await.is_err());
    copy("new");
    certificate.reload().unwrap();
    assert!(ask(by_tls(&server, "new").await.unwrap(), "GET /health/live").await.starts_with("HTTP/1.1 200"));
    std::fs::write(&key, "no key").unwrap();
    assert!(certificate.reload().unwrap_err().to_string().contains("key.pem"));
    assert!(by_tls(&server, "new").await.is_ok(), "the old certificate stays");
}

/// A client that trusts one certificate alone.
async fn by_tls(server: &Server, trusted: &str) -> std::io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
    let pem = std::fs::read(format!("tests/tls/{trusted}.pem")).unwrap();
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_reader_iter(Cursor::new(pem)) {
        roots.add(certificate.unwrap()).unwrap();
    }
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, connect(server).await).await
}
