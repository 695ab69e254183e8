//! Codecs of WAV files that pack samples into blocks of a fixed number of bytes: ADPCM and GSM.

use bytes::Bytes;

use super::AudioError;
use super::adpcm::AdpcmBlocks;
use super::decoder::{Opened, STEP_SAMPLES, Source};
use super::gsm::{self, GsmDecoder};

/// What the blocks are coded in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BlockCodec {
    AdpcmIma,
    AdpcmMs,
    Gsm,
}

/// The lengths of one stream's blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BlockFormat {
    pub(super) codec: BlockCodec,
    pub(super) sample_rate_hz: u32,
    pub(super) channels: u16,
    /// Bytes of a block, all channels.
    pub(super) bytes: u16,
}

impl BlockFormat {
    /// The name that answers give the codec.
    pub(super) fn name(self) -> &'static str {
        match self.codec {
            BlockCodec::AdpcmIma => "adpcm_ima_wav",
            BlockCodec::AdpcmMs => "adpcm_ms",
            BlockCodec::Gsm => "gsm",
        }
    }

    /// Samples a channel in a block of which the first `bytes` are there.
    pub(super) fn frames_in(self, bytes: usize) -> usize {
        let channels = usize::from(self.channels).max(1);
        let nibbles = |header: usize| {
            let coded = bytes.saturating_sub(header.saturating_mul(channels));
            coded.saturating_mul(2).checked_div(channels).unwrap_or(0)
        };
        match self.codec {
            BlockCodec::AdpcmIma if bytes < channels.saturating_mul(4) => 0,
            // Channels take turns every 8 samples.
            BlockCodec::AdpcmIma => (nibbles(4) & !7).saturating_add(1),
            BlockCodec::AdpcmMs if bytes < channels.saturating_mul(7) => 0,
            BlockCodec::AdpcmMs => nibbles(7).saturating_add(2),
            BlockCodec::Gsm => {
                if bytes < gsm::BLOCK_BYTES {
                    0
                } else {
                    gsm::BLOCK_SAMPLES
                }
            }
        }
    }
}

/// Blocks one after the other; one that makes no sense becomes silence, so that the rest keeps its time.
pub(super) struct Blocks {
    format: BlockFormat,
    decoder: Decoder,
    data: Bytes,
    /// Samples a channel that are still to come.
    frames_left: usize,
    block: Vec<Vec<f32>>,
}

enum Decoder {
    Adpcm(AdpcmBlocks),
    Gsm(Box<GsmDecoder>),
}

impl Blocks {
    /// Opens a WAV file's `data`; `frames_declared` is what its `fact` chunk says.
    ///
    /// # Errors
    /// [`AudioError::Invalid`] for blocks too short to hold a sample, [`AudioError::Unsupported`] for more channels
    /// than the codec knows.
    pub(super) fn open(format: BlockFormat, data: Bytes, frames_declared: Option<u32>) -> Result<Opened, AudioError> {
        if format.channels == 0 {
            return Err(AudioError::Invalid { reason: "it has 0 channels".into() });
        }
        let bytes = usize::from(format.bytes);
        let full = format.frames_in(bytes);
        if full == 0 || (format.codec == BlockCodec::Gsm && bytes != gsm::BLOCK_BYTES) {
            let reason = format!("its blocks of {bytes} bytes are no {} blocks", format.name());
            return Err(AudioError::Invalid { reason });
        }
        let most_channels = if format.codec == BlockCodec::Gsm { 1 } else { 2 };
        if format.channels > most_channels {
            let what = format!("{} with {} channels", format.name(), format.channels);
            return Err(AudioError::Unsupported { what });
        }
        let decoder = match format.codec {
            BlockCodec::Gsm => Decoder::Gsm(Box::new(GsmDecoder::new())),
            BlockCodec::AdpcmIma | BlockCodec::AdpcmMs => Decoder::Adpcm(AdpcmBlocks::new(format)?),
        };
        let last = format.frames_in(data.len().checked_rem(bytes).unwrap_or(0));
        let present = (data.len().checked_div(bytes).unwrap_or(0)).saturating_mul(full).saturating_add(last);
        // The last block is often padded; `fact` tells, unless it is nonsense.
        let padded = frames_declared.map_or(0, |frames| present.saturating_sub(frames as usize));
        let frames = if padded < full { present.saturating_sub(padded) } else { present };
        let block = vec![Vec::new(); usize::from(format.channels)];
        Ok(Opened {
            format: format.name().into(),
            sample_rate_hz: format.sample_rate_hz,
            channels: format.channels,
            frames: Some(frames),
            source: Box::new(Self { format, decoder, data, frames_left: frames, block }),
        })
    }

    fn decode_block(&mut self, bytes: &[u8]) {
        self.block.iter_mut().for_each(Vec::clear);
        match (&mut self.decoder, self.block.as_mut_slice()) {
            (Decoder::Gsm(decoder), [only]) => decoder.decode(bytes, only),
            (Decoder::Adpcm(decoder), channels) => decoder.decode(bytes, channels),
            (Decoder::Gsm(_), _) => {}
        }
    }
}

impl Source for Blocks {
    fn step(&mut self, channels: &mut [Vec<f32>]) -> Result<bool, AudioError> {
        let bytes = usize::from(self.format.bytes);
        let full = self.format.frames_in(bytes);
        let blocks = STEP_SAMPLES.checked_div(full.saturating_mul(channels.len())).unwrap_or(0).max(1) / 4;
        for _ in 0..blocks.max(1) {
            let piece = self.data.split_to(bytes.min(self.data.len()));
            let frames = self.frames_left.min(self.format.frames_in(piece.len()));
            if frames == 0 {
                return Ok(false);
            }
            self.decode_block(&piece);
            for (channel, block) in channels.iter_mut().zip(&mut self.block) {
                block.resize(frames, 0.0);
                channel.extend_from_slice(block);
            }
            self.frames_left = self.frames_left.saturating_sub(frames);
        }
        Ok(true)
    }
}
