//! `POST /v2/models/{model}/infer`: windows of features in, probabilities out.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Serialize;
use utoipa::ToSchema;

use super::choice::Choice;
use super::numbers::most_bytes;
use super::tensor::{InferenceRequest, TensorParameters};
use super::{ErrorSentence, FLOAT, OUTPUT};
use crate::features::{FeatureMatrix, FeatureSpec};
use crate::http::error::ApiError;
use crate::http::query::Segments;
use crate::http::state::App;
use crate::http::upload::Upload;
use crate::http::work::{Stepped, Stepwise};
use crate::model::{Classifier, Emotion, Probabilities};
use crate::pipeline::Stage;

/// Windows that are judged in one step.
const WINDOWS_A_STEP: usize = 8;
/// Where the JSON of a request or an answer ends, if bytes follow it.
pub const JSON_LENGTH: HeaderName = HeaderName::from_static("inference-header-content-length");

/// What was judged.
#[derive(Debug, Serialize, ToSchema)]
pub struct InferenceResponse {
    /// Name of the model.
    #[schema(example = "emotone-robust")]
    pub model_name: String,
    /// Its version.
    #[schema(example = "0.1.0+9c2d5ff8")]
    pub model_version: String,
    /// The request's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The only output.
    pub outputs: [OutputTensor; 1],
}

/// Probabilities of each window.
#[derive(Debug, Serialize, ToSchema)]
pub struct OutputTensor {
    /// `probabilities`.
    #[schema(value_type = String, example = "probabilities")]
    pub name: &'static str,
    /// Windows, emotions.
    #[schema(value_type = Vec<usize>, example = json!([1, 7]))]
    pub shape: [usize; 2],
    /// `FP32`.
    #[schema(value_type = String, example = "FP32")]
    pub datatype: &'static str,
    /// Seven numbers a window; unless they come as bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Vec<f32>>,
    /// About this tensor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters: Option<TensorParameters>,
}

/// Judge windows of features.
///
/// The features are those of `/model`, standardized and padded. This and the other routes of a model are also below
/// `/v2/models/{model}/versions/{version}`. Tensors may be binary, as for Triton: the JSON, whose input says its length as
/// `parameters.binary_data_size` instead of `data`, and after it the numbers as little-endian bytes; the header says where the
/// JSON ends. An output whose `parameters.binary_data` is true is answered in the same form.
#[utoipa::path(post, path = "/v2/models/{model}/infer", tag = "inference",
    params(
        ("model" = String, Path, description = "Name of the model"),
        ("Inference-Header-Content-Length" = Option<usize>, Header, description = "Bytes of JSON before binary tensors"),
    ),
    request_body(content((InferenceRequest = "application/json"), (Vec<u8> = "application/octet-stream"))),
    responses(
        (status = 200, description = "Probabilities", content(
            (InferenceResponse = "application/json"), (Vec<u8> = "application/octet-stream"),
        )),
        (status = 400, description = "No such model, or tensors that do not fit it", body = ErrorSentence),
        (status = 401, description = "A missing or wrong API key", body = ErrorSentence),
        (status = 408, description = "The body came too slowly", body = ErrorSentence),
        (status = 413, description = "The body is too large", body = ErrorSentence),
        (status = 415, description = "The body is compressed", body = ErrorSentence),
        (status = 429, description = "Too many requests; see Retry-After", body = ErrorSentence),
        (status = 500, description = "A fault of the server", body = ErrorSentence),
        (status = 503, description = "No room for more work; see Retry-After", body = ErrorSentence),
        (status = 504, description = "The deadline passed", body = ErrorSentence),
    ))]
