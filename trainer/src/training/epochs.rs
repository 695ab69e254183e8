//! The loop over epochs and batches.

use std::time::Instant;

use anyhow::{Result, ensure};
use burn::grad_clipping::GradientClippingConfig;
use burn::module::Module;
use burn::optim::{AdamConfig, AdamWConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Tensor};
use emotone::model::Emotion;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use serde::{Deserialize, Serialize};

use super::checkpoint::State;
use super::sampling::epoch_order;
use super::source::Source;
use super::targets::{Targets, over_groups};
use super::{Checkpoint, Examples, Groups, Keep, TrainingOptions, WeightAverage};
use crate::augment::{copy_seed, mixing_weight};
use crate::network::{Mixture, Mode, Network};

/// Windows that are judged together after training.
const JUDGED_TOGETHER: usize = 64;
/// Bytes that the allocator is to keep for the next step instead of giving them back to the system after each.
const KEPT: usize = 16 << 20;

/// One line of the history.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct EpochFigures {
    /// Counted from 1.
    pub epoch: usize,
    /// Mean loss of the training batches as they came, regularization included.
    pub train_loss: f64,
    /// Part that was right in the training batches as they came.
    pub train_accuracy: f64,
    /// Mean cross-entropy on the validation part; 0 without any.
    pub validation_loss: f64,
    /// Part that was right on the validation part; 0 without any.
    pub validation_accuracy: f64,
    /// Rate at its end.
    pub learning_rate: f64,
    /// Duration.
    pub seconds: f64,
}

/// What came out.
pub struct Trained {
    /// The weights that were kept, without autodiff.
    pub network: Network,
    /// The epoch they are from.
    pub best_epoch: usize,
    /// Every epoch.
    pub history: Vec<EpochFigures>,
}

/// Trains on `examples` a network with autodiff that has units for `groups`; without `validation`, by
/// [`TrainingOptions::without_validation`]. With a checkpoint, every epoch is kept on disk, and a training that is there
/// already goes on.
///
/// # Errors
/// If the network's units are not those of the groups, features cannot be read, the checkpoint cannot be used, or `after_epoch`
/// fails.
pub fn train(
    network: Network,
    groups: &Groups,
    examples: &Examples,
    validation: &Examples,
    options: &TrainingOptions,
    checkpoint: Option<&Checkpoint>,
    mut after_epoch: impl FnMut(&EpochFigures) -> Result<()>,
) -> Result<Trained> {
    ensure!(network.groups() == groups.count(), "the network has no units for these groups of speakers");
    let unvalidated = validation.is_empty().then(|| options.clone().without_validation());
    let options = unvalidated.as_ref().unwrap_or(options);
    let mut state = match checkpoint.filter(|checkpoint| checkpoint.exists()) {
        Some(checkpoint) => checkpoint.load(network, optimizer(options), options)?,
        None => State {
            network,
            optimizer: optimizer(options),
            average: options.average.map(WeightAverage::new),
            best: None,
            history: Vec::new(),
        },
    };
    keep_freed_memory();
    let device = Device::flex().autodiff();
    // What is done once counts for the first epoch.
    let mut start = Instant::now();
    let source = Source::new(&options.shown, &state.network, examples, options.seed)?;
    let targets = Targets::new(examples, groups, options.label_smoothing);
    for epoch in state.history.len()..options.epochs {
        let shown = show_all(&mut state, examples, (&source, &targets), options, epoch, &device)?;
        let resting = match &state.average {
            Some(average) => average.apply(state.network.valid()),
            None => state.network.valid(),
        };
        let (validation_loss, validation_accuracy) = judge(&resting, validation)?;
        let figures =
            EpochFigures { validation_loss, validation_accuracy, seconds: start.elapsed().as_secs_f64(), ..shown };
        let key = |figures: &EpochFigures| (figures.validation_accuracy, -figures.validation_loss);
        let better = state.best.as_ref().is_none_or(|(before, _)| key(&figures) > key(before));
        if better || options.keep == Keep::Last {
            state.best = Some((figures, resting));
        }
        state.history.push(figures);
        if let Some(checkpoint) = checkpoint {
            checkpoint.save(&state, options)?;
        }
        after_epoch(&figures)?;
        start = Instant::now();
    }
    let State { network, best, history, .. } = state;
    let (best_epoch, network) = match best {
        Some((figures, network)) => (figures.epoch, network),
        None => (0, network.valid()),
    };
    Ok(Trained { network, best_epoch, history })
}

fn optimizer(options: &TrainingOptions) -> ModuleOptimizer {
    let optimizer = match options.weight_decay > 0.0 {
        true => AdamWConfig::new().with_epsilon(1e-7).with_weight_decay(options.weight_decay).init(),
        false => AdamConfig::new().with_epsilon(1e-7).init(),
    };
    match options.clip_norm {
        Some(norm) => optimizer.with_grad_clipping(GradientClippingConfig::Norm(norm).init()),
        None => optimizer,
    }
}

