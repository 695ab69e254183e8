//! Exponentials that compilers turn into vector instructions.

/// `e^x` with a relative error below 2e-7 between -87 and 88, clamped beyond.
///
/// Cephes' polynomial after splitting off a power of two, which adding and subtracting 1.5·2^23 rounds out.
#[inline(always)]
fn exp(x: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0;
    let x = x.clamp(-87.0, 88.0);
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let whole = shifted - ROUND;
    let rest = x - whole * 0.693_359_4 + whole * 2.121_944_4e-4;
    let mut series = 1.987_569_1e-4_f32;
    for coefficient in [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 0.166_666_65, 0.5] {
        series = series * rest + coefficient;
    }
    let mantissa = series * rest * rest + rest + 1.0;
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(127 << 23));
    mantissa * power
}

/// `1 / (1 + e^-x)`.
#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// Hyperbolic tangent, absolute error below 3e-7.
#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    2.0 * sigmoid(2.0 * x) - 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn approximations_follow_the_standard_library() {
        for step in -4_000..=4_000 {
            let x = step as f32 / 200.0;
            let exact = (1.0 / (1.0 + f64::from(-x).exp())) as f32;
            assert!((sigmoid(x) - exact).abs() < 2e-7, "sigmoid({x}) = {}, not {exact}", sigmoid(x));
            assert!((tanh(x) - x.tanh()).abs() < 4e-7, "tanh({x}) = {}, not {}", tanh(x), x.tanh());
            assert!((exp(x) / x.exp() - 1.0).abs() < 4e-7, "exp({x}) = {}, not {}", exp(x), x.exp());
        }
        assert!(sigmoid(-1e9).is_finite() && tanh(1e9) == 1.0);
    }
}
