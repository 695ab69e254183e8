//! `GET /health/live` and `GET /health/ready`: for those who start, stop and balance servers.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::error::{ApiError, ErrorBody};
use super::state::App;

/// The server is well.
#[derive(Debug, Serialize, ToSchema)]
pub struct HealthBody {
    /// `ok`.
    #[schema(value_type = String, example = "ok")]
    pub status: &'static str,
}

/// Is the process alive?
#[utoipa::path(get, path = "/health/live", tag = "operation", security(()),
    responses((status = 200, description = "It is", body = HealthBody)))]
pub async fn live() -> Json<HealthBody> {
    Json(HealthBody { status: "ok" })
}

/// Can it take requests?
///
/// A server listens only once its model has answered, so all that can stand against it is that it is about to end.
#[utoipa::path(get, path = "/health/ready", tag = "operation", security(()),
    responses(
        (status = 200, description = "It can", body = HealthBody),
        (status = 503, description = "`overloaded`: it is about to end", body = ErrorBody),
    ))]
pub async fn ready(State(app): State<App>) -> Result<Json<HealthBody>, ApiError> {
    app.check_open()?;
    Ok(live().await)
}
