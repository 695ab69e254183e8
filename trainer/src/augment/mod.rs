//! What a recording goes through before it reaches a listener: another pace, a room, noise, a microphone, a telephone.
//!
//! Every change is a pure function over [`Waveform`](emotone::audio::Waveform); chance enters through a seeded
//! generator alone, so a seed gives the same sound again. [`Step`] names each change with its figures, an
//! [`Augmenter`] draws chains of them for training, and [`telephone`] is the one fixed channel that every figure
//! "over the telephone" is measured with. Masks and mixtures act on features instead.

mod level;
mod filter;
mod stretch;
mod crop;
mod reverberation;
mod noise;
mod babble;
mod equalizer;
mod g711;
mod gsm;
mod packets;
mod telephone;
mod step;
mod recipe;
mod augmenter;
mod mask;
mod mixup;
#[cfg(test)]
mod sounds;

use emotone::audio::{AudioError, Waveform};

pub use augmenter::{Augmented, Augmenter, copy_seed};
pub use babble::{Babble, Voice};
pub use crop::{crop, surround};
pub use equalizer::{Band, equalize};
pub use filter::{Biquad, Cascade};
pub use g711::{Law, compand};
pub use gsm::gsm;
pub use level::{clip, set_level};
pub use mask::{MaskSettings, Masks, mask};
pub use mixup::mixing_weight;
pub use noise::{Color, add_noise, noise};
pub use packets::{Concealment, PacketLoss, lose_packets};
pub use recipe::{Chance, Recipe, Voices};
pub use reverberation::reverberate;
pub use step::{Codec, NoiseKind, Step};
pub use stretch::{pitch, speed, tempo};
pub use telephone::{TELEPHONE_RATE_HZ, band_limit, telephone};

/// Other samples at the same rate.
fn with_samples(waveform: &Waveform, samples: Vec<f32>) -> Result<Waveform, AudioError> {
    Waveform::new(samples, waveform.sample_rate_hz())
}
