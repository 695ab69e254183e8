//! What a network consists of, in words that can be stored.

use std::fmt;

use emotone::model::Emotion;
use serde::{Deserialize, Serialize};

use super::{Coupling, FunctionalsSpec};

/// One layer, its sizes and its regularization.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "layer", rename_all = "snake_case")]
pub enum LayerSpec {
    /// Weighs frames by their level from here on: centring and pooling count them by that. A frame's
    /// weight is `clamp(slope · (level - highest level of the window) + offset, 0, 1)`.
    Weigh {
        /// Column of the level.
        column: usize,
        /// Slope and offset.
        line: [f32; 2],
    },
    /// Takes the mean over time off the first columns.
    Centre {
        /// How many.
        columns: usize,
        /// Divides them by their deviation over time, too.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        scaled: bool,
    },
    /// Describes the whole window in one row.
    Functionals(FunctionalsSpec),
    /// Cuts values off beyond a limit.
    Clip {
        /// Largest absolute value.
        limit: f32,
    },
    /// Convolution over time that keeps the length.
    Conv {
        /// Channels that come out.
        filters: usize,
        /// Frames it looks at.
        width: usize,
        /// Cuts at zero afterwards.
        relu: bool,
    },
    /// Maximum of each so many frames; a last stretch may be shorter.
    MaxPool {
        /// Frames that become one.
        size: usize,
    },
    /// Mean of each so many frames; a last stretch may be shorter.
    AveragePool {
        /// Frames that become one.
        size: usize,
    },
    /// Normalization with the batch's moments in training, running ones (momentum 0.99) afterwards; epsilon 1e-3.
    BatchNorm,
    /// Cuts at zero.
    Relu,
    /// Sets values to zero in training, and scales up the others.
    Dropout {
        /// Part that is dropped.
        rate: f32,
    },
    /// Sets whole channels to zero in training, all frames of them alike.
    ChannelDropout {
        /// Part that is dropped.
        rate: f32,
    },
    /// Long short-term memory.
    Lstm {
        /// Size of the state, each direction.
        units: usize,
        /// Gives the state of every frame instead of the last.
        sequences: bool,
        /// Runs a second one from the end to the start, and joins both.
        both_directions: bool,
        /// Part of the inputs that is dropped in training, the same at every step.
        dropout: f32,
        /// Part of the state that is dropped in training, the same at every step.
        recurrent_dropout: f32,
    },
    /// All frames side by side as one.
    Flatten,
    /// Joins the frames into one: what attention weighs, the mean, the maximum, side by side as asked for.
    TimePooling {
        /// Hidden units of the attention's score; 0 leaves it out.
        attention: usize,
        /// With the mean.
        mean: bool,
        /// With the maximum.
        max: bool,
        /// With the standard deviation.
        #[serde(default)]
        spread: bool,
    },
    /// Every unit sees all channels.
    Dense {
        /// Channels that come out.
        units: usize,
        /// Cuts at zero afterwards.
        relu: bool,
        /// Weight of the sum of absolute weights in the loss.
        l1: f32,
        /// Weight of the sum of squared weights in the loss.
        l2: f32,
    },
}

impl LayerSpec {
    /// Frames and channels that come out, given those that go in.
    pub fn output(&self, [frames, channels]: [usize; 2]) -> [usize; 2] {
        match *self {
            Self::Functionals(ref spec) => [1, spec.outputs(channels)],
            Self::Conv { filters, .. } => [frames, filters],
            Self::MaxPool { size } | Self::AveragePool { size } => [frames.div_ceil(size), channels],
            Self::Weigh { .. }
            | Self::Centre { .. }
            | Self::Clip { .. }
            | Self::BatchNorm
            | Self::Relu
            | Self::Dropout { .. }
            | Self::ChannelDropout { .. } => [frames, channels],
            Self::Lstm { units, sequences, both_directions, .. } => {
                [if sequences { frames } else { 1 }, if both_directions { 2 * units } else { units }]
            }
            Self::Flatten => [1, frames * channels],
            Self::TimePooling { attention, mean, max, spread } => {
                let parts = [attention > 0, mean, max, spread];
                [1, channels * parts.into_iter().filter(|part| *part).count()]
            }
            Self::Dense { units, .. } => [frames, units],
        }
    }
}

