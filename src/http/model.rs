//! `GET /model`: what the model says of itself.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::error::{ApiError, ErrorBody};
use super::query::{Parameters, Which};
use super::state::App;
use crate::config::{REVISION, VERSION};
use crate::features::FeatureSpec;
use crate::model::{Classifier, Corpus, Emotion, ModelCard};

/// A model's card, and the features it judges.
#[derive(Debug, Serialize, ToSchema)]
pub struct ModelBody {
    /// Name.
    #[schema(example = "emotone-robust")]
    pub name: String,
    /// Version, changed with every training.
    #[schema(example = "0.1.0+9c2d5ff8")]
    pub version: String,
    /// The network in words.
    pub architecture: String,
    /// Labels in the order of the model's output.
    pub labels: Vec<Emotion>,
    /// What the logits are divided by before the softmax where one emotion is certain; everywhere, without
    /// `temperature_in_doubt`.
    #[schema(minimum = 0.0, example = 0.827)]
    pub temperature: f32,
    /// What they are divided by where all emotions are equally likely. Between both, its logarithm is in proportion to the
    /// entropy. Absent: as `temperature`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0.0, example = 0.542)]
    pub temperature_in_doubt: Option<f32>,
    /// Answers whose best probability is below this are `uncertain`.
    #[schema(minimum = 0.0, maximum = 1.0, example = 0.449)]
    pub rejection_threshold: f32,
    /// Length of a window in seconds, unless a caller asks for another.
    #[schema(minimum = 0.1, maximum = 60.0, example = 4.0)]
    pub window_seconds: f64,
    /// Length of each segment after the first in seconds, unless a caller asks for another.
    #[schema(minimum = 0.1, maximum = 60.0, example = 2.0)]
    pub hop_seconds: f64,
    /// What it was trained on.
    pub data: Vec<CorpusBody>,
    /// Measured figures by name.
    #[schema(value_type = Object)]
    pub metrics: Value,
    /// What turns sound into the model's input.
    #[schema(value_type = Object)]
    pub features: FeatureSpec,
    /// The program that serves it.
    pub server: ServerBody,
    /// Whatever else the trainer noted.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub more: Map<String, Value>,
}

/// A corpus that a model was trained on.
#[derive(Debug, Serialize, ToSchema)]
pub struct CorpusBody {
    /// Its name.
    #[schema(example = "TESS")]
    pub name: String,
    /// Its licence, as its authors state it.
    #[schema(example = "CC BY-NC-ND 4.0")]
    pub licence: String,
    /// Clips trained on.
    #[schema(example = 2240)]
    pub clips: usize,
    /// Speakers trained on.
    #[schema(example = 2)]
    pub speakers: usize,
}

/// The program that serves a model.
#[derive(Debug, Serialize, ToSchema)]
pub struct ServerBody {
    /// Its version.
    #[schema(example = "0.1.0")]
    pub version: &'static str,
    /// The git revision it was built from, or `unknown`.
    #[schema(example = "9c08b62d0d5f4f6f9a3f2b9d3f9b1c5e6a7d8e9f")]
    pub revision: &'static str,
}

/// The loaded model.
#[utoipa::path(
    get, path = "/model", tag = "emotion", params(Which),
    responses(
        (status = 200, description = "Its card and its features", body = ModelBody),
        (status = 400, description = "`bad_request`: there is no such model", body = ErrorBody),
        (status = 401, description = "`unauthorized`: a missing or wrong API key", body = ErrorBody),
        (status = 429, description = "`rate_limited`; see Retry-After", body = ErrorBody),
    )
)]
pub async fn model(State(app): State<App>, which: Parameters<Which>) -> Result<Json<ModelBody>, ApiError> {
    let served = app.models.get(which.0.model.as_deref())?;
    Ok(Json(served.pipeline.classifier().into()))
}

impl From<&Classifier> for ModelBody {
    fn from(classifier: &Classifier) -> Self {
        let card = ModelCard::clone(classifier.card());
        Self {
            name: card.name,
            version: card.version,
            architecture: card.architecture,
            labels: card.labels,
            temperature: card.temperature,
            temperature_in_doubt: card.temperature_in_doubt,
            rejection_threshold: card.rejection_threshold,
            window_seconds: card.window_seconds,
            hop_seconds: card.hop_seconds,
            data: card.data.into_iter().map(CorpusBody::from).collect(),
            metrics: card.metrics,
            features: classifier.features().clone(),
            server: ServerBody { version: VERSION, revision: REVISION },
            more: card.more,
        }
    }
}

impl From<Corpus> for CorpusBody {
    fn from(corpus: Corpus) -> Self {
        Self { name: corpus.name, licence: corpus.licence, clips: corpus.clips, speakers: corpus.speakers }
    }
}
