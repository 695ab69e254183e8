//! `fit`: folders of audio to a verified model file.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use burn::module::Module;
use burn::tensor::Device;
use clap::{Args, ValueEnum};
use emotone::features::{FeatureExtractor, FeatureSpec, Normalization};
use emotone::model::{Emotion, ModelCard};
use serde_json::{Map, Value, json};

use super::{pictures, progress};
use crate::dataset::{Clip, Dataset, FeatureStore, Split, SplitKind, load, split, statistics};
use crate::export::{to_onnx, verify};
use crate::metrics::{Answer, Figures, figures, softmax};
use crate::network::{Architecture, Network};
use crate::recipe::Recipe;
use crate::training::{Examples, Trained, logits, train};

/// Rejection threshold of the paper's recipe, which does not know calibration: twice and more what chance would say.
const PLAIN_THRESHOLD: f32 = 0.4;

/// The paper's three networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Arch {
    /// Convolutions.
    Cnn,
    /// Recurrence.
    Lstm,
    /// Both.
    CnnLstm,
}

impl Arch {
    /// Its layers.
    pub fn architecture(self) -> Architecture {
        match self {
            Self::Cnn => Architecture::cnn(),
            Self::Lstm => Architecture::lstm(),
            Self::CnnLstm => Architecture::cnn_lstm(),
        }
    }
}

/// Options of `fit`.
#[derive(Debug, Clone, Args)]
pub struct FitArguments {
    /// Data folder, audio in one folder a category or with corpus names; may be given several times.
    #[arg(long, required = true, env = "EMOTONE_DATA")]
    pub data: Vec<PathBuf>,
    /// Network.
    #[arg(long, value_enum, default_value = "cnn-lstm", env = "EMOTONE_ARCH")]
    pub arch: Arch,
    /// Features and training.
    #[arg(long, value_enum, default_value = "paper", env = "EMOTONE_RECIPE")]
    pub recipe: Recipe,
    /// How clips are divided into training, validation and test.
    #[arg(long, value_enum, default_value = "random", env = "EMOTONE_SPLIT")]
    pub split: SplitKind,
    /// Folder for the model and everything about its training.
    #[arg(long, env = "EMOTONE_OUT")]
    pub out: PathBuf,
    /// Times that every example is shown.
    #[arg(long, env = "EMOTONE_EPOCHS")]
    pub epochs: Option<usize>,
    /// Examples a step.
    #[arg(long, env = "EMOTONE_BATCH_SIZE")]
    pub batch_size: Option<usize>,
    /// Decides about split, first weights, order and dropout.
    #[arg(long, default_value_t = 1, env = "EMOTONE_SEED")]
    pub seed: u64,
}

/// Trains, exports, verifies, and prints what came out.
///
/// # Errors
/// Whatever kept the work from being done.
pub fn run(arguments: &FitArguments) -> Result<()> {
    fs::create_dir_all(&arguments.out).with_context(|| format!("{}: cannot be made", arguments.out.display()))?;
    let dataset = Dataset::read(&arguments.data)?;
    eprintln!(
        "{} clips of {} speakers; {} audio files name none of the seven emotions",
        dataset.clips.len(),
        dataset.speakers().len(),
        dataset.unlabelled.len()
    );
    let mut parts = split(&dataset, arguments.split, arguments.seed)?;
    let features = measured_features(arguments.recipe, &dataset, &parts)?;
    let store = compute_features(arguments, &features, &dataset, &mut parts)?;
    let of = |part: &[usize]| Examples {
        store: &store,
        windows: part.to_vec(),
        emotions: part.iter().map(|index| dataset.clips[*index].emotion).collect(),
    };
    let (examples, validation, test) = (of(&parts.train), of(&parts.validation), of(&parts.test));
    ensure!(!(examples.is_empty() || validation.is_empty() || test.is_empty()), "too few readable clips");
    eprintln!("{} clips train, {} validate, {} test", examples.len(), validation.len(), test.len());

    let architecture = arguments.arch.architecture();
    let device = Device::flex().autodiff();
    let network = Network::new(&architecture, features.frames, features.width(), arguments.seed, &device);
    let parameters = network.num_params();
    eprintln!("{architecture}: {parameters} parameters");
    let options = arguments.recipe.training(arguments.epochs, arguments.batch_size, arguments.seed);
    let trained = train(network, &examples, &validation, &options, &device, |figures| {
        eprintln!("{}", progress::epoch_line(figures, options.epochs));
        Ok(())
    })?;

    let answers = answers(&trained.network, &test)?;
    let scores = figures(&answers);
    let card = card(arguments, &architecture, &features, &dataset, &parts, &trained, parameters, &scores);
    let onnx = to_onnx(std::slice::from_ref(&trained.network), &features, &card)?;
    let difference = verify(&onnx, std::slice::from_ref(&trained.network), &test)?;
    let path = arguments.out.join(format!("{}.onnx", card.name));
    write(&path, &onnx)?;
    let everything = json!({
        "test": scores,
        "history": trained.history,
        "best_epoch": trained.best_epoch,
        "parameters": parameters,
        "largest_difference": difference,
    });
    write(&arguments.out.join("figures.json"), serde_json::to_string_pretty(&everything)?.as_bytes())?;
    pictures::write(&arguments.out, &card.name, &trained.history, trained.best_epoch, &scores, &answers)?;
    println!("best epoch {} of {}", trained.best_epoch, trained.history.len());
    println!(
        "test accuracy {:.4}, unweighted average recall {:.4}, {} clips",
        scores.accuracy, scores.uar, scores.clips
    );
    println!("largest difference of burn and tract {difference:.2e}");
    println!("{}", path.display());
    Ok(())
}

