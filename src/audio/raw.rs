//! Headerless telephony samples, described by parameters.

use serde::{Deserialize, Serialize};

use super::pcm::SampleEncoding;

/// How one sample is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RawEncoding {
    /// 16-bit linear, little-endian.
    PcmS16le,
    /// G.711 mu-law, one byte.
    Mulaw,
    /// G.711 A-law, one byte.
    Alaw,
}

/// Samples without a header, channels interleaved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawFormat {
    /// How one sample is written.
    pub encoding: RawEncoding,
    /// Samples per second of each channel, in Hz.
    pub sample_rate_hz: u32,
    /// Number of channels.
    pub channels: u16,
}

impl From<RawEncoding> for SampleEncoding {
    fn from(encoding: RawEncoding) -> Self {
        match encoding {
            RawEncoding::PcmS16le => Self::PcmS16le,
            RawEncoding::Mulaw => Self::Mulaw,
            RawEncoding::Alaw => Self::Alaw,
        }
    }
}

/// Decodes a live stream of raw samples that arrives in pieces of any length.
///
/// A frame (one sample of every channel) that is cut between two pieces is put together again, so the result
/// depends on the bytes alone. Holds at most one frame of bytes.
#[derive(Debug, Clone)]
pub struct RawDecoder {
    encoding: SampleEncoding,
    frame_bytes: usize,
    rest: Vec<u8>,
}

impl RawDecoder {
    /// A decoder at the start of a stream. Limits on rate and channels are the caller's to check.
    pub fn new(format: RawFormat) -> Self {
        let encoding = SampleEncoding::from(format.encoding);
        let frame_bytes = encoding.bytes().saturating_mul(usize::from(format.channels));
        Self { encoding, frame_bytes, rest: Vec::new() }
    }

    /// Appends the samples of all frames that `bytes` completes, in [-1, 1], to one vector a channel.
    ///
    /// `channels` must have as many entries as the format has channels; with another number, or none, nothing is
    /// appended and the bytes are dropped.
    pub fn push(&mut self, bytes: &[u8], channels: &mut [Vec<f32>]) {
        if self.encoding.bytes().saturating_mul(channels.len()) != self.frame_bytes || channels.is_empty() {
            return;
        }
        let missing = self.frame_bytes.saturating_sub(self.rest.len());
        let bytes = match (self.rest.is_empty(), bytes.split_at_checked(missing)) {
            (true, _) => bytes,
            (false, Some((completion, others))) => {
                self.rest.extend_from_slice(completion);
                self.encoding.decode(&self.rest, channels);
                self.rest.clear();
                others
            }
            (false, None) => {
                self.rest.extend_from_slice(bytes);
                return;
            }
        };
        self.encoding.decode(bytes, channels);
        self.rest.extend_from_slice(bytes.chunks_exact(self.frame_bytes).remainder());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pushed(format: RawFormat, pieces: &[&[u8]]) -> Vec<Vec<f32>> {
        let mut decoder = RawDecoder::new(format);
        let mut channels = vec![Vec::new(); usize::from(format.channels)];
        for piece in pieces {
            decoder.push(piece, &mut channels);
        }
        channels
    }

    proptest! {
        #[test]
        fn the_result_does_not_depend_on_how_the_stream_was_cut(
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
            cuts in proptest::collection::vec(0usize..200, 0..12),
            channels in 1u16..5,
            encoding in prop_oneof![Just(RawEncoding::PcmS16le), Just(RawEncoding::Mulaw), Just(RawEncoding::Alaw)],
        ) {
            let format = RawFormat { encoding, sample_rate_hz: 8000, channels };
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|ends| &bytes[ends[0]..ends[1]]).collect();
            prop_assert_eq!(pushed(format, &pieces), pushed(format, &[&bytes]));
        }
    }

    #[test]
    fn a_wrong_number_of_vectors_gets_nothing() {
        let mut decoder =
            RawDecoder::new(RawFormat { encoding: RawEncoding::Mulaw, sample_rate_hz: 8000, channels: 2 });
        let mut one = [Vec::new()];
        decoder.push(&[1, 2, 3], &mut one);
        assert_eq!(one, [Vec::<f32>::new()]);
    }
}
