//! One POST to the webhook's address.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::http::uri::{Authority, Scheme};
use axum::http::{HeaderValue, Request, StatusCode, Uri, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use percent_encoding::percent_decode_str;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::signature::signature;
use crate::config::{WebhookAddress, WebhookSecret};
use crate::http::tls;

/// Time for one attempt, from connecting to the status.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why a webhook cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot use webhook {address}: {problem}")]
pub struct EndpointError {
    address: WebhookAddress,
    problem: String,
}

/// Where events go. Cheap to clone.
#[derive(Clone)]
pub struct Endpoint {
    uri: Uri,
    /// `Authorization`, where the address says who asks.
    credentials: Option<HeaderValue>,
    /// Host and port as the address has them.
    place: Arc<str>,
    host: Arc<str>,
    port: u16,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

/// What became of an attempt.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was taken, with a status of 2xx.
    Delivered,
    /// It will not be taken later either: 410 Gone, or another status of 4xx but for 408, 425 and 429.
    Refused(u16),
    /// It may be taken later.
    Failed(String),
}

impl Endpoint {
    /// The address of a webhook, by `http` or `https`; the system's certificates decide whom to trust.
    ///
    /// # Errors
    /// [`EndpointError`] for what is no such address, and if the system has no certificates.
    pub fn new(address: &WebhookAddress) -> Result<Self, EndpointError> {
        let bad = |problem: String| EndpointError { address: address.clone(), problem };
        let uri: Uri = address.as_str().parse().map_err(|error| bad(format!("{error}")))?;
        let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(|| bad("it has no host".into()))?;
        let is_safe = uri.scheme() == Some(&Scheme::HTTPS);
        if !is_safe && uri.scheme() != Some(&Scheme::HTTP) {
            return Err(bad("it must begin with http:// or https://".into()));
        }
        let authority = uri.authority().map_or("", Authority::as_str);
        let (credentials, place) = authority.rsplit_once('@').unwrap_or(("", authority));
        // As where a password that is not encoded has a / in it: what stands before that would be the host.
        if place != host && uri.port_u16().is_none() {
            return Err(bad("its port is no number up to 65535".into()));
        }
        let plain_host = host.trim_start_matches('[').trim_end_matches(']');
        let name = || ServerName::try_from(plain_host.to_string()).map_err(|error| bad(error.to_string()));
        let tls = if is_safe { Some((connector().map_err(&bad)?, name()?)) } else { None };
        let port = uri.port_u16().unwrap_or(if is_safe { 443 } else { 80 });
        Ok(Self { credentials: basic(credentials), place: place.into(), host: plain_host.into(), port, tls, uri })
    }

    /// Sends an event once.
    pub async fn post(&self, secret: &WebhookSecret, id: &str, body: Bytes) -> Outcome {
        match timeout(PATIENCE, self.exchange(secret, id, body)).await {
            Ok(Ok(status)) => Outcome::of(status),
            Ok(Err(problem)) => Outcome::Failed(problem.to_string()),
            Err(_elapsed) => Outcome::Failed(format!("no answer within {} s", PATIENCE.as_secs())),
        }
    }

    async fn exchange(
        &self,
        secret: &WebhookSecret,
        id: &str,
        body: Bytes,
    ) -> Result<StatusCode, Box<dyn std::error::Error + Send + Sync>> {
        let timestamp = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let path = self.uri.path_and_query().map_or("/", |path| path.as_str());
        let mut request = Request::post(path)
            .header(header::HOST, &*self.place)
            .header(header::USER_AGENT, concat!("emotone/", env!("CARGO_PKG_VERSION")))
            .header(header::CONTENT_TYPE, "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", signature(secret, id, timestamp, &body))
            .body(Full::new(body))?;
        request.headers_mut().extend(self.credentials.clone().map(|credentials| (header::AUTHORIZATION, credentials)));
        let socket = TcpStream::connect((&*self.host, self.port)).await?;
        match &self.tls {
            None => send(socket, request).await,
            Some((connector, name)) => send(connector.connect(name.clone(), socket).await?, request).await,
        }
    }
}

impl Outcome {
    fn of(status: StatusCode) -> Self {
        let later = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_EARLY, StatusCode::TOO_MANY_REQUESTS];
        if status.is_success() {
            Outcome::Delivered
        } else if status.is_client_error() && !later.contains(&status) {
            Outcome::Refused(status.as_u16())
        } else {
            Outcome::Failed(format!("status {status}"))
        }
    }
}