fn write(path: &std::path::Path, bytes: &[u8]) -> Result<()> {
    fs::write(path, bytes).with_context(|| format!("{}: cannot be written", path.display()))
}

/// The recipe's features, with the training part's mean and spread where they are global.
fn measured_features(recipe: Recipe, dataset: &Dataset, parts: &Split) -> Result<FeatureSpec> {
    let features = recipe.features();
    if matches!(features.normalization, Normalization::Recording { .. }) {
        return Ok(features);
    }
    let clips: Vec<&Clip> = parts.train.iter().map(|index| &dataset.clips[*index]).collect();
    let normalization = statistics(&features, &clips)?;
    Ok(FeatureSpec { normalization, ..features })
}

/// One window a clip; clips that cannot be read are told, counted and taken out of the parts.
fn compute_features(
    arguments: &FitArguments,
    features: &FeatureSpec,
    dataset: &Dataset,
    parts: &mut Split,
) -> Result<FeatureStore> {
    let extractor = FeatureExtractor::new(features)?;
    let clips: Vec<&Clip> = dataset.clips.iter().collect();
    let bar = progress::bar("features", clips.len());
    let (store, unreadable) = FeatureStore::build(
        &arguments.out.join("features.f32"),
        features,
        &clips,
        1,
        |_, clip| Ok(vec![extractor.features(&load(&clip.path, features.sample_rate)?)?]),
        |done| bar.set_position(done as u64),
    )?;
    bar.finish_and_clear();
    for clip in &unreadable {
        eprintln!("left out: {}", clip.problem);
    }
    if !unreadable.is_empty() {
        eprintln!("{} clips could not be read and are left out", unreadable.len());
        for part in [&mut parts.train, &mut parts.validation, &mut parts.test] {
            part.retain(|index| unreadable.iter().all(|clip| clip.index != *index));
        }
    }
    Ok(store)
}

fn answers(network: &Network, examples: &Examples) -> Result<Vec<Answer>> {
    let rows = logits(network, examples)?.into_iter().zip(&examples.emotions);
    Ok(rows.map(|(row, truth)| Answer { truth: *truth, probabilities: softmax(row, 1.0) }).collect())
}

#[allow(clippy::too_many_arguments, reason = "a card tells of everything")]
fn card(
    arguments: &FitArguments,
    architecture: &Architecture,
    features: &FeatureSpec,
    dataset: &Dataset,
    parts: &Split,
    trained: &Trained,
    parameters: usize,
    scores: &Figures,
) -> ModelCard {
    let window_seconds = (features.frames * features.hop) as f64 / f64::from(features.sample_rate);
    let more: Map<String, Value> = [
        ("recipe", json!(arguments.recipe)),
        ("split", json!(arguments.split)),
        ("seed", json!(arguments.seed)),
        ("epochs", json!(trained.history.len())),
        ("best_epoch", json!(trained.best_epoch)),
        ("parameters", json!(parameters)),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value))
    .collect();
    ModelCard {
        name: format!("emotone-{}", architecture.name),
        version: env!("CARGO_PKG_VERSION").into(),
        architecture: architecture.to_string(),
        labels: Emotion::ALL.to_vec(),
        temperature: 1.0,
        rejection_threshold: PLAIN_THRESHOLD,
        window_seconds,
        hop_seconds: window_seconds / 2.0,
        data: dataset.corpora(&parts.train),
        metrics: json!({ "test": scores }),
        more,
    }
}
