//! The loop over epochs and batches.

use std::time::Instant;

use anyhow::Result;
use burn::module::Module;
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Tensor};
use emotone::model::Emotion;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use super::{Examples, Schedule};
use crate::network::{Mode, Network};

/// Windows that are judged together after training.
const JUDGED_TOGETHER: usize = 128;

/// What shapes a training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainingOptions {
    /// Times that every example is shown.
    pub epochs: usize,
    /// Examples a step.
    pub batch_size: usize,
    /// Adam's rate at first.
    pub learning_rate: f64,
    /// How the rate changes.
    pub schedule: Schedule,
    /// Part of each target that is spread over all classes.
    pub label_smoothing: f32,
    /// Decides about order and dropout.
    pub seed: u64,
}

/// One line of the history.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct EpochFigures {
    /// Counted from 1.
    pub epoch: usize,
    /// Mean loss of the training batches as they came, regularization included.
    pub train_loss: f64,
    /// Part that was right in the training batches as they came.
    pub train_accuracy: f64,
    /// Mean cross-entropy on the validation part.
    pub validation_loss: f64,
    /// Part that was right on the validation part.
    pub validation_accuracy: f64,
    /// Rate at its end.
    pub learning_rate: f64,
    /// Duration.
    pub seconds: f64,
}

/// What came out.
pub struct Trained {
    /// As it was after the best epoch, without autodiff.
    pub network: Network,
    /// The epoch with the best validation accuracy, the lower loss deciding between equals.
    pub best_epoch: usize,
    /// Every epoch.
    pub history: Vec<EpochFigures>,
}

/// Trains on `examples`, and keeps the epoch that does best on `validation`.
///
/// # Errors
/// If features cannot be read, or `after_epoch` fails.
pub fn train(
    mut network: Network,
    examples: &Examples,
    validation: &Examples,
    options: &TrainingOptions,
    device: &Device,
    mut after_epoch: impl FnMut(&EpochFigures) -> Result<()>,
) -> Result<Trained> {
    let mut optimizer = AdamConfig::new().with_epsilon(1e-7).init();
    let mut history: Vec<EpochFigures> = Vec::new();
    let mut best: Option<(EpochFigures, Network)> = None;
    let steps = examples.len().div_ceil(options.batch_size);
    for epoch in 0..options.epochs {
        let start = Instant::now();
        let mut random = epoch_random(options.seed, epoch);
        let mut order: Vec<usize> = (0..examples.len()).collect();
        order.shuffle(&mut random);
        let (mut loss_sum, mut right, mut rate) = (0.0, 0, options.learning_rate);
        for (step, places) in order.chunks(options.batch_size).enumerate() {
            let progress = epoch as f64 + step as f64 / steps as f64;
            rate = options.schedule.rate(options.learning_rate, progress, options.epochs, &history);
            let (features, targets) = examples.batch(places, options.label_smoothing, device)?;
            let logits = network.forward(features, &mut Mode::Training(&mut random));
            right += count_right(&logits, places.iter().map(|place| examples.emotions[*place]));
            let cross_entropy = (log_softmax(logits, 1) * targets).sum() * (-1.0 / places.len() as f64);
            let loss = match network.penalty() {
                Some(penalty) => cross_entropy + penalty,
                None => cross_entropy,
            };
            loss_sum += f64::from(loss.clone().into_scalar::<f32>()) * places.len() as f64;
            let gradients = GradientsParams::from_grads(loss.backward(), &network);
            network = optimizer.step(rate, network, gradients);
        }
        let judged = network.valid();
        let (validation_loss, validation_accuracy) = judge(&judged, validation)?;
        let figures = EpochFigures {
            epoch: epoch + 1,
            train_loss: loss_sum / examples.len() as f64,
            train_accuracy: right as f64 / examples.len() as f64,
            validation_loss,
            validation_accuracy,
            learning_rate: rate,
            seconds: start.elapsed().as_secs_f64(),
        };
        let key = |figures: &EpochFigures| (figures.validation_accuracy, -figures.validation_loss);
        if best.as_ref().is_none_or(|(before, _)| key(&figures) > key(before)) {
            best = Some((figures, judged));
        }
        history.push(figures);
        after_epoch(&figures)?;
    }
    let (best_epoch, network) = match best {
        Some((figures, network)) => (figures.epoch, network),
        None => (0, network.valid()),
    };
    Ok(Trained { network, best_epoch, history })
}

/// The same for the same seed and epoch, so that a training resumed in between goes on as it would have.
fn epoch_random(seed: u64, epoch: usize) -> StdRng {
    StdRng::seed_from_u64(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(epoch as u64 + 1))
}

fn count_right(logits: &Tensor<2>, emotions: impl Iterator<Item = Emotion>) -> usize {
    let values: Vec<f32> = logits.to_data().iter::<f32>().collect();
    values.chunks_exact(Emotion::COUNT).zip(emotions).filter(|(row, emotion)| best(row) == *emotion as usize).count()
}

fn best(row: &[f32]) -> usize {
    let first = (0, f32::MIN);
    row.iter().enumerate().fold(first, |best, (index, value)| if *value > best.1 { (index, *value) } else { best }).0
}

/// Mean cross-entropy and accuracy of a network at rest.
fn judge(network: &Network, examples: &Examples) -> Result<(f64, f64)> {
    let rows = logits(network, examples)?;
    let (mut loss, mut right) = (0.0, 0);
    for (row, emotion) in rows.iter().zip(&examples.emotions) {
        let highest = row.iter().copied().fold(f32::MIN, f32::max);
        let total: f64 = row.iter().map(|value| f64::from(value - highest).exp()).sum();
        loss += total.ln() - f64::from(row[*emotion as usize] - highest);
        right += usize::from(best(row) == *emotion as usize);
    }
    let count = rows.len().max(1) as f64;
    Ok((loss / count, right as f64 / count))
}

/// The logits of every example, from a network without autodiff.
///
/// # Errors
/// If features cannot be read.
pub fn logits(network: &Network, examples: &Examples) -> Result<Vec<[f32; Emotion::COUNT]>> {
    let device = Device::flex();
    let mut rows = Vec::with_capacity(examples.len());
    let places: Vec<usize> = (0..examples.len()).collect();
    for places in places.chunks(JUDGED_TOGETHER) {
        let (features, _) = examples.batch(places, 0.0, &device)?;
        let values: Vec<f32> = network.forward(features, &mut Mode::Inference).into_data().iter::<f32>().collect();
        rows.extend(values.as_chunks().0);
    }
    Ok(rows)
}
