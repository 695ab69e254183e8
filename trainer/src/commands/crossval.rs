//! `crossval`: figures on people a model has never heard, nothing chosen on them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::Args;
use emotone::features::FeatureSpec;
use emotone::model::Emotion;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::folds::{Fold, folds};
use super::scores::{self, Draw, FoldSaid};
use super::{Calibration, count, features, progress, record, table};
use crate::dataset::{Dataset, Extracted, Original};
use crate::ensemble::{Member, answers};
use crate::metrics::figures;
use crate::network::Network;
use crate::recipe::{Arch, Changes, Recipe};
use crate::say::{say, tell};
use crate::temperature::Temperature;
use crate::training::{Examples, ToldApart, logits};

/// Options of `crossval`.
#[derive(Debug, Clone, Args)]
pub struct CrossvalArguments {
    /// Data folder; may be given several times.
    #[arg(long, required = true, env = "EMOTONE_DATA")]
    pub data: Vec<PathBuf>,
    /// Features, networks and training.
    #[arg(long, value_enum, default_value = "robust", env = "EMOTONE_RECIPE")]
    pub recipe: Recipe,
    /// Network of the paper's recipe.
    #[arg(long, value_enum, default_value = "cnn-lstm", env = "EMOTONE_ARCH")]
    pub arch: Arch,
    /// Folder for figures and pictures, and a folder of answers for each draw. Answers that are there already, of the same
    /// data and options, are not computed again.
    #[arg(long, env = "EMOTONE_OUT")]
    pub out: PathBuf,
    /// Folder for computed features; `features` in the folder of `--out` by default.
    #[arg(long, env = "EMOTONE_CACHE")]
    pub cache: Option<PathBuf>,
    /// Groups of speakers of a corpus of more than two.
    #[arg(long, default_value_t = 4, env = "EMOTONE_FOLDS", value_parser = count::<2>)]
    pub folds: usize,
    /// Trains and tests only the fold of this name, or those whose name contains it.
    #[arg(long, env = "EMOTONE_ONLY")]
    pub only: Option<String>,
    /// Trains only the member of this name, or those whose name contains it.
    #[arg(long, env = "EMOTONE_MEMBERS")]
    pub members: Option<String>,
    /// Times that every example is shown [default: the recipe's].
    #[arg(long, env = "EMOTONE_EPOCHS", value_parser = count::<1>)]
    pub epochs: Option<usize>,
    /// Examples a step [default: the recipe's].
    #[arg(long, env = "EMOTONE_BATCH_SIZE", value_parser = count::<1>)]
    pub batch_size: Option<usize>,
    /// Decides about everything that is drawn.
    #[arg(long, default_value_t = 1, env = "EMOTONE_SEED")]
    pub seed: u64,
    /// Times that everything is drawn and trained anew, with seeds that follow `--seed`.
    #[arg(long, default_value_t = 1, env = "EMOTONE_DRAWS", value_parser = count::<1>)]
    pub draws: usize,
}

/// What one member said of one fold's test clips.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Said {
    /// Stands for everything that they depend on: data, features, copies, fold, network, training.
    pub key: String,
    /// Which figure the fold counts for.
    pub row: String,
    /// The clips' emotions.
    pub truths: Vec<Emotion>,
    /// Who speaks in each.
    pub speakers: Vec<String>,
    /// Logits by the copy that was judged.
    pub logits: BTreeMap<String, Vec<[f32; Emotion::COUNT]>>,
    /// Trainable numbers of the member.
    pub parameters: usize,
    /// Duration of its training.
    pub seconds: f64,
}

/// Trains every member on every fold, scores them together, and prints the table.
///
/// # Errors
/// Whatever kept the work from being done.
pub fn run(arguments: &CrossvalArguments) -> Result<()> {
    let dataset = Dataset::read_once(&arguments.data)?;
    let data_hash = record::data_hash(&dataset);
    let mut draws: Vec<Draw> = Vec::new();
    for seed in (arguments.seed..).take(arguments.draws) {
        let folds = asked_for(folds(&dataset, arguments.folds, seed)?, arguments.only.as_deref(), |fold| &fold.name);
        ensure!(!folds.is_empty(), "no corpus has two speakers, or no fold has such a name");
        let drawn = Drawn { arguments, dataset: &dataset, data_hash: &data_hash, seed };
        draws.push(folds.iter().map(|fold| drawn.run_fold(fold)).collect::<Result<_>>()?);
    }
    let outcome = scores::score(&draws)?;
    table::write(&arguments.out, &outcome)?;
    let calibration: Calibration = outcome.calibration;
    record::write(&arguments.out.join("calibration.json"), serde_json::to_string_pretty(&calibration)?.as_bytes())?;
    say(&table::text(&outcome)?)
}

