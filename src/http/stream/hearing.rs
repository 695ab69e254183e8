//! A live call at work, whatever brings its sound: samples in, what is to be said of them out.

use serde::Serialize;

use super::dialect::BadFrame;
use super::frames::{AlertBody, Frame, SummaryBody, Whose};
use super::opening::Start;
use crate::call::{AlertRule, LiveCall, LiveEvent, LiveFormat};
use crate::http::answer::{ModelName, SegmentBody};
use crate::http::state::App;
use crate::model::ModelError;
use crate::pipeline::Pipeline;

/// Sound that is gathered before the workers are troubled with it, in seconds; less when a segment may be complete.
const GATHERED_SECONDS: f64 = 0.5;
/// Most samples that are gathered, all channels together: 0.5 s of a telephone's, less of a studio's.
const MOST_GATHERED: usize = 32 * 1024;

/// Why a call can't go on.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The network failed.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The work panicked.
    #[error("the work on this call panicked")]
    Panicked,
}

/// A call's ear. Computing is done by the workers; between two pieces of work it holds what was gathered.
pub struct Hearing {
    app: App,
    /// `None` after a fault.
    call: Option<LiveCall>,
    /// Gathered samples of each channel.
    sound: Vec<Vec<f32>>,
    sample_rate_hz: u32,
    tracks: Vec<Option<&'static str>>,
    names: Names,
}

/// What the webhook is told of a call beside the frame.
#[derive(Clone, Serialize)]
struct Names {
    session_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    call_id: Option<String>,
    model: ModelName,
}

/// What the webhook is told.
#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    frame: &'a Frame,
    #[serde(flatten)]
    names: &'a Names,
}

impl Hearing {
    /// A call that begins; its alert rules come beside those of the settings.
    ///
    /// # Errors
    /// [`BadFrame`] for windows that the model can't judge, rules without sense, or a rate that can't be resampled.
    pub fn new(app: &App, pipeline: &Pipeline, session_id: &str, start: &Start) -> Result<Self, BadFrame> {
        let bad = |error: &dyn std::fmt::Display| BadFrame::new(error);
        let Start { format, wishes, call_id, dialect } = start;
        let sample_rate_hz = format.sample_rate_hz;
        let format = LiveFormat { sample_rate_hz, channels: usize::from(format.channels) };
        let plan = pipeline.plan(wishes.windowing(pipeline)?).map_err(|error| bad(&error))?;
        let wished = wishes.rules(format.channels)?;
        let rules: Vec<AlertRule> = app.settings.live.alert.iter().chain(wished).cloned().collect();
        let (classifier, extractor, smoothing) = (pipeline.classifier(), pipeline.extractor(), wishes.smoothing());
        let call =
            LiveCall::new(classifier, extractor, format, plan, smoothing, &rules).map_err(|error| bad(&error))?;
        let model = ModelName::from(classifier.card());
        app.metrics.session_began();
        Ok(Self {
            app: app.clone(),
            call: Some(call),
            sound: vec![Vec::new(); format.channels],
            sample_rate_hz,
            tracks: (0..format.channels).map(|channel| dialect.track(channel)).collect(),
            names: Names { session_id: session_id.to_string(), call_id: call_id.clone(), model },
        })
    }

    /// What is said first.
    pub fn ready(&self) -> Frame {
        Frame::Ready { session_id: self.names.session_id.clone(), model: self.names.model.clone() }
    }

    /// Where new samples are to be appended, one vector a channel.
    pub fn sound(&mut self) -> &mut [Vec<f32>] {
        &mut self.sound
    }

    /// Judges what was gathered, if that is enough to say something.
    ///
    /// # Errors
    /// [`Fault`]; the call is over then.
    pub async fn listen(&mut self) -> Result<Vec<Frame>, Fault> {
        let Some(call) = &self.call else { return Err(Fault::Panicked) };
        let patience = self.patience();
        let mut channels = self.sound.iter().enumerate();
        let is_enough = channels.any(|(channel, samples)| {
            !samples.is_empty() && samples.len() >= call.samples_to_next_segment(channel).min(patience)
        });
        if is_enough { self.push().await } else { Ok(Vec::new()) }
    }

    /// Samples that are gathered on a channel.
    fn patience(&self) -> usize {
        let seconds = (GATHERED_SECONDS * f64::from(self.sample_rate_hz)) as usize;
        seconds.min(MOST_GATHERED / self.sound.len().max(1))
    }

