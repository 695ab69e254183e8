//! Samples to frame rows, as they come.

use super::decibel::to_decibels;
use super::prosody::{BandLevel, PitchStream};
use super::{FeatureSpec, FrameTrack, Framer, MelBank, PowerSpectrum, PreEmphasis};

/// Samples that pass through all stages together, so that buffers stay small whatever comes in.
const PIECE: usize = 4096;

/// The stages up to the logarithm with their state: samples in pieces of any length become rows of a [`FrameTrack`].
///
/// A frame is complete once half its length has arrived after its centre, or about 40 ms where pitch is needed. The
/// rows don't depend on how the samples are cut.
#[derive(Debug, Clone)]
pub struct FrameStream {
    pre_emphasis: PreEmphasis,
    framer: Framer,
    spectrum: PowerSpectrum,
    mel: MelBank,
    level: BandLevel,
    pitch: Option<PitchStream>,
    power: Vec<f32>,
}

impl FrameStream {
    pub(super) fn new(spec: &FeatureSpec) -> Self {
        let spectrum = PowerSpectrum::new(spec.n_fft);
        Self {
            pre_emphasis: PreEmphasis::new(spec.pre_emphasis),
            framer: Framer::new(spec.n_fft, spec.hop, spec.boundary),
            power: vec![0.0; spectrum.bins()],
            spectrum,
            mel: MelBank::new(spec.sample_rate, spec.n_fft, spec.n_mels, spec.fmin, spec.fmax),
            level: BandLevel::new(spec.sample_rate, spec.n_fft, spec.fmin, spec.fmax),
            pitch: spec.needs_pitch().then(|| PitchStream::new(spec.sample_rate, spec.hop)),
        }
    }

    /// Takes samples at the features' rate, and appends the frames that they complete to `track`.
    pub fn push(&mut self, samples: &[f32], track: &mut FrameTrack) {
        for piece in samples.chunks(PIECE) {
            self.spectral_rows(Some(piece), track);
            if let (Some(pitch), Some(frames)) = (&mut self.pitch, &mut track.pitch) {
                pitch.push(piece, frames);
            }
        }
    }

    /// Ends the recording: appends the frames that reach beyond it, so that `n` samples gave `1 + n/hop` frames
    /// (integer division; none without samples). Nothing may be pushed afterwards.
    pub fn finish(&mut self, track: &mut FrameTrack) {
        self.spectral_rows(None, track);
        if let (Some(pitch), Some(frames)) = (&mut self.pitch, &mut track.pitch) {
            pitch.finish(frames);
        }
    }

    /// Appends log mel bands and level of the frames that `samples`, or else the end of the recording, completes.
    fn spectral_rows(&mut self, samples: Option<&[f32]>, track: &mut FrameTrack) {
        let first = track.log_mel.len();
        let each = |frame: &[f32]| {
            self.spectrum.apply(frame, &mut self.power);
            track.levels.push(self.level.decibels(&self.power));
            let row = track.log_mel.len();
            track.log_mel.resize(row + self.mel.bands(), 0.0);
            self.mel.apply(&self.power, &mut track.log_mel[row..]);
        };
        match samples {
            Some(samples) => self.framer.push(samples, |samples| self.pre_emphasis.apply(samples), each),
            None => self.framer.finish(each),
        }
        to_decibels(&mut track.log_mel[first..]);
    }
}
