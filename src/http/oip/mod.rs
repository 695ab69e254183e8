//! The Open Inference Protocol, version 2, over REST: the network alone, features in and probabilities out, for KServe and
//! the clients that speak with Triton. Binary tensors are understood and sent.

mod describe;
mod infer;
mod numbers;
mod tensor;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
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

/// An error in the words of the protocol: a sentence.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = InferenceError)]
pub struct ErrorSentence {
    /// What went wrong.
    #[schema(example = "there is no such model; these are: emotone-robust")]
    pub error: String,
}

/// Marks an answer whose error is to be a sentence.
#[derive(Debug, Clone, Copy)]
pub struct InSentences;

/// Has errors told in the words of the protocol.
pub async fn in_sentences(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.extensions_mut().insert(InSentences);
    response
}
