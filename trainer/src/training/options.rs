//! What shapes a training.

use serde::{Deserialize, Serialize};

use super::{Monitor, Schedule, Variation};

/// What shapes a training, apart from its data and its network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainingOptions {
    /// Times that the examples are shown.
    pub epochs: usize,
    /// Examples a step.
    pub batch_size: usize,
    /// Adam's rate at first.
    pub learning_rate: f64,
    /// How the rate changes.
    pub schedule: Schedule,
    /// Part of the weights that each step takes away, times the rate.
    pub weight_decay: f32,
    /// Largest length of a parameter's gradient; longer ones are shortened to it.
    pub clip_norm: Option<f32>,
    /// Part of each target that is spread over the emotions of its group.
    pub label_smoothing: f32,
    /// Mixes examples with each other.
    pub mixup: Option<Mixup>,
    /// Speakers with more examples than this show as many together in an epoch, all of them and all emotions alike; their
    /// other examples wait for another epoch.
    pub most_of_talkers: Option<usize>,
    /// What is shown of the examples.
    pub shown: Shown,
    /// Part of the old mean of weights that is kept at each step; without, there is no mean.
    pub average: Option<f32>,
    /// Whose weights come out.
    pub keep: Keep,
    /// Decides about order, copies, mixtures and dropout.
    pub seed: u64,
}

impl TrainingOptions {
    /// The same for a training that nobody validates: every epoch would seem as good as the others, so that the last one is
    /// kept, and the training loss is what may stop falling.
    pub fn without_validation(mut self) -> Self {
        self.keep = Keep::Last;
        if let Schedule::Plateau(plateau) = &mut self.schedule {
            plateau.monitor = Monitor::TrainLoss;
        }
        self
    }
}

/// What a training shows of its examples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shown {
    /// The windows that are served.
    Served,
    /// Stretches of copies, drawn anew each time.
    Stretches(Variation),
    /// Stretches that are drawn once, before the first epoch, and kept behind the layers that learn nothing.
    Described {
        /// How they are drawn.
        variation: Variation,
        /// How many of each copy.
        stretches: usize,
    },
}

/// Two examples in one, and both their targets.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Mixup {
    /// Both parameters of the beta distribution of shares.
    pub alpha: f32,
    /// Part of the batches that are mixed.
    pub share: f64,
    /// Layers of the network that come before.
    pub after: usize,
}

/// Whose weights come out of a training.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// Those of the epoch with the best validation accuracy, the lower loss deciding between equals.
    Best,
    /// Those of the last epoch.
    Last,
}
