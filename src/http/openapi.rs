//! The API description, and a page to try it on.

use std::sync::LazyLock;

use axum::http::header;
use axum::response::{AppendHeaders, IntoResponse, Response};
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Document;

use super::classify::Form;
use super::error::ApiError;
use super::page;
use super::query::Segments;
use super::routes;
use crate::audio::RawEncoding;

/// What is known of the API beyond its routes.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Emotone",
        description = "Hears the emotion in a voice: audio in, calibrated probabilities over seven emotions out. \
                       Audio is never stored and never logged.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    tags(
        (name = "emotion", description = "Audio in, emotions out"),
        (name = "inference", description = "The network alone, by the Open Inference Protocol v2"),
        (name = "operation", description = "For those who run the server"),
        (name = "documentation", description = "For those who use it"),
    ),
    security((), ("bearer" = []), ("api_key" = [])),
    // Types of parameters, unlike those of bodies, are not found by themselves.
    components(schemas(RawEncoding, Form)),
    modifiers(&Keys),
)]
pub struct Head;

struct Keys;

impl utoipa::Modify for Keys {
    fn modify(&self, document: &mut Document) {
        use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
        let components = document.components.get_or_insert_default();
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("An API key")).build();
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
        let header = ApiKeyValue::with_description("X-API-Key", "An API key");
        components.add_security_scheme("api_key", SecurityScheme::ApiKey(ApiKey::Header(header)));
    }
}

/// What is served as `/openapi.yaml`, printed by `emotone openapi`, and committed as `openapi.yaml`.
///
/// # Errors
/// If the document cannot be written as YAML.
pub fn yaml() -> Result<String, String> {
    routes::document().to_yaml().map_err(|error| error.to_string())
}

/// The API description as JSON.
#[utoipa::path(get, path = "/openapi.json", tag = "documentation", security(()),
    responses((status = 200, description = "OpenAPI 3.1", content_type = "application/json", body = Object)))]
pub async fn as_json() -> Result<Response, ApiError> {
    static JSON: LazyLock<Result<String, String>> =
        LazyLock::new(|| routes::document().to_pretty_json().map_err(|error| error.to_string()));
    send(&JSON, "application/json")
}

/// The API description as YAML.
#[utoipa::path(get, path = "/openapi.yaml", tag = "documentation", security(()),
    responses((status = 200, description = "OpenAPI 3.1", content_type = "application/yaml", body = Object)))]
pub async fn as_yaml() -> Result<Response, ApiError> {
    static YAML: LazyLock<Result<String, String>> = LazyLock::new(yaml);
    send(&YAML, "application/yaml")
}

fn send(document: &'static Result<String, String>, kind: &'static str) -> Result<Response, ApiError> {
    let text = document.as_ref().map_err(|error| ApiError::Internal(error.clone()))?;
    Ok(([(header::CONTENT_TYPE, kind)], text.as_str()).into_response())
}

const PAGE: &str = r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Emotone API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css"><link rel="icon" href="/docs/favicon-32x32.png">
</head>
<body><div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script>
</body>
</html>
"#;

const START: &str = "SwaggerUIBundle({url: '/openapi.json', dom_id: '#swagger-ui', deepLinking: true, \
                     displayRequestDuration: true, validatorUrl: null});\n";

/// A page to read the API description and to try it on.
#[utoipa::path(get, path = "/docs", tag = "documentation", security(()),
    responses((status = 200, description = "A page", content_type = "text/html", body = String)))]
pub async fn docs() -> Response {
    page::docs_page(PAGE)
}

/// What that page consists of.
pub async fn docs_file(Segments(name): Segments<String>) -> Result<Response, ApiError> {
    if name == "start.js" {
        return Ok(([(header::CONTENT_TYPE, "text/javascript")], START).into_response());
    }
    let config = utoipa_swagger_ui::Config::from("/openapi.json").into();
    match utoipa_swagger_ui::serve(&name, config) {
        Ok(Some(file)) => {
            // It lies packed in the program. Every browser takes that, and for others there is nothing in this page.
            let packed = AppendHeaders(file.gzpipped.then_some((header::CONTENT_ENCODING, "gzip")));
            Ok((packed, [(header::CONTENT_TYPE, file.content_type)], file.bytes).into_response())
        }
        Ok(None) => Err(ApiError::NotFound),
        Err(error) => Err(ApiError::Internal(error.to_string())),
    }
}
