//! Bytes to waveforms, whatever a recorder wrote.
//!
//! In reading order: [`Decoder`] takes the bytes of a file (or headerless telephony samples described by a
//! [`RawFormat`]), the content itself says which container and codec it is, and every channel becomes a finite
//! [`Waveform`] at the recording's own rate. [`Resampler`] takes it from there to the rate a model wants.
//!
//! Bytes are hostile here. What this module keeps: every limit of [`AudioLimits`] is checked before anything is
//! allocated for it; memory follows the bytes that arrived, never a size that a header claims; any byte string ends
//! in a [`Recording`] or an [`AudioError`].

#![cfg_attr(
    not(test),
    deny(
        clippy::indexing_slicing,
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::unreachable,
        clippy::arithmetic_side_effects
    )
)]

mod decoder;
mod container;
mod tags;
mod riff;
mod au;
mod aiff;
mod ogg;
mod mp4;
mod matroska;
mod sync;
mod parts;
mod link;
mod ends;
mod selection;
mod pauses;
mod remix;
mod packets;
mod track;
mod opus;
mod blocks;
mod adpcm;
mod gsm;
mod pcm;
pub mod g711;
mod raw;
mod resample;
mod waveform;
mod limits;
mod error;
mod name;

pub use decoder::{Decoder, decode};
pub use error::AudioError;
pub use limits::AudioLimits;
pub use name::is_audio_name;
pub use raw::{RawDecoder, RawEncoding, RawFormat};
pub use resample::{Resampler, resample};
pub use waveform::{Recording, Waveform};
