//! GSM 06.10 full rate, 13 kbit/s, in the packing of WAV files ("wav49"): 65 bytes hold two frames of 160 samples.
//!
//! Source: ETSI EN 300 961 (GSM 06.10), section 5.3, whose 16-bit arithmetic defines the result bit for bit; the packing
//! as in mmreg.h's `GSM610WAVEFORMAT`: parameters follow each other from the least significant bit on.

/// Bytes of a block.
pub(super) const BLOCK_BYTES: usize = 65;
/// Samples of a block.
pub(super) const BLOCK_SAMPLES: usize = 2 * FRAME;

const FRAME: usize = 160;
const SUB_SEGMENT: usize = 40;
/// Longest pitch lag, in samples.
const HISTORY: usize = 120;

/// One stream of GSM frames.
pub(super) struct GsmDecoder {
    /// The last samples of the reconstructed excitation.
    past: [i16; HISTORY],
    /// Pitch lag of the last sub-segment, in samples, for those whose own is out of range.
    lag: usize,
    /// Logarithmic area ratios of the last frame.
    ratios: [i16; 8],
    /// State of the lattice filter.
    lattice: [i16; 8],
    /// State of the de-emphasis.
    emphasis: i16,
}

impl GsmDecoder {
    /// A decoder at the start of a stream.
    pub(super) fn new() -> Self {
        Self { past: [0; HISTORY], lag: SUB_SEGMENT, ratios: [0; 8], lattice: [0; 8], emphasis: 0 }
    }

    /// Appends the samples of a block, in [-1, 1]; missing bytes count as zeros.
    pub(super) fn decode(&mut self, block: &[u8], samples: &mut Vec<f32>) {
        let mut bits = Bits { bytes: block, at: 0 };
        for _ in 0..2 {
            let frame = self.frame(&mut bits);
            samples.extend(frame.iter().map(|&sample| f32::from(sample) / 32768.0));
        }
    }

    fn frame(&mut self, bits: &mut Bits<'_>) -> [i16; FRAME] {
        let now = LOG_AREA_RATIOS.map(|ratio| ratio.decode(bits.take(ratio.bits)));
        let before = std::mem::replace(&mut self.ratios, now);
        let mut samples = [0; FRAME];
        samples.chunks_exact_mut(SUB_SEGMENT).for_each(|segment| self.excite(bits, segment));
        // The filter glides from the last frame's to this one's over the first 40 samples.
        let (first, rest) = samples.split_at_mut(13);
        let (second, rest) = rest.split_at_mut(14);
        let (third, rest) = rest.split_at_mut(13);
        let quarter_and_half = |less: i16, more: i16| (less >> 2).saturating_add(more >> 2).saturating_add(more >> 1);
        self.synthesize(reflections(before, now, |before, now| quarter_and_half(now, before)), first);
        self.synthesize(reflections(before, now, |before, now| (before >> 1).saturating_add(now >> 1)), second);
        self.synthesize(reflections(before, now, quarter_and_half), third);
        self.synthesize(reflections(before, now, |_, now| now), rest);
        samples
    }

    /// Sections 5.3.1 and 5.3.2: the excitation of a sub-segment, from its 13 pulses and the pitch.
    fn excite(&mut self, bits: &mut Bits<'_>, excitation: &mut [i16]) {
        const PITCH_GAINS: [i16; 4] = [3277, 11469, 21299, 32767];
        let lag = usize::from(bits.take(7));
        let gain = PITCH_GAINS.get(usize::from(bits.take(2))).copied().unwrap_or(0);
        let grid = usize::from(bits.take(2));
        let (scale, shift) = block_maximum(bits.take(6));
        let rounding = (1_i16 << shift) >> 1;
        for pulse in excitation.iter_mut().skip(grid).step_by(3).take(13) {
            let level = (bits.take(3) as i16).wrapping_mul(2).wrapping_sub(7) << 12;
            *pulse = multiply(scale, level).saturating_add(rounding) >> shift;
        }
        if (SUB_SEGMENT..=HISTORY).contains(&lag) {
            self.lag = lag;
        }
        let past = self.past.iter().skip(HISTORY.saturating_sub(self.lag));
        for (sample, past) in excitation.iter_mut().zip(past) {
            *sample = sample.saturating_add(multiply(gain, *past));
        }
        self.past.rotate_left(SUB_SEGMENT);
        self.past.iter_mut().rev().zip(excitation.iter().rev()).for_each(|(past, sample)| *past = *sample);
    }

