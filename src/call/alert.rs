//! Rules that tell when somebody should look.

use std::str::FromStr;

use super::Segment;
use crate::model::Emotion;

/// An emotion that was raised stays so down to this part of its threshold, so that an alert doesn't flicker.
const RELEASE: f32 = 0.8;
/// A pause longer than this ends what was held before it, in seconds.
const LONGEST_PAUSE_SECONDS: f64 = 10.0;
/// What sums of times may be short of their true value.
const ROUNDING_SECONDS: f64 = 1e-6;
/// Longest time that a rule may ask for, in seconds.
const LONGEST_HOLD_SECONDS: f64 = 3600.0;

/// "Angry, at least 0.6, for 3 seconds": tells once when an emotion has been held.
///
/// The emotion is raised in the first segment that has at least `threshold` of it, stays raised while segments have at
/// least 0.8 of the threshold, and when that has lasted `hold_seconds` the alert is told, once. Pauses of up to 10 s don't
/// end it, and count in full. Only after the emotion has fallen below 0.8 of the threshold, or after a pause of more than
/// 10 s, can the rule speak again.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertRule {
    emotion: Emotion,
    threshold: f32,
    hold_seconds: f64,
    channel: Option<usize>,
}

/// A rule that can't be followed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("alert rule {problem}")]
pub struct AlertRuleError {
    /// What is wrong with it.
    pub problem: String,
}

/// An emotion that was held for as long as its rule asks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Alert {
    /// What was held.
    pub emotion: Emotion,
    /// Start of the segment in which it was raised, in seconds.
    pub since_seconds: f64,
    /// End of the segment with which it had lasted long enough, in seconds.
    pub at_seconds: f64,
    /// Its mean probability over that time.
    pub confidence: f32,
}

impl AlertRule {
    /// Looks for an emotion of a probability of at least `threshold`, in (0, 1], that lasts `hold_seconds`, at most an hour;
    /// on one channel alone if that is named.
    ///
    /// # Errors
    /// [`AlertRuleError`] names the number that is out of range.
    pub fn new(
        emotion: Emotion,
        threshold: f32,
        hold_seconds: f64,
        channel: Option<usize>,
    ) -> Result<Self, AlertRuleError> {
        let bad = |problem| Err(AlertRuleError { problem });
        if !(threshold > 0.0 && threshold <= 1.0) {
            return bad(format!("has a threshold of {threshold}, it must be above 0 and at most 1"));
        }
        if !(0.0..=LONGEST_HOLD_SECONDS).contains(&hold_seconds) {
            return bad(format!("holds for {hold_seconds} s, 0 to 3600 s is possible"));
        }
        Ok(Self { emotion, threshold, hold_seconds, channel })
    }

    /// The only channel to look at, from 0; all if `None`.
    pub fn channel(&self) -> Option<usize> {
        self.channel
    }
}

/// Reads `EMOTION:THRESHOLD:SECONDS` or `EMOTION:THRESHOLD:SECONDS:CHANNEL`, such as `angry:0.6:3` or
/// `angry:0.6:3:inbound`: the channel is a number, or a track's name (see [`channel_of_track`]).
impl FromStr for AlertRule {
    type Err = AlertRuleError;

    fn from_str(text: &str) -> Result<Self, AlertRuleError> {
        let bad = || AlertRuleError {
            problem: format!("`{text}` is not EMOTION:THRESHOLD:SECONDS[:CHANNEL], such as angry:0.6:3"),
        };
        let parts: Vec<&str> = text.split(':').collect();
        let (emotion, threshold, hold, channel) = match parts[..] {
            [emotion, threshold, hold] => (emotion, threshold, hold, None),
            [emotion, threshold, hold, channel] => {
                let number = channel_of_track(channel).or_else(|| channel.parse().ok());
                (emotion, threshold, hold, Some(number.ok_or_else(bad)?))
            }
            _ => return Err(bad()),
        };
        Self::new(
            Emotion::from_name(emotion).ok_or_else(bad)?,
            threshold.parse().map_err(|_| bad())?,
            hold.parse().map_err(|_| bad())?,
            channel,
        )
    }
}

/// The channel of a track as telephony names them: `inbound`, what the caller says, is 0, and `outbound` is 1.
pub fn channel_of_track(track: &str) -> Option<usize> {
    match track {
        "inbound" => Some(0),
        "outbound" => Some(1),
        _ => None,
    }
}

/// A rule at work on one channel.
#[derive(Debug, Clone)]
pub(super) struct AlertWatch {
    rule: AlertRule,
    raised: Option<Raised>,
}

