//! One stream of samples through a [`Plan`].

use std::sync::Arc;

use pulp::Arch;
use rustfft::num_complex::Complex;

use super::blocks::{Join, Part, Weigh};
use super::fraction::{Place, TAPS};
use super::plan::Plan;
use crate::audio::{AudioError, Waveform};

/// Resamples a whole waveform to `to_hz`; the result has `ceil(samples * to / from)` samples and the same timing.
///
/// # Errors
/// As [`Resampler::new`].
pub fn resample(waveform: &Waveform, to_hz: u32) -> Result<Waveform, AudioError> {
    let mut resampler = Resampler::new(waveform.sample_rate_hz(), to_hz)?;
    let mut samples = Vec::new();
    samples.reserve_exact(resampler.length_of(waveform.samples().len()));
    resampler.push(waveform.samples(), &mut samples);
    resampler.finish(&mut samples);
    Waveform::new(samples, to_hz)
}

/// Resamples a stream that comes in pieces of any length; the samples that come out depend on the samples that went
/// in alone, not on the pieces. Filters are shared between all resamplers of the same rates.
///
/// Output sample `k` lies at time `k / to_hz`: the filters' delay is compensated, so what comes out lags behind by
/// a pair of blocks (up to 0.22 s at 8 kHz and above) until [`Resampler::finish`]. Before and after the stream there is silence.
pub struct Resampler {
    from_hz: u32,
    to_hz: u32,
    /// None for equal rates: samples pass through.
    lane: Option<Lane>,
    received: u64,
    emitted: u64,
}

impl Resampler {
    /// A resampler at the start of a stream.
    ///
    /// # Errors
    /// [`AudioError::Invalid`] for rates outside 1 to 768 kHz, unless they are equal.
    pub fn new(from_hz: u32, to_hz: u32) -> Result<Self, AudioError> {
        let lane = match from_hz == to_hz {
            true => None,
            false => Some(Lane::new(Plan::shared(from_hz, to_hz)?)),
        };
        Ok(Self { from_hz, to_hz, lane, received: 0, emitted: 0 })
    }

    /// Takes the next `samples` and appends to `output` what can be computed from them.
    pub fn push(&mut self, samples: &[f32], output: &mut Vec<f32>) {
        let Some(lane) = &mut self.lane else {
            output.extend_from_slice(samples);
            return;
        };
        self.received = self.received.saturating_add(samples.len() as u64);
        let before = output.len();
        lane.push(samples, output);
        self.emitted = self.emitted.saturating_add(output.len().saturating_sub(before) as u64);
    }

    /// Ends the stream: appends the samples that are still missing. The resampler is then at the start of the next.
    pub fn finish(&mut self, output: &mut Vec<f32>) {
        let Some(lane) = &mut self.lane else { return };
        let length = length(self.received, self.from_hz, self.to_hz);
        let missing = length.saturating_sub(self.emitted) as usize;
        let end = output.len().saturating_add(missing);
        // Silence follows the stream; each pair of blocks of it brings samples, so this ends.
        let silence = vec![0.0; lane.plan.hop];
        while output.len() < end {
            lane.push(&silence, output);
        }
        output.truncate(end);
        lane.restart();
        (self.received, self.emitted) = (0, 0);
    }

    fn length_of(&self, samples: usize) -> usize {
        length(samples as u64, self.from_hz, self.to_hz) as usize
    }
}

/// `ceil(samples * to / from)`
fn length(samples: u64, from_hz: u32, to_hz: u32) -> u64 {
    let scaled = u128::from(samples).saturating_mul(u128::from(to_hz));
    scaled.div_ceil(u128::from(from_hz.max(1))).try_into().unwrap_or(u64::MAX)
}

/// The state of both stages.
struct Lane {
    plan: Arc<Plan>,
    /// Incoming samples from one margin before the next pair of blocks on.
    pending: Vec<f32>,
    /// Two blocks in a row, the earlier one as real and the later one as imaginary parts: the filter is real, so it keeps
    /// them apart, and two real transforms cost one complex one.
    pair: Vec<Complex<f32>>,
    pair_out: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
    /// Samples at the intermediate rate, from the first that the next output sample needs on.
    between: Vec<f32>,
    /// Where the next output sample lies in it.
    place: Place,
}

impl Lane {
    fn new(plan: Arc<Plan>) -> Self {
        let scratch = plan.forward.get_inplace_scratch_len().max(plan.inverse.get_inplace_scratch_len());
        let mut lane = Self {
            pending: Vec::new(),
            pair: vec![Complex::default(); plan.forward.len()],
            pair_out: vec![Complex::default(); plan.inverse.len()],
            scratch: vec![Complex::default(); scratch],
            between: Vec::new(),
            place: Place::default(),
            plan,
        };
        lane.restart();
        lane
    }

    /// Silence comes before the stream.
    fn restart(&mut self) {
        for (samples, silence) in [(&mut self.pending, self.plan.margin), (&mut self.between, TAPS / 2 - 1)] {
            samples.clear();
            samples.resize(silence, 0.0);
        }
        self.place = Place::default();
    }

    fn push(&mut self, mut samples: &[f32], output: &mut Vec<f32>) {
        let reach = self.pair.len().saturating_add(self.plan.hop);
        loop {
            let missing = reach.saturating_sub(self.pending.len());
            let (next, others) = samples.split_at(missing.min(samples.len()));
            self.pending.extend_from_slice(next);
            if self.pending.len() < reach {
                return;
            }
            samples = others;
            self.filter_pair();
            let end = self.plan.margin_out.saturating_add(self.plan.hop_out);
            let pair = self.pair_out.get(self.plan.margin_out..end).unwrap_or_default();
            let filtered = if self.plan.fraction.is_some() { &mut self.between } else { &mut *output };
            Arch::new().dispatch(Part { pair, output: filtered });
            if let Some(fraction) = &self.plan.fraction {
                self.place = fraction.interpolate(&self.between, self.place, output);
                let used = self.place.whole.min(self.between.len());
                self.between.drain(..used);
                self.place.whole = self.place.whole.saturating_sub(used);
            }
        }
    }

    /// Block stage: `pending` to `pair_out`, and two hops on.
    fn filter_pair(&mut self) {
        let plan = &self.plan;
        let registers = Arch::new();
        let later = self.pending.get(plan.hop..).unwrap_or_default();
        registers.dispatch(Join { earlier: &self.pending, later, pair: &mut self.pair });
        self.pending.drain(..plan.hop.saturating_mul(2).min(self.pending.len()));
        plan.forward.process_with_scratch(&mut self.pair, &mut self.scratch);
        let below = self.pair.len().saturating_sub(plan.response_below.len());
        let below_out = self.pair_out.len().saturating_sub(plan.response_below.len());
        let (out, out_below) = self.pair_out.split_at_mut(below_out);
        registers.dispatch(Weigh { bins: &self.pair, gains: &plan.response, out });
        out.get_mut(plan.response.len()..).unwrap_or_default().fill(Complex::default());
        let bins_below = self.pair.get(below..).unwrap_or_default();
        registers.dispatch(Weigh { bins: bins_below, gains: &plan.response_below, out: out_below });
        plan.inverse.process_with_scratch(&mut self.pair_out, &mut self.scratch);
    }
}
