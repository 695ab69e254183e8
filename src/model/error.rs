//! Why a model cannot be used.

use crate::features::FeatureError;

/// Everything that can be wrong with a model file, or with running it.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The bytes are no ONNX model.
    #[error("not an ONNX model: {0}")]
    NotOnnx(String),
    /// A metadata key is not there.
    #[error("metadata `{0}` is missing: this model does not say what it needs")]
    MissingMetadata(&'static str),
    /// A metadata key does not hold what it must.
    #[error("metadata `{key}` is not understood: {problem}")]
    BadMetadata {
        /// Which key.
        key: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// The features it asks for make no sense.
    #[error(transparent)]
    Features(#[from] FeatureError),
    /// The graph's input is another than the features give.
    #[error("the graph does not fit its metadata: {0}")]
    DoesNotFit(String),
    /// The network failed, or answered with something that is no probability.
    #[error("inference failed: {0}")]
    Inference(String),
}
