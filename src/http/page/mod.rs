//! `GET /`: a page for people, in one file, and what browsers are told about pages.

use std::sync::LazyLock;

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha256};

const PAGE: &str = include_str!("page.html");

/// What the page may do: run its own script and style, known by their hashes, and talk to this server.
static MAY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let hash = |tag: &str| BASE64_STANDARD.encode(Sha256::digest(between(PAGE, tag)));
    let (script, style) = (hash("script"), hash("style"));
    let policy = format!(
        "default-src 'none'; script-src 'sha256-{script}'; style-src 'sha256-{style}'; connect-src 'self'; \
         media-src blob:; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
});

/// What the page that shows the API may do.
const DOCS_MAY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'",
);

/// A page to record or drop audio, and to see its emotions.
#[utoipa::path(get, path = "/", tag = "documentation", security(()),
    responses((status = 200, description = "A page", content_type = "text/html", body = String)))]
pub async fn page() -> Response {
    (page_headers(MAY.clone()), Html(PAGE)).into_response()
}

/// The page that shows the API, from its text.
pub fn docs_page(text: &'static str) -> Response {
    (page_headers(DOCS_MAY), Html(text)).into_response()
}

fn page_headers(may: HeaderValue) -> HeaderMap {
    HeaderMap::from_iter([
        (header::CONTENT_SECURITY_POLICY, may),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (
            header::HeaderName::from_static("permissions-policy"),
            HeaderValue::from_static("microphone=(self), camera=(), geolocation=()"),
        ),
    ])
}

/// The text of the only element of that name.
fn between<'a>(page: &'a str, tag: &str) -> &'a str {
    let (open, close) = (format!("<{tag}>"), format!("</{tag}>"));
    page.split_once(&open).and_then(|(_, rest)| rest.split_once(&close)).map_or("", |(inside, _)| inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_loads_nothing_from_elsewhere() {
        assert!(!between(PAGE, "script").is_empty() && !between(PAGE, "style").is_empty());
        assert!(!PAGE.contains("//cdn") && !PAGE.contains("src=\"http") && !PAGE.contains(" style=\""));
        assert!(MAY.to_str().unwrap().contains("script-src 'sha256-"));
    }
}
