//! How the API description spells the domain's types, which know nothing of it themselves.

use std::borrow::Cow;

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::audio::RawEncoding;
use crate::model::{Emotion, Probabilities};

impl PartialSchema for Emotion {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(Emotion::ALL.map(Emotion::name)))
            .description(Some("One of the seven emotions."))
            .into()
    }
}

impl ToSchema for Emotion {
    fn name() -> Cow<'static, str> {
        "Emotion".into()
    }
}

impl PartialSchema for Probabilities {
    fn schema() -> RefOr<Schema> {
        let probability = || ObjectBuilder::new().schema_type(Type::Number).minimum(Some(0.0)).maximum(Some(1.0));
        let object = ObjectBuilder::new()
            .schema_type(Type::Object)
            .description(Some("The probability of each emotion; the seven sum to 1."));
        Emotion::ALL
            .into_iter()
            .fold(object, |object, emotion| object.property(emotion.name(), probability()).required(emotion.name()))
            .into()
    }
}

impl ToSchema for Probabilities {
    fn name() -> Cow<'static, str> {
        "Probabilities".into()
    }
}

impl PartialSchema for RawEncoding {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(["pcm_s16le", "mulaw", "alaw"]))
            .description(Some("How a headerless sample is written."))
            .into()
    }
}

impl ToSchema for RawEncoding {
    fn name() -> Cow<'static, str> {
        "RawEncoding".into()
    }
}
