//! Pauses that a recorder left out, by the times of its packets.

/// A packet may be so much later than what was heard before that counts as a pause, in seconds: clocks tremble.
const TREMBLING_S: f64 = 0.2;
/// A clock that goes on by more was set anew, in seconds.
const LONGEST_PAUSE_S: f64 = 600.0;
/// Pauses that a recording may have before as much of it was heard, in seconds.
const FIRST_PAUSES_S: f64 = 60.0;

/// How far a track was heard by its packets' times. Recorders of calls write no packets while nobody speaks, or none of
/// what a network lost; without these pauses everything behind them would lie too early.
#[derive(Debug)]
pub(super) struct Pauses {
    /// Seconds of silence that may still be added: who sends little cannot make much of it.
    allowance_s: f64,
    ended_s: Option<f64>,
}

impl Pauses {
    pub(super) fn new() -> Self {
        Self { allowance_s: FIRST_PAUSES_S, ended_s: None }
    }

    /// The next packet is of another file.
    pub(super) fn restart(&mut self) {
        self.ended_s = None;
    }

    /// Seconds of silence before a packet of that time that was decoded to so many seconds of sound. What the packet says of
    /// its duration is not asked for: some recorders put the pause behind it there.
    pub(super) fn before(&mut self, starts_s: f64, lasts_s: f64) -> f64 {
        let late_s = self.ended_s.map_or(0.0, |ended_s| starts_s - ended_s);
        let pause_s = match late_s {
            TREMBLING_S..=LONGEST_PAUSE_S => late_s.min(self.allowance_s),
            _ => 0.0,
        };
        // Packets that were written as one may all have the time of the first.
        let goes_on = (-LONGEST_PAUSE_S..TREMBLING_S).contains(&late_s);
        let begins_s = self.ended_s.filter(|_| goes_on).unwrap_or(starts_s);
        self.ended_s = Some(begins_s + lasts_s);
        self.allowance_s = (self.allowance_s - pause_s + lasts_s).min(LONGEST_PAUSE_S);
        pause_s
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pauses before packets that start at these times and last a tenth of a second.
    fn pauses(starts_s: impl IntoIterator<Item = f64>) -> Vec<f64> {
        let mut pauses = Pauses::new();
        starts_s.into_iter().map(|starts_s| (pauses.before(starts_s, 0.1) * 1000.0).round() / 1000.0).collect()
    }

    #[test]
    fn what_a_recorder_left_out_is_a_pause() {
        assert_eq!(pauses([7.0, 7.1, 12.2, 12.3]), [0.0, 0.0, 5.0, 0.0]);
        // Single packets of a tenth that were lost make a pause as soon as two are missing.
        assert_eq!(pauses([0.0, 0.2, 0.4, 0.6, 0.8]), [0.0, 0.0, 0.2, 0.0, 0.2]);
    }

    #[test]
    fn clocks_that_tremble_or_are_set_anew_are_none() {
        let trembling = (0..1000).map(|number| f64::from(number) * 0.1 + f64::from(number % 3) * 0.09);
        assert!(pauses(trembling).iter().all(|pause| *pause == 0.0));
        assert_eq!(pauses([0.0, 1e9, 1e9 + 0.1, 3.0, 3.1, 4.2]), [0.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
        assert_eq!(pauses([0.0; 100]), [0.0; 100]);
        let eight_at_once = (0..1000).map(|number| f64::from(number / 8) * 0.8);
        assert!(pauses(eight_at_once).iter().all(|pause| *pause == 0.0));
    }

    #[test]
    fn of_little_sound_no_long_silence_is_made() {
        let total: f64 = pauses((0..1000).map(|number| f64::from(number) * 500.0)).iter().sum();
        assert!((60.0..161.0).contains(&total), "{total} s");
    }
}
