//! A call that is still going on.

use super::alert::AlertWatch;
use super::channel::mean;
use super::{Alert, AlertRule, ChannelAnalyzer, Segment, Smoothing, Timeline, Verdict, Window, WindowPlan};
use crate::audio::AudioError;
use crate::features::FeatureExtractor;
use crate::model::{Classifier, ModelError};

/// How the samples of a live call come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LiveFormat {
    /// Samples per second of each channel, in Hz.
    pub sample_rate_hz: u32,
    /// Number of channels.
    pub channels: usize,
}

/// What is told while a call goes on.
#[derive(Debug, Clone, PartialEq)]
pub enum LiveEvent {
    /// The next segment of a channel.
    Segment {
        /// Which channel.
        channel: usize,
        /// What was heard.
        segment: Segment,
    },
    /// A rule has something to tell of a channel.
    Alert {
        /// Which channel.
        channel: usize,
        /// What was held.
        alert: Alert,
    },
}

/// What is said of a call as a whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// Duration of the longest channel, in seconds.
    pub duration_seconds: f64,
    /// Each channel: the mean of its windows, weighted by their speech.
    pub channels: Vec<Verdict>,
}

/// The channels of a live call, judged as they come, each on its own clock.
///
/// A call holds, a channel, a window of frames, a hop and about a second of them at most, and running sums, however long it
/// lasts. The windows and probabilities are those that the same samples give as a file.
pub struct LiveCall {
    classifier: Classifier,
    channels: Vec<Channel>,
}

struct Channel {
    analyzer: ChannelAnalyzer,
    timeline: Timeline,
    watches: Vec<AlertWatch>,
}

impl LiveCall {
    /// A call that begins.
    ///
    /// # Errors
    /// [`AudioError`] if the sample rate cannot be resampled to the features'.
    pub fn new(
        classifier: &Classifier,
        extractor: &FeatureExtractor,
        format: LiveFormat,
        plan: WindowPlan,
        smoothing: Smoothing,
        rules: &[AlertRule],
    ) -> Result<Self, AudioError> {
        let channel = |number| -> Result<Channel, AudioError> {
            let rules = rules.iter().filter(|rule| rule.channel().is_none_or(|only| only == number));
            Ok(Channel {
                analyzer: ChannelAnalyzer::new(extractor, plan, format.sample_rate_hz)?,
                timeline: Timeline::new(classifier.card().rejection_threshold, smoothing),
                watches: rules.cloned().map(AlertWatch::new).collect(),
            })
        };
        let channels = (0..format.channels).map(channel).collect::<Result<_, _>>()?;
        Ok(Self { classifier: classifier.clone(), channels })
    }

    /// Takes samples of one channel, in pieces of any length, and tells what they complete. Samples of a channel that
    /// the call doesn't have are ignored.
    ///
    /// # Errors
    /// [`ModelError`] if the network fails.
    pub fn push(&mut self, channel: usize, samples: &[f32]) -> Result<Vec<LiveEvent>, ModelError> {
        self.advance(channel, |analyzer, windows| analyzer.push(samples, windows))
    }

    /// Samples after which a channel may have something to tell; 0 if any sample may complete it. Those who gather
    /// samples before they push them need not gather longer.
    pub fn samples_to_next_segment(&self, channel: usize) -> usize {
        self.channels.get(channel).map_or(0, |channel| channel.analyzer.samples_to_next_segment())
    }

    /// Duration of one channel so far, in seconds.
    pub fn seconds(&self, channel: usize) -> f64 {
        self.channels.get(channel).map_or(0.0, |channel| channel.analyzer.seconds())
    }

    /// Ends a channel: tells its last segments. Nothing may be pushed to it afterwards.
    ///
    /// # Errors
    /// [`ModelError`] if the network fails.
    pub fn finish(&mut self, channel: usize) -> Result<Vec<LiveEvent>, ModelError> {
        self.advance(channel, ChannelAnalyzer::finish)
    }

    /// What is said of the call so far; of all of it once every channel has been [finished](Self::finish).
    pub fn summary(&self) -> Summary {
        Summary {
            duration_seconds: (0..self.channels.len()).map(|channel| self.seconds(channel)).fold(0.0, f64::max),
            channels: self.channels.iter().map(|channel| channel.timeline.verdict()).collect(),
        }
    }

    fn advance(
        &mut self,
        number: usize,
        step: impl FnOnce(&mut ChannelAnalyzer, &mut Vec<Window>),
    ) -> Result<Vec<LiveEvent>, ModelError> {
        let (mut windows, mut events) = (Vec::new(), Vec::new());
        let Some(channel) = self.channels.get_mut(number) else { return Ok(events) };
        step(&mut channel.analyzer, &mut windows);
        for Window { span, inputs } in windows {
            let segment = channel.timeline.push(span, mean(self.classifier.probabilities(&inputs)?));
            events.push(LiveEvent::Segment { channel: number, segment });
            let alerts = channel.watches.iter_mut().filter_map(|watch| watch.watch(&segment));
            events.extend(alerts.map(|alert| LiveEvent::Alert { channel: number, alert }));
        }
        Ok(events)
    }
}
