//! The one table of errors: what went wrong, the status it becomes, and the code that programs read.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::audio::AudioError;
use crate::pipeline::PipelineError;

/// Why a request was not answered as it wished. The text is for the caller, except that of [`ApiError::Internal`].
#[derive(Debug, Clone, thiserror::Error)]
pub enum ApiError {
    /// Nothing was sent, or nothing where something is looked for.
    #[error("{0}")]
    EmptyUpload(&'static str),
    /// A form that cannot be read.
    #[error("the form cannot be read: {0}")]
    BadMultipart(String),
    /// A query, header or option that makes no sense.
    #[error("{0}")]
    BadRequest(String),
    /// A version of the WebSocket protocol that nobody speaks any more.
    #[error("`Sec-WebSocket-Version` is not 13")]
    WebSocketVersion,
    /// The client left before its body had come; who left only half reads this.
    #[error("the body broke off: {0}")]
    BrokenOff(String),
    /// No key, or a wrong one.
    #[error("an API key is needed, as `Authorization: Bearer KEY` or `X-API-Key: KEY`")]
    Unauthorized,
    /// A page of another site.
    #[error("pages of `{0:.200}` may not open calls here; --cors-allow-origin names the origins whose pages may")]
    ForeignOrigin(String),
    /// A path that is not served.
    #[error("there is nothing here; /docs lists the routes")]
    NotFound,
    /// A path that is served, but not by this method.
    #[error("this route does not take that method; Allow lists those it takes")]
    MethodNotAllowed,
    /// The client sent too slowly.
    #[error("the body came too slowly")]
    BodyTooSlow,
    /// More bytes than a body may have, or than what is made of it may take.
    #[error("the body takes more than {limit_mib} MiB")]
    UploadTooLarge {
        /// The limit, in MiB.
        limit_mib: u32,
    },
    /// The audio itself.
    #[error(transparent)]
    Audio(#[from] AudioError),
    /// The rate of this key, or of this address, is used up.
    #[error("too many requests; Retry-After says when to come again")]
    RateLimited {
        /// When to come again.
        retry_after: Duration,
    },
    /// No room for more work.
    #[error("{reason}, try again soon")]
    Overloaded {
        /// What there is no room for.
        reason: &'static str,
        /// When to come again.
        retry_after: Duration,
    },
    /// The answer was not there in time.
    #[error("the answer was not ready within {} s", limit.as_secs_f64())]
    DeadlineExceeded {
        /// The time it had.
        limit: Duration,
    },
    /// A fault of ours; the detail stays in the log.
    #[error("a fault of the server; the log knows more under this request_id")]
    Internal(String),
}

impl ApiError {
    /// Status and code.
    pub fn status_and_code(&self) -> (StatusCode, &'static str) {
        match self {
            ApiError::EmptyUpload(_) => (StatusCode::BAD_REQUEST, "empty_upload"),
            ApiError::BadMultipart(_) => (StatusCode::BAD_REQUEST, "bad_multipart"),
            ApiError::BadRequest(_) | ApiError::WebSocketVersion | ApiError::BrokenOff(_) => {
                (StatusCode::BAD_REQUEST, "bad_request")
            }
            ApiError::Unauthorized | ApiError::ForeignOrigin(_) => (StatusCode::UNAUTHORIZED, "unauthorized"),
            ApiError::NotFound => (StatusCode::NOT_FOUND, "not_found"),
            ApiError::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
            ApiError::BodyTooSlow => (StatusCode::REQUEST_TIMEOUT, "timeout"),
            ApiError::UploadTooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "upload_too_large"),
            ApiError::Audio(AudioError::Unsupported { .. }) => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_audio")
            }
            ApiError::Audio(AudioError::Invalid { .. }) => (StatusCode::UNPROCESSABLE_ENTITY, "invalid_audio"),
            ApiError::Audio(AudioError::TooShort { .. }) => (StatusCode::UNPROCESSABLE_ENTITY, "audio_too_short"),
            ApiError::Audio(AudioError::TooLong { .. }) => (StatusCode::UNPROCESSABLE_ENTITY, "audio_too_long"),
            ApiError::RateLimited { .. } => (StatusCode::TOO_MANY_REQUESTS, "rate_limited"),
            ApiError::Overloaded { .. } => (StatusCode::SERVICE_UNAVAILABLE, "overloaded"),
            ApiError::DeadlineExceeded { .. } => (StatusCode::GATEWAY_TIMEOUT, "deadline_exceeded"),
            ApiError::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        }
    }

    /// What the log may say beyond the message.
    pub fn detail(&self) -> Option<&str> {
        match self {
            ApiError::Internal(detail) => Some(detail),
            _ => None,
        }
    }

    /// When to come again, in whole seconds of at least 1.
    fn retry_after_seconds(&self) -> Option<u64> {
        match self {
            ApiError::RateLimited { retry_after } | ApiError::Overloaded { retry_after, .. } => {
                Some(retry_after.as_secs_f64().ceil().max(1.0) as u64)
            }
            _ => None,
        }
    }

    /// The body, once the request's id is known.
    pub fn body(&self, request_id: Option<&str>) -> ErrorBody {
        let (_, code) = self.status_and_code();
        let request_id = request_id.map(str::to_string);
        ErrorBody { error: ErrorDetail { code, message: self.to_string(), request_id } }
    }
}

impl From<PipelineError> for ApiError {
    fn from(error: PipelineError) -> Self {
        match error {
            PipelineError::Audio(error) => ApiError::Audio(error),
            PipelineError::Windowing(error) => ApiError::BadRequest(error.to_string()),
            PipelineError::Features(error) => ApiError::Internal(error.to_string()),
            PipelineError::Model(error) => ApiError::Internal(error.to_string()),
            PipelineError::Finished => ApiError::Internal(error.to_string()),
        }
    }
}

impl IntoResponse for ApiError {
    /// Status and headers; the outermost layer, which knows the request's id, logs the error and writes its body.
    fn into_response(self) -> Response {
        let mut response = self.status_and_code().0.into_response();
        if let Some(seconds) = self.retry_after_seconds() {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if response.status() == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let ApiError::WebSocketVersion = self {
            response.headers_mut().insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        }
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

/// Every error's body.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorBody {
    /// What went wrong.
    pub error: ErrorDetail,
}

/// What went wrong.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorDetail {
    /// For programs: `empty_upload`, `bad_multipart`, `bad_request`, `unauthorized`, `not_found`, `method_not_allowed`, `timeout`,
    /// `upload_too_large`, `unsupported_audio`, `invalid_audio`, `audio_too_short`, `audio_too_long`, `rate_limited`, `overloaded`,
    /// `deadline_exceeded` or `internal`.
    #[schema(value_type = String, example = "audio_too_short")]
    pub code: &'static str,
    /// For people.
    #[schema(example = "clip lasts 0.02 s, at least 0.1 s is needed")]
    pub message: String,
    /// The request's `x-request-id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = true, example = "0199c2f0-6c1e-7a60-8000-3f2b8f0c1d2e")]
    pub request_id: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_shall_come_again_is_told_when() {
        let response = ApiError::Overloaded { reason: "busy", retry_after: Duration::from_millis(200) }.into_response();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()[header::RETRY_AFTER], "1");
    }

    #[test]
    fn a_fault_of_ours_keeps_its_detail_to_the_log() {
        let error = ApiError::Internal("secret detail".into());
        assert!(!serde_json::to_string(&error.body(None)).unwrap().contains("secret"));
        assert_eq!(error.detail(), Some("secret detail"));
    }
}
