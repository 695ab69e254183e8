//! Which pages may open a call. Browsers let any page open a WebSocket anywhere, and leave it to the server to look at who
//! does; what CORS keeps from pages is answers, which a call does not have.

use axum::http::uri::Authority;
use axum::http::{HeaderMap, Uri, header};

use crate::http::error::ApiError;

/// Lets programs pass, which say no `Origin`, pages of the address that is called, and those of the origins that are `allowed`,
/// in lower case or `*` for all.
///
/// # Errors
/// [`ApiError::ForeignOrigin`].
pub fn check(headers: &HeaderMap, uri: &Uri, allowed: &[String]) -> Result<(), ApiError> {
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
    let origin = String::from_utf8_lossy(origin.as_bytes()).to_ascii_lowercase();
    let host = || headers.get(header::HOST)?.to_str().ok();
    // HTTP/2 names the address that is called beside the path.
    let called = uri.authority().map(Authority::as_str).or_else(host);
    let is_allowed = allowed.iter().any(|allowed| allowed == "*" || *allowed == origin);
    if is_allowed || called.is_some_and(|called| is_at(&origin, called)) {
        Ok(())
    } else {
        Err(ApiError::ForeignOrigin(origin))
    }
}

/// Whether pages of an origin come from that host and port; the port may be left out where it is the scheme's own.
fn is_at(origin: &str, called: &str) -> bool {
    let (scheme, address) = origin.split_once("://").unwrap_or(("http", origin));
    let own_port = if scheme == "https" { ":443" } else { ":80" };
    let plain = |address: &str| address.strip_suffix(own_port).unwrap_or(address).to_ascii_lowercase();
    plain(address) == plain(called)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_let_in(origin: &str, called: &str, allowed: &[&str]) -> bool {
        let allowed: Vec<String> = allowed.iter().map(|origin| origin.to_string()).collect();
        let by_host =
            HeaderMap::from_iter([(header::ORIGIN, origin.parse().unwrap()), (header::HOST, called.parse().unwrap())]);
        let by_authority = HeaderMap::from_iter([(header::ORIGIN, origin.parse().unwrap())]);
        let uri = Uri::builder().scheme("https").authority(called).path_and_query("/stream").build().unwrap();
        let told = [check(&by_host, &Uri::from_static("/stream"), &allowed), check(&by_authority, &uri, &allowed)];
        assert_eq!(told[0].is_ok(), told[1].is_ok(), "both protocols name the address");
        told[0].is_ok()
    }

    #[test]
    fn pages_of_the_address_that_is_called_are_let_in() {
        for (origin, called) in [
            ("http://127.0.0.1:8080", "127.0.0.1:8080"),
            ("https://Voice.example.org", "voice.example.org"),
            ("https://voice.example.org", "voice.example.org:443"),
            ("http://voice.example.org:80", "voice.example.org"),
            ("http://[::1]:8080", "[::1]:8080"),
        ] {
            assert!(is_let_in(origin, called, &[]), "{origin} {called}");
        }
    }

    #[test]
    fn pages_of_others_are_let_in_where_they_are_named() {
        for origin in [
            "https://evil.example",
            "http://127.0.0.1:3000",
            "http://127.0.0.1",
            "http://127.0.0.1:8080.evil.example",
            "https://evil.example/127.0.0.1:8080",
            "null",
            "",
        ] {
            assert!(!is_let_in(origin, "127.0.0.1:8080", &["https://example.org"]), "{origin}");
            assert!(is_let_in(origin, "127.0.0.1:8080", &["*"]), "{origin}");
        }
        assert!(is_let_in("https://Example.org", "127.0.0.1:8080", &["https://example.org"]));
        let nothing_is_called = HeaderMap::from_iter([(header::ORIGIN, "null".parse().unwrap())]);
        assert!(check(&nothing_is_called, &Uri::from_static("/stream"), &[]).is_err());
    }
}
