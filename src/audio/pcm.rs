//! Samples that stand for themselves, at a fixed number of bytes each: linear PCM, floats, G.711.

use pulp::{Arch, Simd, WithSimd};

use super::g711;

/// How one sample is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SampleEncoding {
    PcmU8,
    PcmS8,
    PcmS16le,
    PcmS16be,
    PcmS24le,
    PcmS24be,
    PcmS32le,
    PcmS32be,
    PcmF32le,
    PcmF32be,
    PcmF64le,
    PcmF64be,
    Mulaw,
    Alaw,
}

use SampleEncoding::*;

impl SampleEncoding {
    /// The name that answers give it.
    pub(super) fn name(self) -> &'static str {
        match self {
            PcmU8 => "pcm_u8",
            PcmS8 => "pcm_s8",
            PcmS16le => "pcm_s16le",
            PcmS16be => "pcm_s16be",
            PcmS24le => "pcm_s24le",
            PcmS24be => "pcm_s24be",
            PcmS32le => "pcm_s32le",
            PcmS32be => "pcm_s32be",
            PcmF32le => "pcm_f32le",
            PcmF32be => "pcm_f32be",
            PcmF64le => "pcm_f64le",
            PcmF64be => "pcm_f64be",
            Mulaw => "mulaw",
            Alaw => "alaw",
        }
    }

    /// Bytes of one sample, 1 to 8.
    pub(super) fn bytes(self) -> usize {
        match self {
            PcmU8 | PcmS8 | Mulaw | Alaw => 1,
            PcmS16le | PcmS16be => 2,
            PcmS24le | PcmS24be => 3,
            PcmS32le | PcmS32be | PcmF32le | PcmF32be => 4,
            PcmF64le | PcmF64be => 8,
        }
    }

    /// Appends the samples of interleaved `bytes` to `channels`; a last incomplete frame is left out.
    ///
    /// Integers of `n` bits are divided by 2^(n-1), so they lie in [-1, 1) and nothing is rounded up to 24 bits.
    pub(super) fn decode(self, bytes: &[u8], channels: &mut [Vec<f32>]) {
        Arch::new().dispatch(Decode { encoding: self, bytes, channels });
    }
}

/// [`SampleEncoding::decode`] in the widest vector registers there are.
struct Decode<'a> {
    encoding: SampleEncoding,
    bytes: &'a [u8],
    channels: &'a mut [Vec<f32>],
}

impl WithSimd for Decode<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { encoding, bytes, channels } = self;
        match encoding {
            PcmU8 => sweep(bytes, channels, |[byte]: [u8; 1]| (f32::from(byte) - 128.0) / 128.0),
            PcmS8 => sweep(bytes, channels, |[byte]: [u8; 1]| f32::from(byte as i8) / 128.0),
            PcmS16le => sweep(bytes, channels, |sample| f32::from(i16::from_le_bytes(sample)) / 32768.0),
            PcmS16be => sweep(bytes, channels, |sample| f32::from(i16::from_be_bytes(sample)) / 32768.0),
            PcmS24le => sweep(bytes, channels, |[low, middle, high]: [u8; 3]| left_justified([high, middle, low, 0])),
            PcmS24be => sweep(bytes, channels, |[high, middle, low]: [u8; 3]| left_justified([high, middle, low, 0])),
            PcmS32le => sweep(bytes, channels, |[a, b, c, d]: [u8; 4]| left_justified([d, c, b, a])),
            PcmS32be => sweep(bytes, channels, left_justified),
            PcmF32le => sweep(bytes, channels, f32::from_le_bytes),
            PcmF32be => sweep(bytes, channels, f32::from_be_bytes),
            PcmF64le => sweep(bytes, channels, |sample| f64::from_le_bytes(sample) as f32),
            PcmF64be => sweep(bytes, channels, |sample| f64::from_be_bytes(sample) as f32),
            Mulaw => sweep(bytes, channels, |[byte]: [u8; 1]| g711::mulaw_sample(byte)),
            Alaw => sweep(bytes, channels, |[byte]: [u8; 1]| g711::alaw_sample(byte)),
        }
    }
}

fn left_justified(big_endian: [u8; 4]) -> f32 {
    i32::from_be_bytes(big_endian) as f32 / 2_147_483_648.0
}

/// One pass a channel, so that each is written in one go; a reader that yields sample by sample costs 100 times as much.
#[inline(always)]
fn sweep<const BYTES: usize>(bytes: &[u8], channels: &mut [Vec<f32>], value: impl Fn([u8; BYTES]) -> f32) {
    let (samples, _) = bytes.as_chunks::<BYTES>();
    match channels {
        [] => {}
        [only] => only.extend(samples.iter().map(|&sample| value(sample))),
        several => {
            let count = several.len();
            for (number, channel) in several.iter_mut().enumerate() {
                let frames = samples.chunks_exact(count);
                channel.extend(frames.map(|frame| frame.get(number).map_or(0.0, |&sample| value(sample))));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(encoding: SampleEncoding, bytes: &[u8], channels: usize) -> Vec<Vec<f32>> {
        let mut planes = vec![Vec::new(); channels];
        encoding.decode(bytes, &mut planes);
        planes
    }

    #[test]
    fn the_ends_of_each_scale_are_exact() {
        assert_eq!(decoded(PcmU8, &[0, 128, 255], 1), [[-1.0, 0.0, 127.0 / 128.0]]);
        assert_eq!(decoded(PcmS8, &[0x80, 0, 0x7F], 1), [[-1.0, 0.0, 127.0 / 128.0]]);
        assert_eq!(decoded(PcmS16le, &[0, 0x80, 0xFF, 0x7F], 1), [[-1.0, 32767.0 / 32768.0]]);
        assert_eq!(decoded(PcmS16be, &[0x80, 0, 0x7F, 0xFF], 1), [[-1.0, 32767.0 / 32768.0]]);
        assert_eq!(decoded(PcmS24le, &[0, 0, 0x80, 1, 0, 0], 1), [[-1.0, 1.0 / 8_388_608.0]]);
        assert_eq!(decoded(PcmS24be, &[0x80, 0, 0, 0, 0, 1], 1), [[-1.0, 1.0 / 8_388_608.0]]);
        assert_eq!(decoded(PcmS32le, &[0, 0, 0, 0x80], 1), [[-1.0]]);
        assert_eq!(decoded(PcmF64le, &0.25f64.to_le_bytes(), 1), [[0.25]]);
        assert_eq!(decoded(PcmF32be, &(-0.5f32).to_be_bytes(), 1), [[-0.5]]);
    }

    #[test]
    fn channels_come_apart_in_their_order_without_the_incomplete_last_frame() {
        assert_eq!(
            decoded(PcmS8, &[1, 2, 3, 4, 5, 6, 7], 3),
            [[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]].map(|c| c.map(|s| s / 128.0))
        );
        assert_eq!(decoded(PcmS8, &[1, 2], 0), Vec::<Vec<f32>>::new());
    }
}
