//! What the answers of a cross-validation are worth: each fold judged at a temperature fitted on other people, each row over
//! its folds and all draws.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, ensure};
use emotone::model::Emotion;
use serde::Serialize;

use super::Calibration;
use super::crossval::Said;
use super::folds::UNHEARD;
use crate::ensemble::{answers, join};
use crate::metrics::{Answer, Figures, figures};

/// The row of all people whom no training had heard, where they are of several corpora.
pub const EVERYBODY: &str = "every corpus, unheard speakers";

/// One draw of all that chance decides: each fold, the same ones in the same order in every draw.
pub type Draw = Vec<FoldSaid>;

/// What the members said in one fold.
#[derive(Debug, Clone)]
pub struct FoldSaid {
    /// The fold's name.
    pub name: String,
    /// Each member's answers about the same clips.
    pub members: Vec<Said>,
}

/// What some answers are worth.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Worth {
    /// Part that was right.
    pub accuracy: f64,
    /// Unweighted average recall.
    pub uar: f64,
    /// Calibration error.
    pub ece: f64,
    /// Gain of accuracy on the surest 75 %, relative.
    pub gain_at_75: f64,
}

/// One fold of a line, mean of the draws.
#[derive(Debug, Clone, Serialize)]
pub struct FoldWorth {
    /// Its name.
    pub name: String,
    /// Its figures.
    #[serde(flatten)]
    pub worth: Worth,
}

/// One line of the table: a row's folds, judged over one channel.
#[derive(Debug, Clone, Serialize)]
pub struct Line {
    /// Which people, such as `RAVDESS, unheard speakers`.
    pub row: String,
    /// `clean` or `phone`.
    pub heard: String,
    /// Clips that each draw judged.
    pub clips: usize,
    /// Mean of the folds' accuracies, and the standard deviation over folds.
    pub accuracy: [f64; 2],
    /// The same of the unweighted average recall.
    pub uar: [f64; 2],
    /// Calibration error of all clips, mean of the draws.
    pub ece: f64,
    /// Gain of accuracy on the surest 75 % of all clips, relative, mean of the draws.
    pub gain_at_75: f64,
    /// Each draw alone.
    pub draws: Vec<Worth>,
    /// Each fold alone, mean of the draws.
    pub folds: Vec<FoldWorth>,
    /// Part of each emotion that was found in all draws together, in label order; null if it does not occur.
    pub recall: [Option<f64>; Emotion::COUNT],
    /// Clips of all draws together: rows are the truth, columns the answer, in label order.
    pub confusion: [[usize; Emotion::COUNT]; Emotion::COUNT],
    /// Of all draws together.
    #[serde(skip)]
    pub answers: Vec<Answer>,
}

/// Everything a cross-validation tells.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// The table.
    pub lines: Vec<Line>,
    /// Fitted on all folds of unheard speakers, all draws together.
    pub calibration: Calibration,
    /// Trainable numbers of all members together, in the fold where they have most: heads for several corpora need several.
    pub parameters: usize,
    /// Training of all members on all folds of all draws, in seconds.
    pub training_seconds: f64,
}

/// What was said in one fold, at its temperature.
#[derive(Clone)]
struct Judged<'a> {
    name: &'a str,
    answers: Vec<Answer>,
}

/// Joins the members of each fold and scores it at the temperature that suits other folds of unheard speakers of its draw:
/// all but itself, and for a random split or a whole corpus all of other corpora, for it shares its people with those of its
/// own. Where several corpora have unheard speakers, one more row has all of them.
///
/// # Errors
/// If the answers do not belong together.
pub fn score(draws: &[Draw]) -> Result<Outcome> {
    let join_all = |draw: &Draw| draw.iter().map(|fold| join_members(&fold.members)).collect::<Result<Vec<_>>>();
    let joined = draws.iter().map(join_all).collect::<Result<Vec<_>>>()?;
    // By row and channel; within, by draw.
    let mut rows: BTreeMap<(&str, &str), Vec<Vec<Judged>>> = BTreeMap::new();
    let mut everybody: BTreeMap<&str, Vec<Vec<Judged>>> = BTreeMap::new();
    let mut corpora = BTreeSet::new();
    for (draw, folds) in joined.iter().enumerate() {
        for (place, fold) in folds.iter().enumerate() {
            let others = folds.iter().enumerate().filter(|(other, _)| *other != place).map(|(_, other)| other);
            let Calibration { temperature, .. } = calibration(others.filter(|other| are_other_people(fold, other)));
            for (heard, logits) in &fold.logits {
                let answers = answers(logits, fold.truths.iter().copied(), temperature);
                let judged = Judged { name: &draws[draw][place].name, answers };
                if is_stranger(fold) {
                    corpora.insert(&fold.row);
                    add(everybody.entry(heard).or_default(), draw, judged.clone());
                }
                add(rows.entry((&fold.row, heard)).or_default(), draw, judged);
            }
        }
    }
    if corpora.len() > 1 {
        rows.extend(everybody.into_iter().map(|(heard, draws)| ((EVERYBODY, heard), draws)));
    }
    let folds = draws.iter().flatten();
    Ok(Outcome {
        lines: rows.into_iter().map(|((row, heard), draws)| line(row, heard, draws)).collect(),
        calibration: calibration(joined.iter().flatten()),
        parameters: folds.clone().map(|fold| fold.members.iter().map(|said| said.parameters).sum()).max().unwrap_or(0),
        training_seconds: folds.flat_map(|fold| &fold.members).map(|said| said.seconds).sum(),
    })
}

