//! From first weights to the best epoch's.

mod schedule;
mod examples;
mod average;
mod epochs;

pub use average::WeightAverage;
pub use epochs::{EpochFigures, Trained, TrainingOptions, logits, train};
pub use examples::Examples;
pub use schedule::{Monitor, Plateau, Schedule};
