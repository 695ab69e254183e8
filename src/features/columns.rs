//! Columns beside the cepstral coefficients.

use super::decibel::loudest;
use super::prosody::{PitchContour, PitchFrame};
use super::{Column, FeatureSpec};

/// What a column may be made of: the frames of one window.
pub struct WindowView<'a> {
    /// Level of each frame, in dB.
    pub levels: &'a [f32],
    /// Pitch candidates of each frame, if a column needs them.
    pub pitch: Option<&'a [PitchFrame]>,
}

/// Writes the columns of `spec` behind the cepstral coefficients of every row of `values` (`[frames, spec.width()]`).
pub fn fill(spec: &FeatureSpec, view: &WindowView<'_>, values: &mut [f32]) {
    if spec.columns.is_empty() || view.levels.is_empty() {
        return;
    }
    let hop_seconds = spec.hop as f32 / spec.sample_rate as f32;
    let contour = PitchContour::trace(view.pitch.unwrap_or_default(), view.levels, hop_seconds);
    let median = contour.median_log_hz().unwrap_or(0.0);
    let loudest = loudest(view.levels);
    let log_hz = |frame: usize| contour.log_hz().get(frame).copied();
    let value = |column: &Column, frame: usize| match column {
        Column::RelativeLogPitch => log_hz(frame).map_or(0.0, |log_hz| log_hz - median),
        Column::LogPitch => log_hz(frame).map_or(0.0, |log_hz| log_hz - 100_f32.ln()),
        Column::PitchSlope => contour.slope(frame) / hop_seconds,
        Column::Voicing => contour.voicing().get(frame).copied().unwrap_or(0.0),
        Column::Energy => view.levels.get(frame).map_or(0.0, |level| level - loudest),
    };
    for (frame, row) in values.chunks_exact_mut(spec.width()).enumerate() {
        for (slot, column) in row.iter_mut().skip(spec.n_mfcc).zip(&spec.columns) {
            *slot = value(column, frame);
        }
    }
}
