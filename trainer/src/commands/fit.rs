//! `fit`: folders of audio to a verified model file.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use burn::module::Module;
use clap::Args;
use clap::builder::BoolishValueParser;
use emotone::model::Emotion;
use serde::Serialize;
use serde_json::{Value, json};

use super::card::{self, Facts};
use super::prepared::Prepared;
use super::record::{self, Run};
use super::{Calibration, count, pictures, progress};
use crate::dataset::{Original, SplitKind};
use crate::ensemble::{Member, answers, joint_logits};
use crate::export::{to_onnx, verify};
use crate::metrics::{Answer, Figures, figures};
use crate::network::Network;
use crate::recipe::{Arch, Recipe};
use crate::say::{say, tell};
use crate::training::{Checkpoint, EpochFigures, Examples, Trained};

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
    pub tested: Vec<(&'static str, Figures)>,
    /// Between training and serving, in probability.
    pub largest_difference: f32,
    /// Trainable numbers.
    pub parameters: usize,
    /// Duration of all epochs.
    pub training_seconds: f64,
}

/// How one network learned.
#[derive(Serialize)]
struct Course {
    name: String,
    #[serde(skip)]
    best_epoch: usize,
    epochs: Vec<EpochFigures>,
}

/// What the test clips' answers are worth, heard one way.
struct Tested {
    heard: &'static str,
    answers: Vec<Answer>,
    figures: Figures,
}

/// As [`run`], without a word on stdout.
///
/// # Errors
/// Whatever kept the work from being done.
pub fn fit(arguments: &FitArguments) -> Result<Outcome> {
    let out = &arguments.out;
    fs::create_dir_all(out).with_context(|| format!("{}: cannot be made", out.display()))?;
    // What is given is read before anything takes long.
    let given = arguments.calibration.as_deref().map(Calibration::read).transpose()?;
    let cross_validated: Option<Value> = arguments.figures.as_deref().map(record::read_json).transpose()?;
    let data = Prepared::new(arguments)?;
    let members = data.members(arguments)?;
    let (mut networks, mut courses) = (Vec::new(), Vec::new());
    for member in &members {
        let Trained { network, best_epoch, history } = train(arguments, &data, member)?;
        networks.push(network);
        courses.push(Course { name: member.name.clone(), best_epoch, epochs: history });
    }
    let calibration = match given {
        Some(calibration) => calibration,
        None => calibrate(arguments.recipe, &data.validation(), &networks)?,
    };
    let tested = test(&data, &networks, calibration)?;
    let figures: Vec<(&str, Figures)> = tested.iter().map(|tested| (tested.heard, tested.figures.clone())).collect();
    let parameters = networks.iter().map(Network::num_params).sum();
    let card = card::describe(
        &Facts {
            arguments,
            dataset: &data.dataset,
            trained_on: &data.parts.train,
            features: &data.spec,
            members: &members,
            parameters,
            calibration,
            tested: &figures,
            cross_validated,
        },
        &networks,
    )?;
    let onnx = to_onnx(&networks, &data.spec, &card)?;
    let largest_difference = verify(&onnx, &networks, &data.verified())?;
    let model = out.join(format!("{}.onnx", card.name));
    record::write(&model, &onnx)?;

    let by_copy = figures.iter().map(|(heard, figures)| json!({ "heard": heard, "figures": figures }));
    let everything = json!({
        "test": by_copy.collect::<Value>(),
        "history": courses,
        "parameters": parameters,
        "largest_difference": largest_difference,
    });
    record::write(&out.join("figures.json"), serde_json::to_string_pretty(&everything)?.as_bytes())?;
    let unreadable = &data.features.like.unreadable;
    let more =
        json!({ "members": members, "features": data.spec, "calibration": calibration, "unreadable": unreadable });
    record::write_json(&out.join("run.json"), &Run::new(&data.dataset, &data.hash, &data.parts, more))?;
    draw(out, &card.name, &courses, &tested)?;
    let epochs = courses.iter().flat_map(|course| &course.epochs);
    let training_seconds = epochs.map(|figures| figures.seconds).sum();
    Ok(Outcome { model, tested: figures, largest_difference, parameters, training_seconds })
}

/// Trains one network, kept on disk after each epoch.
fn train(arguments: &FitArguments, data: &Prepared, member: &Member) -> Result<Trained> {
    let learnt_from = data.features.of(member.voices);
    let key = record::key(&json!([learnt_from.key, data.parts.train, data.parts.validation, member]));
    let checkpoint = Checkpoint::new(&arguments.out.join(format!("checkpoint-{}", member.name)), key);
    if !arguments.resume {
        checkpoint.remove()?;
    }
    tell(format!("{}: {}", member.name, member.architecture));
    let examples = Examples::new(learnt_from, &data.spec, &data.dataset, &data.parts.train);
    member.train(&data.spec, &examples, &data.validation(), Some(&checkpoint), |figures| {
        tell(progress::epoch_line(figures, member.options.epochs));
        Ok(())
    })
}

/// What suits the validation part; the paper's networks answer as they are.
fn calibrate(recipe: Recipe, validation: &Examples, networks: &[Network]) -> Result<Calibration> {
    if recipe != Recipe::Robust || validation.is_empty() {
        return Ok(Calibration::NONE);
    }
    let truths: Vec<Emotion> = validation.emotions().collect();
    let speakers: Vec<u32> = validation.clips.iter().map(|clip| validation.dataset.spoken_by(*clip)).collect();
    Ok(Calibration::fit(&joint_logits(networks, validation)?, &truths, &speakers))
}

/// Judges the test part, each clip as it is and, where the recipe has copies, over the telephone.
fn test(data: &Prepared, networks: &[Network], calibration: Calibration) -> Result<Vec<Tested>> {
    let test = data.test();
    let copies = Original::ALL.into_iter().take(data.features.like.each).filter(|_| !test.is_empty());
    let judge = |original: Original| {
        let logits = joint_logits(networks, &test.served_as(original.number()))?;
        let answers = answers(&logits, test.emotions(), calibration.temperature);
        Ok(Tested { heard: original.name(), figures: figures(&answers), answers })
    };
    copies.map(judge).collect()
}

fn draw(out: &Path, model: &str, courses: &[Course], tested: &[Tested]) -> Result<()> {
    for Course { name, best_epoch, epochs } in courses {
        pictures::curves(out, name, epochs, *best_epoch)?;
    }
    // Pictures of an earlier model would be taken for this one's.
    Original::ALL.into_iter().try_for_each(|original| pictures::forget(out, original.name()))?;
    for Tested { heard, answers, figures } in tested {
        pictures::judged(out, &format!("{model}: {heard}"), heard, figures, answers)?;
    }
    Ok(())
}
