//! What of a clip is kept as features.

use anyhow::Result;
use emotone::audio::{Waveform, resample};

use super::Clip;
use crate::augment::{Augmenter, copy_seed, telephone};

/// Which copies of each clip are made, in the order of their records.
pub enum Copies {
    /// The clip alone.
    Plain,
    /// The clip, the same over the telephone, and further ones by chance.
    Varied(Box<Varied>),
}

/// How the further copies are made.
pub struct Varied {
    /// What they go through.
    pub augmenter: Augmenter,
    /// How many.
    pub random: usize,
    /// Decides what happens to each.
    pub seed: u64,
}

/// The copies that are no chance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Original {
    /// The clip as it is.
    Clean,
    /// Over the telephone that figures are measured with.
    Telephone,
}

impl Copies {
    /// The clip, the same over the telephone, and `random` copies by `augmenter`.
    pub fn varied(augmenter: Augmenter, random: usize, seed: u64) -> Self {
        Self::Varied(Box::new(Varied { augmenter, random, seed }))
    }

    /// Records of each clip.
    pub fn each(&self) -> usize {
        match self {
            Self::Plain => 1,
            Self::Varied(varied) => 2 + varied.random,
        }
    }

    /// Copy `number` of a clip, at `rate_hz`.
    pub(super) fn make(
        &self,
        clip: &Clip,
        index: u32,
        sound: &Waveform,
        number: usize,
        rate_hz: u32,
    ) -> Result<Waveform> {
        let copy = match (self, number) {
            (Self::Plain, _) | (_, 0) => sound.clone(),
            (_, 1) => telephone(sound)?,
            (Self::Varied(varied), _) => {
                let seed = copy_seed(varied.seed, number as u64, u64::from(index));
                varied.augmenter.augment(sound, &clip.speaker, seed)?.waveform
            }
        };
        Ok(resample(&copy, rate_hz)?)
    }
}

impl Original {
    /// Both.
    pub const ALL: [Original; 2] = [Original::Clean, Original::Telephone];

    /// Number of its record among a clip's.
    pub fn number(self) -> usize {
        self as usize
    }

    /// What it is called in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Telephone => "phone",
        }
    }
}