impl fmt::Display for LayerSpec {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Weigh { .. } => formatter.write_str("weigh by level"),
            Self::Centre { scaled: false, .. } => formatter.write_str("centre"),
            Self::Centre { scaled: true, .. } => formatter.write_str("centre and scale"),
            Self::Functionals(ref spec) if spec.coupled.is_empty() => formatter.write_str("functionals"),
            Self::Functionals(ref spec) => {
                write!(formatter, "functionals, {} columns coupled", spec.coupled.len())?;
                if spec.coupling == Coupling::Root {
                    formatter.write_str(" by roots")?;
                }
                let steps = |step: &usize| write!(formatter, " and over {step} frames");
                spec.coupled_steps.iter().try_for_each(steps)
            }
            Self::Clip { limit } => write!(formatter, "clip {limit}"),
            Self::Conv { filters, width, .. } => write!(formatter, "conv {filters}x{width}"),
            Self::MaxPool { size } => write!(formatter, "max-pool {size}"),
            Self::AveragePool { size } => write!(formatter, "average-pool {size}"),
            Self::BatchNorm => formatter.write_str("batch norm"),
            Self::Relu => formatter.write_str("relu"),
            Self::Dropout { rate } => write!(formatter, "dropout {rate}"),
            Self::ChannelDropout { rate } => write!(formatter, "channel dropout {rate}"),
            Self::Lstm { units, both_directions: true, .. } => write!(formatter, "bidirectional LSTM {units}"),
            Self::Lstm { units, .. } => write!(formatter, "LSTM {units}"),
            Self::Flatten => formatter.write_str("flatten"),
            Self::TimePooling { attention, mean, max, spread } => {
                let parts = [(attention > 0, "attention"), (mean, "mean"), (max, "maximum"), (spread, "deviation")];
                let names: Vec<&str> = parts.into_iter().filter_map(|(is_in, name)| is_in.then_some(name)).collect();
                write!(formatter, "{} over time", names.join(" + "))
            }
            Self::Dense { units, .. } => write!(formatter, "dense {units}"),
        }
    }
}

/// Layers in the order of the data; a dense layer of seven units for each group follows the last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Architecture {
    /// Short name, such as `cnn-lstm`.
    pub name: String,
    /// The layers.
    pub layers: Vec<LayerSpec>,
    /// Groups of speakers that it tells apart while it learns: each has units of its own for the seven emotions, one softmax
    /// over all of them, and what is asked is the sum over groups. So what one corpus' actors do for an emotion need not be
    /// what another's do. Stored by the name that it had when all of them were corpora.
    #[serde(rename = "corpora", default = "one", skip_serializing_if = "is_one")]
    pub groups: usize,
}

fn one() -> usize {
    1
}

fn is_one(count: &usize) -> bool {
    *count == 1
}

impl Architecture {
    /// Layers by a name, nobody told apart.
    pub fn new(name: &str, layers: impl IntoIterator<Item = LayerSpec>) -> Self {
        Self { name: name.into(), layers: layers.into_iter().collect(), groups: 1 }
    }

    /// The same for so many groups.
    pub fn telling_apart(self, groups: usize) -> Self {
        Self { groups: groups.max(1), ..self }
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let layers: Vec<String> = self.layers.iter().map(LayerSpec::to_string).collect();
        let units = Emotion::COUNT * self.groups;
        write!(formatter, "{}, dense {units}, softmax", layers.join(", "))?;
        if self.groups > 1 {
            write!(formatter, ", sum over {} groups", self.groups)?;
        }
        Ok(())
    }
}
