//! Roots of covariances, inlined to be compiled for the registers of their caller.

/// Added to variances before the root, so that columns that go together entirely have one; features have a deviation of
/// about 1.
pub const VARIANCE_FLOOR: f32 = 0.05;

/// Steps of the iteration. A variance of a 400th of the trace comes out at 0.7 of its root; exact roots were no better for
/// what is learned from them.
pub const ROOT_STEPS: usize = 7;

/// Square root, so far as [`ROOT_STEPS`] find it, of a covariance of `[size, size]`, row-major, and [`VARIANCE_FLOOR`]: its upper
/// triangle with the diagonal, row by row, `size · (size + 1) / 2` values. Like a logarithm it draws large variances together,
/// and knows directions in which columns go together rather than pairs of them.
///
/// By Newton's and Schulz' coupled iteration on the matrix over its trace `t`, from `Y = A / t` and `Z = 1`:
/// `T = (3 - Z·Y) / 2`, `Y ← Y·T`, `Z ← T·Z`; the root is `Y·√t`. As Li, Xie, Wang and Gao (2018), "Towards faster training of
/// global covariance pooling networks by iterative matrix square root normalization".
#[inline(always)]
pub fn square_root(covariance: &[f32], size: usize) -> Vec<f32> {
    let identity: Vec<f32> = (0..size * size).map(|place| f32::from(u8::from(place % (size + 1) == 0))).collect();
    let covariance: Vec<f32> =
        covariance.iter().zip(&identity).map(|(value, one)| value + VARIANCE_FLOOR * one).collect();
    let trace: f32 = covariance.iter().step_by(size + 1).sum();
    let mut y: Vec<f32> = covariance.iter().map(|value| value / trace).collect();
    let mut z = identity.clone();
    for _ in 0..ROOT_STEPS {
        let both = product(&z, &y, size);
        let correction: Vec<f32> = both.iter().zip(&identity).map(|(value, one)| 1.5 * one - 0.5 * value).collect();
        y = product(&y, &correction, size);
        z = product(&correction, &z, size);
    }
    let rows = y.chunks_exact(size.max(1)).enumerate();
    rows.flat_map(|(row, values)| values[row..].iter().map(|value| value * trace.sqrt())).collect()
}

/// Product of square matrices, row-major.
#[inline(always)]
fn product(left: &[f32], right: &[f32], size: usize) -> Vec<f32> {
    let mut product = vec![0.0; size * size];
    for (out, row) in product.chunks_exact_mut(size.max(1)).zip(left.chunks_exact(size.max(1))) {
        for (factor, right) in row.iter().zip(right.chunks_exact(size)) {
            out.iter_mut().zip(right).for_each(|(out, right)| *out += factor * right);
        }
    }
    product
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_square_of_a_root_is_the_covariance() {
        // Two columns that go together, and a third of its own.
        let covariance = [2.0, 1.5, 0.0, 1.5, 3.0, 0.0, 0.0, 0.0, 0.5];
        let root = square_root(&covariance, 3);
        let whole = [root[0], root[1], root[2], root[1], root[3], root[4], root[2], root[4], root[5]];
        for (place, (square, value)) in product(&whole, &whole, 3).iter().zip(covariance).enumerate() {
            let expected = if place % 4 == 0 { value + VARIANCE_FLOOR } else { value };
            assert!((square - expected).abs() < 1e-4, "{place}: {square} instead of {expected}");
        }
    }

    #[test]
    fn a_variance_of_a_small_part_of_the_trace_falls_short() {
        let (small, large) = (0.2, 0.2 * 399.0);
        let root = square_root(&[small - VARIANCE_FLOOR, 0.0, 0.0, large - VARIANCE_FLOOR], 2);
        assert!(
            (root[0] / small.sqrt() - 0.71).abs() < 0.01 && (root[2] / large.sqrt() - 1.0).abs() < 1e-4,
            "{root:?}"
        );
    }

    #[test]
    fn what_never_moves_has_the_root_of_the_floor() {
        let root = square_root(&[0.0; 4], 2);
        assert!(
            root.iter().zip([VARIANCE_FLOOR.sqrt(), 0.0, VARIANCE_FLOOR.sqrt()]).all(|(a, b)| (a - b).abs() < 1e-5)
        );
    }
}