fn add<'a>(draws: &mut Vec<Vec<Judged<'a>>>, draw: usize, judged: Judged<'a>) {
    draws.resize_with(draws.len().max(draw + 1), Vec::new);
    draws[draw].push(judged);
}

fn is_stranger(fold: &Said) -> bool {
    fold.row.ends_with(UNHEARD)
}

fn are_other_people(tested: &Said, others: &Said) -> bool {
    let corpus = |fold: &Said| fold.row.split(", ").next().unwrap_or_default().to_owned();
    is_stranger(tested) || corpus(tested) != corpus(others)
}

/// Fitted on the strangers among some folds.
fn calibration<'a>(folds: impl Iterator<Item = &'a Said>) -> Calibration {
    let (mut logits, mut truths, mut speakers) = (Vec::new(), Vec::new(), Vec::new());
    for fold in folds.filter(|fold| is_stranger(fold)) {
        for rows in fold.logits.values() {
            logits.extend_from_slice(rows);
            truths.extend_from_slice(&fold.truths);
            speakers.extend(&fold.speakers);
        }
    }
    if truths.is_empty() { Calibration::NONE } else { Calibration::fit(&logits, &truths, &speakers) }
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

fn line(row: &str, heard: &str, draws: Vec<Vec<Judged>>) -> Line {
    // A row has the same folds in each draw.
    let by_draw: Vec<Vec<Worth>> = draws.iter().map(|folds| folds.iter().map(Judged::worth).collect()).collect();
    let fold = |place: usize| FoldWorth {
        name: draws[0][place].name.to_owned(),
        worth: Worth::mean(by_draw.iter().map(|folds| folds[place])),
    };
    let folds: Vec<FoldWorth> = (0..by_draw[0].len()).map(fold).collect();
    let over_folds =
        |value: fn(&Worth) -> f64| mean_and_deviation(&folds.iter().map(|fold| value(&fold.worth)).collect::<Vec<_>>());
    let (accuracy, uar) = (over_folds(|worth| worth.accuracy), over_folds(|worth| worth.uar));
    let pooled: Vec<Vec<Answer>> =
        draws.into_iter().map(|folds| folds.into_iter().flat_map(|judged| judged.answers).collect()).collect();
    let of_draw = |(folds, answers): (&Vec<Worth>, &Vec<Answer>)| {
        let Worth { accuracy, uar, .. } = Worth::mean(folds.iter().copied());
        Worth { accuracy, uar, ..Worth::of(&figures(answers)) }
    };
    let each: Vec<Worth> = by_draw.iter().zip(&pooled).map(of_draw).collect();
    let clips = pooled[0].len();
    let answers = pooled.concat();
    let pooled = figures(&answers);
    Line {
        row: row.to_owned(),
        heard: heard.to_owned(),
        clips,
        accuracy,
        uar,
        ece: Worth::mean(each.iter().copied()).ece,
        gain_at_75: Worth::mean(each.iter().copied()).gain_at_75,
        draws: each,
        folds,
        recall: pooled.recall,
        confusion: pooled.confusion,
        answers,
    }
}

impl Judged<'_> {
    fn worth(&self) -> Worth {
        Worth::of(&figures(&self.answers))
    }
}

impl Worth {
    fn of(figures: &Figures) -> Self {
        let Figures { accuracy, uar, ece, accuracy_at_75, .. } = *figures;
        Self { accuracy, uar, ece, gain_at_75: accuracy_at_75 / accuracy.max(1e-9) - 1.0 }
    }

    fn mean(all: impl Iterator<Item = Self> + Clone) -> Self {
        let count = all.clone().count().max(1) as f64;
        let over = |value: fn(Self) -> f64| all.clone().map(value).sum::<f64>() / count;
        Self {
            accuracy: over(|worth| worth.accuracy),
            uar: over(|worth| worth.uar),
            ece: over(|worth| worth.ece),
            gain_at_75: over(|worth| worth.gain_at_75),
        }
    }
}

