//! A stream of samples cut into overlapping frames, each centred on its time.

use super::Boundary;

/// Cuts samples that come in pieces of any length into frames: frame `k` is centred on sample `k·hop`.
///
/// The recording is extended by half a frame at its very start and very end, as [`Boundary`] says, so that `n` samples
/// give `1 + n/hop` frames (integer division) for an even frame length, as librosa's `center=True` does. No samples
/// give no frame.
#[derive(Debug, Clone)]
pub struct Framer {
    length: usize,
    hop: usize,
    boundary: Boundary,
    /// The extended signal from one sample before the next frame on (that one a reflection at the end may need).
    signal: Vec<f32>,
    /// Where the next frame begins in `signal`.
    next: usize,
    /// Whether the extension before the first sample is in place.
    opened: bool,
}

impl Framer {
    /// `length` (even) and `hop` (at most `length`) in samples.
    pub fn new(length: usize, hop: usize, boundary: Boundary) -> Self {
        Self { length, hop, boundary, signal: Vec::new(), next: 0, opened: false }
    }

    /// Takes samples as `prepare` changes them, and gives each frame that they complete, of `length` samples, to `each`.
    pub fn push(&mut self, samples: &[f32], prepare: impl FnOnce(&mut [f32]), each: impl FnMut(&[f32])) {
        let before = self.signal.len();
        self.signal.extend_from_slice(samples);
        prepare(&mut self.signal[before..]);
        let needed = if self.boundary == Boundary::Reflect { self.length / 2 + 1 } else { 1 };
        if !self.opened && self.signal.len() >= needed {
            self.open();
        }
        if self.opened {
            self.cut(each);
        }
    }

    /// Ends the recording and gives the frames that reach beyond it to `each`. The framer is as new afterwards.
    pub fn finish(&mut self, each: impl FnMut(&[f32])) {
        if !self.signal.is_empty() {
            if !self.opened {
                self.open();
            }
            let end = self.signal.len();
            for beyond in 0..self.length / 2 {
                let sample = match self.boundary {
                    Boundary::Zero => 0.0,
                    Boundary::Reflect => self.signal[end.saturating_sub(2 + beyond)],
                };
                self.signal.push(sample);
            }
            self.cut(each);
        }
        *self = Self::new(self.length, self.hop, self.boundary);
    }

    /// Puts the extension before the samples that came so far.
    fn open(&mut self) {
        let samples = &self.signal;
        let before: Vec<f32> = (1..=self.length / 2)
            .rev()
            .map(|distance| match self.boundary {
                Boundary::Zero => 0.0,
                Boundary::Reflect => samples[reflected(distance, samples.len())],
            })
            .collect();
        self.signal.splice(0..0, before);
        self.opened = true;
    }

    fn cut(&mut self, mut each: impl FnMut(&[f32])) {
        while let Some(frame) = self.signal.get(self.next..self.next + self.length) {
            each(frame);
            self.next += self.hop;
        }
        let done = self.next.saturating_sub(1).min(self.signal.len());
        self.signal.drain(..done);
        self.next -= done;
    }
}

/// The sample seen `distance` before the first of `count`, mirrored at both ends for as long as it takes.
fn reflected(distance: usize, count: usize) -> usize {
    let period = (2 * count.saturating_sub(1)).max(1);
    let position = distance % period;
    if position < count { position } else { period - position }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(samples: &[f32], piece: usize, boundary: Boundary) -> Vec<Vec<f32>> {
        let mut framer = Framer::new(4, 2, boundary);
        let mut frames = Vec::new();
        for piece in samples.chunks(piece) {
            framer.push(piece, |_| (), |frame| frames.push(frame.to_vec()));
        }
        framer.finish(|frame| frames.push(frame.to_vec()));
        frames
    }

    #[test]
    fn frames_are_centred_and_silence_lies_beyond() {
        let expected = [vec![0.0, 0.0, 1.0, 2.0], vec![1.0, 2.0, 3.0, 4.0], vec![3.0, 4.0, 5.0, 0.0]];
        assert_eq!(frames(&[1.0, 2.0, 3.0, 4.0, 5.0], 5, Boundary::Zero), expected);
    }

    #[test]
    fn reflection_mirrors_at_the_edge_sample_as_numpy_pads() {
        let expected = [vec![3.0, 2.0, 1.0, 2.0], vec![1.0, 2.0, 3.0, 4.0], vec![3.0, 4.0, 3.0, 2.0]];
        assert_eq!(frames(&[1.0, 2.0, 3.0, 4.0], 4, Boundary::Reflect), expected);
        assert_eq!(frames(&[1.0, 2.0], 1, Boundary::Reflect), [vec![1.0, 2.0, 1.0, 2.0], vec![1.0, 2.0, 1.0, 2.0]]);
        assert_eq!(frames(&[7.0], 1, Boundary::Reflect), [vec![7.0; 4]]);
    }

    #[test]
    fn any_number_of_samples_in_any_pieces_gives_the_same_frames() {
        let samples: Vec<f32> = (1_u8..=23).map(f32::from).collect();
        for boundary in [Boundary::Zero, Boundary::Reflect] {
            for count in 0..=samples.len() {
                let whole = frames(&samples[..count], 100, boundary);
                assert_eq!(whole.len(), if count == 0 { 0 } else { 1 + count / 2 }, "{count} samples");
                for piece in 1..=5 {
                    assert_eq!(frames(&samples[..count], piece, boundary), whole, "{count} samples by {piece}");
                }
            }
        }
    }
}
