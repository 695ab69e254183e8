//! The self-describing ONNX file: what it says of itself, the network, and what it answers.

mod error;
mod metadata;
mod prediction;
mod recurrence;
mod lstm;
mod convolution;
mod classifier;

pub use classifier::Classifier;
pub use error::ModelError;
pub use metadata::{CARD_KEY, Corpus, FEATURES_KEY, ModelCard};
pub use prediction::{Emotion, Probabilities};
