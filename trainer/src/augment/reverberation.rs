//! A room around the speaker.

use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use emotone::audio::{AudioError, Waveform};
use rand::{SeedableRng, rngs::StdRng};
use rand_distr::{Distribution, StandardNormal};
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};

use super::level::power;

/// Time between the direct sound and the first of the tail, in seconds: a detour of 70 cm.
const FIRST_REFLECTION_SECONDS: f32 = 0.002;
/// Longest tail, in seconds, whatever is asked for: no caller sits in a cathedral.
const LONGEST_SECONDS: f32 = 2.0;

/// Adds the tail of a synthetic room: noise that falls by 60 dB in `rt60_seconds`, its energy `direct_db` below that
/// of the direct sound (Polack 1988; the model in Lebart et al., *Acta Acustica* 87, 2001). Length and level of the
/// recording stay: what rings on after its end is cut.
///
/// # Errors
/// None with finite arguments; [`AudioError::Invalid`] otherwise.
pub fn reverberate(waveform: &Waveform, rt60_seconds: f32, direct_db: f32, seed: u64) -> Result<Waveform, AudioError> {
    let response = impulse_response(waveform.sample_rate_hz(), rt60_seconds, direct_db, seed);
    let wet = convolve(waveform.samples(), &response);
    let (before, after) = (power(waveform.samples()), power(&wet));
    let factor = if after > 0.0 { (before / after).sqrt() as f32 } else { 1.0 };
    super::with_samples(waveform, wet.into_iter().map(|sample| sample * factor).collect())
}

/// The direct sound, 1 at time 0, and a tail of exponentially falling noise.
fn impulse_response(rate_hz: u32, rt60_seconds: f32, direct_db: f32, seed: u64) -> Vec<f32> {
    let mut rng = StdRng::seed_from_u64(seed);
    let rate = rate_hz as f32;
    let first = (FIRST_REFLECTION_SECONDS * rate) as usize + 1;
    let length = (rt60_seconds.clamp(0.0, LONGEST_SECONDS) * rate) as usize;
    // 60 dB are a factor of 1000 = e^6.9 in amplitude.
    let fall = 1_000.0_f32.ln() / (rt60_seconds * rate).max(1.0);
    let mut response = vec![0.0; first.max(length)];
    for (n, value) in response.iter_mut().enumerate().skip(first) {
        let noise: f32 = StandardNormal.sample(&mut rng);
        *value = noise * (-fall * n as f32).exp();
    }
    let tail = (power(&response) * response.len() as f64) as f32;
    let factor = if tail > 0.0 { super::level::amplitude(-direct_db) / tail.sqrt() } else { 0.0 };
    response.iter_mut().for_each(|value| *value *= factor);
    response[0] = 1.0;
    response
}

/// The first `signal.len()` samples of the convolution, by one Fourier transform over everything.
fn convolve(signal: &[f32], response: &[f32]) -> Vec<f32> {
    let size = (signal.len() + response.len()).next_power_of_two();
    let (forward, inverse) = plans(size);
    let spectrum = |values: &[f32]| {
        let (mut input, mut output) = (forward.make_input_vec(), forward.make_output_vec());
        input.iter_mut().zip(values).for_each(|(place, value)| *place = *value);
        // The lengths are the plan's own, so it can't refuse them.
        forward.process(&mut input, &mut output).ok();
        output
    };
    let mut product = spectrum(signal);
    product.iter_mut().zip(spectrum(response)).for_each(|(a, b)| *a *= b / size as f32);
    let mut output = inverse.make_output_vec();
    // An imaginary part at 0 Hz is rounding, which the plan reports and has already put to 0.
    inverse.process(&mut product, &mut output).ok();
    output.truncate(signal.len());
    output
}

/// Plans of a size, made once: there are few sizes, and making a plan takes longer than using it.
fn plans(size: usize) -> (Arc<dyn RealToComplex<f32>>, Arc<dyn ComplexToReal<f32>>) {
    static PLANNER: LazyLock<Mutex<RealFftPlanner<f32>>> = LazyLock::new(|| Mutex::new(RealFftPlanner::new()));
    let mut planner = PLANNER.lock().unwrap_or_else(PoisonError::into_inner);
    (planner.plan_fft_forward(size), planner.plan_fft_inverse(size))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::augment::sounds::{voice, waveform};

    #[test]
    fn convolution_is_what_its_definition_says() {
        let (signal, response) = (voice(8_000, 300, 1), voice(8_000, 40, 2));
        for (n, got) in convolve(&signal, &response).iter().enumerate() {
            let expected: f32 = (0..=n.min(39)).map(|k| response[k] * signal[n - k]).sum();
            assert!((got - expected).abs() < 1e-5, "{got} instead of {expected}");
        }
    }

    #[test]
    fn the_tail_falls_by_60_db_in_its_time_and_has_its_energy() {
        let response = impulse_response(8_000, 0.5, 3.0, 7);
        let level = |from: usize| 10.0 * power(&response[from..from + 400]).log10();
        let fall_per_second = (level(400) - level(3_200)) / 0.35;
        assert!((fall_per_second - 120.0).abs() < 6.0, "{fall_per_second} dB/s");
        let tail: f64 = response[1..].iter().map(|value| f64::from(*value).powi(2)).sum();
        assert!((10.0 * tail.log10() + 3.0).abs() < 0.01);
    }

    #[test]
    fn length_and_level_stay_and_the_seed_decides() {
        let dry = waveform(voice(8_000, 8_000, 3));
        let wet = reverberate(&dry, 0.4, 0.0, 5).unwrap();
        assert_eq!(wet.samples().len(), 8_000);
        assert!((power(wet.samples()) / power(dry.samples()) - 1.0).abs() < 1e-3);
        assert_eq!(wet, reverberate(&dry, 0.4, 0.0, 5).unwrap());
        assert_ne!(wet, reverberate(&dry, 0.4, 0.0, 6).unwrap());
    }
}
