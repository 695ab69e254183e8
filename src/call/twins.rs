//! Which channels of a recording are the same.

use crate::audio::Waveform;

/// Samples of each channel that one step compares: some milliseconds for as many channels as there can be.
const STEP_SAMPLES: usize = 1 << 18;

/// Channels compared a piece at a time. Only those that were the same so far are compared, each with the first of them, so that
/// all of it takes hardly longer than to read every sample once, however many channels there are and wherever they differ.
#[derive(Debug)]
pub(super) struct Twins {
    /// Samples compared so far.
    position: usize,
    /// For each channel, the first that was the same so far: itself, or one before it.
    twin_of: Vec<usize>,
}

impl Twins {
    /// Nothing is known of the channels yet.
    pub(super) fn new(channels: usize) -> Self {
        Self { position: 0, twin_of: vec![0; channels] }
    }

    /// Whether there is something left to compare.
    pub(super) fn are_open(&self, channels: &[Waveform]) -> bool {
        let longest = channels.iter().map(|channel| channel.samples().len()).max().unwrap_or(0);
        self.position < longest && self.twin_of.iter().enumerate().any(|(channel, twin)| *twin != channel)
    }

    /// Compares the next piece.
    pub(super) fn compare(&mut self, channels: &[Waveform]) {
        let (start, end) = (self.position, self.position + STEP_SAMPLES);
        let piece = |channel: usize| {
            let samples = channels[channel].samples();
            &samples[start.min(samples.len())..end.min(samples.len())]
        };
        let before = self.twin_of.clone();
        for channel in 0..channels.len() {
            let is_twin = |first: &usize| {
                let is_first = self.twin_of[*first] == *first;
                is_first && before[*first] == before[channel] && piece(*first) == piece(channel)
            };
            self.twin_of[channel] = (0..channel).find(is_twin).unwrap_or(channel);
        }
        self.position = end;
    }

    /// Whether a channel differs from all before it.
    pub(super) fn is_first(&self, channel: usize) -> bool {
        self.twin_of[channel] == channel
    }

    /// For each channel, the first that is the same.
    pub(super) fn firsts(&self) -> &[usize] {
        &self.twin_of
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Channels of zeros, but for some samples: where, and what.
    fn firsts(length: usize, others: &[&[(usize, f32)]]) -> (Vec<usize>, usize) {
        let channel = |others: &&[(usize, f32)]| {
            let mut samples = vec![0.0; length];
            others.iter().for_each(|(place, sample)| samples[*place] = *sample);
            Waveform::new(samples, 8_000).unwrap()
        };
        let channels: Vec<Waveform> = others.iter().map(channel).collect();
        let (mut twins, mut steps) = (Twins::new(channels.len()), 0);
        while twins.are_open(&channels) {
            twins.compare(&channels);
            steps += 1;
        }
        let slowly = |channel: &Waveform| channels.iter().position(|first| first.samples() == channel.samples());
        assert_eq!(twins.firsts(), channels.iter().filter_map(slowly).collect::<Vec<_>>());
        (twins.firsts().to_vec(), steps)
    }

    #[test]
    fn channels_are_the_same_only_to_their_last_sample() {
        let last = 2 * STEP_SAMPLES;
        let (early, late) = (&[(7, 0.5)][..], &[(last, 0.5)][..]);
        assert_eq!(firsts(last + 1, &[&[], early, &[], late, early, late, &[]]), (vec![0, 1, 0, 3, 1, 3, 0], 3));
        // Apart in one piece, and alike again in the next.
        let both = &[(7, 0.5), (last, 0.5)][..];
        assert_eq!(firsts(last + 1, &[late, both, early, &[]]), (vec![0, 1, 2, 3], 3));
        assert_eq!(firsts(100, &[&[], &[(3, -0.0)]]).0, [0, 0], "nothing is nothing");
    }

    #[test]
    fn what_differs_is_not_compared_any_longer() {
        assert_eq!(firsts(3 * STEP_SAMPLES, &[&[(0, 0.1)], &[(0, 0.2)], &[(0, 0.3)]]), (vec![0, 1, 2], 1));
        assert_eq!(firsts(3 * STEP_SAMPLES, &[&[]]), (vec![0], 0));
    }
}
