//! `reproduce`: the paper's table, and the two columns it lacks.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde::Serialize;
use serde_json::json;

use super::fit::{FitArguments, fit};
use super::folds::{UNHEARD, folds};
use super::record;
use super::scores::mean_and_deviation;
use super::{count, features};
use crate::dataset::{Dataset, SplitKind};
use crate::ensemble::{answers, joint_logits};
use crate::metrics::figures;
use crate::recipe::{Arch, Changes, Recipe};
use crate::say::{say, tell};
use crate::temperature::Temperature;
use crate::training::{Examples, ToldApart};

/// Options of `reproduce`.
#[derive(Debug, Clone, Args)]
pub struct ReproduceArguments {
    /// The TESS folder.
    #[arg(long, required = true, env = "EMOTONE_DATA")]
    pub data: Vec<PathBuf>,
    /// Folder for models, figures and the table.
    #[arg(long, env = "EMOTONE_OUT")]
    pub out: PathBuf,
    /// Trainings of each network, with seeds from 1 on.
    #[arg(long, default_value_t = 3, env = "EMOTONE_SEEDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub seeds: u64,
    /// Times that every example is shown [default: the recipe's].
    #[arg(long, env = "EMOTONE_EPOCHS", value_parser = count::<1>)]
    pub epochs: Option<usize>,
}

/// One network of the table.
#[derive(Debug, Serialize)]
struct Row {
    network: String,
    paper: f64,
    accuracies: Vec<f64>,
    parameters: usize,
    seconds: f64,
    /// Accuracy on each speaker of those that the other taught, by seed.
    unheard: Vec<(String, Vec<f64>)>,
}

/// What the paper says, in per cent.
fn in_the_paper(arch: Arch) -> f64 {
    match arch {
        Arch::Cnn => 97.0,
        Arch::Lstm => 94.0,
        Arch::CnnLstm => 98.21,
    }
}

/// Trains, writes `table.md` and `table.json`, and prints the table.
///
/// # Errors
/// Whatever kept the work from being done.
pub fn run(arguments: &ReproduceArguments) -> Result<()> {
    let mut rows = Vec::new();
    for arch in Arch::ALL {
        rows.push(row(arguments, arch)?);
    }
    let table = markdown(&rows)?;
    record::write(&arguments.out.join("table.md"), table.as_bytes())?;
    record::write(&arguments.out.join("table.json"), serde_json::to_string_pretty(&json!(rows))?.as_bytes())?;
    say(&table)
}

fn row(arguments: &ReproduceArguments, arch: Arch) -> Result<Row> {
    let name = arch.architecture().name;
    let cache = arguments.out.join("features");
    let (mut accuracies, mut parameters, mut seconds) = (Vec::new(), 0, 0.0);
    for seed in 1..=arguments.seeds {
        let outcome = fit(&FitArguments {
            data: arguments.data.clone(),
            arch,
            recipe: Recipe::Paper,
            split: SplitKind::Random,
            out: arguments.out.join(format!("{name}-{seed}")),
            cache: Some(cache.clone()),
            epochs: arguments.epochs,
            batch_size: None,
            seed,
            resume: false,
            calibration: None,
            figures: None,
        })?;
        accuracies.extend(outcome.tested.iter().map(|(_, figures)| figures.accuracy));
        parameters = outcome.parameters;
        seconds += outcome.training_seconds / arguments.seeds as f64;
    }
    let unheard = unheard(arguments, arch)?;
    Ok(Row { network: name, paper: in_the_paper(arch), accuracies, parameters, seconds, unheard })
}

/// Each speaker in turn is tested by a training on the others.
fn unheard(arguments: &ReproduceArguments, arch: Arch) -> Result<Vec<(String, Vec<f64>)>> {
    let dataset = Dataset::read_once(&arguments.data)?;
    let cache = arguments.out.join("features");
    let hash = record::data_hash(&dataset);
    let extracted = features::compute(&cache, &hash, Recipe::Paper, &dataset, &[], 1)?.like;
    let mut columns = Vec::new();
    for fold in folds(&dataset, 2, 1)?.into_iter().filter(|fold| fold.row.ends_with(UNHEARD)) {
        let spec = extracted.measured(&Recipe::Paper.features(), &fold.train)?;
        let of = |part: &[u32]| Examples::new(&extracted, &spec, &dataset, part);
        let (examples, test) = (of(&fold.train), of(&fold.test));
        fold.ensure_usable(&examples, &test)?;
        let mut accuracies = Vec::new();
        for seed in 1..=arguments.seeds {
            let changes = Changes { epochs: arguments.epochs, batch_size: None, seed };
            let member = Recipe::Paper.members(arch, &spec, &ToldApart::default(), changes).remove(0);
            // Nobody is left to choose an epoch on.
            let trained = member.train(&spec, &examples, &of(&[]), None, |_| Ok(()))?;
            let rows = joint_logits(&[trained.network], &test)?;
            accuracies.push(figures(&answers(&rows, test.emotions(), Temperature::ONE)).accuracy);
        }
        let speaker = fold.test.first().map_or_else(String::new, |index| dataset.speaker(*index).to_owned());
        tell(format!("{} tested on {speaker}: {accuracies:.3?}", arch.architecture().name));
        columns.push((speaker, accuracies));
    }
    Ok(columns)
}

fn markdown(rows: &[Row]) -> Result<String> {
    let percent = |values: &[f64]| {
        let [mean, deviation] = mean_and_deviation(values);
        format!("{:.2} ± {:.2}", 100.0 * mean, 100.0 * deviation)
    };
    let mut table = String::from("| Network | paper | here, random split |");
    for (speaker, _) in rows.first().map_or(&[][..], |row| &row.unheard) {
        write!(table, " {speaker}, unheard |")?;
    }
    table.push_str(" parameters | seconds |\n|---|---|---|");
    table.push_str(&"---|".repeat(rows.first().map_or(0, |row| row.unheard.len()) + 2));
    table.push('\n');
    for row in rows {
        write!(table, "| {} | {} | {} |", row.network, row.paper, percent(&row.accuracies))?;
        for (_, accuracies) in &row.unheard {
            write!(table, " {} |", percent(accuracies))?;
        }
        writeln!(table, " {} | {:.0} |", row.parameters, row.seconds)?;
    }
    Ok(table)
}
