//! Long recordings and live calls: windows, speech gate, timeline, alerts.

mod judgement;

pub use judgement::{ChannelJudgement, Judgement, Segment, Verdict};

/// How a channel is cut: the first segment is a whole window, each later one is a hop long, and each is judged on the
/// window that ends with it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Windowing {
    /// Length of the window a segment is judged on, in seconds.
    pub window_seconds: f64,
    /// Length of a later segment, in seconds, at most the window's.
    pub hop_seconds: f64,
}
