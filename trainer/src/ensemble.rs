//! Several networks that answer as one.

use anyhow::Result;
use burn::tensor::Device;
use emotone::features::FeatureSpec;
use emotone::model::Emotion;

use crate::augment::Voices;
use crate::metrics::Answer;
use crate::network::{Architecture, Network};
use crate::temperature::{LEAST_PROBABILITY, Temperature, softmax};
use crate::training::{Checkpoint, EpochFigures, Examples, Groups, Trained, TrainingOptions, logits, train};

/// One network of an ensemble, before training.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Member {
    /// Name, unique in the ensemble.
    pub name: String,
    /// Its layers.
    pub architecture: Architecture,
    /// How far the copies that it learns from are from the clips' own voices; of no account where there are none.
    pub voices: Voices,
    /// Its training.
    pub options: TrainingOptions,
    /// Speakers that it tells apart; the data decide about them.
    #[serde(skip)]
    pub groups: Groups,
}

impl Member {
    /// Sets up the network and trains it; its weights come out [rounded](Network::rounded), as they are exported.
    ///
    /// # Errors
    /// As [`train`].
    pub fn train(
        &self,
        features: &FeatureSpec,
        examples: &Examples,
        validation: &Examples,
        checkpoint: Option<&Checkpoint>,
        after_epoch: impl FnMut(&EpochFigures) -> Result<()>,
    ) -> Result<Trained> {
        let (seed, device) = (self.options.seed, Device::flex().autodiff());
        let network = Network::new(&self.architecture, features.frames, features.width(), seed, &device);
        let trained = train(network, &self.groups, examples, validation, &self.options, checkpoint, after_epoch)?;
        Ok(Trained { network: trained.network.rounded(), ..trained })
    }
}

/// What the networks say together of each example, as logits.
///
/// # Errors
/// If features cannot be read.
pub fn joint_logits(networks: &[Network], examples: &Examples) -> Result<Vec<[f32; Emotion::COUNT]>> {
    // As the exported file joins them.
    if let [only] = networks
        && only.groups() == 1
    {
        return logits(only, examples);
    }
    let rows = networks.iter().map(|network| logits(network, examples)).collect::<Result<Vec<_>>>()?;
    let join = |place: usize| join(rows.iter().map(|rows| rows[place]));
    Ok((0..examples.len()).map(join).collect())
}

/// The mean of the logarithms of several softmaxes: their geometric mean, but for the division by its sum that a softmax
/// brings. Where networks disagree it is less sure than the mean of their probabilities.
pub fn join(logits: impl Iterator<Item = [f32; Emotion::COUNT]>) -> [f32; Emotion::COUNT] {
    let (mut sum, mut count) = ([0.0; Emotion::COUNT], 0.0);
    for row in logits {
        sum.iter_mut().zip(softmax(row)).for_each(|(sum, value)| *sum += value.max(LEAST_PROBABILITY).ln());
        count += 1.0;
    }
    sum.map(|value| value / count)
}

/// Logits with their truths as answers at a temperature.
pub fn answers(
    logits: &[[f32; Emotion::COUNT]],
    truths: impl Iterator<Item = Emotion>,
    temperature: Temperature,
) -> Vec<Answer> {
    let answer =
        |(row, truth): (&[f32; Emotion::COUNT], Emotion)| Answer { truth, probabilities: temperature.softmax(*row) };
    logits.iter().zip(truths).map(answer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn together_networks_say_the_root_of_the_product() {
        let rows: [[f32; Emotion::COUNT]; 2] =
            [[0.5, 0.0, -3.0, 4.0, 1.0, 0.25, -1.0], [2.0, 0.0, 1.0, -1.5, 0.0, 0.75, 3.0]];
        let [one, other] = rows.map(softmax);
        let roots: [f32; Emotion::COUNT] = std::array::from_fn(|place| (one[place] * other[place]).sqrt());
        let total: f32 = roots.iter().sum();
        for (joint, root) in softmax(join(rows.into_iter())).into_iter().zip(roots) {
            assert!((joint - root / total).abs() < 1e-6, "{joint} instead of {}", root / total);
        }
    }
}
