//! Parts of a recording that differ in rate or channels, as one.

use std::borrow::Cow;

use super::decoder::append;
use super::{AudioError, Resampler};

/// Brings whatever comes to the rate and the channels of a recording's first part, as a prompt needs that was put before
/// a call.
pub(super) struct Remixer {
    to_hz: u32,
    /// Rate of the part that is going on.
    from_hz: u32,
    /// One for each channel while the rates differ.
    resamplers: Vec<Resampler>,
}

impl Remixer {
    /// To `to_hz`, which is the first part's rate.
    pub(super) fn new(to_hz: u32) -> Self {
        Self { to_hz, from_hz: to_hz, resamplers: Vec::new() }
    }

    /// Appends samples at `from_hz`, as many to each channel. Where there are fewer or more planes than channels, each
    /// channel gets their mean.
    ///
    /// # Errors
    /// [`AudioError::Invalid`] if there is no memory for them, or for a rate outside 1 to 768 kHz.
    pub(super) fn append(
        &mut self,
        planes: &[Vec<f32>],
        from_hz: u32,
        channels: &mut [Vec<f32>],
    ) -> Result<(), AudioError> {
        if from_hz != self.from_hz {
            self.finish(channels)?;
            self.from_hz = from_hz;
            if from_hz != self.to_hz {
                let resampler = |_: &Vec<f32>| Resampler::new(from_hz, self.to_hz);
                self.resamplers = channels.iter().map(resampler).collect::<Result<_, _>>()?;
            }
        }
        let planes = match planes.len() == channels.len() {
            true => Cow::Borrowed(planes),
            false => Cow::Owned(vec![mean(planes); channels.len()]),
        };
        if self.resamplers.is_empty() {
            return append(&planes, channels);
        }
        let mut resampled = vec![Vec::new(); channels.len()];
        for ((resampler, plane), out) in self.resamplers.iter_mut().zip(&*planes).zip(&mut resampled) {
            resampler.push(plane, out);
        }
        append(&resampled, channels)
    }

    /// Appends what is still on its way through the filters.
    ///
    /// # Errors
    /// As [`Remixer::append`].
    pub(super) fn finish(&mut self, channels: &mut [Vec<f32>]) -> Result<(), AudioError> {
        let mut rest = vec![Vec::new(); self.resamplers.len()];
        self.resamplers.drain(..).zip(&mut rest).for_each(|(mut resampler, rest)| resampler.finish(rest));
        append(&rest, channels)
    }
}

/// The mean of all planes, as long as the first.
fn mean(planes: &[Vec<f32>]) -> Vec<f32> {
    let share = 1.0 / planes.len().max(1) as f32;
    let mut sum = vec![0.0; planes.first().map_or(0, Vec::len)];
    for plane in planes {
        sum.iter_mut().zip(plane).for_each(|(sum, sample)| *sum += sample * share);
    }
    sum
}
