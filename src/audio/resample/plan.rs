//! Everything about one pair of rates that is computed once: stages, filters, transforms.

use std::sync::{Arc, Mutex, PoisonError};

use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};

use super::design::LowPass;
use super::fraction::Fraction;
use super::ratio::Ratio;
use crate::audio::AudioError;

/// End of the passband as a part of the lower Nyquist frequency, as in soxr's "high quality".
const PASSBAND: f64 = 0.913;
/// Attenuation of the block stage's stop band, in dB.
const STOP_BAND_DB: f64 = 100.0;
/// A pair of blocks reaches over no more than so many half filters, or this part of a second where that is longer: a live
/// stream waits for a whole pair.
const LONGEST_HALVES: usize = 24;
const LONGEST_PART: u32 = 5;
/// Rates outside are no sound; they would ask for absurd filters.
const RATES_HZ: std::ops::RangeInclusive<u32> = 1_000..=768_000;

/// The plan for one pair of rates. Block stage: `from` to an intermediate rate; fractional stage: from there on.
pub(super) struct Plan {
    pub(super) forward: Arc<dyn Fft<f32>>,
    pub(super) inverse: Arc<dyn Fft<f32>>,
    /// The filter's spectrum from 0 up, and the same below 0 as it lies at a spectrum's end; real because it has no
    /// delay, with the scale of both transforms.
    pub(super) response: Vec<f32>,
    pub(super) response_below: Vec<f32>,
    /// Samples of overlap on either side of a block, at the incoming and at the intermediate rate.
    pub(super) margin: usize,
    pub(super) margin_out: usize,
    /// Samples that each block of a pair brings forward, at the incoming and at the intermediate rate.
    pub(super) hop: usize,
    pub(super) hop_out: usize,
    pub(super) fraction: Option<Fraction>,
}

impl Plan {
    /// The plan for these rates, from memory if it is among the last that were asked for.
    ///
    /// # Errors
    /// [`AudioError::Invalid`] for rates outside 1 to 768 kHz.
    pub(super) fn shared(from_hz: u32, to_hz: u32) -> Result<Arc<Self>, AudioError> {
        /// Rates come from callers, so the memory is bounded: the oldest plan goes.
        const MOST: usize = 32;
        static PLANS: Mutex<Vec<(u32, u32, Arc<Plan>)>> = Mutex::new(Vec::new());
        let known = |plans: &[(u32, u32, Arc<Plan>)]| {
            plans.iter().find(|(from, to, _)| (*from, *to) == (from_hz, to_hz)).map(|(_, _, plan)| Arc::clone(plan))
        };
        if let Some(plan) = known(&PLANS.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(plan);
        }
        if !RATES_HZ.contains(&from_hz) || !RATES_HZ.contains(&to_hz) {
            return Err(AudioError::Invalid { reason: format!("{from_hz} Hz cannot be resampled to {to_hz} Hz") });
        }
        // Outside the lock, so that others with known rates need not wait; at worst two make the same plan.
        let plan = Arc::new(Self::new(from_hz, to_hz));
        let mut plans = PLANS.lock().unwrap_or_else(PoisonError::into_inner);
        if plans.len() >= MOST {
            plans.remove(0);
        }
        plans.push((from_hz, to_hz, Arc::clone(&plan)));
        Ok(plan)
    }

    fn new(from_hz: u32, to_hz: u32) -> Self {
        let from = f64::from(from_hz);
        let stop_hz = f64::from(from_hz.min(to_hz)) / 2.0;
        let filter = LowPass::with_attenuation(PASSBAND * stop_hz / from, stop_hz / from, STOP_BAND_DB);
        let half = filter.half_width().ceil() as usize;
        let longest = half.saturating_mul(LONGEST_HALVES).max((from_hz / LONGEST_PART) as usize);
        let ratio = Ratio::choose(from_hz, to_hz, longest);
        let margin = half.next_multiple_of(ratio.down);
        let margin_out = ratio.apply(margin);
        let block = ratio.block(margin, longest);
        let block_out = ratio.apply(block);

        let mut planner = FftPlanner::new();
        let forward = planner.plan_fft_forward(block);
        let inverse = planner.plan_fft_inverse(block_out);
        // The highest common bin lies in the stop band and stays silent.
        let bins = block.min(block_out) / 2;
        let response: Vec<f32> = response(filter, half, forward.as_ref()).into_iter().take(bins).collect();
        let response_below = response.iter().skip(1).rev().copied().collect();
        let fraction = (!ratio.is_exact(from_hz, to_hz)).then(|| Fraction::new(ratio, from_hz, to_hz));
        Self {
            forward,
            inverse,
            response,
            response_below,
            margin,
            margin_out,
            hop: block.saturating_sub(margin.saturating_mul(2)),
            hop_out: block_out.saturating_sub(margin_out.saturating_mul(2)),
            fraction,
        }
    }
}

/// The filter's frequency response on a block, divided by the block's length (the transforms are not normalized).
fn response(filter: LowPass, half: usize, forward: &dyn Fft<f32>) -> Vec<f32> {
    let mut taps: Vec<f64> = (0..=half).map(|time| filter.at(time as f64)).collect();
    let sum = 2.0 * taps.iter().sum::<f64>() - taps.first().copied().unwrap_or(0.0);
    taps.iter_mut().for_each(|tap| *tap /= sum * forward.len() as f64);
    let mut spectrum = vec![Complex::new(0.0_f32, 0.0); forward.len()];
    for (place, &tap) in spectrum.iter_mut().zip(&taps) {
        place.re = tap as f32;
    }
    for (place, &tap) in spectrum.iter_mut().rev().zip(taps.iter().skip(1)) {
        place.re = tap as f32;
    }
    forward.process(&mut spectrum);
    spectrum.into_iter().map(|bin| bin.re).collect()
}
