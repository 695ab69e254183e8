//! Tests that measure what the module promises.

use std::f64::consts::PI;

use proptest::prelude::*;

use super::{Resampler, resample};
use crate::audio::Waveform;

/// Pairs that take every way: one stage down and up, two stages with each kind of first ratio, extremes.
const PAIRS_HZ: [(u32, u32); 15] = [
    (24_414, 8_000),
    (16_000, 8_000),
    (48_000, 8_000),
    (44_100, 8_000),
    (22_050, 8_000),
    (11_025, 8_000),
    (8_001, 8_000),
    (192_000, 8_000),
    (44_100, 16_000),
    (24_414, 22_050),
    (16_000, 22_050),
    (8_000, 22_050),
    (8_000, 16_000),
    (4_000, 8_000),
    (47_999, 22_050),
];

const SECONDS: f64 = 1.0;

fn tone(frequency_hz: f64, rate_hz: u32) -> Waveform {
    let samples = (0..(SECONDS * f64::from(rate_hz)) as usize)
        .map(|sample| (2.0 * PI * frequency_hz * sample as f64 / f64::from(rate_hz) + 0.3).sin() as f32);
    Waveform::new(samples.collect(), rate_hz).unwrap()
}

/// The middle of a waveform, where no edge is near.
fn middle(waveform: &Waveform) -> &[f32] {
    let quarter = waveform.samples().len() / 4;
    &waveform.samples()[quarter..3 * quarter]
}

fn decibels(ratio: f64) -> f64 {
    20.0 * ratio.log10()
}

/// Root mean square of the difference to the same tone written at the other rate, relative to the tone's, in dB:
/// ripple, delay, aliases and noise all count.
fn error_db(frequency_hz: f64, from_hz: u32, to_hz: u32) -> f64 {
    let got = resample(&tone(frequency_hz, from_hz), to_hz).unwrap();
    let ideal = tone(frequency_hz, to_hz);
    let errors = middle(&got).iter().zip(middle(&ideal)).map(|(got, ideal)| f64::from(got - ideal).powi(2));
    decibels((2.0 * errors.sum::<f64>() / middle(&got).len() as f64).sqrt())
}

#[test]
fn the_passband_is_flat_and_without_delay() {
    for (from_hz, to_hz) in PAIRS_HZ {
        let nyquist_hz = f64::from(from_hz.min(to_hz)) / 2.0;
        for part in [0.01, 0.1, 0.3, 0.5, 0.7, 0.8, 0.85, 0.9, 0.913] {
            let error_db = error_db(part * nyquist_hz, from_hz, to_hz);
            // An error of -80 dB bounds the ripple by 0.001 dB; the promise is 0.1 dB.
            assert!(error_db < -80.0, "{from_hz} to {to_hz} Hz at {part} of Nyquist: {error_db:.1} dB");
        }
    }
}

#[test]
fn the_stop_band_starts_at_the_lower_nyquist_frequency() {
    for (from_hz, to_hz) in PAIRS_HZ.into_iter().filter(|(from, to)| from > to) {
        let nyquist_hz = f64::from(to_hz) / 2.0;
        let highest_hz = f64::from(from_hz) / 2.0;
        for part in [0.0, 0.002, 0.01, 0.03, 0.1, 0.2, 0.4, 0.6, 0.8, 0.999] {
            let frequency_hz = nyquist_hz + part * (highest_hz - nyquist_hz);
            let heard = resample(&tone(frequency_hz, from_hz), to_hz).unwrap();
            let power = middle(&heard).iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>();
            let level_db = decibels((2.0 * power / middle(&heard).len() as f64).sqrt().max(1e-9));
            assert!(level_db < -80.0, "{from_hz} to {to_hz} Hz lets {frequency_hz:.0} Hz through at {level_db:.1} dB");
        }
    }
}

