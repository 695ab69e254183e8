//! The pitch of a window of frames: the path through their candidates that is strong and steady.

use super::periodicity::{CANDIDATES, OCTAVE_COST, PitchCandidate, PitchFrame, voicing};

/// A frame counts as voiced if its periodicity is above this, all else equal.
const VOICING_THRESHOLD: f32 = 0.55;
/// Cost of a jump by an octave from one frame to the next, at frames of 10 ms.
const OCTAVE_JUMP_COST: f32 = 0.7;
/// Cost of a change between voiced and unvoiced, at frames of 10 ms.
const VOICING_CHANGE_COST: f32 = 0.14;
/// Frames of this level below the window's loudest, in dB, must be perfectly periodic to count as voiced.
const SILENCE_DB: f32 = 45.0;
/// Frames on each side from which the slope is taken.
const SLOPE_REACH: usize = 2;

/// What a frame may be: voiced, by one of its candidates, or unvoiced.
const STATES: usize = CANDIDATES + 1;
const UNVOICED: usize = CANDIDATES;

/// Pitch through a window.
#[derive(Debug, Clone, PartialEq)]
pub struct PitchContour {
    /// Natural logarithm of the pitch in Hz of every frame: linear between voiced frames, and as in the nearest one
    /// before the first and after the last. Empty if no frame is voiced.
    log_hz: Vec<f32>,
    /// The pitch in Hz as its logarithm, in voiced frames.
    voiced: Vec<Option<f32>>,
    /// Periodicity in [0, 1] at the pitch, in unvoiced frames at the best lag.
    voicing: Vec<f32>,
}

impl PitchContour {
    /// Finds the path through `frames` (at least one) with the greatest sum of strengths less costs, as in Boersma 1993, by a
    /// Viterbi search.
    ///
    /// `levels_db` are the frames' levels, `hop_seconds` their distance. Looking at the window as a whole makes the
    /// result a function of the window alone: a stream and a file give the same.
    pub fn trace(frames: &[PitchFrame], levels_db: &[f32], hop_seconds: f32) -> Self {
        let costs = Costs::new(hop_seconds);
        let loudest = levels_db.iter().copied().fold(f32::MIN, f32::max);
        let mut scores = [0.0; STATES];
        let mut came_from: Vec<[u8; STATES]> = Vec::with_capacity(frames.len());
        let mut previous: Option<&PitchFrame> = None;
        for (frame, level) in frames.iter().zip(levels_db) {
            let quiet = ((loudest - level) / SILENCE_DB - 0.5).clamp(0.0, 0.5) * 2.0;
            let mut next = [f32::MIN; STATES];
            let mut from = [0; STATES];
            for (state, (next, from)) in next.iter_mut().zip(&mut from).enumerate() {
                let Some(own) = own_score(frame.get(state), quiet) else { continue };
                for (before, score) in scores.iter().enumerate() {
                    let cost = previous.map_or(0.0, |previous| costs.of(previous.get(before), frame.get(state)));
                    if own + score - cost > *next {
                        (*next, *from) = (own + score - cost, before as u8);
                    }
                }
            }
            scores = next;
            came_from.push(from);
            previous = Some(frame);
        }
        Self::along(frames, &came_from, best(&scores))
    }

    /// The path that ends in `state`, followed to its beginning.
    fn along(frames: &[PitchFrame], came_from: &[[u8; STATES]], mut state: usize) -> Self {
        let mut contour =
            Self { log_hz: Vec::new(), voiced: vec![None; frames.len()], voicing: vec![0.0; frames.len()] };
        for (index, (frame, from)) in frames.iter().zip(came_from).enumerate().rev() {
            let candidate = frame.get(state);
            contour.voiced[index] = candidate.map(|candidate| candidate.log_hz);
            contour.voicing[index] = candidate.map_or_else(|| voicing(frame), |candidate| candidate.strength);
            state = usize::from(from[state]);
        }
        contour.log_hz = interpolated(&contour.voiced);
        contour
    }

    /// Natural logarithm of the pitch in Hz, in voiced frames.
    pub fn voiced(&self) -> &[Option<f32>] {
        &self.voiced
    }

    /// Natural logarithm of the pitch in Hz of every frame, interpolated; empty if no frame is voiced.
    pub fn log_hz(&self) -> &[f32] {
        &self.log_hz
    }

    /// Periodicity in [0, 1] of every frame.
    pub fn voicing(&self) -> &[f32] {
        &self.voicing
    }

    /// Median of [`Self::voiced`], if any is.
    pub fn median_log_hz(&self) -> Option<f32> {
        let mut voiced: Vec<f32> = self.voiced.iter().copied().flatten().collect();
        voiced.sort_unstable_by(f32::total_cmp);
        let (low, high) = (voiced.get(voiced.len().wrapping_sub(1) / 2)?, voiced.get(voiced.len() / 2)?);
        Some(0.5 * (low + high))
    }

    /// Slope of the interpolated contour at `frame`, per frame: the line through it and two frames on each side, with
    /// the edge frames standing for those beyond them. 0 if no frame is voiced.
    pub fn slope(&self, frame: usize) -> f32 {
        let at = |frame: usize| self.log_hz.get(frame.min(self.log_hz.len().saturating_sub(1))).copied().unwrap_or(0.0);
        let (mut sum, mut norm) = (0.0, 0.0);
        for reach in 1..=SLOPE_REACH {
            sum += reach as f32 * (at(frame + reach) - at(frame.saturating_sub(reach)));
            norm += 2.0 * (reach * reach) as f32;
        }
        sum / norm
    }
}

