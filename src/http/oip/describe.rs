//! What there is: the server, its health, its models.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::choice::Choice;
use super::{ErrorSentence, FLOAT, INPUT, OUTPUT};
use crate::config::VERSION;
use crate::http::error::ApiError;
use crate::http::models::Served;
use crate::http::query::Segments;
use crate::http::state::App;
use crate::model::Emotion;

/// The server.
#[derive(Debug, Serialize, ToSchema)]
pub struct ServerMetadata {
    /// `emotone`.
    #[schema(value_type = String, example = "emotone")]
    pub name: &'static str,
    /// Version of the program.
    #[schema(value_type = String, example = "0.1.0")]
    pub version: &'static str,
    /// What it can do beyond the protocol.
    #[schema(value_type = Vec<String>, example = json!(["binary_tensor_data"]))]
    pub extensions: [&'static str; 1],
}

/// The process is alive.
#[derive(Debug, Serialize, ToSchema)]
pub struct ServerLive {
    /// True.
    pub live: bool,
}

/// The server takes requests.
#[derive(Debug, Serialize, ToSchema)]
pub struct ServerReady {
    /// True.
    pub ready: bool,
}

/// A model takes requests.
#[derive(Debug, Serialize, ToSchema)]
pub struct ModelReady {
    /// Its name.
    #[schema(example = "emotone-robust")]
    pub name: String,
    /// True.
    pub ready: bool,
}

/// A model.
#[derive(Debug, Serialize, ToSchema)]
pub struct ModelMetadata {
    /// Its name.
    #[schema(example = "emotone-robust")]
    pub name: String,
    /// The version at work, alone.
    #[schema(example = json!(["0.1.0+9c2d5ff8"]))]
    pub versions: Vec<String>,
    /// `onnx_tract`.
    #[schema(value_type = String, example = "onnx_tract")]
    pub platform: &'static str,
    /// Its only input.
    pub inputs: [TensorMetadata; 1],
    /// Its only output.
    pub outputs: [TensorMetadata; 1],
}

/// What a tensor is like.
#[derive(Debug, Serialize, ToSchema)]
pub struct TensorMetadata {
    /// Its name.
    #[schema(value_type = String, example = "features")]
    pub name: &'static str,
    /// `FP32`.
    #[schema(value_type = String, example = "FP32")]
    pub datatype: &'static str,
    /// Sizes; -1 for as many windows as are sent.
    #[schema(example = json!([-1, 250, 45]))]
    pub shape: Vec<i64>,
}

/// The server, for inference clients.
#[utoipa::path(get, path = "/v2", tag = "inference", security(()),
    responses((status = 200, description = "What it is", body = ServerMetadata)))]
pub async fn server() -> Json<ServerMetadata> {
    Json(ServerMetadata { name: "emotone", version: VERSION, extensions: ["binary_tensor_data"] })
}

/// Is the process alive?
#[utoipa::path(get, path = "/v2/health/live", tag = "inference", security(()), operation_id = "server_live",
    responses((status = 200, description = "It is", body = ServerLive)))]
pub async fn live() -> Json<ServerLive> {
    Json(ServerLive { live: true })
}

/// Can it take requests?
#[utoipa::path(get, path = "/v2/health/ready", tag = "inference", security(()), operation_id = "server_ready",
    responses(
        (status = 200, description = "It can", body = ServerReady),
        (status = 503, description = "It is about to end", body = ErrorSentence),
    ))]
pub async fn ready(State(app): State<App>) -> Result<Json<ServerReady>, ApiError> {
    app.check_open()?;
    Ok(Json(ServerReady { ready: true }))
}

/// Can a model take requests?
#[utoipa::path(get, path = "/v2/models/{model}/ready", tag = "inference", security(()),
    params(("model" = String, Path, description = "Name of the model")),
    responses(
        (status = 200, description = "It can", body = ModelReady),
        (status = 400, description = "There is no such model", body = ErrorSentence),
        (status = 503, description = "The server is about to end", body = ErrorSentence),
    ))]
pub async fn model_ready(
    State(app): State<App>,
    Segments(choice): Segments<Choice>,
) -> Result<Json<ModelReady>, ApiError> {
    app.check_open()?;
    // Everybody may ask here: where keys are set, what else there is is not for everybody.
    let served = choice.served(&app).map_err(|problem| match app.keys.are_set() {
        true => ApiError::BadRequest("there is no such model, or no such version of it".into()),
        false => problem,
    });
    Ok(Json(ModelReady { name: served?.name, ready: true }))
}

/// A model's tensors.
#[utoipa::path(get, path = "/v2/models/{model}", tag = "inference",
    params(("model" = String, Path, description = "Name of the model")),
    responses(
        (status = 200, description = "What it is", body = ModelMetadata),
        (status = 400, description = "There is no such model", body = ErrorSentence),
        (status = 401, description = "A missing or wrong API key", body = ErrorSentence),
        (status = 429, description = "Too many requests; see Retry-After", body = ErrorSentence),
    ))]
pub async fn model_metadata(
    State(app): State<App>,
    Segments(choice): Segments<Choice>,
) -> Result<Json<ModelMetadata>, ApiError> {
    Ok(Json(ModelMetadata::from(choice.served(&app)?)))
}

impl From<Served> for ModelMetadata {
    fn from(served: Served) -> Self {
        let classifier = served.pipeline.classifier();
        let size = |size: usize| i64::try_from(size).unwrap_or(i64::MAX);
        let (frames, width) = (size(classifier.features().frames), size(classifier.features().width()));
        Self {
            versions: vec![classifier.card().version.clone()],
            platform: "onnx_tract",
            inputs: [TensorMetadata { name: INPUT, datatype: FLOAT, shape: vec![-1, frames, width] }],
            outputs: [TensorMetadata { name: OUTPUT, datatype: FLOAT, shape: vec![-1, size(Emotion::COUNT)] }],
            name: served.name,
        }
    }
}