#[test]
fn images_are_gone_after_resampling_upwards() {
    // Covered by the error of tones as well; here for a tone near the edge, whose image is the nearest.
    for (from_hz, to_hz) in PAIRS_HZ.into_iter().filter(|(from, to)| from < to) {
        let error_db = error_db(0.91 * f64::from(from_hz) / 2.0, from_hz, to_hz);
        assert!(error_db < -80.0, "{from_hz} to {to_hz} Hz: {error_db:.1} dB");
    }
}

#[test]
fn a_constant_stays_a_constant() {
    for (from_hz, to_hz) in PAIRS_HZ {
        let flat = resample(&Waveform::new(vec![0.5; from_hz as usize], from_hz).unwrap(), to_hz).unwrap();
        let worst = middle(&flat).iter().map(|sample| (sample - 0.5).abs()).fold(0.0, f32::max);
        assert!(worst < 1e-5, "{from_hz} to {to_hz} Hz: off by {worst}");
    }
}

#[test]
fn an_impulse_stays_where_it_was() {
    for (from_hz, to_hz) in PAIRS_HZ {
        let mut samples = vec![0.0; from_hz as usize];
        samples[from_hz as usize / 2] = 1.0;
        let resampled = resample(&Waveform::new(samples, from_hz).unwrap(), to_hz).unwrap();
        let (loudest, _) =
            resampled.samples().iter().enumerate().max_by(|(_, one), (_, other)| one.total_cmp(other)).unwrap();
        let expected = f64::from(from_hz / 2) * f64::from(to_hz) / f64::from(from_hz);
        assert!((loudest as f64 - expected).abs() <= 0.51, "{from_hz} to {to_hz} Hz: at {loudest}, not {expected}");
    }
}

#[test]
fn equal_rates_pass_through() {
    let waveform = Waveform::new(vec![0.1, -0.7, 1.0], 12_345).unwrap();
    assert_eq!(resample(&waveform, 12_345).unwrap(), waveform);
}

#[test]
fn absurd_rates_are_refused() {
    for (from_hz, to_hz) in [(0, 8_000), (8_000, 0), (999, 8_000), (u32::MAX, 8_000), (8_000, 768_001)] {
        assert!(Resampler::new(from_hz, to_hz).is_err());
    }
}

fn streamed(resampler: &mut Resampler, samples: &[f32], cuts: &[usize]) -> Vec<f32> {
    let mut ends: Vec<usize> = cuts.iter().map(|cut| cut % (samples.len() + 1)).collect();
    ends.extend([0, samples.len()]);
    ends.sort_unstable();
    let mut output = Vec::new();
    for piece in ends.windows(2) {
        resampler.push(&samples[piece[0]..piece[1]], &mut output);
    }
    resampler.finish(&mut output);
    output
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn the_result_has_the_right_length_and_does_not_depend_on_the_pieces(
        pair in proptest::sample::select(&PAIRS_HZ[..]),
        samples in proptest::collection::vec(-1.0f32..1.0, 0..6000),
        cuts in proptest::collection::vec(any::<usize>(), 0..20),
    ) {
        let (from_hz, to_hz) = pair;
        let mut resampler = Resampler::new(from_hz, to_hz).unwrap();
        let whole = streamed(&mut resampler, &samples, &[]);
        prop_assert_eq!(whole.len(), (samples.len() as u64 * u64::from(to_hz)).div_ceil(u64::from(from_hz)) as usize);
        // The same resampler again, which also shows that `finish` leaves nothing behind.
        prop_assert_eq!(whole, streamed(&mut resampler, &samples, &cuts));
    }

    #[test]
    fn any_pair_of_rates_keeps_a_tone(from_hz in 4_000u32..192_000, to_hz in 8_000u32..24_000) {
        let error_db = error_db(0.25 * f64::from(from_hz.min(to_hz)), from_hz, to_hz);
        prop_assert!(error_db < -80.0, "{} to {} Hz: {:.1} dB", from_hz, to_hz, error_db);
    }
}
