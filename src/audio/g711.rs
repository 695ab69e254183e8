//! G.711, the companding of telephone lines: one byte a sample, mu-law (13 + 1 bits) or A-law (12 + 1 bits).
//!
//! Source: ITU-T Recommendation G.711 (11/88), tables 1a to 2b. Linear values are the recommendation's, left-justified
//! in 16 bits: mu-law times 4 (largest 32124), A-law times 8 (largest 32256).

/// Linear value of a mu-law byte, in [-32124, 32124].
pub const fn mulaw_to_linear(byte: u8) -> i16 {
    let inverted = !byte;
    let exponent = (inverted >> 4) & 0x07;
    let mantissa = (inverted & 0x0F) as i16;
    let magnitude = (((mantissa << 3) | BIAS) << exponent).wrapping_sub(BIAS);
    if inverted & 0x80 == 0 { magnitude } else { magnitude.wrapping_neg() }
}

/// Linear value of an A-law byte, in [-32256, 32256].
pub const fn alaw_to_linear(byte: u8) -> i16 {
    let toggled = byte ^ 0x55;
    let exponent = (toggled >> 4) & 0x07;
    let mantissa = ((toggled & 0x0F) as i16) << 4;
    let magnitude = match exponent {
        0 => mantissa | 0x008,
        _ => (mantissa | 0x108) << exponent.wrapping_sub(1),
    };
    if toggled & 0x80 == 0 { magnitude.wrapping_neg() } else { magnitude }
}

/// The mu-law byte whose interval holds `sample`; beyond the law's range, the loudest.
pub fn linear_to_mulaw(sample: i16) -> u8 {
    let magnitude = sample.unsigned_abs().min(32635).wrapping_add(BIAS as u16);
    let exponent = magnitude.ilog2().saturating_sub(7);
    let mantissa = (magnitude >> exponent.saturating_add(3)) & 0x0F;
    let sign = if sample < 0 { 0x80 } else { 0 };
    !(sign | (exponent as u8) << 4 | mantissa as u8)
}

/// The A-law byte whose interval holds `sample`.
pub fn linear_to_alaw(sample: i16) -> u8 {
    // A-law has no zero: the negative half is the ones' complement of the positive one.
    let thirteen_bits = sample >> 3;
    let magnitude = if thirteen_bits < 0 { !thirteen_bits } else { thirteen_bits } as u16;
    let exponent = magnitude.checked_ilog2().unwrap_or(0).saturating_sub(4);
    let mantissa = (magnitude >> exponent.max(1)) & 0x0F;
    let sign = if sample < 0 { 0 } else { 0x80 };
    (sign | (exponent as u8) << 4 | mantissa as u8) ^ 0x55
}

/// Mu-law byte to a sample in [-1, 1].
pub(super) fn mulaw_sample(byte: u8) -> f32 {
    MULAW.get(usize::from(byte)).copied().unwrap_or(0.0)
}

/// A-law byte to a sample in [-1, 1].
pub(super) fn alaw_sample(byte: u8) -> f32 {
    ALAW.get(usize::from(byte)).copied().unwrap_or(0.0)
}

/// What mu-law adds to a magnitude so that segments start at powers of two.
const BIAS: i16 = 0x84;

static MULAW: [f32; 256] = table(true);
static ALAW: [f32; 256] = table(false);

#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "evaluated by the compiler, which checks")]
const fn table(mulaw: bool) -> [f32; 256] {
    let mut table = [0.0; 256];
    let mut byte = 0;
    while byte < 256 {
        let linear = if mulaw { mulaw_to_linear(byte as u8) } else { alaw_to_linear(byte as u8) };
        table[byte] = linear as f32 / 32768.0;
        byte += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Decoder outputs y(n) of ITU-T G.711 table 2a, segment by segment from the loudest, as (first, step between
    /// neighbours) of 16 values each, on the recommendation's 14-bit scale.
    const ITU_MULAW: [(i32, i32); 8] =
        [(8031, 256), (3999, 128), (1983, 64), (975, 32), (471, 16), (219, 8), (93, 4), (30, 2)];
    /// The same of table 1a for A-law, on its 13-bit scale. The two lowest segments share a step.
    const ITU_ALAW: [(i32, i32); 8] =
        [(4032, 128), (2016, 64), (1008, 32), (504, 16), (252, 8), (126, 4), (63, 2), (31, 2)];

    #[test]
    fn mulaw_is_the_itu_table_bit_for_bit() {
        for (segment, (first, step)) in ITU_MULAW.iter().enumerate() {
            for place in 0..16 {
                let itu = (first - step * place as i32) * 4;
                let byte = (segment * 16 + place) as u8;
                assert_eq!(i32::from(mulaw_to_linear(byte | 0x80)), itu, "positive, byte {:#x}", byte | 0x80);
                assert_eq!(i32::from(mulaw_to_linear(byte)), -itu, "negative, byte {byte:#x}");
            }
        }
    }

    #[test]
    fn alaw_is_the_itu_table_bit_for_bit() {
        for (segment, (first, step)) in ITU_ALAW.iter().enumerate() {
            for place in 0..16 {
                let itu = (first - step * place as i32) * 8;
                // Character signals count up towards the loudest, every second bit inverted on the line.
                let byte = (0x7F - (segment * 16 + place)) as u8;
                assert_eq!(i32::from(alaw_to_linear((byte | 0x80) ^ 0x55)), itu, "positive, signal {byte:#x}");
                assert_eq!(i32::from(alaw_to_linear(byte ^ 0x55)), -itu, "negative, signal {byte:#x}");
            }
        }
    }

    #[test]
    fn encoding_what_was_decoded_gives_the_same_byte() {
        for byte in 0..=255u8 {
            assert_eq!(linear_to_alaw(alaw_to_linear(byte)), byte);
            // Mu-law has two zeros; the negative one, 0x7F, comes back as the positive one.
            let expected = if byte == 0x7F { 0xFF } else { byte };
            assert_eq!(linear_to_mulaw(mulaw_to_linear(byte)), expected);
        }
    }

    #[test]
    fn every_linear_value_goes_to_its_nearest_neighbour_or_the_one_beside_it() {
        for sample in i16::MIN..=i16::MAX {
            let loudness = i32::from(sample).abs();
            let bound = 8.max(loudness / 16).max(loudness - 32124);
            for there_and_back in [mulaw_to_linear(linear_to_mulaw(sample)), alaw_to_linear(linear_to_alaw(sample))] {
                let error = i32::from(there_and_back) - i32::from(sample);
                assert!(error.abs() <= bound, "{sample} comes back {error} away");
            }
        }
    }
}