pub async fn infer(
    State(app): State<App>,
    Segments(choice): Segments<Choice>,
    request: Request,
) -> Result<Response, ApiError> {
    app.check_open()?;
    app.workers.check_room()?;
    let served = choice.served(&app)?;
    let classifier = served.pipeline.classifier().clone();
    let json_length = request.headers().get(JSON_LENGTH).map(json_length).transpose()?;
    let Upload { bytes, mut room } = Upload::read(request, &app).await?;

    let split = json_length.unwrap_or(bytes.len());
    if split > bytes.len() {
        return Err(ApiError::BadRequest("the JSON is shorter than its header says".into()));
    }
    let body = Body { json: bytes.slice(..split), binary: bytes.slice(split..) };
    let (numbers, limits) = (body.most_bytes_of_numbers(), &app.settings.limits);
    if bytes.len().saturating_add(numbers) > limits.max_buffered_bytes() {
        return Err(ApiError::UploadTooLarge { limit_mib: limits.max_buffered_mib });
    }
    drop(bytes);
    room.grow_by(numbers)?;
    let work =
        Inference { classifier: classifier.clone(), unread: Some(body), asked: Asked::default(), judged: Vec::new() };
    let (Judged { asked, judged }, timing) = app.workers.work(work, app.deadline(), room).await?;
    app.metrics.took(timing.stages().into_iter().filter(|(stage, _)| *stage != "features"));
    let numbers: Vec<f32> =
        judged.iter().flat_map(|probabilities| Emotion::ALL.map(|emotion| probabilities.of(emotion))).collect();
    let (model_version, id) = (classifier.card().version.clone(), asked.id);
    let answer = |data, parameters| InferenceResponse {
        model_name: served.name,
        model_version,
        id,
        outputs: [OutputTensor {
            name: OUTPUT,
            shape: [judged.len(), Emotion::COUNT],
            datatype: FLOAT,
            data,
            parameters,
        }],
    };
    if asked.wants_bytes {
        let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        let parameters = TensorParameters { binary_data_size: Some(bytes.len()) };
        return with_bytes(&answer(None, Some(parameters)), &bytes);
    }
    Ok(Json(answer(Some(numbers), None)).into_response())
}

fn json_length(value: &HeaderValue) -> Result<usize, ApiError> {
    let length = value.to_str().ok().and_then(|text| text.parse().ok());
    length.ok_or_else(|| ApiError::BadRequest(format!("{JSON_LENGTH} is no length")))
}

fn with_bytes(answer: &InferenceResponse, bytes: &[u8]) -> Result<Response, ApiError> {
    let mut body = serde_json::to_vec(answer).map_err(|error| ApiError::Internal(error.to_string()))?;
    let json_length = HeaderValue::from(body.len());
    body.extend_from_slice(bytes);
    let kind = HeaderValue::from_static("application/octet-stream");
    Ok(([(JSON_LENGTH, json_length), (header::CONTENT_TYPE, kind)], body).into_response())
}

/// What came.
struct Body {
    json: Bytes,
    /// What follows the JSON.
    binary: Bytes,
}

/// What is wanted.
#[derive(Default)]
struct Asked {
    /// Those of whole windows, one after the other: windows are cut when their turn comes.
    numbers: Vec<f32>,
    id: Option<String>,
    wants_bytes: bool,
}

impl Body {
    fn most_bytes_of_numbers(&self) -> usize {
        most_bytes(&self.json).saturating_add(self.binary.len())
    }

    fn read(&self, features: &FeatureSpec) -> Result<Asked, ApiError> {
        let mut request: InferenceRequest = serde_json::from_slice(&self.json)
            .map_err(|error| ApiError::BadRequest(format!("not understood: {error}")))?;
        let (wants_bytes, id) = (request.wants_bytes(), request.id.take());
        let numbers = request.numbers(&self.binary, features.frames, features.width())?;
        Ok(Asked { numbers, wants_bytes, id })
    }
}

/// Windows at work: read in the first step, then judged, some at a step.
struct Inference {
    classifier: Classifier,
    unread: Option<Body>,
    asked: Asked,
    judged: Vec<Probabilities>,
}

/// What was wanted, and what was heard.
struct Judged {
    asked: Asked,
    judged: Vec<Probabilities>,
}

impl Stepwise for Inference {
    type Answer = Judged;

    fn step(&mut self) -> Result<Stepped<Self::Answer>, ApiError> {
        let features = self.classifier.features();
        if let Some(body) = self.unread.take() {
            self.asked = body.read(features)?;
            return Ok(Stepped::Working(Stage::Decode));
        }
        let (width, size) = (features.width(), features.frames * features.width());
        let rest = self.asked.numbers.chunks_exact(size).skip(self.judged.len());
        let some: Vec<FeatureMatrix> =
            rest.take(WINDOWS_A_STEP).map(|window| FeatureMatrix::new(width, window.to_vec())).collect();
        let judged = self.classifier.probabilities(&some).map_err(|error| ApiError::Internal(error.to_string()))?;
        self.judged.extend(judged);
        if self.judged.len() * size < self.asked.numbers.len() {
            return Ok(Stepped::Working(Stage::Inference));
        }
        self.asked.numbers = Vec::new();
        let (asked, judged) = (std::mem::take(&mut self.asked), std::mem::take(&mut self.judged));
        Ok(Stepped::Done(Judged { asked, judged }))
    }
}
