//! Decoded packets as one recording: at one rate, with the same channels all through, and with its pauses.

use super::AudioError;
use super::decoder::{STEP_SAMPLES, Source};
use super::packets::{Packets, guarded};
use super::remix::Remixer;

/// Packets that one step decodes: one or two milliseconds of work.
const STEP_PACKETS: usize = 16;

/// A track as a source of samples of one rate and number of channels, pauses included.
pub(super) struct Track {
    packets: Packets,
    remixer: Remixer,
    /// Whether a packet is decoded and not given out.
    is_pending: bool,
    /// Samples a channel, at the packet's rate, that are missing before it.
    silence: usize,
}

impl Track {
    /// Of packets, the first of which is decoded.
    pub(super) fn new(packets: Packets) -> Self {
        Self { remixer: Remixer::new(packets.sample_rate_hz), packets, is_pending: true, silence: 0 }
    }
}

impl Source for Track {
    fn step(&mut self, channels: &mut [Vec<f32>]) -> Result<bool, AudioError> {
        guarded(|| {
            for _ in 0..STEP_PACKETS {
                if !self.is_pending && !self.packets.next()? {
                    self.remixer.finish(channels)?;
                    return Ok(false);
                }
                let rate_hz = self.packets.sample_rate_hz;
                let pause_s = std::mem::take(&mut self.packets.pause_s);
                self.silence = self.silence.saturating_add((pause_s * f64::from(rate_hz)) as usize);
                self.is_pending = self.silence > 0;
                if self.is_pending {
                    let piece = self.silence.min(STEP_SAMPLES.checked_div(channels.len()).unwrap_or(0));
                    self.silence = self.silence.saturating_sub(piece);
                    self.remixer.append(&[vec![0.0; piece]], rate_hz, channels)?;
                    return Ok(true);
                }
                self.remixer.append(&self.packets.planes, rate_hz, channels)?;
            }
            Ok(true)
        })
    }
}
