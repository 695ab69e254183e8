//! Pre-emphasis: the tilt of the voice taken out before analysis.

/// The filter `y[n] = x[n] - a·x[n-1]` with the sample before it, so that a signal may come in pieces.
///
/// The sample before the first is 0, so the first passes unchanged, as with
/// `librosa.effects.preemphasis(y, coef=a, zi=[0])`.
#[derive(Debug, Clone)]
pub struct PreEmphasis {
    coefficient: f32,
    previous: f32,
}

impl PreEmphasis {
    /// `coefficient` is the `a` above, in [0, 1); 0 leaves the signal as it is.
    pub fn new(coefficient: f32) -> Self {
        Self { coefficient, previous: 0.0 }
    }

    /// Filters the next samples in place.
    pub fn apply(&mut self, samples: &mut [f32]) {
        if self.coefficient == 0.0 {
            return;
        }
        for sample in samples {
            let current = *sample;
            *sample = current - self.coefficient * self.previous;
            self.previous = current;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_sample_passes_and_pieces_join() {
        let mut filter = PreEmphasis::new(0.5);
        let (mut first, mut second) = ([1.0, 1.0], [4.0, 0.0]);
        filter.apply(&mut first);
        filter.apply(&mut second);
        assert_eq!((first, second), ([1.0, 0.5], [3.5, -2.0]));
    }
}
