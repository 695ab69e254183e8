//! A file's sound.

use std::path::Path;

use anyhow::{Context, Result};
use emotone::audio::{self, AudioLimits, Recording, Waveform};

/// Decodes a file: the mean of its channels, at its own rate.
///
/// # Errors
/// With the file's name, if it cannot be read or is no usable audio.
pub fn read(path: &Path) -> Result<Waveform> {
    let decode = || mono(audio::decode(std::fs::read(path)?.into(), None, &AudioLimits::default())?);
    decode().with_context(|| path.display().to_string())
}

fn mono(mut recording: Recording) -> Result<Waveform> {
    if recording.channels.len() == 1 {
        return Ok(recording.channels.remove(0));
    }
    let scale = 1.0 / recording.channels.len().max(1) as f32;
    let mut channels = recording.channels.iter();
    let first = channels.next().context("it has no channel")?;
    let mut sum = first.samples().to_vec();
    for channel in channels {
        sum.iter_mut().zip(channel.samples()).for_each(|(sum, sample)| *sum += sample);
    }
    sum.iter_mut().for_each(|sample| *sample *= scale);
    Ok(Waveform::new(sum, first.sample_rate_hz())?)
}
