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
        let bad = |error: &dyn std::fmt::Display| BadFrame(error.to_string());
        let Start { format, wishes, call_id, dialect } = start;
        let sample_rate_hz = format.sample_rate_hz;
        let format = LiveFormat { sample_rate_hz, channels: usize::from(format.channels) };
        let plan = pipeline.plan(wishes.windowing(pipeline)?).map_err(|error| bad(&error))?;
        let rules: Vec<AlertRule> = app.settings.live.alert.iter().cloned().chain(wishes.rules()?).collect();
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
        if is_enough { self.work(push).await } else { Ok(Vec::new()) }
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
        self.work(|call, sound| {
            let mut events = push(call, sound)?;
            events.append(&mut call.finish()?);
            Ok(events)
        })
        .await
    }

    /// Has a worker do something with the call and the gathered sound.
    async fn work(
        &mut self,
        work: impl FnOnce(&mut LiveCall, &[Vec<f32>]) -> Result<Vec<LiveEvent>, ModelError> + Send + 'static,
    ) -> Result<Vec<Frame>, Fault> {
        let mut call = self.call.take().ok_or(Fault::Panicked)?;
        let sound = std::mem::take(&mut self.sound);
        let done = self.app.workers.run(move || {
            let events = work(&mut call, &sound);
            (call, sound, events)
        });
        let (call, mut sound, events) = done.await.ok_or(Fault::Panicked)?;
        let seconds: f64 = sound.iter().map(|samples| samples.len() as f64 / f64::from(self.sample_rate_hz)).sum();
        self.app.metrics.listened(seconds);
        sound.iter_mut().for_each(Vec::clear);
        (self.call, self.sound) = (Some(call), sound);
        // A huge frame is no reason to keep its room for the rest of the call.
        let patience = self.patience();
        self.sound.iter_mut().for_each(|samples| samples.shrink_to(2 * patience));
        Ok(events?.iter().map(|event| self.say(event)).collect())
    }

    /// Puts an event into words, counts it, and tells the webhook if it is for that.
    fn say(&self, event: &LiveEvent) -> Frame {
        let whose = |channel| Whose { channel, track: self.tracks.get(channel).copied().flatten() };
        let frame = match event {
            LiveEvent::Segment { channel, segment } => {
                self.app.metrics.heard(&segment.verdict);
                Frame::Segment { whose: whose(*channel), segment: SegmentBody::from(segment) }
            }
            LiveEvent::Alert { channel, alert } => {
                Frame::Alert { whose: whose(*channel), alert: AlertBody::from(alert) }
            }
            LiveEvent::Summary(summary) => Frame::Summary(SummaryBody::new(summary, whose)),
        };
        if let (Some(webhook), Frame::Alert { .. } | Frame::Summary(_)) = (&self.app.webhook, &frame) {
            let told = Told { frame: &frame, names: &self.names };
            webhook.tell(&self.names.session_id, &told, &self.app.lifecycle, &self.app.metrics);
        }
        frame
    }
}

fn push(call: &mut LiveCall, sound: &[Vec<f32>]) -> Result<Vec<LiveEvent>, ModelError> {
    let mut events = Vec::new();
    for (channel, samples) in sound.iter().enumerate() {
        events.append(&mut call.push(channel, samples)?);
    }
    Ok(events)
}
