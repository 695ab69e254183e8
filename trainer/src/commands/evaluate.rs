//! `evaluate`: a model file against a folder of audio.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::Args;
use emotone::audio::resample;
use emotone::features::FeatureExtractor;
use emotone::model::{Classifier, Emotion};
use rayon::prelude::*;

use super::progress;
use crate::augment::telephone;
use crate::dataset::{Clip, Dataset, read};
use crate::metrics::{Answer, Figures, figures};

/// Options of `evaluate`.
#[derive(Debug, Clone, Args)]
pub struct EvaluateArguments {
    /// Model file.
    #[arg(long, env = "EMOTONE_MODEL")]
    pub model: PathBuf,
    /// Data folder.
    #[arg(long, required = true, env = "EMOTONE_DATA")]
    pub data: Vec<PathBuf>,
    /// Sends every clip over a telephone first: 8 kHz, 300 to 3400 Hz, G.711 mu-law.
    #[arg(long)]
    pub telephone: bool,
    /// Prints one JSON object instead of a table.
    #[arg(long)]
    pub json: bool,
}

/// Scores and prints.
///
/// # Errors
/// If the model is refused, or no clip can be judged.
pub fn run(arguments: &EvaluateArguments) -> Result<()> {
    let name = || arguments.model.display().to_string();
    let classifier = Classifier::from_onnx(&std::fs::read(&arguments.model).with_context(name)?).with_context(name)?;
    let extractor = FeatureExtractor::new(classifier.features())?;
    let dataset = Dataset::read(&arguments.data)?;
    let bar = progress::bar("clips", dataset.clips.len());
    let judge = |clip: &Clip| -> Result<Answer> {
        let name = || clip.path.display().to_string();
        let mut sound = read(&clip.path)?;
        if arguments.telephone {
            sound = telephone(&sound).with_context(name)?;
        }
        let sound = resample(&sound, classifier.features().sample_rate).with_context(name)?;
        let window = extractor.features(&sound).with_context(name)?;
        let answers = classifier.probabilities(&[window])?;
        let answer = answers.first().context("no answer")?;
        bar.inc(1);
        Ok(Answer { truth: clip.emotion, probabilities: answer.values() })
    };
    let results: Vec<Result<Answer>> = dataset.clips.par_iter().map(judge).collect();
    bar.finish_and_clear();
    let mut answers = Vec::with_capacity(results.len());
    for result in results {
        match result {
            Ok(answer) => answers.push(answer),
            Err(problem) => eprintln!("left out: {problem:#}"),
        }
    }
    ensure!(!answers.is_empty(), "no clip could be judged");
    let figures = figures(&answers);
    if arguments.json {
        println!("{}", serde_json::to_string(&figures)?);
    } else {
        print(&figures);
    }
    Ok(())
}

fn print(figures: &Figures) {
    println!("clips                      {}", figures.clips);
    println!("accuracy                   {:.4}", figures.accuracy);
    println!("unweighted average recall  {:.4}", figures.uar);
    println!("calibration error          {:.4}", figures.ece);
    println!("negative log-likelihood    {:.4}", figures.nll);
    println!("accuracy on surest 75 %    {:.4}", figures.accuracy_at_75);
    println!();
    let shorten = |emotion: &Emotion| emotion.name().chars().take(8).collect::<String>();
    let header: Vec<String> = Emotion::ALL.iter().map(|emotion| format!("{:>8}", shorten(emotion))).collect();
    println!("{:18}{}   recall", "truth \\ answer", header.join(" "));
    for (emotion, (row, recall)) in Emotion::ALL.iter().zip(figures.confusion.iter().zip(figures.recall)) {
        let cells: Vec<String> = row.iter().map(|count| format!("{count:>8}")).collect();
        let recall = recall.map_or_else(|| "-".into(), |recall| format!("{recall:.3}"));
        println!("{:18}{}   {recall}", emotion.name(), cells.join(" "));
    }
}