/// One epoch of steps; the figures of training alone.
fn show_all(
    state: &mut State,
    examples: &Examples,
    (source, targets): (&Source, &Targets),
    options: &TrainingOptions,
    epoch: usize,
    device: &Device,
) -> Result<EpochFigures> {
    // The same for the same seed and epoch, so that a training resumed in between goes on as it would have.
    let mut random = StdRng::seed_from_u64(copy_seed(options.seed, epoch as u64, 0));
    let order = epoch_order(examples, options.most_of_talkers, &mut random);
    let steps = order.len().div_ceil(options.batch_size);
    let (mut loss_sum, mut right, mut rate) = (0.0, 0, options.learning_rate);
    for (step, places) in order.chunks(options.batch_size).enumerate() {
        let progress = epoch as f64 + step as f64 / steps as f64;
        rate = options.schedule.rate(options.learning_rate, progress, options.epochs, &state.history);
        let (first, input) = source.batch(examples, places, &mut random, device)?;
        let mut targets = targets.of(places, device);
        let mixture = mixture(options, places.len(), &mut random);
        if let Some(mixture) = &mixture {
            targets = mixture.apply(targets);
        }
        let mode = &mut Mode::Training(&mut random);
        let logits = state.network.forward_mixed(input, first, mode, mixture.as_ref());
        right += count_right(&logits, places.iter().map(|place| examples.emotion(*place)));
        let cross_entropy = (log_softmax(logits, 1) * targets).sum() * (-1.0 / places.len() as f64);
        let loss = match state.network.penalty() {
            Some(penalty) => cross_entropy + penalty,
            None => cross_entropy,
        };
        loss_sum += f64::from(loss.clone().into_scalar::<f32>()) * places.len() as f64;
        let gradients = GradientsParams::from_grads(loss.backward(), &state.network);
        state.network = state.optimizer.step(rate, state.network.clone(), gradients);
        if let Some(average) = &mut state.average {
            average.update(&state.network);
        }
    }
    let count = order.len().max(1) as f64;
    Ok(EpochFigures {
        epoch: epoch + 1,
        train_loss: loss_sum / count,
        train_accuracy: right as f64 / count,
        learning_rate: rate,
        ..EpochFigures::default()
    })
}

fn mixture(options: &TrainingOptions, count: usize, random: &mut StdRng) -> Option<Mixture> {
    let mixup = options.mixup?;
    let (struck, seed) = (random.random_bool(mixup.share.clamp(0.0, 1.0)), random.random());
    let mut partners: Vec<usize> = (0..count).collect();
    partners.shuffle(random);
    struck.then(|| Mixture { after: mixup.after, weight: mixing_weight(mixup.alpha, seed), partners })
}

fn count_right(logits: &Tensor<2>, emotions: impl Iterator<Item = Emotion>) -> usize {
    emotions_of(logits.clone())
        .iter()
        .zip(emotions)
        .filter(|(row, emotion)| best(&row[..]) == *emotion as usize)
        .count()
}

fn best(row: &[f32]) -> usize {
    let first = (0, f32::MIN);
    row.iter().enumerate().fold(first, |best, (index, value)| if *value > best.1 { (index, *value) } else { best }).0
}

/// Mean cross-entropy and accuracy of a network at rest.
fn judge(network: &Network, examples: &Examples) -> Result<(f64, f64)> {
    let rows = logits(network, examples)?;
    let (mut loss, mut right) = (0.0, 0);
    for (row, emotion) in rows.iter().zip(examples.emotions()) {
        let highest = row.iter().copied().fold(f32::MIN, f32::max);
        let total: f64 = row.iter().map(|value| f64::from(value - highest).exp()).sum();
        loss += total.ln() - f64::from(row[emotion as usize] - highest);
        right += usize::from(best(row) == emotion as usize);
    }
    let count = rows.len().max(1) as f64;
    Ok((loss / count, right as f64 / count))
}

/// The logits of every example's served window, groups summed out, from a network without autodiff.
///
/// # Errors
/// If features cannot be read.
pub fn logits(network: &Network, examples: &Examples) -> Result<Vec<[f32; Emotion::COUNT]>> {
    let device = Device::flex();
    let mut rows = Vec::with_capacity(examples.len());
    let places: Vec<u32> = examples.places().collect();
    for places in places.chunks(JUDGED_TOGETHER) {
        let answers = network.forward(examples.windows(places, &device)?, &mut Mode::Inference);
        rows.extend(emotions_of(answers));
    }
    Ok(rows)
}

/// Each row's logarithms of sums over groups, `[batch][7]`.
fn emotions_of(logits: Tensor<2>) -> Vec<[f32; Emotion::COUNT]> {
    let [_, units] = logits.dims();
    let values: Vec<f32> = logits.into_data().iter::<f32>().collect();
    values.chunks_exact(units).map(over_groups).collect()
}

/// The C library's allocator learns from a large piece that is freed that such pieces come and go; without that, pages
/// that each step takes and gives back cost up to a third of the time. The piece is never touched, so it takes no memory.
fn keep_freed_memory() {
    drop(std::hint::black_box(Vec::<u8>::with_capacity(KEPT)));
}
