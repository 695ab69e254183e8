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
        "{:row$} {:6} {:>14} {:>14} {:>6} {:>8} {:>6}  UAR % of each draw",
        "", "", "accuracy %", "UAR %", "ECE", "surest", "clips"
    )?;
    for line in &outcome.lines {
        writeln!(
            text,
            "{:row$} {:6} {:>6.1} ± {:>5.1} {:>6.1} ± {:>5.1} {:>6.3} {:>+7.1}% {:>6}  {}",
            line.row,
            line.heard,
            100.0 * line.accuracy[0],
            100.0 * line.accuracy[1],
            100.0 * line.uar[0],
            100.0 * line.uar[1],
            line.ece,
            100.0 * line.gain_at_75,
            line.clips,
            uar_of_draws(line, " "),
        )?;
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

fn uar_of_draws(line: &Line, between: &str) -> String {
    line.draws.iter().map(|worth| format!("{:.1}", 100.0 * worth.uar)).collect::<Vec<_>>().join(between)
}

/// The tables of a model card.
fn markdown(outcome: &Outcome) -> Result<String, fmt::Error> {
    let mut text = String::from(
        "| Tested on | Heard | Accuracy, % | UAR, % | Each draw | ECE | Surest 75 % | Clips |\n|---|---|---|---|---|---|---|---|\n",
    );
    for line in &outcome.lines {
        writeln!(
            text,
            "| {} | {} | {:.1} ± {:.1} | {:.1} ± {:.1} | {} | {:.3} | {:+.1} % | {} |",
            line.row,
            line.heard,
            100.0 * line.accuracy[0],
            100.0 * line.accuracy[1],
            100.0 * line.uar[0],
            100.0 * line.uar[1],
            uar_of_draws(line, ", "),
            line.ece,
            100.0 * line.gain_at_75,
            line.clips,
        )?;
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
