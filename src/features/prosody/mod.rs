//! What the melody and the force of speech add to its cepstrum: pitch, voicing, level.

mod decimate;
mod periodicity;
mod contour;
mod level;

pub use contour::PitchContour;
pub use decimate::Decimator;
pub use level::BandLevel;
pub use periodicity::{CANDIDATES, HIGHEST_PITCH_HZ, LOWEST_PITCH_HZ, PitchCandidate, PitchFrame, PitchStream};
