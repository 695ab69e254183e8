//! The name of a request, from its caller or made here: in headers, bodies and every log line.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

/// The header that carries it both ways.
pub const HEADER: HeaderName = HeaderName::from_static("x-request-id");
/// Longer ones are replaced; they would only bloat the log.
const LONGEST: usize = 128;

/// The name of a request: 1 to 128 visible ASCII characters, without quotes, backslashes and angle brackets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// The caller's, if it can be repeated everywhere without harm; else a new one that sorts by time.
    pub fn of(headers: &HeaderMap) -> Self {
        let harmless = |byte: u8| byte.is_ascii_graphic() && !b"\"'`\\<>".contains(&byte);
        let given = headers.get(HEADER).and_then(|value| value.to_str().ok());
        match given.filter(|id| (1..=LONGEST).contains(&id.len()) && id.bytes().all(harmless)) {
            Some(id) => Self(id.into()),
            None => Self(Uuid::now_v7().to_string().into()),
        }
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As a header's value.
    pub fn header_value(&self) -> Option<HeaderValue> {
        HeaderValue::from_str(&self.0).ok()
    }
}

impl<S: Sync> FromRequestParts<S> for RequestId {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        // The outermost layer has put it there; without that layer a request still has a name.
        Ok(parts.extensions.get().cloned().unwrap_or_else(|| Self::of(&parts.headers)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id_for(value: &[u8]) -> RequestId {
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, HeaderValue::from_bytes(value).unwrap());
        RequestId::of(&headers)
    }

    #[test]
    fn harmless_names_are_kept_and_others_replaced() {
        for id in ["call-42.a_b", "|7f2a.1.", "00-{4bf9}~2;x"] {
            assert_eq!(id_for(id.as_bytes()).as_str(), id);
        }
        for odd in [&b"x".repeat(5000)[..], br#""}\{"#, b"<b>", b"two words", "caf\u{e9}".as_bytes(), b""] {
            let id = id_for(odd);
            assert!(Uuid::parse_str(id.as_str()).is_ok(), "{id:?}");
        }
        assert_ne!(RequestId::of(&HeaderMap::new()), RequestId::of(&HeaderMap::new()));
    }
}
