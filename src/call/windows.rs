//! How a channel is cut in time.

use crate::features::FeatureSpec;
use crate::model::ModelCard;

/// Longest window that may be asked for, in seconds, where the model's own input isn't longer; what goes beyond the
/// input is judged piece by piece.
const LONGEST_SECONDS: f64 = 15.0;
/// Shortest window or hop that may be asked for, in seconds: less holds no syllable to judge.
const LEAST_SECONDS: f64 = 0.5;
/// A rest shorter than this at the end of a recording makes no segment of its own, in seconds.
pub(super) const LEAST_REST_SECONDS: f64 = 0.05;

/// How a channel is cut: the first segment is a whole window, each later one is a hop long, and each is judged on the
/// window that ends with it. A recording no longer than one window is one segment, judged on all of it; the last segment
/// takes the rest, and is judged on the window that ends with the recording. A window longer than the model's input is
/// judged piece by piece, and the mean of that counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Windowing {
    /// Length of the window a segment is judged on, in seconds.
    pub window_seconds: f64,
    /// Length of a later segment, in seconds, at most the window's.
    pub hop_seconds: f64,
}

/// A windowing that is not possible.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error(
    "windows of {window_seconds} s every {hop_seconds} s are not possible: 0.5 s <= hop <= window <= {limit_seconds} s is needed"
)]
pub struct WindowingError {
    /// The window asked for, in seconds.
    pub window_seconds: f64,
    /// The hop asked for, in seconds.
    pub hop_seconds: f64,
    /// The longest window that is possible, in seconds.
    pub limit_seconds: f64,
}

/// A [`Windowing`] that is possible, counted in the model's frames.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WindowPlan {
    windowing: Windowing,
    frames_per_second: f64,
    window_frames: usize,
}

impl WindowPlan {
    /// The windows asked for, or else the model's own (cut to what its input holds).
    ///
    /// # Errors
    /// [`WindowingError`] unless 0.5 s <= hop <= window <= 15 s, or the model's input if that is longer.
    pub fn new(asked: Option<Windowing>, card: &ModelCard, spec: &FeatureSpec) -> Result<Self, WindowingError> {
        let frames_per_second = f64::from(spec.sample_rate) / spec.hop as f64;
        let input_seconds = spec.frames as f64 / frames_per_second;
        let limit_seconds = input_seconds.max(LONGEST_SECONDS);
        let windowing = match asked {
            Some(Windowing { window_seconds, hop_seconds }) => {
                let fits = (LEAST_SECONDS..=limit_seconds).contains(&window_seconds)
                    && (LEAST_SECONDS..=window_seconds).contains(&hop_seconds);
                if !fits {
                    return Err(WindowingError { window_seconds, hop_seconds, limit_seconds });
                }
                Windowing { window_seconds, hop_seconds }
            }
            None => {
                let window_seconds = card.window_seconds.min(input_seconds);
                Windowing { window_seconds, hop_seconds: card.hop_seconds.min(window_seconds) }
            }
        };
        let frames = (windowing.window_seconds * frames_per_second).round() as usize;
        // What rounds up beyond the input is no second piece.
        let window_frames = if windowing.window_seconds <= input_seconds { frames.min(spec.frames) } else { frames };
        Ok(Self { windowing, frames_per_second, window_frames: window_frames.max(1) })
    }

    /// The windows in seconds.
    pub fn windowing(&self) -> Windowing {
        self.windowing
    }

    /// Frames of a window, at least 1.
    pub fn window_frames(&self) -> usize {
        self.window_frames
    }

    /// Where a segment ends, in seconds, if the recording goes on.
    pub fn end_seconds(&self, segment: u64) -> f64 {
        self.windowing.window_seconds + segment as f64 * self.windowing.hop_seconds
    }

    /// Where a segment begins, in seconds.
    pub fn start_seconds(&self, segment: u64) -> f64 {
        segment.checked_sub(1).map_or(0.0, |before| self.end_seconds(before))
    }

    /// The frame that is centred next to a time.
    pub fn frame_at(&self, seconds: f64) -> usize {
        (seconds * self.frames_per_second).round() as usize
    }

    /// Duration of some frames, in seconds.
    pub fn seconds(&self, frames: usize) -> f64 {
        frames as f64 / self.frames_per_second
    }
}
