//! The filters of both stages: a Kaiser-windowed sinc, and the best short interpolator for a narrow band.
//!
//! Sources: J. F. Kaiser, "Nonrecursive digital filter design using the I0-sinh window function", 1974, with the formulas
//! of Oppenheim and Schafer, "Discrete-Time Signal Processing", section 7.6; T. I. Laakso et al., "Splitting the unit
//! delay", IEEE Signal Processing Magazine 13(1), 1996, section "Least squared integral error design".

use std::f64::consts::PI;

/// A low-pass filter in continuous time, where the unit of time is one sample.
#[derive(Debug, Clone, Copy)]
pub(super) struct LowPass {
    /// Middle of the transition band, in cycles a sample.
    cutoff: f64,
    /// The kernel is 0 beyond this distance from its middle, in samples.
    half_width: f64,
    beta: f64,
}

impl LowPass {
    /// A filter that passes up to `pass` and stops from `stop` (cycles a sample, `pass` < `stop`) with `attenuation` dB.
    pub(super) fn with_attenuation(pass: f64, stop: f64, attenuation: f64) -> Self {
        let half_width = (attenuation - 7.95) / (14.36 * (stop - pass)) / 2.0;
        Self { cutoff: (pass + stop) / 2.0, half_width, beta: 0.1102 * (attenuation - 8.7) }
    }

    /// Half the length of the kernel, in samples.
    pub(super) fn half_width(&self) -> f64 {
        self.half_width
    }

    /// The kernel at `time` samples from its middle.
    pub(super) fn at(&self, time: f64) -> f64 {
        let place = time / self.half_width;
        if place.abs() >= 1.0 {
            return 0.0;
        }
        let window = bessel_i0(self.beta * (1.0 - place * place).sqrt()) / bessel_i0(self.beta);
        2.0 * self.cutoff * sinc(2.0 * self.cutoff * time) * window
    }
}

/// Taps that read a signal between its samples: `taps(offset)` for the place `offset` (0 to 1) behind the sample number
/// `TAPS / 2 - 1` of a window of `TAPS`.
///
/// They minimize the mean square error over all frequencies up to `band` (cycles a sample), which is far better than a
/// windowed sinc when the signal holds nothing above: with 16 taps and a band of 0.3 the error is -91 dB at its end,
/// -101 dB at 91.3 % of it. Much narrower bands would need a matrix that cannot be inverted in double precision.
pub(super) struct Interpolator<const TAPS: usize> {
    band: f64,
    /// Inverse of the matrix of correlations between taps.
    inverse: Vec<Vec<f64>>,
}

impl<const TAPS: usize> Interpolator<TAPS> {
    pub(super) fn for_band(band: f64) -> Self {
        // The matrix beside the unit matrix; when the left half has become the unit matrix, the right half is the inverse.
        let mut rows: Vec<Vec<f64>> = (0..TAPS)
            .map(|row| {
                let correlation = (0..TAPS).map(|column| sinc(2.0 * band * (row as f64 - column as f64)));
                correlation.chain((0..TAPS).map(|column| if row == column { 1.0 } else { 0.0 })).collect()
            })
            .collect();
        // Symmetric and positive definite, so no pivoting is needed.
        for column in 0..TAPS {
            let mut pivot = rows.remove(column);
            let scale = pivot.get(column).copied().unwrap_or(1.0);
            pivot.iter_mut().for_each(|value| *value /= scale);
            for row in &mut rows {
                let factor = row.get(column).copied().unwrap_or(0.0);
                row.iter_mut().zip(&pivot).for_each(|(value, above)| *value -= factor * above);
            }
            rows.insert(column, pivot);
        }
        Self { band, inverse: rows.into_iter().map(|row| row.into_iter().skip(TAPS).collect()).collect() }
    }

    pub(super) fn taps(&self, offset: f64) -> [f64; TAPS] {
        let place = (TAPS / 2) as f64 - 1.0 + offset;
        let wanted: [f64; TAPS] = std::array::from_fn(|tap| sinc(2.0 * self.band * (tap as f64 - place)));
        let mut rows = self.inverse.iter();
        [0.0; TAPS]
            .map(|_: f64| rows.next().into_iter().flatten().zip(wanted).map(|(inverse, wanted)| inverse * wanted).sum())
    }
}

/// `sin(pi x) / (pi x)`
fn sinc(x: f64) -> f64 {
    if x == 0.0 { 1.0 } else { (PI * x).sin() / (PI * x) }
}

/// Modified Bessel function of the first kind and order 0, by its power series, for arguments below 20.
fn bessel_i0(argument: f64) -> f64 {
    let quarter_square = argument * argument / 4.0;
    let (mut sum, mut term, mut index) = (1.0, 1.0, 1.0);
    while term > sum * 1e-17 {
        term *= quarter_square / (index * index);
        sum += term;
        index += 1.0;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bessel_function_agrees_with_tables() {
        // Abramowitz and Stegun, table 9.8: I0(1), I0(5) from e^-x I0(x).
        assert!((bessel_i0(0.0) - 1.0).abs() < 1e-15);
        assert!((bessel_i0(1.0) - 1.266_065_877_752_008).abs() < 1e-12);
        assert!((bessel_i0(5.0) - 27.239_871_823_604_44).abs() < 1e-10);
    }

    #[test]
    fn the_interpolator_errs_as_little_as_it_says() {
        let interpolator = Interpolator::<16>::for_band(0.3);
        let mut worst = 0.0_f64;
        for step in 0..=100 {
            let (offset, frequency) = (f64::from(step) / 100.0, 0.913 * 0.3 * f64::from(step % 11) / 10.0);
            let (mut real, mut imaginary) = (-1.0, 0.0);
            for (tap, value) in interpolator.taps(offset).into_iter().enumerate() {
                let angle = 2.0 * PI * frequency * (tap as f64 - 7.0 - offset);
                real += value * angle.cos();
                imaginary += value * angle.sin();
            }
            worst = worst.max(real.hypot(imaginary));
        }
        assert!(20.0 * worst.log10() < -101.0, "{} dB", 20.0 * worst.log10());
    }
}
