//! Bytes to a [`Recording`], in bounded steps.

use bytes::Bytes;

use super::pcm::SampleEncoding;
use super::{AudioError, AudioLimits, RawFormat, Recording, Waveform, container};

/// Decodes a whole recording at once.
///
/// # Errors
/// See [`Decoder`].
pub fn decode(bytes: Bytes, raw: Option<RawFormat>, limits: &AudioLimits) -> Result<Recording, AudioError> {
    Decoder::new(bytes, raw, limits)?.finish()
}

/// A recording on its way from bytes to waveforms.
///
/// Each step decodes a bounded piece (some ms of work at most), so that a scheduler can let a short clip pass a long
/// call. Besides the bytes it holds the samples decoded so far, 4 bytes each, and at most an eighth more.
pub struct Decoder {
    opened: Opened,
    limits: AudioLimits,
    channels: Vec<Vec<f32>>,
    more: bool,
}

/// What is known of a recording after its header, and where its samples come from.
pub(super) struct Opened {
    /// Encoding as the answer names it.
    pub(super) format: String,
    pub(super) sample_rate_hz: u32,
    pub(super) channels: u16,
    /// Samples a channel, if the number of bytes that arrived says so. A header's claim is not enough.
    pub(super) frames: Option<usize>,
    pub(super) source: Box<dyn Source>,
}

/// Where samples come from.
pub(super) trait Source: Send {
    /// Appends a piece of about [`STEP_SAMPLES`] samples at most, as many to each channel. False when nothing is left.
    fn step(&mut self, channels: &mut [Vec<f32>]) -> Result<bool, AudioError>;
}

/// Most samples, all channels together, that one step appends: well below a millisecond of work for PCM.
pub(super) const STEP_SAMPLES: usize = 1 << 17;

impl Decoder {
    /// Reads the header. With a [`RawFormat`] the bytes are samples without one.
    ///
    /// # Errors
    /// [`AudioError::Unsupported`] for what is not audio or in an unknown codec, naming what was seen;
    /// [`AudioError::Invalid`] for headers without sense and for rates or numbers of channels outside the limits;
    /// [`AudioError::TooLong`] if that is already clear.
    pub fn new(bytes: Bytes, raw: Option<RawFormat>, limits: &AudioLimits) -> Result<Self, AudioError> {
        let opened = container::open(bytes, raw)?;
        limits.check_shape(opened.sample_rate_hz, opened.channels)?;
        let mut channels = vec![Vec::new(); usize::from(opened.channels)];
        if let Some(frames) = opened.frames {
            limits.check_not_too_long(frames, opened.sample_rate_hz, opened.channels)?;
            channels.iter_mut().try_for_each(|channel| reserve(channel, frames))?;
        }
        Ok(Self { opened, limits: limits.clone(), channels, more: true })
    }

    /// Decodes the next piece; `false` when there is no more to do.
    ///
    /// # Errors
    /// [`AudioError::TooLong`] as soon as the limit is passed, [`AudioError::Invalid`] for damage that leaves nothing
    /// to go on with. What is merely cut off is no error.
    pub fn step(&mut self) -> Result<bool, AudioError> {
        if self.more {
            self.more = self.opened.source.step(&mut self.channels)?;
            let Opened { sample_rate_hz, channels, .. } = self.opened;
            self.limits.check_not_too_long(self.frames(), sample_rate_hz, channels)?;
        }
        Ok(self.more)
    }

    /// Decodes what is left and gives the recording.
    ///
    /// # Errors
    /// As [`Decoder::step`], and [`AudioError::TooShort`] or [`AudioError::Invalid`] for a recording that is shorter
    /// than the limit, empty, or not made of sound (NaN, infinite, absurdly loud samples).
    pub fn finish(mut self) -> Result<Recording, AudioError> {
        while self.step()? {}
        let sample_rate_hz = self.opened.sample_rate_hz;
        self.limits.check_not_too_short(self.frames(), sample_rate_hz)?;
        let channels = self.channels.into_iter().map(|samples| Waveform::new(samples, sample_rate_hz));
        Ok(Recording { format: self.opened.format, sample_rate_hz, channels: channels.collect::<Result<_, _>>()? })
    }

    fn frames(&self) -> usize {
        self.channels.first().map_or(0, Vec::len)
    }
}

/// Appends decoded samples to recordings of unknown length, which grow by an eighth: doubling would hold up to twice
/// the samples.
///
/// # Errors
/// [`AudioError::Invalid`] if there is no memory for them.
pub(super) fn append(samples: &[Vec<f32>], channels: &mut [Vec<f32>]) -> Result<(), AudioError> {
    const LEAST_GROWTH: usize = 1 << 14;
    for (channel, samples) in channels.iter_mut().zip(samples) {
        if channel.capacity().saturating_sub(channel.len()) < samples.len() {
            reserve(channel, samples.len().max(channel.len() / 8).max(LEAST_GROWTH))?;
        }
        channel.extend_from_slice(samples);
    }
    Ok(())
}

/// Room for more samples; a recording that is too large for this machine is no reason to end.
fn reserve(channel: &mut Vec<f32>, more: usize) -> Result<(), AudioError> {
    channel.try_reserve_exact(more).map_err(|_| AudioError::Invalid {
        reason: format!("there is no memory for {} samples a channel", channel.len().saturating_add(more)),
    })
}

/// Interleaved samples of a fixed number of bytes each.
pub(super) struct Interleaved {
    encoding: SampleEncoding,
    frame_bytes: usize,
    data: Bytes,
}

impl Interleaved {
    /// Takes `data` from its first frame to its last complete one.
    pub(super) fn open(encoding: SampleEncoding, sample_rate_hz: u32, channels: u16, data: Bytes) -> Opened {
        let frame_bytes = encoding.bytes().saturating_mul(usize::from(channels));
        Opened {
            format: encoding.name().into(),
            sample_rate_hz,
            channels,
            frames: data.len().checked_div(frame_bytes),
            source: Box::new(Self { encoding, frame_bytes, data }),
        }
    }
}

impl Source for Interleaved {
    fn step(&mut self, channels: &mut [Vec<f32>]) -> Result<bool, AudioError> {
        let frames = STEP_SAMPLES.checked_div(channels.len()).unwrap_or(0);
        let piece = self.data.split_to(frames.saturating_mul(self.frame_bytes).min(self.data.len()));
        self.encoding.decode(&piece, channels);
        Ok(!piece.is_empty() && self.data.len() >= self.frame_bytes)
    }
}
