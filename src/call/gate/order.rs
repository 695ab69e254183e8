//! Values that stand at a place among others.

use pulp::Simd;

use super::{LANES, Lanes};

/// The middle value of each lane; changes the order of the rows, which are at least three, lane by lane.
#[inline(always)]
pub(super) fn medians<S: Simd>(simd: S, rows: &mut [Lanes]) -> Lanes {
    const { assert!(S::F32_LANES <= LANES, "a register holds no more than a row") };
    let (middle, width) = (rows.len() / 2, LANES / S::F32_LANES);
    // Two by two, rows up to the middle become the least of those from them on: more comparisons than need be, but no
    // branches, and all lanes at once.
    let (registers, _) = S::as_mut_simd_f32s(rows.as_flattened_mut());
    for part in 0..width {
        for first in (0..=middle).step_by(2) {
            let Some((sorted, others)) = registers.split_at_mut_checked((first + 2) * width) else { break };
            let (one, two) = (sorted[first * width + part], sorted[(first + 1) * width + part]);
            let (mut least, mut second) = (simd.min_f32s(one, two), simd.max_f32s(one, two));
            for other in others.iter_mut().skip(part).step_by(width) {
                let greater = simd.max_f32s(least, *other);
                least = simd.min_f32s(least, *other);
                *other = simd.max_f32s(second, greater);
                second = simd.min_f32s(second, greater);
            }
            (sorted[first * width + part], sorted[(first + 1) * width + part]) = (least, second);
        }
    }
    rows[middle]
}

/// The value that `part` of all are at most; far below everything for none.
pub(super) fn quantile(values: impl Iterator<Item = f32>, part: f64) -> f32 {
    let mut values: Vec<f32> = values.collect();
    if values.is_empty() {
        return f32::MIN;
    }
    let position = ((values.len() - 1) as f64 * part).round() as usize;
    *values.select_nth_unstable_by(position, f32::total_cmp).1
}

#[cfg(test)]
mod tests {
    use pulp::WithSimd;

    use super::*;
    use crate::registers::in_eights;

    struct Medians(Vec<Lanes>);

    impl WithSimd for Medians {
        type Output = Lanes;

        #[inline(always)]
        fn with_simd<S: Simd>(mut self, simd: S) -> Lanes {
            medians(simd, &mut self.0)
        }
    }

    #[test]
    fn the_median_is_in_the_middle_of_each_lane() {
        for count in 3..40_usize {
            let rows: Vec<Lanes> =
                (0..count).map(|row| std::array::from_fn(|lane| ((row * (2 * lane + 7) + lane) % 23) as f32)).collect();
            let expected: Lanes = std::array::from_fn(|lane| {
                let mut values: Vec<f32> = rows.iter().map(|row| row[lane]).collect();
                values.sort_by(f32::total_cmp);
                values[count / 2]
            });
            assert_eq!(in_eights(Medians(rows.clone())), expected, "{count} rows");
            assert_eq!(pulp::Scalar.vectorize(Medians(rows)), expected, "{count} rows, one lane after the other");
        }
    }
}