/// HTTP Basic of what an address says before its @, if that is anything.
fn basic(user_and_password: &str) -> Option<HeaderValue> {
    let (user, password) = user_and_password.split_once(':').unwrap_or((user_and_password, ""));
    let decoded: Vec<u8> = percent_decode_str(user).chain([b':']).chain(percent_decode_str(password)).collect();
    let mut credentials = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(&decoded))).ok()?;
    credentials.set_sensitive(true);
    (!user_and_password.is_empty()).then_some(credentials)
}

/// Sends a request on a connection of its own; its answer's body is of no interest.
async fn send(
    socket: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Full<Bytes>>,
) -> Result<StatusCode, Box<dyn std::error::Error + Send + Sync>> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(socket)).await?;
    let answered = async { sender.send_request(request).await.map(|response| response.status()) };
    tokio::pin!(answered);
    tokio::select! {
        // The connection does the work; who asks first only decides who is told of its end.
        biased;
        status = &mut answered => Ok(status?),
        // Who closes with the answer ends the connection before the answer is looked at; an answer that never came is an error.
        _ended = connection => Ok(answered.await?),
    }
}

fn connector() -> Result<TlsConnector, String> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        return Err("this system has no certificates to trust; SSL_CERT_FILE can name some".into());
    }
    let config = ClientConfig::builder_with_provider(tls::provider().into())
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    fn endpoint(address: &str) -> Result<Endpoint, EndpointError> {
        Endpoint::new(&address.parse().unwrap())
    }

    #[test]
    fn addresses_that_cannot_be_used_are_refused() {
        for address in [
            "http://:80",
            "http://example.org:65536",
            "http://me:hush@/",
            "http://me:hu/sh@example.org/",
            "https://me:hush@exa_\u{e4}/",
        ] {
            let said = endpoint(address).map(|_| ()).unwrap_err().to_string();
            assert!(said.contains("webhook http") && !said.contains("hu"), "{said}");
        }
        let endpoint = endpoint("http://user@[::1]:8081/hook?x=1").unwrap();
        assert_eq!((&*endpoint.host, endpoint.port), ("::1", 8081));
    }

    #[test]
    fn who_asks_is_said_as_the_address_says_it() {
        for (address, expected) in [
            ("http://example.org/", None),
            ("http://@example.org/", None),
            ("http://me:hush@example.org/", Some("me:hush")),
            ("http://me%40home:a%3Ab%20%2F%C3%A9@example.org/", Some("me@home:a:b /\u{e9}")),
            ("http://token@example.org/", Some("token:")),
        ] {
            let credentials = endpoint(address).unwrap().credentials;
            let expected = expected.map(|expected| format!("Basic {}", STANDARD.encode(expected)));
            assert_eq!(credentials.as_ref().map(|value| value.to_str().unwrap()), expected.as_deref(), "{address}");
            assert!(credentials.is_none_or(|value| value.is_sensitive()));
        }
    }

    #[tokio::test]
    async fn who_answers_and_closes_at_once_has_answered() {
        for (answer, status) in [("HTTP/1.0 204 No Content\r\n\r\n", Some(204)), ("", None)] {
            let (ours, mut theirs) = tokio::io::duplex(4096);
            let receiver = async move {
                theirs.read_buf(&mut Vec::with_capacity(4096)).await.unwrap();
                theirs.write_all(answer.as_bytes()).await.unwrap();
            };
            let request = Request::post("/").header(header::HOST, "here").body(Full::new(Bytes::from_static(b"{}")));
            let (told, ()) = tokio::join!(send(ours, request.unwrap()), receiver);
            assert_eq!(told.ok().map(|status| status.as_u16()), status);
        }
    }

    #[test]
    fn what_may_be_taken_later_is_tried_again() {
        let outcome = |status| Outcome::of(StatusCode::from_u16(status).unwrap());
        assert_eq!(outcome(204), Outcome::Delivered);
        assert_eq!(outcome(410), Outcome::Refused(410));
        assert!(matches!(outcome(429), Outcome::Failed(_)));
        assert!(matches!(outcome(503), Outcome::Failed(_)));
        assert!(matches!(outcome(302), Outcome::Failed(_)));
    }
}
