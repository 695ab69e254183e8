//! Waveform to features.

use std::ops::Range;
use std::sync::Arc;

use super::columns::{self, WindowView};
use super::decibel::limit_range;
use super::normalize::standardize;
use super::padding::pad;
use super::{Dct, FeatureError, FeatureMatrix, FeatureSpec, FrameStream, FrameTrack};
use crate::audio::Waveform;

/// All stages of one [`FeatureSpec`], with their plans and tables made once. Cheap to clone.
#[derive(Debug, Clone)]
pub struct FeatureExtractor {
    stages: Arc<Stages>,
}

#[derive(Debug)]
struct Stages {
    spec: FeatureSpec,
    /// Copied for each recording; its tables are shared.
    fresh: FrameStream,
    dct: Dct,
}

impl FeatureExtractor {
    /// Makes plans and tables.
    ///
    /// # Errors
    /// [`FeatureError::BadSetting`] if the settings make no sense.
    pub fn new(spec: &FeatureSpec) -> Result<Self, FeatureError> {
        spec.check()?;
        let stages =
            Stages { spec: spec.clone(), fresh: FrameStream::new(spec), dct: Dct::new(spec.n_mels, spec.n_mfcc) };
        Ok(Self { stages: Arc::new(stages) })
    }

    /// The settings at work.
    pub fn spec(&self) -> &FeatureSpec {
        &self.stages.spec
    }

    /// A stream for a new recording.
    pub fn stream(&self) -> FrameStream {
        self.stages.fresh.clone()
    }

    /// An empty track for what a [`stream`](Self::stream) gives.
    pub fn track(&self) -> FrameTrack {
        FrameTrack::new(self.spec().n_mels, self.spec().needs_pitch())
    }

    /// The frames of a whole recording, at the features' rate.
    ///
    /// # Errors
    /// [`FeatureError::WrongRate`] if the waveform has another.
    pub fn frames(&self, waveform: &Waveform) -> Result<FrameTrack, FeatureError> {
        let (got, expected) = (waveform.sample_rate_hz(), self.spec().sample_rate);
        if got != expected {
            return Err(FeatureError::WrongRate { got, expected });
        }
        let (mut stream, mut track) = (self.stream(), self.track());
        stream.push(waveform.samples(), &mut track);
        stream.finish(&mut track);
        Ok(track)
    }

    /// Features of a window of frames (numbered from the start of the recording; those not held are left out) as they are
    /// before standardization and padding, `[frames, width]`: the levels raised to `top_db` below the window's loudest,
    /// their cosine transform, and the further columns.
    pub fn coefficients(&self, track: &FrameTrack, range: Range<usize>) -> FeatureMatrix {
        let (spec, rows) = (self.spec(), track.rows(range));
        let mut levels = track.log_mel[rows.start * spec.n_mels..rows.end * spec.n_mels].to_vec();
        if let Some(top_db) = spec.top_db {
            limit_range(&mut levels, top_db);
        }
        let mut values = vec![0.0; rows.len() * spec.width()];
        for (row, levels) in values.chunks_exact_mut(spec.width()).zip(levels.chunks_exact(spec.n_mels)) {
            self.stages.dct.apply(levels, &mut row[..spec.n_mfcc]);
        }
        let pitch = track.pitch.as_ref().map(|pitch| &pitch[rows.clone()]);
        columns::fill(spec, &WindowView { levels: &track.levels[rows], pitch }, &mut values);
        FeatureMatrix::new(spec.width(), values)
    }

    /// The model's input for a window of frames: its [`coefficients`](Self::coefficients), standardized, and cut or
    /// padded to `[spec.frames, spec.width()]`.
    pub fn window(&self, track: &FrameTrack, range: Range<usize>) -> FeatureMatrix {
        let mut matrix = self.coefficients(track, range);
        standardize(&mut matrix, self.spec());
        pad(matrix, self.spec().frames, self.spec().padding)
    }

    /// The model's input for a whole recording: the [`window`](Self::window) over all its frames.
    ///
    /// # Errors
    /// [`FeatureError::WrongRate`] if the waveform is not at the features' rate.
    pub fn features(&self, waveform: &Waveform) -> Result<FeatureMatrix, FeatureError> {
        let track = self.frames(waveform)?;
        Ok(self.window(&track, 0..track.frames()))
    }
}
