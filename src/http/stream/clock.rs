//! How far a track was heard, by the clock of its call.

/// A clock may be so much ahead of what was heard, in milliseconds, before that counts as a gap: clocks tremble.
const TREMBLING_MS: f64 = 200.0;

/// Tells what is missing in bytes, and how much of it may be told.
#[derive(Debug)]
pub struct Clock {
    bytes_per_ms: f64,
    /// How far the track was heard, gaps included; `None` until the call has a time.
    heard_ms: Option<f64>,
    longest_gap: usize,
    /// What may still be told as missing, in bytes.
    allowance: usize,
}

impl Clock {
    /// Of gaps `longest_gap` bytes are told in advance and then as many as came, never more than `longest_gap` at once: who
    /// sends little cannot make much of it.
    pub fn new(bytes_per_ms: f64, longest_gap: usize) -> Self {
        Self { bytes_per_ms, heard_ms: None, longest_gap, allowance: longest_gap }
    }

    /// The call began then, unless that is known already.
    pub fn begin(&mut self, time_ms: u64) {
        self.heard_ms.get_or_insert(time_ms as f64);
    }

    /// So many bytes were heard.
    pub fn hear(&mut self, bytes: usize) {
        self.go_on(bytes);
        self.allowance = self.allowance.saturating_add(bytes).min(self.longest_gap);
    }

    /// So many bytes are missing; gives those of them that may be told.
    pub fn miss(&mut self, bytes: usize) -> usize {
        let gap = bytes.min(self.allowance);
        self.allowance -= gap;
        self.go_on(gap);
        gap
    }

    /// What may be told as missing before a piece of that time, if anything is; before the `first` no clock trembles.
    pub fn catch_up(&mut self, time_ms: u64, first: bool) -> Option<usize> {
        let behind_ms = time_ms as f64 - self.heard_ms?;
        let tolerance_ms = if first { 0.0 } else { TREMBLING_MS };
        if behind_ms <= tolerance_ms {
            return None;
        }
        let gap = self.miss((behind_ms * self.bytes_per_ms) as usize);
        // What was not allowed is lost: making up for it later would tear sound apart that belongs together.
        self.heard_ms = Some(time_ms as f64);
        Some(gap)
    }

    fn go_on(&mut self, bytes: usize) {
        self.heard_ms = self.heard_ms.map(|heard_ms| heard_ms + bytes as f64 / self.bytes_per_ms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_what_the_clock_is_ahead_unless_it_trembles() {
        let mut clock = Clock::new(8.0, 80_000);
        assert_eq!(clock.catch_up(70_000, true), None, "nobody knows when the call began");
        clock.begin(70_000);
        clock.begin(90_000);
        assert_eq!(clock.catch_up(70_100, true), Some(800));
        clock.hear(160);
        assert_eq!((clock.catch_up(70_320, false), clock.catch_up(70_321, false)), (None, Some(201 * 8)));
        assert_eq!(clock.catch_up(60_000, false), None, "it goes back");
    }

    #[test]
    fn what_is_told_as_missing_is_earned_by_what_came() {
        let mut clock = Clock::new(8.0, 1_000);
        assert_eq!([clock.miss(400), clock.miss(700), clock.miss(1)], [400, 600, 0]);
        clock.hear(50);
        assert_eq!(clock.miss(usize::MAX), 50);
        clock.hear(5_000);
        assert_eq!(clock.miss(usize::MAX), 1_000);
    }
}
