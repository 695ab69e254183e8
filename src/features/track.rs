//! What is known of every frame of a recording before a window is chosen.

use std::ops::Range;

use super::prosody::PitchFrame;

/// Rows of frame after frame as a [`FrameStream`](super::FrameStream) gives them, before anything that depends on the
/// window: log mel bands without `top_db`, level, and pitch candidates if a column needs them.
///
/// Frame numbers count from the start of the recording (frame `k` is centred on sample `k·hop`), also after
/// [`drop_before`](Self::drop_before) has let go of the first ones.
#[derive(Debug, Clone)]
pub struct FrameTrack {
    bands: usize,
    first: usize,
    pub(super) log_mel: Vec<f32>,
    pub(super) levels: Vec<f32>,
    pub(super) pitch: Option<Vec<PitchFrame>>,
}

impl FrameTrack {
    pub(super) fn new(bands: usize, with_pitch: bool) -> Self {
        let pitch = with_pitch.then(Vec::new);
        Self { bands, first: 0, log_mel: Vec::new(), levels: Vec::new(), pitch }
    }

    /// Number of complete frames since the start of the recording, those let go included.
    pub fn frames(&self) -> usize {
        let held = self.pitch.as_ref().map_or(self.levels.len(), |pitch| pitch.len().min(self.levels.len()));
        self.first + held
    }

    /// Number of the first frame still held: `first_frame()..frames()` can be looked at.
    pub fn first_frame(&self) -> usize {
        self.first
    }

    /// Lets go of all complete frames before `frame`.
    pub fn drop_before(&mut self, frame: usize) {
        let count = frame.clamp(self.first, self.frames()) - self.first;
        self.log_mel.drain(..count * self.bands);
        self.levels.drain(..count);
        if let Some(pitch) = &mut self.pitch {
            pitch.drain(..count);
        }
        self.first += count;
    }

    /// Mel bands in dB, at least -100, of the frames of `range` that are held, `[frames, n_mels]`.
    pub fn log_mel(&self, range: Range<usize>) -> &[f32] {
        let rows = self.rows(range);
        self.log_mel.get(rows.start * self.bands..rows.end * self.bands).unwrap_or_default()
    }

    /// Rows of the frames of `range` that are held.
    pub(super) fn rows(&self, range: Range<usize>) -> Range<usize> {
        let start = range.start.clamp(self.first, self.frames());
        let end = range.end.clamp(start, self.frames());
        start - self.first..end - self.first
    }
}
