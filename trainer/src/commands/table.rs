//! The figures of a cross-validation.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Result, ensure};
use emotone::model::Emotion;
use serde::Serialize;

use super::crossval::Said;
use super::{Calibration, pictures, record};
use crate::ensemble::{answers, join};
use crate::metrics::{Answer, Figures, figures, fit_temperature};

/// One line of the table: a row's folds together, judged over one channel.
#[derive(Debug, Clone, Serialize)]
pub struct Line {
    /// Which people, such as `RAVDESS, unheard speakers`.
    pub row: String,
    /// `clean` or `phone`.
    pub heard: String,
    /// Of all folds' clips together.
    pub figures: Figures,
    /// Mean of the folds' accuracies, and the standard deviation over folds.
    pub accuracy: [f64; 2],
    /// The same of the unweighted average recall.
    pub uar: [f64; 2],
    /// Gain of accuracy on the surest 75 %, relative.
    pub gain_at_75: f64,
    #[serde(skip)]
    answers: Vec<Answer>,
}

/// Everything a cross-validation tells.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// The table.
    pub lines: Vec<Line>,
    /// Fitted on all folds of unheard speakers.
    pub calibration: Calibration,
    /// Trainable numbers of all members together.
    pub parameters: usize,
    /// Training of all members on all folds, in seconds.
    pub training_seconds: f64,
}

/// Joins the members of each fold, and scores each fold at the temperature that suits the other folds of unheard
/// speakers.
///
/// # Errors
/// If the answers do not belong together.
pub fn score(names: &[&str], said: &[Vec<Said>]) -> Result<Outcome> {
    let joined = said.iter().map(|members| join_members(members)).collect::<Result<Vec<_>>>()?;
    let strangers = |index: &usize| !names[*index].ends_with("random");
    let others = |skipped: Option<usize>| {
        let chosen = (0..joined.len()).filter(strangers).filter(move |index| Some(*index) != skipped);
        let pairs = chosen.flat_map(|index| {
            let fold: &Said = &joined[index];
            fold.logits.values().flat_map(|rows| rows.iter().copied().zip(fold.truths.iter().copied()))
        });
        pairs.unzip::<_, _, Vec<[f32; Emotion::COUNT]>, Vec<Emotion>>()
    };
    let mut rows: BTreeMap<(String, String), Vec<Vec<Answer>>> = BTreeMap::new();
    for (index, fold) in joined.iter().enumerate() {
        let (logits, truths) = others(Some(index));
        let temperature = if truths.is_empty() { 1.0 } else { fit_temperature(&logits, &truths) };
        for (heard, logits) in &fold.logits {
            let answers = answers(logits, fold.truths.iter().copied(), temperature);
            rows.entry((fold.row.clone(), heard.clone())).or_default().push(answers);
        }
    }
    let (logits, truths) = others(None);
    let members = said.first().map_or(&[][..], Vec::as_slice);
    Ok(Outcome {
        lines: rows.into_iter().map(|((row, heard), folds)| line(row, heard, folds)).collect(),
        calibration: if truths.is_empty() { Calibration::NONE } else { Calibration::fit(&logits, &truths) },
        parameters: members.iter().map(|said| said.parameters).sum(),
        training_seconds: said.iter().flatten().map(|said| said.seconds).sum(),
    })
}

fn join_members(members: &[Said]) -> Result<Said> {
    let Some(first) = members.first() else { anyhow::bail!("no member has such a name") };
    ensure!(members.iter().all(|said| said.truths == first.truths), "answers about other clips; remove them");
    if members.len() == 1 {
        return Ok(first.clone());
    }
    let mut joined = first.clone();
    for (heard, rows) in &mut joined.logits {
        for (place, row) in rows.iter_mut().enumerate() {
            let each: Vec<_> = members.iter().filter_map(|said| said.logits.get(heard)?.get(place).copied()).collect();
            *row = join(each.into_iter());
        }
    }
    Ok(joined)
}

fn line(row: String, heard: String, folds: Vec<Vec<Answer>>) -> Line {
    let each: Vec<Figures> = folds.iter().map(|answers| figures(answers)).collect();
    let over = |value: fn(&Figures) -> f64| mean_and_deviation(&each.iter().map(value).collect::<Vec<_>>());
    let answers: Vec<Answer> = folds.concat();
    let figures = figures(&answers);
    Line {
        row,
        heard,
        accuracy: over(|figures| figures.accuracy),
        uar: over(|figures| figures.uar),
        gain_at_75: figures.accuracy_at_75 / figures.accuracy.max(1e-9) - 1.0,
        figures,
        answers,
    }
}

/// Mean and standard deviation (over the number less one) of some values.
pub fn mean_and_deviation(values: &[f64]) -> [f64; 2] {
    let count = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    [mean, (squares / (count - 1.0).max(1.0)).sqrt()]
}

/// Recall of one member on one fold, for the log.
pub fn line_of(said: &Said) -> String {
    let one = |(heard, rows): (&String, &Vec<[f32; Emotion::COUNT]>)| {
        let figures = figures(&answers(rows, said.truths.iter().copied(), 1.0));
        format!("{heard} UAR {:.3} accuracy {:.3} ECE {:.3}", figures.uar, figures.accuracy, figures.ece)
    };
    let each: Vec<String> = said.logits.iter().map(one).collect();
    format!("{}, {:.0} s", each.join(", "), said.seconds)
}

/// Prints the table.
pub fn print(outcome: &Outcome) {
    println!("{:28} {:6} {:>14} {:>14} {:>6} {:>8} {:>6}", "", "", "accuracy %", "UAR %", "ECE", "surest", "clips");
    for line in &outcome.lines {
        println!(
            "{:28} {:6} {:>6.1} ± {:>5.1} {:>6.1} ± {:>5.1} {:>6.3} {:>+7.1}% {:>6}",
            line.row,
            line.heard,
            100.0 * line.accuracy[0],
            100.0 * line.accuracy[1],
            100.0 * line.uar[0],
            100.0 * line.uar[1],
            line.figures.ece,
            100.0 * line.gain_at_75,
            line.figures.clips,
        );
    }
    println!(
        "temperature {:.3}, rejection threshold {:.3}; {} parameters; {:.0} s of training",
        outcome.calibration.temperature,
        outcome.calibration.rejection_threshold,
        outcome.parameters,
        outcome.training_seconds
    );
}

/// Writes `figures.json`, and confusion and reliability of each line.
///
/// # Errors
/// If something cannot be written or drawn.
pub fn write(folder: &Path, outcome: &Outcome) -> Result<()> {
    record::write(&folder.join("figures.json"), serde_json::to_string_pretty(outcome)?.as_bytes())?;
    for line in &outcome.lines {
        let what = format!("{}-{}", line.row.replace(", ", "-").replace(' ', "-"), line.heard);
        pictures::judged(folder, "cross-validation", &what, &line.figures, &line.answers)?;
    }
    Ok(())
}
