//! `fit`: folders of audio to a verified model file.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use burn::module::Module;
use clap::Args;
use clap::builder::BoolishValueParser;
use emotone::features::FeatureSpec;
use emotone::model::Emotion;
use serde_json::{Value, json};

use super::card::{self, Facts};
use super::record::{self, Run};
use super::{Calibration, count, features, pictures, progress};
use crate::dataset::{Dataset, Original, SplitKind, split};
use crate::ensemble::{Member, answers, joint_logits};
use crate::export::{to_onnx, verify};
use crate::metrics::{Answer, figures};
use crate::network::Network;
use crate::recipe::{Arch, Changes, Recipe};
use crate::say::{say, tell};
use crate::training::{Checkpoint, EpochFigures, Examples, ToldApart};

/// Windows that verify a model which has no test part.
const VERIFIED: usize = 300;

/// Options of `fit`.
#[derive(Debug, Clone, Args)]
pub struct FitArguments {
    /// Data folder, audio in one folder a category or with corpus names; may be given several times.
    #[arg(long, required = true, env = "EMOTONE_DATA")]
    pub data: Vec<PathBuf>,
    /// Network of the paper's recipe; the robust recipe has its own.
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
    /// Folder for computed features, which other runs can use again; `features` in the folder of `--out` by default.
    #[arg(long, env = "EMOTONE_CACHE")]
    pub cache: Option<PathBuf>,
    /// Times that every example is shown [default: the recipe's].
    #[arg(long, env = "EMOTONE_EPOCHS", value_parser = count::<1>)]
    pub epochs: Option<usize>,
    /// Examples a step [default: the recipe's].
    #[arg(long, env = "EMOTONE_BATCH_SIZE", value_parser = count::<1>)]
    pub batch_size: Option<usize>,
    /// Decides about split, first weights, order, copies and dropout.
    #[arg(long, default_value_t = 1, env = "EMOTONE_SEED")]
    pub seed: u64,
    /// Goes on where a run with the same options was killed.
    #[arg(long, env = "EMOTONE_RESUME", value_parser = BoolishValueParser::new())]
    pub resume: bool,
    /// `calibration.json` of a cross-validation, for temperatures and rejection threshold.
    #[arg(long, env = "EMOTONE_CALIBRATION")]
    pub calibration: Option<PathBuf>,
    /// `figures.json` of a cross-validation, to be kept in the model's card.
    #[arg(long, env = "EMOTONE_FIGURES")]
    pub figures: Option<PathBuf>,
}

impl FitArguments {
    /// Where computed features are kept.
    pub fn cache(&self) -> PathBuf {
        self.cache.clone().unwrap_or_else(|| self.out.join("features"))
    }
}

/// Trains, exports, verifies, and prints what came out.
///
/// # Errors
/// Whatever kept the work from being done.
pub fn run(arguments: &FitArguments) -> Result<()> {
    let outcome = fit(arguments)?;
    let mut text = String::new();
    for (name, figures) in &outcome.tested {
        writeln!(
            text,
            "test {name}: accuracy {:.4}, unweighted average recall {:.4}, calibration error {:.4}, {} clips",
            figures.accuracy, figures.uar, figures.ece, figures.clips
        )?;
    }
    writeln!(text, "largest difference of burn and tract {:.2e}", outcome.largest_difference)?;
    writeln!(text, "{}", outcome.model.display())?;
    say(&text)
}

