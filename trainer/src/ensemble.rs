//! Several networks that answer as one.

use anyhow::Result;
use burn::tensor::Device;
use emotone::features::FeatureSpec;
use emotone::model::Emotion;

use crate::augment::Voices;
use crate::metrics::Answer;
use crate::network::{Architecture, Network};
use crate::temperature::{LEAST_PROBABILITY, Temperature, softmax};
use crate::training::{Checkpoint, EpochFigures, Examples, Trained, TrainingOptions, logits, train};

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
        let device = Device::flex().autodiff();
        let seed = self.options.seed;
        let network = Network::new(&self.architecture, features.frames, features.width(), seed, &device);
        let trained = train(network, examples, validation, &self.options, &device, checkpoint, after_epoch)?;
        Ok(Trained { network: trained.network.rounded(), ..trained })
    }
}

/// The mean of the networks' probabilities for each example, as logits: its logarithm.
///
/// # Errors
/// If features cannot be read.
pub fn joint_logits(networks: &[Network], examples: &Examples) -> Result<Vec<[f32; Emotion::COUNT]>> {
    // As the exported file joins them.
    if let [only] = networks
        && only.corpora() == 1
    {
        return logits(only, examples);
    }
    let rows = networks.iter().map(|network| logits(network, examples)).collect::<Result<Vec<_>>>()?;
    let join = |place: usize| join(rows.iter().map(|rows| rows[place]));
    Ok((0..examples.len()).map(join).collect())
}

/// The logarithm of the mean of several softmaxes.
pub fn join(logits: impl Iterator<Item = [f32; Emotion::COUNT]>) -> [f32; Emotion::COUNT] {
    let (mut sum, mut count) = ([0.0; Emotion::COUNT], 0.0);
    for row in logits {
        sum.iter_mut().zip(softmax(row)).for_each(|(sum, value)| *sum += value);
        count += 1.0;
    }
    sum.map(|value| (value / count).max(LEAST_PROBABILITY).ln())
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
