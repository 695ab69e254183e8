//! The Open Inference Protocol, version 2, over REST: the network alone, features in and probabilities out, for KServe and
//! the clients that speak with Triton. Binary tensors are understood and sent.

mod bounded;
mod choice;
mod describe;
mod infer;
mod numbers;
mod tensor;

use serde::Serialize;
use utoipa::ToSchema;

pub use describe::*;
pub use infer::*;

/// Name of the network's input.
const INPUT: &str = "features";
/// Name of its output.
const OUTPUT: &str = "probabilities";
/// The only type of number there is.
const FLOAT: &str = "FP32";

/// Whether a path is one of the protocol's, which tells errors in its own words.
pub fn is_path(path: &str) -> bool {
    path == "/v2" || path.starts_with("/v2/")
}

/// An error in the words of the protocol: a sentence.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = InferenceError)]
pub struct ErrorSentence {
    /// What went wrong.
    #[schema(example = "there is no such model; these are: emotone-robust")]
    pub error: String,
}
