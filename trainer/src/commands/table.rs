//! The figures of a cross-validation.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Result, ensure};
use emotone::model::Emotion;
use serde::Serialize;

use super::crossval::Said;
use super::folds::UNHEARD;
use super::{Calibration, pictures, record};
use crate::ensemble::{answers, join};
use crate::metrics::{Answer, Figures, figures};
use crate::temperature::Temperature;

/// One fold of a line.
#[derive(Debug, Clone, Serialize)]
pub struct FoldFigures {
    /// Its name.
    pub name: String,
    /// Part that was right.
    pub accuracy: f64,
    /// Unweighted average recall.
    pub uar: f64,
    /// Calibration error.
    pub ece: f64,
    /// At which its answers were judged, fitted on other people.
    #[serde(flatten)]
    pub temperature: Temperature,
}

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
    /// Each fold alone.
    pub folds: Vec<FoldFigures>,
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
    /// Trainable numbers of all members together, in the fold where they have most: heads for several corpora need several.
    pub parameters: usize,
    /// Training of all members on all folds, in seconds.
    pub training_seconds: f64,
}

/// What was said in one fold over one channel, at a temperature.
struct Judged<'a> {
    name: &'a str,
    temperature: Temperature,
    answers: Vec<Answer>,
}

/// Joins the members of each fold, and scores each fold at the temperature that suits other folds of unheard speakers:
/// all but itself, and for a random split or a whole corpus all of other corpora, for it shares its people with those of its
/// own.
///
/// # Errors
/// If the answers do not belong together.
pub fn score(names: &[&str], said: &[Vec<Said>]) -> Result<Outcome> {
    let joined = said.iter().map(|members| join_members(members)).collect::<Result<Vec<_>>>()?;
    let stranger = |fold: &Said| fold.row.ends_with(UNHEARD);
    let corpus = |fold: &Said| fold.row.split(", ").next().unwrap_or_default().to_owned();
    let others = |skipped: Option<usize>| {
        let of_other_people = |index: &usize| {
            let skipped = skipped.map(|skipped| (skipped, &joined[skipped]));
            skipped.is_none_or(|(skipped, fold)| {
                *index != skipped && (stranger(fold) || corpus(fold) != corpus(&joined[*index]))
            })
        };
        let chosen = (0..joined.len()).filter(|index| stranger(&joined[*index])).filter(of_other_people);
        let (mut logits, mut truths, mut speakers) = (Vec::new(), Vec::new(), Vec::new());
        for fold in chosen.map(|index| &joined[index]) {
            for rows in fold.logits.values() {
                logits.extend_from_slice(rows);
                truths.extend_from_slice(&fold.truths);
                speakers.extend(&fold.speakers);
            }
        }
        (!truths.is_empty()).then(|| Calibration::fit(&logits, &truths, &speakers))
    };
    let mut rows: BTreeMap<(String, String), Vec<Judged>> = BTreeMap::new();
    for (index, fold) in joined.iter().enumerate() {
        let Calibration { temperature, .. } = others(Some(index)).unwrap_or(Calibration::NONE);
        for (heard, logits) in &fold.logits {
            let answers = answers(logits, fold.truths.iter().copied(), temperature);
            let judged = Judged { name: names[index], temperature, answers };
            rows.entry((fold.row.clone(), heard.clone())).or_default().push(judged);
        }
    }
    Ok(Outcome {
        lines: rows.into_iter().map(|((row, heard), folds)| line(row, heard, folds)).collect(),
        calibration: others(None).unwrap_or(Calibration::NONE),
        parameters: said.iter().map(|members| members.iter().map(|said| said.parameters).sum()).max().unwrap_or(0),
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
            let one = |said: &Said| said.logits.get(heard)?.get(place).copied();
            *row = join(members.iter().filter_map(one));
        }
    }
    Ok(joined)
}

