//! How fast a body has to come.

use std::time::{Duration, Instant};

use crate::config::Network;

/// Bytes of what the slowest speed counts in.
const KIB: f64 = 1024.0;

/// Until when more of a body must have come. Each KiB that came grants its time, so that large bodies may take longer than
/// small ones, yet nobody can hold a place by a byte now and then; nor by much at once, for what came fast is no credit.
#[derive(Debug)]
pub struct Pace {
    until: Instant,
    /// What lies ahead at most.
    patience: Duration,
    per_kib: Duration,
}

impl Pace {
    /// A body that begins to come now.
    pub fn new(network: &Network, now: Instant) -> Self {
        let patience = network.body_timeout_seconds;
        let per_kib = Duration::from_secs(1) / network.min_upload_kib_per_second;
        Self { until: now + patience, patience, per_kib }
    }

    /// So many bytes came.
    pub fn came(&mut self, bytes: usize, now: Instant) {
        let granted = self.per_kib.mul_f64(bytes as f64 / KIB);
        self.until = (self.until + granted).min(now + self.patience);
    }

    /// When it has come too slowly, if nothing more comes.
    pub fn until(&self) -> Instant {
        self.until
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Serve;

    /// Whether pieces of so many bytes, one after each pause, are waited for.
    fn is_waited_for(pieces: impl IntoIterator<Item = (f64, usize)>) -> bool {
        let options = ["--body-timeout-seconds", "10", "--min-upload-kib-per-second", "8"];
        let mut now = Instant::now();
        let mut pace = Pace::new(&Serve::with_options(&options).unwrap().network, now);
        pieces.into_iter().all(|(pause_seconds, bytes)| {
            now += Duration::from_secs_f64(pause_seconds);
            let in_time = now <= pace.until();
            pace.came(bytes, now);
            in_time
        })
    }

    #[test]
    fn who_is_slow_but_steady_is_waited_for_and_who_is_slower_is_not() {
        let an_hour_at = |kib: usize| (0..3600).map(move |_| (1.0, kib * 1024));
        assert!(is_waited_for(an_hour_at(8)));
        assert!(is_waited_for((0..400).map(|_| (9.0, 72 * 1024))), "in larger pieces");
        assert!(!is_waited_for(an_hour_at(7)));
        assert!(is_waited_for(an_hour_at(7).take(60)), "for a while that is no matter");
        assert!(!is_waited_for((0..3600).map(|_| (1.0, 1))));
    }

    #[test]
    fn what_came_fast_is_no_credit() {
        let fast = [(0.1, 25 << 20)];
        assert!(is_waited_for(fast.into_iter().chain([(9.9, 1)])));
        assert!(!is_waited_for(fast.into_iter().chain([(10.1, 1)])));
        assert!(!is_waited_for(fast.into_iter().chain([(9.9, 1), (9.9, 1)])), "a byte is no new beginning");
        assert!(is_waited_for(fast.into_iter().chain([(9.9, 80 << 10), (9.9, 1)])));
    }
}
