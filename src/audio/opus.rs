//! Opus packets to samples; the only user of `rusty-opus`.
//!
//! Source for header, pre-skip and gain: RFC 7845, section 5.1.

use rusty_opus::OpusDecoder;

use super::AudioError;
use super::riff::ByteOrder;

/// Opus is always decoded at this rate.
pub(super) const SAMPLE_RATE_HZ: u32 = 48_000;
/// Longest packet, 120 ms, in samples a channel.
const PACKET_FRAMES: usize = 5760;

/// One stream of Opus packets.
pub(super) struct OpusStream {
    decoder: OpusDecoder,
    channels: usize,
    /// Samples a channel at the start that are the encoder's delay.
    skip: usize,
    gain: f32,
    interleaved: Vec<f32>,
}

impl OpusStream {
    /// Opens a stream from its identification header.
    ///
    /// # Errors
    /// [`AudioError::Invalid`] for a header that is cut off, [`AudioError::Unsupported`] for more than two channels.
    pub(super) fn open(header: &[u8]) -> Result<Self, AudioError> {
        // Version 0 is how MP4 writes the same header, in its own byte order.
        let order = if header.get(8) == Some(&0) { ByteOrder::Big } else { ByteOrder::Little };
        let (Some(&channels), Some(skip), Some(gain)) = (header.get(9), order.u16(header, 10), order.u16(header, 16))
        else {
            return Err(AudioError::Invalid { reason: "its Opus header is cut off".into() });
        };
        let channels = usize::from(channels);
        let decoder = match channels {
            1 | 2 => OpusDecoder::new(SAMPLE_RATE_HZ as i32, channels).ok(),
            _ => None,
        };
        let decoder = decoder
            .ok_or_else(|| AudioError::Unsupported { what: format!("an Opus stream with {channels} channels") })?;
        let gain = 10_f32.powf(f32::from(gain as i16) / 256.0 / 20.0);
        let interleaved = vec![0.0; PACKET_FRAMES.saturating_mul(channels)];
        Ok(Self { decoder, channels, skip: usize::from(skip), gain, interleaved })
    }

    /// Has what an encoder put before the sound decoded like all else.
    pub(super) fn skip_nothing(&mut self) {
        self.skip = 0;
    }

    /// Decodes a packet into `planes`, one vector a channel, whose contents it replaces. False for a broken packet.
    pub(super) fn decode(&mut self, packet: &[u8], planes: &mut Vec<Vec<f32>>) -> bool {
        planes.resize(self.channels, Vec::new());
        planes.iter_mut().for_each(Vec::clear);
        // An empty packet would ask for concealment of the longest gap there is.
        if packet.is_empty() {
            return false;
        }
        let Ok(frames) = self.decoder.decode(packet, PACKET_FRAMES, &mut self.interleaved) else { return false };
        let skipped = self.skip.min(frames);
        self.skip = self.skip.saturating_sub(skipped);
        for (number, plane) in planes.iter_mut().enumerate() {
            let frames = self.interleaved.chunks_exact(self.channels).take(frames).skip(skipped);
            plane.extend(frames.filter_map(|frame| frame.get(number)).map(|sample| sample * self.gain));
        }
        true
    }
}
