//! From first weights to the best epoch's, or to the mean of the last ones.

mod options;
mod schedule;
mod examples;
mod groups;
mod targets;
mod mingle;
mod variation;
mod described;
mod source;
mod sampling;
mod average;
mod checkpoint;
mod epochs;

pub use average::WeightAverage;
pub use checkpoint::Checkpoint;
pub use epochs::{EpochFigures, Trained, logits, train};
pub use examples::Examples;
pub use groups::{Groups, ToldApart};
pub use mingle::Mingle;
pub use options::{Keep, Mixup, Shown, TrainingOptions};
pub use schedule::{Monitor, Plateau, Schedule};
pub use variation::Variation;