/// The one whose name is `part`, or, where there is none, those whose name contains it; all without it.
fn asked_for<T>(mut all: Vec<T>, part: Option<&str>, name: impl Fn(&T) -> &String) -> Vec<T> {
    if let Some(part) = part {
        let is_there = all.iter().any(|one| name(one) == part);
        all.retain(|one| if is_there { name(one) == part } else { name(one).contains(part) });
    }
    all
}

/// All that folds of one draw have in common.
struct Drawn<'a> {
    arguments: &'a CrossvalArguments,
    dataset: &'a Dataset,
    data_hash: &'a str,
    seed: u64,
}

impl Drawn<'_> {
    /// What each member says of a fold's test clips.
    fn run_fold(&self, fold: &Fold) -> Result<FoldSaid> {
        let Self { arguments, dataset, data_hash, seed } = *self;
        let folder = arguments.out.join(format!("seed-{seed}"));
        fs::create_dir_all(&folder).with_context(|| format!("{}: cannot be made", folder.display()))?;
        let cache = arguments.cache.clone().unwrap_or_else(|| arguments.out.join("features"));
        let features = features::compute(&cache, data_hash, arguments.recipe, dataset, &fold.voices, seed)?;
        let spec = features.like.measured(&arguments.recipe.features(), &fold.train)?;
        let changes = Changes { epochs: arguments.epochs, batch_size: arguments.batch_size, seed };
        let told_apart = ToldApart::of(&Examples::new(&features.like, &spec, dataset, &fold.train))?;
        let members = arguments.recipe.members(arguments.arch, &spec, &told_apart, changes);
        let mut members_said = Vec::new();
        for member in asked_for(members, arguments.members.as_deref(), |member| &member.name) {
            let path = folder.join(format!("{}-{}.json", fold.name, member.name));
            let extracted = features.of(member.voices);
            let key = record::key(&json!([extracted.key, fold.train, fold.test, member]));
            let answers = match read_said(&path).filter(|said| said.key == key) {
                Some(said) => said,
                None => {
                    let new = run_member(dataset, extracted, &spec, fold, &member, key)?;
                    record::write(&path, &serde_json::to_vec(&new)?)?;
                    new
                }
            };
            members_said.push(answers);
        }
        Ok(FoldSaid { name: fold.name.clone(), members: members_said })
    }
}

fn read_said(path: &Path) -> Option<Said> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

fn run_member(
    dataset: &Dataset,
    extracted: &Extracted,
    spec: &FeatureSpec,
    fold: &Fold,
    member: &Member,
    key: String,
) -> Result<Said> {
    let of = |part: &[u32]| Examples::new(extracted, spec, dataset, part);
    let (examples, test) = (of(&fold.train), of(&fold.test));
    fold.ensure_usable(&examples, &test)?;
    let bar = progress::bar("epochs", member.options.epochs);
    let trained = member.train(spec, &examples, &of(&[]), None, |_| {
        bar.inc(1);
        Ok(())
    })?;
    bar.finish_and_clear();
    let mut heard = BTreeMap::new();
    for original in Original::ALL.into_iter().take(extracted.each) {
        let rows = logits(&trained.network, &test.served_as(original.number()))?;
        heard.insert(original.name().to_owned(), rows);
    }
    let seconds = trained.history.iter().map(|figures| figures.seconds).sum();
    let parameters = parameters(&trained.network);
    let speakers = test.clips.iter().map(|clip| dataset.speaker(*clip).to_owned()).collect();
    let (row, truths) = (fold.row.clone(), test.emotions().collect());
    let said = Said { key, row, truths, speakers, logits: heard, parameters, seconds };
    tell(format!("{} {}: {}", fold.name, member.name, line_of(&said)));
    Ok(said)
}

/// Recall of one member on one fold, for the log.
fn line_of(said: &Said) -> String {
    let one = |(heard, rows): (&String, &Vec<[f32; Emotion::COUNT]>)| {
        let figures = figures(&answers(rows, said.truths.iter().copied(), Temperature::ONE));
        format!("{heard} UAR {:.3} accuracy {:.3} ECE {:.3}", figures.uar, figures.accuracy, figures.ece)
    };
    let each: Vec<String> = said.logits.iter().map(one).collect();
    format!("{}, {:.0} s", each.join(", "), said.seconds)
}

fn parameters(network: &Network) -> usize {
    burn::module::Module::num_params(network)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_name_asks_for_one_alone() {
        let of = |part| asked_for(["A-1", "A-10", "B-1"].map(String::from).into(), part, |name| name);
        assert_eq!(of(Some("A-1")), ["A-1"]);
        assert_eq!(of(Some("-1")), ["A-1", "A-10", "B-1"]);
        assert_eq!(of(Some("A")), ["A-1", "A-10"]);
        assert_eq!(of(None).len(), 3);
        assert!(of(Some("C")).is_empty());
    }
}
