//! How sure an answer may be: a softmax whose temperature depends on how much in doubt the answer is.

use emotone::model::{Emotion, ModelCard};
use serde::{Deserialize, Serialize};

const COUNT: usize = Emotion::COUNT;

/// Bounds of both temperatures.
const RANGE: [f64; 2] = [0.3, 5.0];

/// What a square of the logarithm of their ratio costs, in nats a clip: where answers don't tell two temperatures apart,
/// there is one.
const DISTINCTION: f64 = 1e-3;

/// Below this a probability counts as this where its logarithm is taken.
pub const LEAST_PROBABILITY: f32 = 1e-9;

/// What logits are divided by: `temperature` where the answer is in no doubt (entropy 0), `temperature_in_doubt` where all
/// emotions are as likely (entropy ln 7), between them in proportion on a logarithmic scale. The entropy is that of the
/// logits' own softmax.
///
/// After the entropy-based temperature scaling of Balanya, Maroñas and Ramos (2022), "Adaptive temperature scaling for robust
/// calibration of deep neural networks"; theirs is the softplus of a line in the entropy's logarithm.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Temperature {
    /// In no doubt.
    #[serde(rename = "temperature")]
    pub sure: f32,
    /// In all doubt.
    #[serde(rename = "temperature_in_doubt")]
    pub in_doubt: f32,
}

impl Temperature {
    /// Logits as they are.
    pub const ONE: Self = Self { sure: 1.0, in_doubt: 1.0 };

    /// What a card says.
    pub fn of(card: &ModelCard) -> Self {
        Self { sure: card.temperature, in_doubt: card.temperature_in_doubt.unwrap_or(card.temperature) }
    }

    /// Under which the true emotions are likeliest, each clip counting by its weight; both are in [0.3, 5].
    pub fn fit(logits: &[[f32; COUNT]], truths: &[Emotion], weights: &[f64]) -> Self {
        let total: f64 = weights.iter().sum();
        let entropies: Vec<f32> = logits.iter().map(|row| entropy(*row)).collect();
        let loss = |sure: f64, in_doubt: f64| -> f64 {
            let temperature = Self { sure: sure.exp() as f32, in_doubt: in_doubt.exp() as f32 };
            let clips = logits.iter().zip(&entropies).zip(truths).zip(weights);
            let surprise = clips.map(|(((row, entropy), truth), weight)| {
                let probability = temperature.softmax_at(*row, *entropy)[*truth as usize];
                -weight * f64::from(probability.max(LEAST_PROBABILITY)).ln()
            });
            surprise.sum::<f64>() + total * DISTINCTION * (sure - in_doubt).powi(2)
        };
        let best_sure = |in_doubt| minimum(|sure| loss(sure, in_doubt));
        let in_doubt = minimum(|in_doubt| loss(best_sure(in_doubt), in_doubt));
        Self { sure: best_sure(in_doubt).exp() as f32, in_doubt: in_doubt.exp() as f32 }
    }

    /// Probabilities of logits.
    pub fn softmax(self, logits: [f32; COUNT]) -> [f32; COUNT] {
        self.softmax_at(logits, entropy(logits))
    }

    fn softmax_at(self, logits: [f32; COUNT], entropy: f32) -> [f32; COUNT] {
        let temperature = self.sure * (self.slope() * entropy).exp();
        softmax(logits.map(|logit| logit / temperature))
    }

    /// What a nat of entropy adds to the temperature's logarithm.
    pub fn slope(self) -> f32 {
        (self.in_doubt / self.sure).ln() / (COUNT as f32).ln()
    }
}

/// Entropy of the logits' softmax in nats.
fn entropy(logits: [f32; COUNT]) -> f32 {
    softmax(logits).iter().map(|value| -value * value.max(LEAST_PROBABILITY).ln()).sum()
}

/// Exponentials over their sum.
pub fn softmax(logits: [f32; COUNT]) -> [f32; COUNT] {
    let highest = logits.into_iter().fold(f32::MIN, f32::max);
    let powers = logits.map(|logit| (logit - highest).exp());
    let total: f32 = powers.iter().sum();
    powers.map(|power| power / total)
}

/// Where a function of a temperature's logarithm is smallest, by golden section.
fn minimum(loss: impl Fn(f64) -> f64) -> f64 {
    let golden = (5.0_f64.sqrt() - 1.0) / 2.0;
    let [mut low, mut high] = RANGE.map(f64::ln);
    for _ in 0..30 {
        let (left, right) = (high - golden * (high - low), low + golden * (high - low));
        if loss(left) < loss(right) { high = right } else { low = left }
    }
    (low + high) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const SURE: [f32; COUNT] = [8.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
    const IN_DOUBT: [f32; COUNT] = [0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];

    fn right_in(part: usize) -> Vec<Emotion> {
        (0..100).map(|index| if index < part { Emotion::Angry } else { Emotion::Sad }).collect()
    }

    #[test]
    fn a_temperature_takes_back_what_was_claimed_too_much() {
        let truths = right_in(60);
        let temperature = Temperature::fit(&[SURE; 100], &truths, &[1.0; 100]);
        assert!(temperature.sure > 2.0, "{temperature:?}");
        let weights = truths.iter().map(|truth| if *truth == Emotion::Angry { 10.0 } else { 0.1 });
        let surer = Temperature::fit(&[SURE; 100], &truths, &weights.collect::<Vec<_>>());
        assert!(surer.sure < 0.8 * temperature.sure, "{surer:?}");
    }

    #[test]
    fn who_claims_too_much_when_sure_and_too_little_in_doubt_has_two_temperatures() {
        let logits = [[SURE; 100], [IN_DOUBT; 100]].concat();
        let truths = [right_in(60), right_in(60)].concat();
        let temperature = Temperature::fit(&logits, &truths, &[1.0; 200]);
        assert!(temperature.sure > 2.0 && temperature.in_doubt < 0.5, "{temperature:?}");
        let alike = Temperature::fit(&[SURE; 100], &right_in(60), &[1.0; 100]);
        assert!((alike.sure / alike.in_doubt - 1.0).abs() < 0.01, "{alike:?}");
    }

    #[test]
    fn the_temperature_lies_between_both_as_the_entropy_does() {
        let temperature = Temperature { sure: 2.0, in_doubt: 0.5 };
        let close = |a: [f32; COUNT], b: [f32; COUNT]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-6);
        let (certain, alike) = ([200.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], [1.0; COUNT]);
        assert!(close(temperature.softmax(certain), softmax(certain.map(|logit| logit / 2.0))));
        assert!(close(temperature.softmax(alike), softmax(alike)));
        // Four emotions alike and three impossible: entropy ln 4.
        let four = [0.0, 0.0, 0.0, 0.0, -90.0, -90.0, -90.0];
        let expected = 2.0 * 0.25_f32.powf(4.0_f32.ln() / 7.0_f32.ln());
        assert!((2.0 * (temperature.slope() * 4.0_f32.ln()).exp() - expected).abs() < 1e-6);
        assert!(close(temperature.softmax(four), softmax(four.map(|logit| logit / expected))));
        assert!(close(Temperature::ONE.softmax(IN_DOUBT), softmax(IN_DOUBT)));
    }
}
