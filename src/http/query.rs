//! What an address says, refused in the words of this service where it makes no sense.

use axum::extract::{FromRequestParts, Path, Query};
use axum::http::{Uri, request::Parts};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use utoipa::IntoParams;

use super::error::ApiError;

/// The parameters of a request's query.
#[derive(Debug)]
pub struct Parameters<T>(pub T);

impl<T: DeserializeOwned> Parameters<T> {
    /// Those of an address.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`].
    pub fn of(uri: &Uri) -> Result<T, ApiError> {
        let query = Query::try_from_uri(uri).map_err(|error| ApiError::BadRequest(error.body_text()))?;
        Ok(query.0)
    }
}

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Parameters<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        Self::of(&parts.uri).map(Parameters)
    }
}

/// What the variable parts of a request's path say.
#[derive(Debug)]
pub struct Segments<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Segments<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let said = Path::from_request_parts(parts, state).await;
        said.map(|Path(said)| Segments(said)).map_err(|error| ApiError::BadRequest(error.body_text()))
    }
}

/// Which of several models.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// Name of the model; the first by default.
    pub model: Option<String>,
}
