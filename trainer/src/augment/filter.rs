//! Recursive filters of second order and what is built from them.

use std::f64::consts::PI;

/// `y[n] = b0·x[n] + b1·x[n-1] + b2·x[n-2] - a1·y[n-1] - a2·y[n-2]`.
///
/// Designed with the bilinear transform, the edge frequency exact
/// (Bristow-Johnson, *Audio EQ Cookbook*, W3C note of 2021).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Biquad {
    b: [f64; 3],
    a: [f64; 2],
}

impl Biquad {
    fn new(b: [f64; 3], [a0, a1, a2]: [f64; 3]) -> Self {
        Self { b: b.map(|value| value / a0), a: [a1 / a0, a2 / a0] }
    }

    /// Passes what lies below `edge_hz`, 12 dB an octave; `0 < edge_hz < rate_hz / 2`.
    pub fn low_pass(edge_hz: f64, q: f64, rate_hz: f64) -> Self {
        let (cos, alpha) = angle(edge_hz, q, rate_hz);
        let side = (1.0 - cos) / 2.0;
        Self::new([side, 1.0 - cos, side], [1.0 + alpha, -2.0 * cos, 1.0 - alpha])
    }

    /// Passes what lies above `edge_hz`, 12 dB an octave; `0 < edge_hz < rate_hz / 2`.
    pub fn high_pass(edge_hz: f64, q: f64, rate_hz: f64) -> Self {
        let (cos, alpha) = angle(edge_hz, q, rate_hz);
        let side = (1.0 + cos) / 2.0;
        Self::new([side, -1.0 - cos, side], [1.0 + alpha, -2.0 * cos, 1.0 - alpha])
    }

    /// Raises or lowers the surroundings of `center_hz` by `gain_db`; `0 < center_hz < rate_hz / 2`.
    pub fn peak(center_hz: f64, q: f64, gain_db: f64, rate_hz: f64) -> Self {
        let (cos, alpha) = angle(center_hz, q, rate_hz);
        let gain = 10.0_f64.powf(gain_db / 40.0);
        Self::new(
            [1.0 + alpha * gain, -2.0 * cos, 1.0 - alpha * gain],
            [1.0 + alpha / gain, -2.0 * cos, 1.0 - alpha / gain],
        )
    }
}

fn angle(hz: f64, q: f64, rate_hz: f64) -> (f64, f64) {
    let omega = 2.0 * PI * hz / rate_hz;
    (omega.cos(), omega.sin() / (2.0 * q))
}

/// Second-order sections in a row.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Cascade(Vec<Biquad>);

impl Cascade {
    /// The sections, applied in order.
    pub fn new(sections: Vec<Biquad>) -> Self {
        Self(sections)
    }

    /// A Butterworth high-pass at `low_hz` followed by a Butterworth low-pass at `high_hz`, each of `order` (even,
    /// an odd one is rounded down), -3 dB at the edges: `scipy.signal.butter(order, low_hz, "highpass", fs=rate_hz)`
    /// and `butter(order, high_hz, "lowpass", fs=rate_hz)` in a row. `0 < low_hz < high_hz < rate_hz / 2`.
    pub fn band_pass(order: usize, low_hz: f64, high_hz: f64, rate_hz: f64) -> Self {
        let q = |section: usize| 0.5 / (PI * (2 * section + 1) as f64 / (4 * (order / 2)) as f64).cos();
        let high_pass = (0..order / 2).map(|section| Biquad::high_pass(low_hz, q(section), rate_hz));
        let low_pass = (0..order / 2).map(|section| Biquad::low_pass(high_hz, q(section), rate_hz));
        Self(high_pass.chain(low_pass).collect())
    }

    /// The filtered samples, as many as came in, from rest.
    pub fn filter(&self, samples: &[f32]) -> Vec<f32> {
        let mut output: Vec<f64> = samples.iter().map(|sample| f64::from(*sample)).collect();
        for Biquad { b: [b0, b1, b2], a: [a1, a2] } in &self.0 {
            let (mut first, mut second) = (0.0, 0.0);
            for value in &mut output {
                let input = *value;
                *value = b0 * input + first;
                first = b1 * input - a1 * *value + second;
                second = b2 * input - a2 * *value;
            }
        }
        output.into_iter().map(|value| value as f32).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// First 12 samples of the impulse response of scipy 1.17.1's
    /// `sosfilt(butter(4, 3400, "lowpass", fs=8000, output="sos"), sosfilt(butter(4, 300, "highpass", fs=8000, output="sos"), x))`.
    const SCIPY_IMPULSE: [f64; 12] = [
        0.3940749089,
        0.2408942129,
        -0.6279920799,
        -0.2196750043,
        -0.0032867316,
        -0.2091206725,
        0.1332596250,
        -0.0399740964,
        0.0874782253,
        0.0942508436,
        0.0299623259,
        0.1296103066,
    ];

    #[test]
    fn the_band_pass_is_the_butterworth_filter_of_scipy() {
        let mut impulse = vec![0.0; 12];
        impulse[0] = 1.0;
        let response = Cascade::band_pass(4, 300.0, 3_400.0, 8_000.0).filter(&impulse);
        for (got, expected) in response.iter().zip(SCIPY_IMPULSE) {
            assert!((f64::from(*got) - expected).abs() < 1e-6, "{got} instead of {expected}");
        }
    }
}
