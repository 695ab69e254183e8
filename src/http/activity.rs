//! What a connection does, and when it has done nothing for too long. hyper's own header timer also runs between the
//! requests of a connection that is kept alive, so that it cannot tell an idle client from a slow one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How long a connection may take.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// From the first byte of a head to its last.
    pub header: Duration,
    /// Between requests.
    pub idle: Duration,
    /// Without a byte in either direction while a request is being answered.
    pub stalled: Duration,
}

/// What is known of a connection; times are milliseconds since it began, and 0 is never.
#[derive(Debug)]
pub struct ConnectionActivity {
    began: Instant,
    patience: Patience,
    in_flight: AtomicUsize,
    idle_since: AtomicU64,
    head_since: AtomicU64,
    last_byte: AtomicU64,
    multiplexed: AtomicBool,
}

/// A request of the connection, from its head to the end of its answer.
#[derive(Debug)]
pub struct RequestGuard(Arc<ConnectionActivity>);

impl ConnectionActivity {
    /// A connection that begins now.
    pub fn new(patience: Patience, now: Instant) -> Arc<Self> {
        Arc::new(Self {
            began: now,
            patience,
            in_flight: AtomicUsize::new(0),
            idle_since: AtomicU64::new(1),
            head_since: AtomicU64::new(0),
            last_byte: AtomicU64::new(1),
            multiplexed: AtomicBool::new(false),
        })
    }

    /// A request's head has come.
    pub fn begin(self: &Arc<Self>) -> RequestGuard {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        self.head_since.store(0, Ordering::Relaxed);
        RequestGuard(self.clone())
    }

    /// Whether it is HTTP/2.
    pub fn is_multiplexed(&self) -> bool {
        self.multiplexed.load(Ordering::Relaxed)
    }

    /// It is HTTP/2: what comes without a request is no head.
    pub fn multiplex(&self) {
        self.multiplexed.store(true, Ordering::Relaxed);
        self.head_since.store(0, Ordering::Relaxed);
    }

    /// Bytes have moved.
    pub fn moved(&self, incoming: bool, now: Instant) {
        let now = self.clock(now);
        self.last_byte.store(now, Ordering::Relaxed);
        // HTTP/2 has other things to say between requests.
        let may_be_head = incoming
            && self.in_flight.load(Ordering::Relaxed) == 0
            && self.head_since.load(Ordering::Relaxed) == 0
            && !self.is_multiplexed();
        if may_be_head {
            self.head_since.store(now, Ordering::Relaxed);
        }
    }

    /// When to look again, or `None` if patience has ended.
    pub fn check(&self, now: Instant) -> Option<Instant> {
        let (since, patience) = if self.in_flight.load(Ordering::Acquire) > 0 {
            (self.last_byte.load(Ordering::Relaxed), self.patience.stalled)
        } else {
            match self.head_since.load(Ordering::Relaxed) {
                0 => (self.idle_since.load(Ordering::Relaxed), self.patience.idle),
                head => (head, self.patience.header),
            }
        };
        let end = self.began + Duration::from_millis(since) + patience;
        // A head may begin right after this look, and has its own, shorter time.
        let look_again = end.min(now + self.patience.header);
        (now < end).then_some(look_again)
    }

    /// Whether there has been no request for that long.
    pub fn is_idle_for(&self, least: Duration, now: Instant) -> bool {
        let is_idle = self.in_flight.load(Ordering::Acquire) == 0;
        let idle_since = self.began + Duration::from_millis(self.idle_since.load(Ordering::Relaxed));
        is_idle && now.saturating_duration_since(idle_since) >= least
    }

    fn clock(&self, now: Instant) -> u64 {
        u64::try_from(now.duration_since(self.began).as_millis()).unwrap_or(u64::MAX).max(1)
    }
}

impl Drop for RequestGuard {
    fn drop(&mut self) {
        let now = self.0.clock(Instant::now());
        self.0.last_byte.store(now, Ordering::Relaxed);
        // Before the count falls, so that whoever sees it at 0 sees since when; while others are in flight it does not matter.
        self.0.idle_since.store(now, Ordering::Relaxed);
        self.0.in_flight.fetch_sub(1, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Patience =
        Patience { header: Duration::from_secs(10), idle: Duration::from_secs(75), stalled: Duration::from_secs(100) };

    #[test]
    fn idle_clients_have_more_time_than_slow_ones() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let activity = ConnectionActivity::new(PATIENCE, start);
        assert!(activity.check(after(74)).is_some());
        assert!(activity.check(after(76)).is_none());
        activity.moved(true, after(20));
        assert!(activity.check(after(29)).is_some());
        activity.moved(true, after(29));
        assert!(activity.check(after(31)).is_none(), "a byte now and then does not make a head");
    }

    #[test]
    fn a_request_may_take_its_time_as_long_as_something_moves() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let activity = ConnectionActivity::new(PATIENCE, start);
        let request = activity.begin();
        activity.moved(true, after(90));
        assert!(activity.check(after(180)).is_some());
        assert!(activity.check(after(191)).is_none());
        assert!(!activity.is_idle_for(Duration::ZERO, after(500)));
        drop(request);
        assert!(activity.is_idle_for(Duration::from_secs(1), after(500)));
    }
}
