//! What the windows of one channel say, one after the other.

use super::{Segment, Verdict};
use crate::model::Probabilities;

/// How much of what was heard before a segment still counts in it.
///
/// A segment's probabilities are the mean of its own window's and of those before, each weighted by its speech in
/// seconds and halved every `half_life_seconds` from its end to the segment's. It looks only back, so that a live call
/// says the same as a file; the first segment with speech is its window's alone; and after a long pause little is left.
/// The sum of a channel is made of the windows themselves, not of the smoothed segments.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Smoothing {
    /// Time after which a window counts half, in seconds; 0 switches smoothing off.
    pub half_life_seconds: f64,
}

impl Smoothing {
    /// Every segment is its own window's alone.
    pub const OFF: Smoothing = Smoothing { half_life_seconds: 0.0 };
}

impl Default for Smoothing {
    fn default() -> Self {
        Self { half_life_seconds: 2.0 }
    }
}

/// A segment's place in time, and the speech in it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Span {
    /// Where it begins, in seconds from the start of the channel.
    pub start_seconds: f64,
    /// Where it ends, in seconds.
    pub end_seconds: f64,
    /// Speech in it, in seconds.
    pub speech_seconds: f64,
}

/// The running story of one channel; its memory doesn't grow.
#[derive(Debug, Clone)]
pub struct Timeline {
    rejection_threshold: f32,
    smoothing: Smoothing,
    /// What still counts, and its weight in seconds at its time.
    recent: Option<(Probabilities, f64)>,
    clock_seconds: f64,
    sum: Option<Probabilities>,
    speech_seconds: f64,
}

impl Timeline {
    /// A channel of which nothing was heard yet; verdicts are by the model's rejection threshold.
    pub fn new(rejection_threshold: f32, smoothing: Smoothing) -> Self {
        Self { rejection_threshold, smoothing, recent: None, clock_seconds: 0.0, sum: None, speech_seconds: 0.0 }
    }

    /// Adds the next segment; `probabilities` of its window where there was speech to judge.
    pub fn push(&mut self, span: Span, probabilities: Option<Probabilities>) -> Segment {
        let Span { start_seconds, end_seconds, speech_seconds } = span;
        let half_lives = (end_seconds - self.clock_seconds) / self.smoothing.half_life_seconds;
        self.clock_seconds = end_seconds;
        // A half-life of 0 makes this infinite, and what was before weigh nothing.
        self.recent = self.recent.map(|(mean, weight)| (mean, weight * (-half_lives).exp2()));
        let judged = probabilities.and_then(|now| {
            let total = (self.sum.unwrap_or(now), self.speech_seconds);
            self.sum = Probabilities::weighted_mean([total, (now, speech_seconds)]);
            self.speech_seconds += speech_seconds;
            let (before, weight) = self.recent.unwrap_or((now, 0.0));
            let mean = Probabilities::weighted_mean([(before, weight), (now, speech_seconds)])?;
            self.recent = Some((mean, weight + speech_seconds));
            Some(mean)
        });
        let verdict = Verdict::new(judged, self.rejection_threshold);
        Segment { start_seconds, end_seconds, speech_seconds, verdict }
    }

    /// The mean of all windows so far, weighted by their speech.
    pub fn verdict(&self) -> Verdict {
        Verdict::new(self.sum, self.rejection_threshold)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Emotion;

    fn sure_of(emotion: Emotion) -> Probabilities {
        Probabilities::new(Emotion::ALL.map(|other| if other == emotion { 1.0 } else { 0.0 })).unwrap()
    }

    fn span(start_seconds: f64, end_seconds: f64) -> Span {
        Span { start_seconds, end_seconds, speech_seconds: end_seconds - start_seconds }
    }

    fn confidence(segment: &Segment) -> f32 {
        segment.verdict.probabilities().unwrap().of(Emotion::Angry)
    }

    #[test]
    fn a_single_window_is_left_untouched() {
        let odd = Probabilities::new([0.31, 0.12, 0.17, 0.05, 0.2, 0.1, 0.05]).unwrap();
        let mut timeline = Timeline::new(0.3, Smoothing::default());
        let segment = timeline.push(span(0.0, 2.3), Some(odd));
        assert_eq!(segment.verdict, timeline.verdict());
        for (after, before) in segment.verdict.probabilities().unwrap().values().iter().zip(odd.values()) {
            assert!((after - before).abs() < 1e-7);
        }
    }

    #[test]
    fn what_was_before_counts_half_after_a_half_life() {
        let mut timeline = Timeline::new(0.3, Smoothing { half_life_seconds: 2.0 });
        timeline.push(span(0.0, 2.0), Some(sure_of(Emotion::Angry)));
        let next = timeline.push(span(2.0, 4.0), Some(sure_of(Emotion::Sad)));
        assert!((confidence(&next) - 1.0 / 3.0).abs() < 1e-6);
        let silence = timeline.push(span(4.0, 24.0), None);
        assert_eq!(silence.verdict, Verdict::NoSpeech);
        let much_later = timeline.push(span(24.0, 26.0), Some(sure_of(Emotion::Sad)));
        assert!(confidence(&much_later) < 1e-3);
    }

    #[test]
    fn switched_off_every_segment_stands_for_itself() {
        let mut timeline = Timeline::new(0.3, Smoothing::OFF);
        timeline.push(span(0.0, 4.0), Some(sure_of(Emotion::Angry)));
        let next = timeline.push(span(4.0, 6.0), Some(sure_of(Emotion::Sad)));
        assert_eq!(confidence(&next), 0.0);
    }

    #[test]
    fn the_sum_is_weighted_by_speech_and_not_smoothed() {
        let mut timeline = Timeline::new(0.3, Smoothing::default());
        timeline.push(span(0.0, 3.0), Some(sure_of(Emotion::Angry)));
        timeline.push(span(3.0, 4.0), Some(sure_of(Emotion::Sad)));
        timeline.push(span(4.0, 9.0), None);
        assert_eq!(timeline.verdict().best(), Some((Emotion::Angry, 0.75)));
        assert_eq!(timeline.speech_seconds, 4.0);
    }
}