    /// Ends the call: judges the rest and sums up.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn finish(&mut self) -> Result<Vec<Frame>, Fault> {
        let mut frames = self.push().await?;
        for channel in 0..self.sound.len() {
            frames.append(&mut self.work(channel, move |call, _| call.finish(channel)).await?);
        }
        let summary = self.call.as_ref().ok_or(Fault::Panicked)?.summary();
        let frame = Frame::Summary(SummaryBody::new(&summary, |channel| self.whose(channel)));
        self.tell(&frame);
        frames.push(frame);
        Ok(frames)
    }

    /// Judges what was gathered. Each channel is a piece of work of its own: who has many and sends as fast as he can leaves
    /// others a turn between two of them.
    async fn push(&mut self) -> Result<Vec<Frame>, Fault> {
        let mut frames = Vec::new();
        for channel in 0..self.sound.len() {
            if !self.sound[channel].is_empty() {
                let heard = self.work(channel, move |call, samples| call.push(channel, samples)).await?;
                frames.extend(heard);
            }
        }
        Ok(frames)
    }

    /// Has a worker do something with the call and a channel's gathered sound, which is used up then.
    async fn work(
        &mut self,
        channel: usize,
        work: impl FnOnce(&mut LiveCall, &[f32]) -> Result<Vec<LiveEvent>, ModelError> + Send + 'static,
    ) -> Result<Vec<Frame>, Fault> {
        let mut call = self.call.take().ok_or(Fault::Panicked)?;
        let samples = std::mem::take(&mut self.sound[channel]);
        let done = self.app.workers.run(move || {
            let events = work(&mut call, &samples);
            (call, samples, events)
        });
        let (call, mut samples, events) = done.await.ok_or(Fault::Panicked)?;
        self.app.metrics.listened(samples.len() as f64 / f64::from(self.sample_rate_hz));
        samples.clear();
        // A huge frame is no reason to keep its room for the rest of the call.
        samples.shrink_to(2 * self.patience());
        (self.call, self.sound[channel]) = (Some(call), samples);
        Ok(events?.iter().map(|event| self.say(event)).collect())
    }

    /// Puts an event into words, counts it, and tells the webhook if it is for that.
    fn say(&self, event: &LiveEvent) -> Frame {
        match event {
            LiveEvent::Segment { channel, segment } => {
                self.app.metrics.heard(&segment.verdict);
                Frame::Segment { whose: self.whose(*channel), segment: SegmentBody::from(segment) }
            }
            LiveEvent::Alert { channel, alert } => {
                let frame = Frame::Alert { whose: self.whose(*channel), alert: AlertBody::from(alert) };
                self.tell(&frame);
                frame
            }
        }
    }

    fn whose(&self, channel: usize) -> Whose {
        Whose { channel, track: self.tracks.get(channel).copied().flatten() }
    }

    fn tell(&self, frame: &Frame) {
        if let Some(webhook) = &self.app.webhook {
            let told = Told { frame, names: &self.names };
            webhook.tell(&self.names.session_id, &told, &self.app.lifecycle, &self.app.metrics);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::{RawEncoding, RawFormat};
    use crate::config::Serve;
    use crate::http::Models;
    use crate::http::stream::plain;

    const MODEL: &[u8] = include_bytes!("../../../models/emotone-cnn-lstm.onnx");
    const RATE: u32 = 8_000;

    #[tokio::test]
    async fn who_has_many_channels_leaves_others_a_turn_between_two_of_them() {
        let settings = Serve::with_options(&["--workers", "1"]).unwrap();
        let models = Models::load(Vec::new(), MODEL, settings.limits.audio()).unwrap();
        let app = App::new(settings, models).unwrap();
        let format = RawFormat { encoding: RawEncoding::PcmS16le, sample_rate_hz: RATE, channels: 8 };
        let start = Start { format, wishes: Default::default(), call_id: None, dialect: plain::dialect(format) };
        let pipeline = app.models.get(None).unwrap().pipeline;
        let mut hearing = Hearing::new(&app, &pipeline, "a call", &start).unwrap();
        hearing.sound().iter_mut().for_each(|samples| samples.resize(10 * RATE as usize, 0.1));
        {
            let (heard, other) = (hearing.listen(), app.workers.run(|| ()));
            tokio::pin!(heard);
            tokio::select! {
                biased;
                _ = &mut heard => panic!("the other has waited for every channel"),
                done = other => assert_eq!(done, Some(())),
            }
            heard.await.unwrap();
        }
        let frames = hearing.finish().await.unwrap();
        assert!(matches!(&frames[..], [.., Frame::Summary(summary)] if summary.duration_seconds == 10.0));
    }
}
