//! The figures of a cross-validation, for people.

use std::fmt::{self, Write as _};
use std::path::Path;

use anyhow::Result;
use emotone::model::Emotion;

use super::scores::{EVERYBODY, Line, Outcome};
use super::{pictures, record};
use crate::metrics::figures;

/// Writes `figures.json`, `figures.md`, and confusion and reliability of each line.
///
/// # Errors
/// If something cannot be written or drawn.
pub fn write(folder: &Path, outcome: &Outcome) -> Result<()> {
    record::write(&folder.join("figures.json"), serde_json::to_string_pretty(outcome)?.as_bytes())?;
    record::write(&folder.join("figures.md"), markdown(outcome)?.as_bytes())?;
    for line in &outcome.lines {
        let what = format!("{}-{}", line.row.replace(", ", "-").replace(' ', "-"), line.heard);
        let title = format!("{}, {}", line.row, line.heard);
        pictures::judged(folder, &title, &what, &figures(&line.answers), &line.answers)?;
    }
    Ok(())
}

/// The table in words.
///
/// # Errors
/// Never: a string takes everything.
pub fn text(outcome: &Outcome) -> Result<String, fmt::Error> {
    let mut text = String::new();
    let row = outcome.lines.iter().map(|line| line.row.len()).max().unwrap_or(0);
    writeln!(
        text,
        "{:row$} {:6} {:>13} {:>13} {:>6} {:>8} {:>6}  UAR % of each draw",
        "", "", "accuracy %", "UAR %", "ECE", "surest", "clips"
    )?;
    for line in &outcome.lines {
        let [accuracy, uar, ece, gain] = cells(line);
        let (Line { row: name, heard, clips, .. }, draws) = (line, uar_of_draws(line, " "));
        writeln!(text, "{name:row$} {heard:6} {accuracy:>13} {uar:>13} {ece:>6} {gain:>8} {clips:>6}  {draws}")?;
    }
    writeln!(
        text,
        "temperature {:.3}, in doubt {:.3}, rejection threshold {:.3}; {} parameters; {:.0} s of training",
        outcome.calibration.temperature.sure,
        outcome.calibration.temperature.in_doubt,
        outcome.calibration.rejection_threshold,
        outcome.parameters,
        outcome.training_seconds
    )?;
    Ok(text)
}

/// Accuracy and UAR in percent, with their deviations; calibration error; gain on the surest 75 %.
fn cells(line: &Line) -> [String; 4] {
    let percent = |[mean, deviation]: [f64; 2]| format!("{:.1} ± {:.1}", 100.0 * mean, 100.0 * deviation);
    let gain = format!("{:+.1} %", 100.0 * line.gain_at_75);
    [percent(line.accuracy), percent(line.uar), format!("{:.3}", line.ece), gain]
}

fn uar_of_draws(line: &Line, between: &str) -> String {
    line.draws.iter().map(|worth| format!("{:.1}", 100.0 * worth.uar)).collect::<Vec<_>>().join(between)
}

/// The tables of a model card.
fn markdown(outcome: &Outcome) -> Result<String, fmt::Error> {
    let mut text = String::from(
        "| Tested on | Heard | Accuracy, % | UAR, % | Each draw | ECE | Surest 75 % | Clips |\n|---|---|---|---|---|---|---|---|\n",
    );
    for line in &outcome.lines {
        let [accuracy, uar, ece, gain] = cells(line);
        let (Line { row, heard, clips, .. }, draws) = (line, uar_of_draws(line, ", "));
        writeln!(text, "| {row} | {heard} | {accuracy} | {uar} | {draws} | {ece} | {gain} | {clips} |")?;
    }
    text.push_str("\n| Fold | Heard | UAR, % | ECE |\n|---|---|---|---|\n");
    for line in outcome.lines.iter().filter(|line| line.row != EVERYBODY) {
        for fold in &line.folds {
            writeln!(
                text,
                "| {} | {} | {:.1} | {:.3} |",
                fold.name,
                line.heard,
                100.0 * fold.worth.uar,
                fold.worth.ece
            )?;
        }
    }
    let names = Emotion::ALL.map(Emotion::name).join(" | ");
    write!(text, "\n| Recall, % | Heard | {names} |\n|---|---|{}\n", "---|".repeat(Emotion::COUNT))?;
    for line in &outcome.lines {
        let recall = line.recall.map(|recall| recall.map_or("-".to_owned(), |recall| format!("{:.0}", 100.0 * recall)));
        writeln!(text, "| {} | {} | {} |", line.row, line.heard, recall.join(" | "))?;
    }
    for line in &outcome.lines {
        write!(text, "\n| {}, {} | {names} |\n|---|{}\n", line.row, line.heard, "---|".repeat(Emotion::COUNT))?;
        for (emotion, row) in Emotion::ALL.into_iter().zip(&line.confusion) {
            writeln!(text, "| **{}** | {} |", emotion.name(), row.map(|count| count.to_string()).join(" | "))?;
        }
    }
    Ok(text)
}