    /// Sections 5.3.4 and 5.3.5: excitation to speech, by the lattice filter and the de-emphasis.
    fn synthesize(&mut self, reflections: [i16; 8], samples: &mut [i16]) {
        for sample in samples {
            let mut upper: Option<&mut i16> = None;
            for (state, reflection) in self.lattice.iter_mut().zip(reflections).rev() {
                *sample = sample.saturating_sub(multiply(reflection, *state));
                let raised = state.saturating_add(multiply(reflection, *sample));
                if let Some(upper) = upper.replace(state) {
                    *upper = raised;
                }
            }
            if let Some(lowest) = upper {
                *lowest = *sample;
            }
            self.emphasis = sample.saturating_add(multiply(self.emphasis, 28180));
            *sample = self.emphasis.saturating_add(self.emphasis) & !7;
        }
    }
}

/// How one logarithmic area ratio is coded (table 5.1).
#[derive(Clone, Copy)]
struct LogAreaRatio {
    bits: u32,
    least: i16,
    offset: i16,
    inverse_slope: i16,
}

const fn ratio(bits: u32, least: i16, offset: i16, inverse_slope: i16) -> LogAreaRatio {
    LogAreaRatio { bits, least, offset, inverse_slope }
}

const LOG_AREA_RATIOS: [LogAreaRatio; 8] = [
    ratio(6, -32, 0, 13107),
    ratio(6, -32, 0, 13107),
    ratio(5, -16, 2048, 13107),
    ratio(5, -16, -2560, 13107),
    ratio(4, -8, 94, 19223),
    ratio(4, -8, -1792, 17476),
    ratio(3, -4, -341, 31454),
    ratio(3, -4, -1144, 29708),
];

impl LogAreaRatio {
    fn decode(self, code: u16) -> i16 {
        let level = (code as i16).wrapping_add(self.least) << 10;
        let half = multiply(self.inverse_slope, level.saturating_sub(self.offset << 1));
        half.saturating_add(half)
    }
}

/// Reflection coefficients from the log area ratios of two frames (section 5.3.3 and table 5.2).
fn reflections(before: [i16; 8], now: [i16; 8], mix: impl Fn(i16, i16) -> i16) -> [i16; 8] {
    let mut reflections = now;
    for (reflection, before) in reflections.iter_mut().zip(before) {
        let ratio = mix(before, *reflection);
        let magnitude = match ratio.saturating_abs() {
            small @ ..11059 => small << 1,
            middle @ 11059..20070 => middle.saturating_add(11059),
            large => (large >> 2).saturating_add(26112),
        };
        *reflection = if ratio < 0 { magnitude.saturating_neg() } else { magnitude };
    }
    reflections
}

/// Scale and shift of a sub-segment's pulses from the code of their maximum (section 5.2.15 and table 5.6).
fn block_maximum(code: u16) -> (i16, u32) {
    const SCALES: [i16; 8] = [18431, 20479, 22527, 24575, 26623, 28671, 30719, 32767];
    let (mut exponent, mut mantissa) = match code {
        0..=15 => (0_i16, code),
        _ => ((code as i16 >> 3).saturating_sub(1), (code & 7) | 8),
    };
    if mantissa == 0 {
        (exponent, mantissa) = (-4, 15);
    }
    while mantissa <= 7 {
        mantissa = mantissa << 1 | 1;
        exponent = exponent.saturating_sub(1);
    }
    let scale = SCALES.get(usize::from(mantissa & 7)).copied().unwrap_or(0);
    (scale, u32::from(6_i16.saturating_sub(exponent).clamp(0, 14).unsigned_abs()))
}

/// Product of two fractions in 1/32768, rounded.
fn multiply(one: i16, other: i16) -> i16 {
    let product = i32::from(one).wrapping_mul(i32::from(other)).wrapping_add(1 << 14) >> 15;
    product.min(i32::from(i16::MAX)) as i16
}

/// Numbers of a few bits each, the least significant bit of each byte first.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn take(&mut self, count: u32) -> u16 {
        let byte = |number: usize| self.bytes.get(number).copied().map_or(0, u16::from);
        let first = self.at / 8;
        let both = byte(first) | byte(first.saturating_add(1)) << 8;
        let number = both >> (self.at % 8) & !(u16::MAX << count);
        self.at = self.at.saturating_add(count as usize);
        number
    }
}
