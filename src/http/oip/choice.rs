//! Which model an address names.

use serde::Deserialize;

use crate::http::error::ApiError;
use crate::http::models::Served;
use crate::http::state::App;

/// `/models/{model}`, or `/models/{model}/versions/{version}`: there is one version of each.
#[derive(Debug, Deserialize)]
pub struct Choice {
    model: String,
    version: Option<String>,
}

impl Choice {
    /// The model.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`] for a model or a version that is not there.
    pub fn served(&self, app: &App) -> Result<Served, ApiError> {
        let served = app.models.get(Some(&self.model))?;
        let known = &served.pipeline.classifier().card().version;
        match &self.version {
            Some(other) if other != known => {
                Err(ApiError::BadRequest(format!("there is no such version of this model, only {known}")))
            }
            _ => Ok(served),
        }
    }
}
