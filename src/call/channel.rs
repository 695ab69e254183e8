//! One channel from samples to windows, file or live.

use std::ops::Range;

use super::windows::LEAST_REST_SECONDS;
use super::{GateFrame, Span, SpeechGate, WindowPlan};
use crate::audio::{AudioError, Resampler};
use crate::features::{FeatureExtractor, FeatureMatrix, FrameStream, FrameTrack};
use crate::model::Probabilities;

/// Less speech than this in a segment is none, in seconds, or half the segment if that is shorter.
const LEAST_SPEECH_SECONDS: f64 = 0.1;

/// A segment that is complete, and what the model needs to judge it.
#[derive(Debug, Clone)]
pub struct Window {
    /// The segment's place in time, and the speech in it.
    pub span: Span,
    /// The model's input; several that cover the window together where it is longer than one; none if the segment holds
    /// no speech.
    pub inputs: Vec<FeatureMatrix>,
}

/// What several inputs of one window say together; `None` for none.
pub(super) fn mean(answers: impl IntoIterator<Item = Probabilities>) -> Option<Probabilities> {
    Probabilities::weighted_mean(answers.into_iter().map(|answer| (answer, 1.0)))
}

/// Everything one channel goes through before the model: resampler, frames, speech gate, windows.
///
/// Samples may come in pieces of any length; the windows don't depend on how they are cut. What is held is a window of
/// frames, a hop and about a second at most, whatever the length of the call.
pub struct ChannelAnalyzer {
    sample_rate_hz: u32,
    samples: u64,
    resampler: Resampler,
    resampled: Vec<f32>,
    extractor: FeatureExtractor,
    stream: FrameStream,
    track: FrameTrack,
    gate: SpeechGate,
    /// Those of the track.
    gate_frames: Vec<GateFrame>,
    plan: WindowPlan,
    segments: u64,
}

impl ChannelAnalyzer {
    /// A channel at `sample_rate_hz` that begins.
    ///
    /// # Errors
    /// [`AudioError`] if that rate cannot be resampled to the features'.
    pub fn new(extractor: &FeatureExtractor, plan: WindowPlan, sample_rate_hz: u32) -> Result<Self, AudioError> {
        let spec = extractor.spec();
        Ok(Self {
            sample_rate_hz,
            samples: 0,
            resampler: Resampler::new(sample_rate_hz, spec.sample_rate)?,
            resampled: Vec::new(),
            extractor: extractor.clone(),
            stream: extractor.stream(),
            track: extractor.track(),
            gate: SpeechGate::new(spec),
            gate_frames: Vec::new(),
            plan,
            segments: 0,
        })
    }

    /// Duration of what came so far, in seconds.
    pub fn seconds(&self) -> f64 {
        self.samples as f64 / f64::from(self.sample_rate_hz)
    }

    /// Samples that are missing until the next segment can be complete, give or take the delay of filters.
    pub fn samples_to_next_segment(&self) -> usize {
        let missing = self.plan.end_seconds(self.segments) + LEAST_REST_SECONDS - self.seconds();
        // A negative number of samples is none.
        (missing * f64::from(self.sample_rate_hz)).ceil() as usize
    }

    /// Takes samples, and appends the windows that they complete to `windows`.
    pub fn push(&mut self, samples: &[f32], windows: &mut Vec<Window>) {
        // A second at a time, so that the track stays as short as promised.
        for piece in samples.chunks(self.sample_rate_hz as usize) {
            self.samples += piece.len() as u64;
            self.resampler.push(piece, &mut self.resampled);
            self.stream.push(&self.resampled, &mut self.track);
            self.resampled.clear();
            self.watch();
            self.cut_complete(windows);
        }
    }

    /// Ends the channel: appends the last windows. Nothing may be pushed afterwards.
    pub fn finish(&mut self, windows: &mut Vec<Window>) {
        self.resampler.finish(&mut self.resampled);
        self.stream.push(&self.resampled, &mut self.track);
        self.stream.finish(&mut self.track);
        self.watch();
        self.cut_complete(windows);
        if self.plan.start_seconds(self.segments) < self.seconds() {
            windows.push(self.cut(self.seconds(), self.track.frames()));
        }
    }

