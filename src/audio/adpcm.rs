//! ADPCM, 4 bits a sample, in the blocks of WAV files, by Symphonia's decoder.
//!
//! The blocks are cut out here and not by Symphonia's WAV reader, which believes what headers say of sizes.

use symphonia::core::audio::Channels;
use symphonia::core::codecs::audio::well_known::{CODEC_ID_ADPCM_IMA_WAV, CODEC_ID_ADPCM_MS};
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::packet::Packet;
use symphonia::core::units::{Duration, Timestamp};

use super::AudioError;
use super::blocks::{BlockCodec, BlockFormat};
use super::decoder::append;
use super::packets::guarded;

/// A decoder of blocks that do not depend on each other.
pub(super) struct AdpcmBlocks {
    decoder: Box<dyn AudioDecoder>,
    frames: u64,
    block: Vec<u8>,
    block_bytes: usize,
    planes: Vec<Vec<f32>>,
}

impl AdpcmBlocks {
    /// # Errors
    /// [`AudioError::Unsupported`] if Symphonia has no decoder for the format.
    pub(super) fn new(format: BlockFormat) -> Result<Self, AudioError> {
        let block_bytes = usize::from(format.bytes);
        let frames = format.frames_in(block_bytes) as u64;
        let mut parameters = AudioCodecParameters::new();
        parameters
            .for_codec(if format.codec == BlockCodec::AdpcmMs { CODEC_ID_ADPCM_MS } else { CODEC_ID_ADPCM_IMA_WAV })
            .with_sample_rate(format.sample_rate_hz)
            .with_channels(Channels::Discrete(format.channels))
            .with_max_frames_per_packet(frames)
            .with_frames_per_block(frames);
        let decoder = guarded(|| {
            symphonia::default::get_codecs()
                .make_audio_decoder(&parameters, &AudioDecoderOptions::default())
                .map_err(|_| AudioError::Unsupported { what: format!("a WAV file with {}", format.name()) })
        })?;
        Ok(Self { decoder, frames, block: Vec::new(), block_bytes, planes: Vec::new() })
    }

    /// Appends a block's samples to `channels`: nothing if the block is damaged. A cut block is filled up with zeros.
    pub(super) fn decode(&mut self, block: &[u8], channels: &mut [Vec<f32>]) {
        self.block.clear();
        self.block.extend_from_slice(block);
        self.block.resize(self.block_bytes, 0);
        let packet = Packet::new(0, Timestamp::new(0), Duration::new(self.frames), self.block.as_slice());
        let decoded = guarded(|| {
            if let Ok(decoded) = self.decoder.decode(&packet) {
                decoded.copy_to_vecs_planar(&mut self.planes);
                append(&self.planes, channels)?;
            }
            Ok(())
        });
        if decoded.is_err() {
            channels.iter_mut().for_each(Vec::clear);
        }
    }
}
