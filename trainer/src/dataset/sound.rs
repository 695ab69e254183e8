//! A file's sound.

use std::path::Path;

use anyhow::{Context, Result};
use emotone::audio::{self, AudioLimits, Recording, Waveform};

/// Decodes a file: every channel, at its own rate.
///
/// # Errors
/// With the file's name, if it cannot be read or is no usable audio.
pub fn recording(path: &Path) -> Result<Recording> {
    let decode =
        || -> Result<Recording> { Ok(audio::decode(std::fs::read(path)?.into(), None, &AudioLimits::default())?) };
    decode().with_context(|| path.display().to_string())
}

/// What a training hears of a file: the mean of its channels, at its own rate.
///
/// # Errors
/// As [`recording`].
pub fn read(path: &Path) -> Result<Waveform> {
    mean(recording(path)?).with_context(|| path.display().to_string())
}

/// Whether not all channels are the same.
pub(super) fn channels_differ(recording: &Recording) -> bool {
    recording.channels.windows(2).any(|pair| pair[0] != pair[1])
}

/// The mean of all channels; the first, bit by bit, where they are the same.
///
/// # Errors
/// If there is none.
pub(super) fn mean(recording: Recording) -> Result<Waveform> {
    let (is_one, scale) = (!channels_differ(&recording), 1.0 / recording.channels.len() as f32);
    let mut channels = recording.channels.into_iter();
    let first = channels.next().context("it has no channel")?;
    if is_one {
        return Ok(first);
    }
    let mut sum = first.samples().to_vec();
    for channel in channels {
        sum.iter_mut().zip(channel.samples()).for_each(|(sum, sample)| *sum += sample);
    }
    sum.iter_mut().for_each(|sample| *sample *= scale);
    Ok(Waveform::new(sum, first.sample_rate_hz())?)
}