    /// Shows the gate what frames came.
    fn watch(&mut self) {
        let seen = self.track.first_frame() + self.gate_frames.len();
        self.gate.push(self.track.log_mel(seen..self.track.frames()), &mut self.gate_frames);
    }

    /// Cuts the segments after which something else comes, once their frames are there.
    fn cut_complete(&mut self, windows: &mut Vec<Window>) {
        loop {
            let end_seconds = self.plan.end_seconds(self.segments);
            let end_frame = self.plan.frame_at(end_seconds);
            if self.seconds() < end_seconds + LEAST_REST_SECONDS || self.track.frames() < end_frame {
                return;
            }
            windows.push(self.cut(end_seconds, end_frame));
            let before = self.track.first_frame();
            self.track.drop_before(end_frame.saturating_sub(self.plan.window_frames()));
            self.gate_frames.drain(..self.track.first_frame() - before);
        }
    }

    /// Cuts the next segment up to a time, and the window that ends there.
    fn cut(&mut self, end_seconds: f64, end_frame: usize) -> Window {
        let start_seconds = self.plan.start_seconds(self.segments);
        self.segments += 1;
        let first_frame = end_frame.saturating_sub(self.plan.window_frames()).max(self.track.first_frame());
        let segment_frame = self.plan.frame_at(start_seconds).clamp(first_frame, end_frame);
        let held = self.track.first_frame();
        let speech = self.gate.speech(&self.gate_frames[first_frame - held..end_frame - held]);
        let spoken = speech.iter().skip(segment_frame - first_frame).filter(|speech| **speech).count();
        let length_seconds = end_seconds - start_seconds;
        // A frame reaches beyond the time that it is counted for, and so does the last of a segment.
        let speech_seconds = self.plan.seconds(spoken).min(length_seconds);
        let enough = speech_seconds >= LEAST_SPEECH_SECONDS.min(length_seconds / 2.0);
        Window {
            span: Span { start_seconds, end_seconds, speech_seconds: if enough { speech_seconds } else { 0.0 } },
            inputs: if enough { self.inputs(first_frame..end_frame) } else { Vec::new() },
        }
    }

    /// As few inputs as cover a window, evenly spread over it: the first begins with it, the last ends with it.
    fn inputs(&self, window: Range<usize>) -> Vec<FeatureMatrix> {
        let length = self.extractor.spec().frames.min(window.len());
        let gaps = window.len().div_ceil(length.max(1)).saturating_sub(1);
        let starts = (0..=gaps).map(|number| match gaps {
            0 => window.start,
            _ => window.start + number * (window.len() - length) / gaps,
        });
        starts.map(|start| self.extractor.window(&self.track, start..start + length)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::FeatureSpec;
    use crate::model::{Classifier, ModelCard};

    fn model() -> (FeatureSpec, ModelCard) {
        let classifier = Classifier::from_onnx(include_bytes!("../../models/emotone-cnn-lstm.onnx")).unwrap();
        (classifier.features().clone(), classifier.card().clone())
    }

    #[test]
    fn a_call_of_any_length_holds_a_window_a_hop_and_a_second() {
        let (spec, card) = model();
        let plan = WindowPlan::new(None, &card, &spec).unwrap();
        let extractor = FeatureExtractor::new(&spec).unwrap();
        let mut analyzer = ChannelAnalyzer::new(&extractor, plan, 8_000).unwrap();
        let (mut windows, mut most) = (Vec::new(), 0);
        let limit = plan.window_frames() + plan.frame_at(plan.windowing().hop_seconds + 1.2);
        for second in 0..120_u32 {
            let samples: Vec<f32> = (0..8_000).map(|index| (index as f32 * 0.1 * (second % 7) as f32).sin()).collect();
            analyzer.push(&samples, &mut windows);
            most = most.max(analyzer.track.frames() - analyzer.track.first_frame());
        }
        assert!(most <= limit, "{most} frames, at most {limit} are needed");
        analyzer.push(&vec![0.1; 60 * 8_000], &mut windows);
        assert!(analyzer.track.frames() - analyzer.track.first_frame() <= limit, "one long piece is no reason");
        assert!(windows.last().unwrap().span.end_seconds > 175.0);
    }
}