#[derive(Debug, Clone, Copy)]
struct Raised {
    since_seconds: f64,
    /// End of the last segment with speech.
    last_seconds: f64,
    /// Sum of probability times seconds, and of these seconds.
    sum: (f64, f64),
    told: bool,
}

impl AlertWatch {
    pub(super) fn new(rule: AlertRule) -> Self {
        Self { rule, raised: None }
    }

    /// Looks at the next segment.
    pub(super) fn watch(&mut self, segment: &Segment) -> Option<Alert> {
        let Some(probabilities) = segment.verdict.probabilities() else {
            let pause = |raised: &Raised| segment.end_seconds - raised.last_seconds;
            self.raised = self.raised.filter(|raised| pause(raised) <= LONGEST_PAUSE_SECONDS);
            return None;
        };
        let probability = probabilities.of(self.rule.emotion);
        let needed = if self.raised.is_some() { self.rule.threshold * RELEASE } else { self.rule.threshold };
        if probability < needed {
            self.raised = None;
            return None;
        }
        let seconds = segment.end_seconds - segment.start_seconds;
        let raised = self.raised.get_or_insert(Raised {
            since_seconds: segment.start_seconds,
            last_seconds: segment.end_seconds,
            sum: (0.0, 0.0),
            told: false,
        });
        raised.last_seconds = segment.end_seconds;
        raised.sum = (raised.sum.0 + f64::from(probability) * seconds, raised.sum.1 + seconds);
        let held_seconds = segment.end_seconds - raised.since_seconds + ROUNDING_SECONDS;
        if raised.told || held_seconds < self.rule.hold_seconds {
            return None;
        }
        raised.told = true;
        Some(Alert {
            emotion: self.rule.emotion,
            since_seconds: raised.since_seconds,
            at_seconds: segment.end_seconds,
            confidence: (raised.sum.0 / raised.sum.1) as f32,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::Verdict;
    use crate::model::Probabilities;

    /// Segments of a second; a negative number is a pause.
    fn alerts(rule: &str, angry: &[f32]) -> Vec<Alert> {
        let mut watch = AlertWatch::new(rule.parse().unwrap());
        let segments = angry.iter().enumerate().map(|(second, angry)| {
            let rest = (1.0 - angry) / 6.0;
            let probabilities = Probabilities::new([*angry, rest, rest, rest, rest, rest, rest]);
            let start_seconds = second as f64;
            Segment {
                start_seconds,
                end_seconds: start_seconds + 1.0,
                speech_seconds: 1.0,
                verdict: Verdict::new(probabilities, 0.3),
            }
        });
        segments.filter_map(|segment| watch.watch(&segment)).collect()
    }

    #[test]
    fn an_alert_comes_once_when_the_emotion_was_held() {
        let told = alerts("angry:0.6:3", &[0.1, 0.7, 0.6, 0.8, 0.9, 0.9]);
        assert_eq!(told.len(), 1);
        assert_eq!((told[0].since_seconds, told[0].at_seconds), (1.0, 4.0));
        assert!((told[0].confidence - 0.7).abs() < 1e-6);
    }

    #[test]
    fn a_dip_that_is_not_deep_does_not_make_it_flicker() {
        assert_eq!(alerts("angry:0.6:2", &[0.7, 0.5, 0.7, 0.5, 0.7, 0.5, 0.7]).len(), 1);
        assert_eq!(alerts("angry:0.6:2", &[0.7, 0.7, 0.4, 0.7, 0.7]).len(), 2);
        assert_eq!(alerts("angry:0.6:3", &[0.5, 0.5, 0.5, 0.5, 0.7]).len(), 0);
    }

    #[test]
    fn a_pause_is_waited_for_but_not_for_ever() {
        assert_eq!(alerts("angry:0.6:3", &[0.7, -1.0, -1.0, 0.7])[0].at_seconds, 4.0);
        let mut long = vec![0.7];
        long.extend([-1.0; 11]);
        long.push(0.7);
        assert!(alerts("angry:0.6:3", &long).is_empty());
        long.splice(0..0, [0.7, 0.7]);
        assert_eq!(alerts("angry:0.6:1", &long).len(), 2, "after such a pause it speaks again");
    }

    #[test]
    fn rules_that_make_no_sense_are_refused() {
        assert_eq!("angry:0.6:3:outbound".parse::<AlertRule>().map(|rule| rule.channel), Ok(Some(1)));
        for rule in [
            "",
            "angry",
            "angry:0.6",
            "angry:0.6:3:",
            "angry:0.6:3:1:1",
            "bored:0.6:3",
            "angry:0:3",
            "angry:1.1:3",
            "angry:NaN:3",
            "angry:0.6:-1",
            "angry:0.6:inf",
        ] {
            assert!(rule.parse::<AlertRule>().is_err(), "{rule}");
        }
    }
}