/// What `fit` has made.
pub struct Outcome {
    /// The model file.
    pub model: PathBuf,
    /// Figures on the test part by the copy that was judged.
    pub tested: Vec<(&'static str, crate::metrics::Figures)>,
    /// Between training and serving, in probability.
    pub largest_difference: f32,
    /// Trainable numbers.
    pub parameters: usize,
    /// Duration of all epochs.
    pub training_seconds: f64,
}

/// As [`run`], without a word on stdout.
///
/// # Errors
/// Whatever kept the work from being done.
pub fn fit(arguments: &FitArguments) -> Result<Outcome> {
    fs::create_dir_all(&arguments.out).with_context(|| format!("{}: cannot be made", arguments.out.display()))?;
    let given = arguments.calibration.as_deref().map(Calibration::read).transpose()?;
    let cross_validated: Option<Value> = match &arguments.figures {
        Some(path) => {
            let name = || path.display().to_string();
            Some(serde_json::from_slice(&fs::read(path).with_context(name)?).with_context(name)?)
        }
        None => None,
    };
    let dataset = Dataset::read_once(&arguments.data)?;
    tell(format!(
        "{} clips of {} speakers ({}); {} audio files name none of the seven emotions",
        dataset.len(),
        dataset.speakers().len(),
        first_few(dataset.speakers()),
        dataset.unlabelled().len()
    ));
    let parts = split(&dataset, arguments.split, arguments.seed)?;
    let data_hash = record::data_hash(&dataset);
    let features =
        features::compute(&arguments.cache(), &data_hash, arguments.recipe, &dataset, &parts.train, arguments.seed)?;
    let extracted = &features.like;
    let spec = extracted.measured(&arguments.recipe.features(), &parts.train)?;
    let of = |part: &[u32]| Examples::new(extracted, &spec, &dataset, part);
    let (examples, validation, test) = (of(&parts.train), of(&parts.validation), of(&parts.test));
    ensure!(!examples.is_empty(), "no readable clip is left to train on");
    tell(format!("{} clips train, {} validate, {} test", examples.len(), validation.len(), test.len()));

    let changes = Changes { epochs: arguments.epochs, batch_size: arguments.batch_size, seed: arguments.seed };
    let members = arguments.recipe.members(arguments.arch, &spec, &ToldApart::of(&examples)?, changes);
    let (mut networks, mut histories) = (Vec::new(), Vec::new());
    for member in &members {
        let learnt_from = features.of(member.voices);
        let key = record::key(&json!([learnt_from.key, parts.train, parts.validation, member]));
        let examples = Examples::new(learnt_from, &spec, &dataset, &parts.train);
        let trained = train(arguments, member, key, &spec, &examples, &validation)?;
        networks.push(trained.network);
        histories.push((trained.best_epoch, trained.history));
    }

    let calibration = match given {
        Some(calibration) => calibration,
        None if arguments.recipe == Recipe::Robust && !validation.is_empty() => {
            let truths: Vec<Emotion> = validation.emotions().collect();
            let speakers: Vec<u32> = validation.clips.iter().map(|clip| dataset.spoken_by(*clip)).collect();
            Calibration::fit(&joint_logits(&networks, &validation)?, &truths, &speakers)
        }
        None => Calibration::NONE,
    };
    let (mut tested, mut heard) = (Vec::new(), Vec::new());
    for original in Original::ALL.into_iter().take(extracted.each).filter(|_| !test.is_empty()) {
        let logits = joint_logits(&networks, &test.served_as(original.number()))?;
        let answers: Vec<Answer> = answers(&logits, test.emotions(), calibration.temperature);
        tested.push((original.name(), figures(&answers)));
        heard.push(answers);
    }

    let parameters = networks.iter().map(Network::num_params).sum();
    let facts = Facts {
        arguments,
        dataset: &dataset,
        trained_on: &parts.train,
        features: &spec,
        members: &members,
        parameters,
        calibration,
        tested: &tested,
        cross_validated,
    };
    let card = card::describe(&facts, &networks)?;
    let onnx = to_onnx(&networks, &spec, &card)?;
    let judged = if test.is_empty() { of(&parts.train[..parts.train.len().min(VERIFIED)]) } else { test.clone() };
    let largest_difference = verify(&onnx, &networks, &judged)?;
    let model = arguments.out.join(format!("{}.onnx", card.name));
    record::write(&model, &onnx)?;
    let epochs: Vec<&Vec<EpochFigures>> = histories.iter().map(|(_, history)| history).collect();
    let everything = json!({
        "test": tested.iter().map(|(name, figures)| json!({ "heard": name, "figures": figures })).collect::<Value>(),
        "history": members.iter().zip(&epochs).map(|(member, history)| json!({ "name": member.name, "epochs": history })).collect::<Value>(),
        "parameters": parameters,
        "largest_difference": largest_difference,
    });
    record::write(&arguments.out.join("figures.json"), serde_json::to_string_pretty(&everything)?.as_bytes())?;
    let more =
        json!({ "members": members, "features": spec, "calibration": calibration, "unreadable": extracted.unreadable });
    let run = Run::new(&dataset, &data_hash, &parts, more);
    record::write_json(&arguments.out.join("run.json"), &run)?;
    for (member, (best_epoch, history)) in members.iter().zip(&histories) {
        pictures::curves(&arguments.out, &member.name, history, *best_epoch)?;
    }
    // Pictures of an earlier model would be taken for this one's.
    Original::ALL.into_iter().try_for_each(|original| pictures::forget(&arguments.out, original.name()))?;
    for ((name, figures), answers) in tested.iter().zip(&heard) {
        pictures::judged(&arguments.out, &format!("{}: {name}", card.name), name, figures, answers)?;
    }
    let training_seconds = epochs.iter().flat_map(|history| history.iter()).map(|figures| figures.seconds).sum();
    Ok(Outcome { model, tested, largest_difference, parameters, training_seconds })
}

/// Some names, for whoever sees at once that they are no people.
fn first_few(names: &[String]) -> String {
    const FEW: usize = 4;
    let more = if names.len() > FEW { ", ..." } else { "" };
    names[..names.len().min(FEW)].join(", ") + more
}

/// Trains one network, kept on disk after each epoch.
fn train(
    arguments: &FitArguments,
    member: &Member,
    key: String,
    spec: &FeatureSpec,
    examples: &Examples,
    validation: &Examples,
) -> Result<crate::training::Trained> {
    let checkpoint = Checkpoint::new(&arguments.out.join(format!("checkpoint-{}", member.name)), key);
    if !arguments.resume {
        checkpoint.remove()?;
    }
    tell(format!("{}: {}", member.name, member.architecture));
    member.train(spec, examples, validation, Some(&checkpoint), |figures| {
        tell(progress::epoch_line(figures, member.options.epochs));
        Ok(())
    })
}
