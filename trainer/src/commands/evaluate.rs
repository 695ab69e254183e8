//! `evaluate`: a model file against a folder of audio, each clip judged as the server would.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::Args;
use clap::builder::BoolishValueParser;
use emotone::audio::{AudioLimits, Recording, resample};
use emotone::call::{PostedCall, Smoothing, Step};
use emotone::features::FeatureMatrix;
use emotone::model::{Classifier, Emotion, Probabilities};
use emotone::pipeline::Pipeline;
use rayon::prelude::*;
use serde::Serialize;

use super::progress;
use crate::augment::{TELEPHONE_RATE_HZ, telephone};
use crate::dataset::{Dataset, recording};
use crate::metrics::{Answer, Figures, figures};
use crate::say::{say, tell};

/// Options of `evaluate`.
#[derive(Debug, Clone, Args)]
pub struct EvaluateArguments {
    /// Model file.
    #[arg(long, env = "EMOTONE_MODEL")]
    pub model: PathBuf,
    /// Data folder, of which each recording counts once; may be given several times.
    #[arg(long, required = true, env = "EMOTONE_DATA")]
    pub data: Vec<PathBuf>,
    /// Sends every clip over a telephone first: 8 kHz, 300 to 3400 Hz, G.711 mu-law.
    #[arg(long, env = "EMOTONE_TELEPHONE", value_parser = BoolishValueParser::new())]
    pub telephone: bool,
    /// Prints one JSON object instead of a table.
    #[arg(long, env = "EMOTONE_JSON", value_parser = BoolishValueParser::new())]
    pub json: bool,
}

/// What is printed as JSON.
#[derive(Debug, Serialize)]
struct Scores {
    #[serde(flatten)]
    figures: Figures,
    /// Clips in which the server would hear no speech; they are judged here all the same.
    no_speech: usize,
    /// Clips whose best emotion is below the model's rejection threshold.
    uncertain: usize,
    /// Clips that could not be read.
    unreadable: usize,
}

/// Scores and prints.
///
/// # Errors
/// If the model is refused, or no clip can be judged.
pub fn run(arguments: &EvaluateArguments) -> Result<()> {
    let name = || arguments.model.display().to_string();
    let classifier = Classifier::from_onnx(std::fs::read(&arguments.model).with_context(name)?).with_context(name)?;
    let pipeline = Pipeline::new(classifier, AudioLimits::default()).with_context(name)?;
    let dataset = Dataset::read_once(&arguments.data)?;
    let bar = progress::bar("clips", dataset.len());
    let judge = |index: u32| {
        let clip = dataset.clip(index);
        // A file that cannot be read names itself.
        let judged = recording(&clip.path).and_then(|recording| {
            judge(&pipeline, recording, clip.emotion, arguments.telephone)
                .with_context(|| clip.path.display().to_string())
        });
        bar.inc(1);
        judged
    };
    let results: Vec<Result<(Answer, bool)>> = dataset.indices().into_par_iter().map(judge).collect();
    bar.finish_and_clear();
    let (mut answers, mut no_speech, mut unreadable) = (Vec::with_capacity(results.len()), 0, 0);
    for result in results {
        match result {
            Ok((answer, spoken)) => {
                answers.push(answer);
                no_speech += usize::from(!spoken);
            }
            Err(problem) => {
                tell(format!("left out: {problem:#}"));
                unreadable += 1;
            }
        }
    }
    ensure!(!answers.is_empty(), "no clip could be judged");
    let threshold = pipeline.classifier().card().rejection_threshold;
    let uncertain = answers.iter().filter(|answer| answer.best().1 < threshold).count();
    let scores = Scores { figures: figures(&answers), no_speech, uncertain, unreadable };
    let text = if arguments.json { serde_json::to_string(&scores)? + "\n" } else { table(&scores)? };
    say(&text)
}

/// The answer about a recording as the server gives it, all channels together, and whether it would hear speech in it.
fn judge(pipeline: &Pipeline, mut recording: Recording, truth: Emotion, on_the_phone: bool) -> Result<(Answer, bool)> {
    if on_the_phone {
        recording.channels = recording.channels.iter().map(telephone).collect::<Result<_, _>>()?;
        recording.sample_rate_hz = TELEPHONE_RATE_HZ;
    }
    let (classifier, extractor) = (pipeline.classifier(), pipeline.extractor());
    let mut call = PostedCall::new(recording, classifier, extractor, pipeline.plan(None)?, Smoothing::OFF)?;
    while call.step(classifier)? != Step::Done {}
    let (recording, judgement) = call.finish();
    let (probabilities, spoken) = match judgement.verdict.probabilities() {
        Some(probabilities) => (probabilities, true),
        None => (without_gate(pipeline, &recording)?, false),
    };
    Ok((Answer { truth, probabilities: probabilities.values() }, spoken))
}

/// What the model says of a recording, heard as speech in spite of the gate: the mean of its channels' answers.
fn without_gate(pipeline: &Pipeline, recording: &Recording) -> Result<Probabilities> {
    let (classifier, extractor) = (pipeline.classifier(), pipeline.extractor());
    let features =
        |channel| -> Result<_> { Ok(extractor.features(&resample(channel, extractor.spec().sample_rate)?)?) };
    let inputs: Vec<FeatureMatrix> = recording.channels.iter().map(features).collect::<Result<_>>()?;
    let answers = classifier.probabilities(&inputs)?;
    Probabilities::weighted_mean(answers.into_iter().map(|answer| (answer, 1.0))).context("no answer")
}

fn table(scores: &Scores) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    let figures = &scores.figures;
    writeln!(text, "clips                      {}", figures.clips)?;
    writeln!(text, "accuracy                   {:.4}", figures.accuracy)?;
    writeln!(text, "unweighted average recall  {:.4}", figures.uar)?;
    writeln!(text, "calibration error          {:.4}", figures.ece)?;
    writeln!(text, "negative log-likelihood    {:.4}", figures.nll)?;
    writeln!(text, "accuracy on surest 75 %    {:.4}", figures.accuracy_at_75)?;
    writeln!(text, "uncertain                  {}", scores.uncertain)?;
    writeln!(text, "no speech heard            {}", scores.no_speech)?;
    writeln!(text, "unreadable                 {}", scores.unreadable)?;
    writeln!(text)?;
    let shorten = |emotion: &Emotion| emotion.name().chars().take(8).collect::<String>();
    let header: Vec<String> = Emotion::ALL.iter().map(|emotion| format!("{:>8}", shorten(emotion))).collect();
    writeln!(text, "{:18}{}   recall", "truth \\ answer", header.join(" "))?;
    for (emotion, (row, recall)) in Emotion::ALL.iter().zip(figures.confusion.iter().zip(figures.recall)) {
        let cells: Vec<String> = row.iter().map(|count| format!("{count:>8}")).collect();
        let recall = recall.map_or_else(|| "-".into(), |recall| format!("{recall:.3}"));
        writeln!(text, "{:18}{}   {recall}", emotion.name(), cells.join(" "))?;
    }
    Ok(text)
}