fn line(row: String, heard: String, folds: Vec<Judged>) -> Line {
    let one = |judged: &Judged| {
        let Figures { accuracy, uar, ece, .. } = figures(&judged.answers);
        FoldFigures { name: judged.name.to_owned(), accuracy, uar, ece, temperature: judged.temperature }
    };
    let each: Vec<FoldFigures> = folds.iter().map(one).collect();
    let over = |value: fn(&FoldFigures) -> f64| mean_and_deviation(&each.iter().map(value).collect::<Vec<_>>());
    let (accuracy, uar) = (over(|fold| fold.accuracy), over(|fold| fold.uar));
    let answers: Vec<Answer> = folds.into_iter().flat_map(|judged| judged.answers).collect();
    let figures = figures(&answers);
    let gain_at_75 = figures.accuracy_at_75 / figures.accuracy.max(1e-9) - 1.0;
    Line { row, heard, accuracy, uar, gain_at_75, folds: each, figures, answers }
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
        let figures = figures(&answers(rows, said.truths.iter().copied(), Temperature::ONE));
        format!("{heard} UAR {:.3} accuracy {:.3} ECE {:.3}", figures.uar, figures.accuracy, figures.ece)
    };
    let each: Vec<String> = said.logits.iter().map(one).collect();
    format!("{}, {:.0} s", each.join(", "), said.seconds)
}

/// The table in words.
///
/// # Errors
/// Never: a string takes everything.
pub fn text(outcome: &Outcome) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    writeln!(
        text,
        "{:28} {:6} {:>14} {:>14} {:>6} {:>8} {:>6}",
        "", "", "accuracy %", "UAR %", "ECE", "surest", "clips"
    )?;
    for line in &outcome.lines {
        writeln!(
            text,
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

/// Writes `figures.json`, and confusion and reliability of each line.
///
/// # Errors
/// If something cannot be written or drawn.
pub fn write(folder: &Path, outcome: &Outcome) -> Result<()> {
    record::write(&folder.join("figures.json"), serde_json::to_string_pretty(outcome)?.as_bytes())?;
    for line in &outcome.lines {
        let what = format!("{}-{}", line.row.replace(", ", "-").replace(' ', "-"), line.heard);
        let title = format!("{}, {}", line.row, line.heard);
        pictures::judged(folder, &title, &what, &line.figures, &line.answers)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A member that is always sure of `Angry`, and right in so many of ten.
    fn fold(row: &str, speaker: &str, right: usize) -> Vec<Said> {
        let truths: Vec<Emotion> =
            (0..10).map(|clip| if clip < right { Emotion::Angry } else { Emotion::Sad }).collect();
        let rows = vec![[4.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]; 10];
        let logits = BTreeMap::from([("clean".to_owned(), rows)]);
        let speakers = vec![speaker.to_owned(); 10];
        vec![Said { key: String::new(), row: row.into(), truths, speakers, logits, parameters: 1, seconds: 0.0 }]
    }

    #[test]
    fn a_fold_is_judged_at_the_temperature_of_other_people() {
        let mut said = [
            fold("A, unheard speakers", "one", 9),
            fold("A, unheard speakers", "two", 4),
            fold("A, random split", "one", 10),
        ];
        said[1][0].parameters = 3;
        let alone = |right| {
            let said = &fold("", "", right)[0];
            Calibration::fit(&said.logits["clean"], &said.truths, &said.speakers).temperature
        };
        let outcome = score(&["A-1", "A-2", "A-random"], &said).unwrap();
        assert_eq!(outcome.parameters, 3);
        let [random, unheard] = &outcome.lines[..] else { panic!("two lines") };
        assert_eq!(unheard.folds.iter().map(|fold| fold.temperature).collect::<Vec<_>>(), [alone(4), alone(9)]);
        assert!((unheard.accuracy[0] - 0.65).abs() < 1e-9);
        // There is no other corpus, so nobody whom the random split does not know.
        assert_eq!(random.folds[0].temperature, Temperature::ONE);
        let [one, two] = [&said[0][0], &said[1][0]];
        let pooled = [one.logits["clean"].clone(), two.logits["clean"].clone()].concat();
        let truths = [one.truths.clone(), two.truths.clone()].concat();
        let speakers = [one.speakers.clone(), two.speakers.clone()].concat();
        assert_eq!(outcome.calibration, Calibration::fit(&pooled, &truths, &speakers));
    }
}
