//! Serving, draining, ending: what SIGTERM sets going, and who has to be waited for.

use std::sync::Arc;

use tokio::sync::watch;

/// Where the service is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Everybody is served.
    Serving,
    /// What has begun is finished; new work is refused.
    Draining,
    /// The time for that is nearly over: live calls say goodbye now.
    Ending,
}

/// The service's phase and its work in flight. Clones share both.
#[derive(Debug, Clone)]
pub struct Lifecycle {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    phase: watch::Sender<Phase>,
    in_flight: watch::Sender<usize>,
}

/// A request or a live call that has begun; draining waits until it is dropped.
#[derive(Debug)]
pub struct InFlight(Arc<Shared>);

impl Default for Lifecycle {
    fn default() -> Self {
        let shared = Shared { phase: watch::Sender::new(Phase::Serving), in_flight: watch::Sender::new(0) };
        Self { shared: Arc::new(shared) }
    }
}

impl Lifecycle {
    /// Counts something that draining has to wait for.
    pub fn begin(&self) -> InFlight {
        self.shared.in_flight.send_modify(|count| *count += 1);
        InFlight(self.shared.clone())
    }

    /// Goes on to a later phase; never back.
    pub fn advance(&self, phase: Phase) {
        self.shared.phase.send_if_modified(|present| {
            let later = phase > *present;
            if later {
                *present = phase;
            }
            later
        });
    }

    /// The present phase.
    pub fn phase(&self) -> Phase {
        *self.shared.phase.borrow()
    }

    /// Whether new work is to be refused.
    pub fn is_draining(&self) -> bool {
        self.phase() >= Phase::Draining
    }

    /// Waits until that phase, or a later one, has come.
    pub async fn reached(&self, phase: Phase) {
        // The sender lives as long as `self`.
        let _ = self.shared.phase.subscribe().wait_for(|present| *present >= phase).await;
    }

    /// Waits until nothing is in flight.
    pub async fn idle(&self) {
        let _ = self.shared.in_flight.subscribe().wait_for(|count| *count == 0).await;
    }

    /// Requests and live calls in flight.
    pub fn in_flight(&self) -> usize {
        *self.shared.in_flight.borrow()
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.send_modify(|count| *count = count.saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn draining_waits_for_what_has_begun() {
        let lifecycle = Lifecycle::default();
        let request = lifecycle.begin();
        lifecycle.advance(Phase::Draining);
        lifecycle.reached(Phase::Draining).await;
        assert!(lifecycle.is_draining() && lifecycle.in_flight() == 1);
        drop(request);
        lifecycle.idle().await;
        lifecycle.advance(Phase::Serving);
        assert_eq!(lifecycle.phase(), Phase::Draining, "there is no way back");
    }
}
