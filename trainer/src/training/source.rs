//! Where the batches of a training come from.

use anyhow::Result;
use burn::tensor::{Device, Tensor};
use rand::RngExt;
use rand::rngs::StdRng;

use super::described::Described;
use super::{Examples, Shown, Variation};
use crate::network::Network;

/// What is shown, ready to be drawn from.
pub enum Source<'a> {
    /// See [`Shown::Served`].
    Served,
    /// See [`Shown::Stretches`].
    Stretches(&'a Variation),
    /// See [`Shown::Described`].
    Described(Described<'a>),
}

impl<'a> Source<'a> {
    /// For a network and its examples.
    ///
    /// # Errors
    /// If features cannot be read.
    pub fn new(shown: &'a Shown, network: &Network, examples: &Examples, seed: u64) -> Result<Self> {
        Ok(match shown {
            Shown::Served => Self::Served,
            Shown::Stretches(variation) => Self::Stretches(variation),
            Shown::Described { variation, stretches } => {
                Self::Described(Described::new(network, examples, variation, *stretches, seed)?)
            }
        })
    }

    /// What some places show this time, `[places, frames, channels]`, and the layer that it goes into.
    ///
    /// # Errors
    /// If features cannot be read.
    pub fn batch(
        &self,
        examples: &Examples,
        places: &[u32],
        random: &mut StdRng,
        device: &Device,
    ) -> Result<(usize, Tensor<3>)> {
        Ok(match self {
            Self::Served => (0, examples.windows(places, device)?),
            Self::Stretches(variation) => (0, examples.stretches(places, variation, random.random(), device)?),
            Self::Described(described) => (described.next, described.draw(examples, places, random, device)?),
        })
    }
}