/// What the octave cost gives a candidate on average: that of 150 Hz.
fn octave_level() -> f32 {
    OCTAVE_COST * 150.0_f32.log2()
}

/// What a step from frame to frame costs.
struct Costs {
    /// Between voiced and unvoiced.
    change: f32,
    /// Between pitches, for each unit of the logarithm.
    jump: f32,
}

impl Costs {
    fn new(hop_seconds: f32) -> Self {
        let per_frame = 0.01 / hop_seconds;
        Self { change: VOICING_CHANGE_COST * per_frame, jump: OCTAVE_JUMP_COST * per_frame / std::f32::consts::LN_2 }
    }

    /// From one candidate to another; none is unvoiced.
    fn of(&self, before: Option<&PitchCandidate>, after: Option<&PitchCandidate>) -> f32 {
        match (before, after) {
            (None, None) => 0.0,
            (Some(one), Some(other)) => self.jump * (one.log_hz - other.log_hz).abs(),
            _ => self.change,
        }
    }
}

/// What speaks for a candidate, or for none of them, in a frame that is `quiet` by 0 to 1; nothing for a candidate that is not there.
fn own_score(candidate: Option<&PitchCandidate>, quiet: f32) -> Option<f32> {
    match candidate {
        Some(candidate) if candidate.strength == 0.0 => None,
        Some(candidate) => Some(candidate.strength + OCTAVE_COST / std::f32::consts::LN_2 * candidate.log_hz),
        None => Some(octave_level() + VOICING_THRESHOLD + (1.0 - VOICING_THRESHOLD) * quiet),
    }
}

/// The state of the greatest score; unvoiced where none is greater.
fn best(scores: &[f32; STATES]) -> usize {
    let mut best = UNVOICED;
    for (state, score) in scores.iter().enumerate() {
        if *score > scores[best] {
            best = state;
        }
    }
    best
}

fn interpolated(voiced: &[Option<f32>]) -> Vec<f32> {
    let mut log_hz = Vec::with_capacity(voiced.len());
    let mut last: Option<f32> = None;
    for (frame, value) in voiced.iter().enumerate() {
        let Some(value) = *value else { continue };
        let gap = (frame - log_hz.len() + 1) as f32;
        let start = last.unwrap_or(value);
        for step in 1..=frame - log_hz.len() {
            log_hz.push(start + (value - start) * step as f32 / gap);
        }
        log_hz.push(value);
        last = Some(value);
    }
    if let Some(last) = last {
        log_hz.resize(voiced.len(), last);
    }
    log_hz
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(pitches: &[(f32, f32)]) -> PitchFrame {
        let mut frame = PitchFrame::default();
        for (candidate, (hz, strength)) in frame.iter_mut().zip(pitches) {
            *candidate = PitchCandidate { log_hz: hz.ln(), strength: *strength };
        }
        frame
    }

    fn traced(frames: &[PitchFrame]) -> PitchContour {
        PitchContour::trace(frames, &vec![0.0; frames.len()], 0.016)
    }

    #[test]
    fn one_frame_an_octave_off_is_put_right_by_its_neighbours() {
        let mut frames = vec![frame(&[(200.0, 0.95), (100.0, 0.93)]); 9];
        frames[4] = frame(&[(200.0, 0.85), (100.0, 0.95)]);
        let contour = traced(&frames);
        assert!(contour.voiced().iter().all(|log_hz| *log_hz == Some(200.0_f32.ln())));
        assert_eq!(contour.median_log_hz(), Some(200.0_f32.ln()));
    }

    #[test]
    fn weak_periodicity_is_unvoiced_and_bridged() {
        let mut frames = vec![frame(&[(100.0, 0.3)]); 9];
        frames[2..4].fill(frame(&[(100.0, 0.9)]));
        frames[6..8].fill(frame(&[(200.0, 0.9)]));
        let contour = traced(&frames);
        let voiced: Vec<bool> = contour.voiced().iter().map(Option::is_some).collect();
        assert_eq!(voiced, [false, false, true, true, false, false, true, true, false]);
        let hz: Vec<f32> = contour.log_hz().iter().map(|log| log.exp()).collect();
        for (got, expected) in hz.iter().zip([100.0, 100.0, 100.0, 100.0, 125.99, 158.74, 200.0, 200.0, 200.0]) {
            assert!((got - expected).abs() < 0.01, "{hz:?}");
        }
        assert!((contour.voicing()[0] - 0.3).abs() < 1e-6);
        assert_eq!(contour.slope(0), 0.0);
        assert!(contour.slope(5) > 0.1);
    }

    #[test]
    fn quiet_frames_need_a_stronger_periodicity() {
        let frames = [frame(&[(150.0, 0.8)]); 12];
        let mut levels = [-20.0; 12];
        levels[6..].fill(-64.0);
        let contour = PitchContour::trace(&frames, &levels, 0.016);
        assert!(contour.voiced()[..6].iter().all(Option::is_some));
        assert!(contour.voiced()[6..].iter().all(Option::is_none));
    }

    #[test]
    fn no_voice_gives_no_pitch() {
        let contour = traced(&[PitchFrame::default(); 3]);
        assert_eq!((contour.log_hz(), contour.median_log_hz(), contour.slope(1)), (&[][..], None, 0.0));
        assert_eq!(traced(&[]).median_log_hz(), None);
    }
}
