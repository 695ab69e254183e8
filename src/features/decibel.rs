//! Power to decibels and back.

use pulp::{Arch, Simd, WithSimd};

/// Powers below this count as this, -100 dB, as in `librosa.power_to_db(amin=1e-10)`.
pub const POWER_FLOOR: f32 = 1e-10;

/// `10·log10(max(power, POWER_FLOOR))` in dB, to within 2e-5 dB.
#[inline]
pub fn to_decibel(power: f32) -> f32 {
    to_decibel_above(power, POWER_FLOOR)
}

/// The same with another floor, a normal number.
///
/// Branch-free, so that a loop over it runs in vector registers: the power is split into `2^exponent · mantissa` with the
/// mantissa in [√½, √2), whose logarithm is a polynomial (Moshier's `logf` in Cephes).
#[inline]
pub fn to_decibel_above(power: f32, floor: f32) -> f32 {
    const SQRT_HALF_BITS: i32 = 0x3f35_04f3;
    const DB_PER_NEPER: f32 = 4.342_945;
    const DB_PER_OCTAVE: f32 = 3.010_3;
    let bits = power.max(floor).to_bits().cast_signed();
    // Nothing can overflow here; said with `wrapping` because a check would keep the loop out of vector registers.
    let exponent = bits.wrapping_sub(SQRT_HALF_BITS) >> 23;
    let x = f32::from_bits(bits.wrapping_sub(exponent << 23).cast_unsigned()) - 1.0;
    let mut series = 7.037_684e-2;
    for coefficient in [
        -1.151_461e-1,
        1.167_699_9e-1,
        -1.242_014_1e-1,
        1.424_932_3e-1,
        -1.666_805_8e-1,
        2.000_071_5e-1,
        -2.499_999_4e-1,
        3.333_333e-1,
    ] {
        series = series * x + coefficient;
    }
    let natural = (series * x - 0.5) * x * x + x;
    natural * DB_PER_NEPER + exponent as f32 * DB_PER_OCTAVE
}

/// `10^(level/10)` for a level in dB from -379 to 379, to within 3e-5 of itself. Levels beyond count as
/// these.
///
/// Branch-free as [`to_decibel`]: `2^whole · 2^rest` with the rest in [-½, ½], whose power is a polynomial (Moshier's
/// `exp2f` in Cephes).
#[inline]
pub fn to_power(level_db: f32) -> f32 {
    const OCTAVES_PER_DB: f32 = std::f32::consts::LOG2_10 / 10.0;
    /// Added to a number below 2^22, it leaves no room for what is behind the point.
    const ROUNDING: f32 = 12_582_912.0;
    let octaves = (level_db * OCTAVES_PER_DB).clamp(-126.0, 126.0);
    let rounded = octaves + ROUNDING;
    let whole = rounded.to_bits().wrapping_sub(ROUNDING.to_bits());
    let rest = octaves - (rounded - ROUNDING);
    let mut series = 1.535_336_2e-4;
    for coefficient in [1.339_887_4e-3, 9.618_437e-3, 5.550_332_5e-2, 2.402_264_8e-1, 6.931_472e-1, 1.0] {
        series = series * rest + coefficient;
    }
    f32::from_bits(series.to_bits().wrapping_add(whole << 23))
}

/// Turns powers into decibels in place.
pub fn to_decibels(powers: &mut [f32]) {
    Arch::new().dispatch(Decibels(powers));
}

/// [`to_decibels`] in the widest vector registers there are.
struct Decibels<'a>(&'a mut [f32]);

impl WithSimd for Decibels<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for power in self.0 {
            *power = to_decibel(*power);
        }
    }
}

/// Raises levels further than `top_db` below the loudest to that, in place, as librosa's `top_db`.
pub fn limit_range(levels: &mut [f32], top_db: f32) {
    let floor = loudest(levels) - top_db;
    for level in levels {
        *level = level.max(floor);
    }
}

/// The highest of `levels`; the lowest number of none.
pub fn loudest(levels: &[f32]) -> f32 {
    let (groups, rest) = levels.as_chunks::<16>();
    let mut lanes = [f32::MIN; 16];
    for group in groups {
        for (lane, level) in lanes.iter_mut().zip(group) {
            *lane = lane.max(*level);
        }
    }
    lanes.iter().chain(rest).copied().fold(f32::MIN, f32::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fast_logarithm_is_as_good_as_single_precision_allows() {
        let mut power = 1e-10_f32;
        while power < 1e12 {
            let exact = 10.0 * f64::from(power).log10();
            assert!((f64::from(to_decibel(power)) - exact).abs() < 2e-5, "{power}: {} for {exact}", to_decibel(power));
            power *= 1.000_37;
        }
    }

    #[test]
    fn a_level_is_the_power_that_it_came_from() {
        let mut level = -379.0_f32;
        while level < 379.0 {
            let exact = 10_f64.powf(f64::from(level) / 10.0);
            assert!(
                (f64::from(to_power(level)) / exact - 1.0).abs() < 3e-5,
                "{level}: {} for {exact}",
                to_power(level)
            );
            level += 0.37;
        }
        assert!((to_power(0.0), to_power(-1e9)) == (1.0, to_power(-379.4)), "{}", to_power(-1e9));
    }

    #[test]
    fn whatever_comes_in_something_finite_comes_out() {
        for power in [0.0, -1.0, f32::MIN_POSITIVE / 2.0, f32::NAN] {
            assert!((to_decibel(power) + 100.0).abs() < 2e-5);
        }
        assert!((300.0..400.0).contains(&to_decibel(f32::INFINITY)));
    }

    #[test]
    fn the_range_is_measured_from_the_loudest() {
        let mut levels = [-10.0, -95.0, -80.0];
        limit_range(&mut levels, 80.0);
        assert_eq!(levels, [-10.0, -90.0, -80.0]);
    }
}