/// Mean and standard deviation (over the number less one) of some values.
pub fn mean_and_deviation(values: &[f64]) -> [f64; 2] {
    let count = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    [mean, (squares / (count - 1.0).max(1.0)).sqrt()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::temperature::Temperature;

    /// A member that is always sure of `Angry`, and right in so many of ten.
    fn fold(name: &str, row: &str, speaker: &str, right: usize) -> FoldSaid {
        let truths: Vec<Emotion> =
            (0..10).map(|clip| if clip < right { Emotion::Angry } else { Emotion::Sad }).collect();
        let rows = vec![[4.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]; 10];
        let logits = BTreeMap::from([("clean".to_owned(), rows)]);
        let speakers = vec![speaker.to_owned(); 10];
        let said = Said { key: String::new(), row: row.into(), truths, speakers, logits, parameters: 1, seconds: 0.0 };
        FoldSaid { name: name.into(), members: vec![said] }
    }

    fn fitted(folds: &[&FoldSaid]) -> Calibration {
        let all = || folds.iter().map(|fold| &fold.members[0]);
        let logits: Vec<_> = all().flat_map(|said| said.logits["clean"].clone()).collect();
        let truths: Vec<_> = all().flat_map(|said| said.truths.clone()).collect();
        let speakers: Vec<_> = all().flat_map(|said| said.speakers.clone()).collect();
        Calibration::fit(&logits, &truths, &speakers)
    }

    /// What a fold's answers are worth at a temperature.
    fn worth(fold: &FoldSaid, temperature: Temperature) -> Worth {
        let said = &fold.members[0];
        Worth::of(&figures(&answers(&said.logits["clean"], said.truths.iter().copied(), temperature)))
    }

    #[test]
    fn a_fold_is_judged_at_the_temperature_of_other_people() {
        let mut said = vec![
            fold("A-1", "A, unheard speakers", "one", 9),
            fold("A-2", "A, unheard speakers", "two", 4),
            fold("A-random", "A, random split", "one", 10),
        ];
        said[1].members[0].parameters = 3;
        let outcome = score(std::slice::from_ref(&said)).unwrap();
        assert_eq!(outcome.parameters, 3);
        let [random, unheard] = &outcome.lines[..] else { panic!("two lines") };
        let expected =
            [worth(&said[0], fitted(&[&said[1]]).temperature), worth(&said[1], fitted(&[&said[0]]).temperature)];
        assert_eq!(unheard.folds.iter().map(|fold| fold.worth).collect::<Vec<_>>(), expected);
        assert!((unheard.accuracy[0] - 0.65).abs() < 1e-9);
        // There is no other corpus, so nobody whom the random split does not know.
        assert_eq!(random.folds[0].worth, worth(&said[2], Temperature::ONE));
        assert_eq!(outcome.calibration, fitted(&[&said[0], &said[1]]));
    }

    #[test]
    fn draws_are_judged_apart_and_then_averaged() {
        let of = |rights: [usize; 3]| {
            vec![
                fold("A-1", "A, unheard speakers", "one", rights[0]),
                fold("A-2", "A, unheard speakers", "two", rights[1]),
                fold("B-1", "B, unheard speakers", "three", rights[2]),
            ]
        };
        let draws = [of([9, 4, 8]), of([7, 6, 2])];
        let both = score(&draws).unwrap();
        let rows: Vec<&str> = both.lines.iter().map(|line| line.row.as_str()).collect();
        assert_eq!(rows, ["A, unheard speakers", "B, unheard speakers", EVERYBODY]);
        let apart = draws.clone().map(|draw| score(&[draw]).unwrap());
        for (place, line) in both.lines.iter().enumerate() {
            let alone = [0, 1].map(|draw| apart[draw].lines[place].draws[0]);
            assert_eq!(line.draws, alone);
            assert!((line.ece - (alone[0].ece + alone[1].ece) / 2.0).abs() < 1e-9);
            assert_eq!(line.clips, apart[0].lines[place].clips);
            let counted: usize = line.confusion.iter().flatten().sum();
            assert_eq!(counted, 2 * line.clips);
        }
        let (a, everybody) = (&both.lines[0], &both.lines[2]);
        assert!((a.accuracy[0] - 0.65).abs() < 1e-9 && (everybody.accuracy[0] - 0.6).abs() < 1e-9);
        assert_eq!(everybody.clips, 30);
        // A fold is the mean of its draws, and folds differ by what these means do.
        assert!((a.folds[0].worth.accuracy - 0.8).abs() < 1e-9);
        assert!((a.accuracy[1] - 0.3 / f64::sqrt(2.0)).abs() < 1e-9);
        let all: Vec<&FoldSaid> = draws.iter().flatten().collect();
        assert_eq!(both.calibration, fitted(&all));
    }
}
