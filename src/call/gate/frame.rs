//! What the gate keeps of a frame.

use pulp::{Simd, WithSimd};

use super::{LANES, Lanes, SpeechGate};
use crate::features::to_power;

/// What the gate keeps of one frame.
#[derive(Debug, Clone, Copy)]
pub struct GateFrame {
    /// Mean power in each broad band.
    pub(super) bands: Lanes,
    /// Power of the whole spectrum.
    pub(super) all: f32,
    /// Whether it holds nothing but tones.
    pub(super) is_tone: bool,
}

/// [`SpeechGate::push`] in vector registers, as is all that it calls.
pub(super) struct Push<'a> {
    pub(super) gate: &'a SpeechGate,
    pub(super) log_mel: &'a [f32],
    pub(super) frames: &'a mut Vec<GateFrame>,
}

impl WithSimd for Push<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let mut mel = vec![0.0; self.gate.mel_widths.len().max(1)];
        for row in self.log_mel.chunks_exact(mel.len()) {
            self.frames.push(self.gate.frame(row, &mut mel));
        }
    }
}

impl SpeechGate {
    #[inline(always)]
    fn frame(&self, row: &[f32], mel: &mut [f32]) -> GateFrame {
        mel.iter_mut().zip(row).for_each(|(power, level)| *power = to_power(level - self.full_scale_db));
        let mut bands = [0.0; LANES];
        for (power, band) in bands.iter_mut().zip(&self.bands) {
            let values = mel.get(band.clone()).unwrap_or_default();
            *power = sum(values) / values.len().max(1) as f32;
        }
        mel.iter_mut().zip(&self.mel_widths).for_each(|(power, width)| *power *= width);
        GateFrame { bands, all: sum(mel), is_tone: self.tones.is_tone(mel) }
    }
}

/// The sum, in as many lanes as vector registers like.
#[inline(always)]
pub(super) fn sum(values: &[f32]) -> f32 {
    let (groups, rest) = values.as_chunks::<LANES>();
    let mut lanes = [0.0; LANES];
    for group in groups {
        lanes.iter_mut().zip(group).for_each(|(lane, value)| *lane += value);
    }
    lanes.iter().chain(rest).sum()
}
