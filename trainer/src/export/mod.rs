//! Networks as one self-describing ONNX file, verified through the library that serves it.

mod graph;
mod views;
mod coupling;
mod functionals;
mod layers;
mod model;
mod verify;

pub use model::to_onnx;
pub use verify::{TOLERANCE, largest_difference, verify};
