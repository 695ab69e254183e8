//! Long recordings and live calls: windows, speech gate, timeline, alerts.

mod judgement;

pub use judgement::{ChannelJudgement, Judgement, Segment, Verdict};

/// How a channel is cut: each segment is one hop long and judged on the window that ends with it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Windowing {
    /// Length of the window a segment is judged on, in seconds.
    pub window_seconds: f64,
    /// Length of a segment, in seconds, at most the window's.
    pub hop_seconds: f64,
}
