//! Two clips in one, with both their labels.

use rand::{SeedableRng, rngs::StdRng};
use rand_distr::{Beta, Distribution};

/// Share of the first of two clips in their mixture, in [0.5, 1]: the greater of a draw from Beta(`alpha`, `alpha`) and
/// its rest (Zhang et al., *mixup*, ICLR 2018). An `alpha` that is not above 0 gives 1, which mixes nothing.
pub fn mixing_weight(alpha: f32, seed: u64) -> f32 {
    let mut rng = StdRng::seed_from_u64(seed);
    Beta::new(alpha, alpha).map_or(1.0, |beta| {
        let weight: f32 = beta.sample(&mut rng);
        weight.max(1.0 - weight)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_favour_the_first_and_follow_the_seed() {
        let weights: Vec<f32> = (0..1_000).map(|seed| mixing_weight(0.2, seed)).collect();
        assert!(weights.iter().all(|weight| (0.5..=1.0).contains(weight)));
        let mean = weights.iter().sum::<f32>() / 1_000.0;
        // E[max(x, 1 - x)] for Beta(0.2, 0.2) is 0.899 by numeric integration.
        assert!((mean - 0.899).abs() < 0.02, "{mean}");
        assert_eq!(mixing_weight(0.2, 5), mixing_weight(0.2, 5));
        assert_eq!(mixing_weight(0.0, 5), 1.0);
    }
}
