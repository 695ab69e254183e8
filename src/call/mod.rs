//! Long recordings and live calls: windows, speech gate, timeline, alerts.
//!
//! In reading order: a [`WindowPlan`] says how a channel is cut, the [`SpeechGate`] what of it is speech. A
//! [`ChannelAnalyzer`] does both as samples come, and gives a [`Window`] for each segment. Once the model has judged it,
//! the [`Timeline`] smooths it and sums it up. A [`PostedCall`] does all that for a recording and gives its [`Judgement`]; a
//! [`LiveCall`] tells the same segments one by one, and alerts by its [`AlertRule`]s.

mod windows;
mod gate;
mod channel;
mod timeline;
mod judgement;
mod twins;
mod posted;
mod alert;
mod live;

pub use alert::{Alert, AlertRule, AlertRuleError, channel_of_track};
pub use channel::{ChannelAnalyzer, Window};
pub use gate::{GateFrame, SpeechGate};
pub use judgement::{ChannelJudgement, Judgement, Segment, Verdict};
pub use live::{LiveCall, LiveEvent, LiveFormat, Summary};
pub use posted::{PostedCall, Step};
pub use timeline::{Smoothing, Span, Timeline};
pub use windows::{WindowPlan, Windowing, WindowingError};
