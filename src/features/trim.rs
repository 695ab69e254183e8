//! Where the sound of a window begins and ends.

use std::ops::Range;

/// Frames whose levels are averaged, so that a click doesn't begin a window.
const AVERAGED: usize = 5;
/// Frames that are kept on each side of what is loud.
const MARGIN: usize = 5;

/// The frames from the first to the last whose level, averaged over five, is at most `trim_db` below the loudest such
/// mean, and five more on each side. `levels` are in dB.
///
/// How much silence surrounds an utterance is a habit of whoever cut the recording, not of who speaks.
pub fn sounding(levels: &[f32], trim_db: f32) -> Range<usize> {
    let smooth: Vec<f32> = (0..levels.len())
        .map(|frame| {
            let around = &levels[frame.saturating_sub(AVERAGED / 2)..levels.len().min(frame + AVERAGED / 2 + 1)];
            around.iter().sum::<f32>() / around.len() as f32
        })
        .collect();
    let least = smooth.iter().copied().fold(f32::MIN, f32::max) - trim_db;
    let first = smooth.iter().position(|level| *level >= least).unwrap_or(0);
    let last = smooth.iter().rposition(|level| *level >= least).unwrap_or(0);
    first.saturating_sub(MARGIN)..levels.len().min(last + 1 + MARGIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_ends_go_and_pauses_stay() {
        let mut levels = vec![-80.0; 100];
        levels[30..40].fill(-20.0);
        levels[60..70].fill(-25.0);
        assert_eq!(sounding(&levels, 32.0), 25..75);
        assert_eq!(sounding(&[-50.0; 8], 32.0), 0..8);
        assert_eq!(sounding(&[], 32.0), 0..0);
    }
}
