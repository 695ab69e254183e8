//! What a model is worth.

use emotone::model::Emotion;
use serde::{Deserialize, Serialize};

const COUNT: usize = Emotion::COUNT;

/// Bins of confidence for the calibration error.
const BINS: usize = 15;

/// Part of the answers that is kept when the least sure are set aside.
const KEPT: f64 = 0.75;

/// One clip's answer beside the truth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Answer {
    /// What it is.
    pub truth: Emotion,
    /// What the model says of each emotion, in [0, 1].
    pub probabilities: [f32; COUNT],
}

impl Answer {
    /// The likeliest emotion (the first of equals) and its probability.
    pub fn best(&self) -> (Emotion, f32) {
        let first = (Emotion::Angry, f32::MIN);
        let pairs = Emotion::ALL.into_iter().zip(self.probabilities);
        pairs.fold(first, |best, other| if other.1 > best.1 { other } else { best })
    }

    fn is_right(&self) -> bool {
        self.best().0 == self.truth
    }
}

/// The usual figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Clips that were judged.
    pub clips: usize,
    /// Part that was right.
    pub accuracy: f64,
    /// Mean recall of the emotions that occur: unweighted average recall.
    pub uar: f64,
    /// Part of each emotion that was found, in label order; null if it does not occur.
    pub recall: [Option<f64>; COUNT],
    /// Rows are the truth, columns the answer, in label order.
    pub confusion: [[usize; COUNT]; COUNT],
    /// Expected calibration error over 15 bins of equal width: mean distance of confidence and accuracy, weighted by the bins' clips.
    pub ece: f64,
    /// Mean negative logarithm of the true emotion's probability.
    pub nll: f64,
    /// Accuracy on the surest 75 %.
    pub accuracy_at_75: f64,
}

/// Scores answers.
pub fn figures(answers: &[Answer]) -> Figures {
    let mut confusion = [[0; COUNT]; COUNT];
    for answer in answers {
        confusion[answer.truth as usize][answer.best().0 as usize] += 1;
    }
    let total = answers.len().max(1) as f64;
    let mut recall = [None; COUNT];
    for (emotion, (recall, row)) in recall.iter_mut().zip(&confusion).enumerate() {
        let occurs: usize = row.iter().sum();
        *recall = (occurs > 0).then(|| row[emotion] as f64 / occurs as f64);
    }
    let present: Vec<f64> = recall.iter().flatten().copied().collect();
    let loss = |answer: &Answer| -f64::from(answer.probabilities[answer.truth as usize].max(1e-12)).ln();
    Figures {
        clips: answers.len(),
        accuracy: accuracy(answers),
        uar: present.iter().sum::<f64>() / present.len().max(1) as f64,
        recall,
        confusion,
        ece: calibration_error(answers),
        nll: answers.iter().map(loss).sum::<f64>() / total,
        accuracy_at_75: accuracy_of_surest(answers),
    }
}

fn accuracy(answers: &[Answer]) -> f64 {
    answers.iter().filter(|answer| answer.is_right()).count() as f64 / answers.len().max(1) as f64
}

/// Clips, mean confidence and accuracy of each of 15 bins of confidence; what a reliability diagram shows.
pub fn reliability(answers: &[Answer]) -> Vec<(usize, f64, f64)> {
    let mut bins = vec![(0, 0.0, 0.0); BINS];
    for answer in answers {
        let confidence = f64::from(answer.best().1);
        let bin = ((confidence * BINS as f64).ceil() as usize).clamp(1, BINS) - 1;
        bins[bin].0 += 1;
        bins[bin].1 += confidence;
        bins[bin].2 += f64::from(u8::from(answer.is_right()));
    }
    let mean = |(count, confidence, right): (usize, f64, f64)| {
        let divisor = count.max(1) as f64;
        (count, confidence / divisor, right / divisor)
    };
    bins.into_iter().map(mean).collect()
}

fn calibration_error(answers: &[Answer]) -> f64 {
    let distance = |(count, confidence, right): (usize, f64, f64)| count as f64 * (confidence - right).abs();
    reliability(answers).into_iter().map(distance).sum::<f64>() / answers.len().max(1) as f64
}

fn accuracy_of_surest(answers: &[Answer]) -> f64 {
    let mut sorted = answers.to_vec();
    sorted.sort_by(|a, b| b.best().1.total_cmp(&a.best().1));
    sorted.truncate((answers.len() as f64 * KEPT).ceil() as usize);
    accuracy(&sorted)
}

/// The confidence that `coverage` of the answers reach, each counting by its weight; 0 if there are none.
pub fn threshold_for(answers: &[Answer], weights: &[f64], coverage: f64) -> f32 {
    let mut sure: Vec<(f32, f64)> = answers.iter().map(|answer| answer.best().1).zip(weights.iter().copied()).collect();
    sure.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let mut wanted = weights.iter().sum::<f64>() * coverage;
    let reached = |(_, weight): &(f32, f64)| {
        wanted -= weight;
        wanted <= 1e-9
    };
    sure.into_iter().find(reached).map_or(0.0, |(confidence, _)| confidence)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(truth: Emotion, said: Emotion, sure: f32) -> Answer {
        let mut probabilities = [(1.0 - sure) / 6.0; COUNT];
        probabilities[said as usize] = sure;
        Answer { truth, probabilities }
    }

    #[test]
    fn recall_counts_emotions_alike_however_rare() {
        let mut answers = vec![answer(Emotion::Sad, Emotion::Sad, 0.9); 9];
        answers.push(answer(Emotion::Fear, Emotion::Sad, 0.6));
        let figures = figures(&answers);
        assert!((figures.accuracy - 0.9).abs() < 1e-9);
        assert!((figures.uar - 0.5).abs() < 1e-9);
        assert_eq!(figures.confusion[Emotion::Fear as usize][Emotion::Sad as usize], 1);
        assert_eq!(figures.recall[Emotion::Happy as usize], None);
        assert_eq!(figures.accuracy_at_75, 1.0);
    }

    #[test]
    fn calibration_error_is_the_distance_of_claim_and_truth() {
        let mut answers = vec![answer(Emotion::Sad, Emotion::Sad, 0.8); 6];
        answers.extend(vec![answer(Emotion::Fear, Emotion::Sad, 0.8); 4]);
        assert!((figures(&answers).ece - 0.2).abs() < 1e-6);
        assert_eq!(threshold_for(&answers, &[1.0; 10], 0.5), 0.8);
    }

    #[test]
    fn a_threshold_keeps_its_part_of_the_weight() {
        let answers: Vec<Answer> =
            [0.9, 0.5, 0.8, 0.7].into_iter().map(|sure| answer(Emotion::Sad, Emotion::Sad, sure)).collect();
        assert_eq!(threshold_for(&answers, &[1.0; 4], 0.75), 0.7);
        assert_eq!(threshold_for(&answers, &[6.0, 1.0, 2.0, 1.0], 0.75), 0.8);
        assert_eq!(threshold_for(&[], &[], 0.75), 0.0);
    }
}
