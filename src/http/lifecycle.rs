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
    counts: watch::Sender<Counts>,
}

/// What draining waits for.
#[derive(Debug, Default)]
struct Counts {
    /// Requests and live calls.
    in_flight: usize,
    /// Events that the webhook is to be told.
    untold: usize,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Asked,
    Untold,
}

/// A request or a live call that has begun, or an event that is to be told; draining waits until it is dropped.
#[derive(Debug)]
pub struct InFlight {
    shared: Arc<Shared>,
    kind: Kind,
}

impl Default for Lifecycle {
    fn default() -> Self {
        let (phase, counts) = (watch::Sender::new(Phase::Serving), watch::Sender::new(Counts::default()));
        Self { shared: Arc::new(Shared { phase, counts }) }
    }
}

impl Lifecycle {
    /// Counts a request or a live call that draining has to wait for.
    pub fn begin(&self) -> InFlight {
        self.count(Kind::Asked)
    }

    /// Counts an event that draining has to wait for until the webhook has been told.
    pub fn begin_telling(&self) -> InFlight {
        self.count(Kind::Untold)
    }

    fn count(&self, kind: Kind) -> InFlight {
        self.shared.counts.send_modify(|counts| *counts.of(kind) += 1);
        InFlight { shared: self.shared.clone(), kind }
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

    /// Waits until nothing is in flight, and everything told.
    pub async fn idle(&self) {
        let is_idle = |counts: &Counts| counts.in_flight == 0 && counts.untold == 0;
        let _ = self.shared.counts.subscribe().wait_for(is_idle).await;
    }

    /// Requests and live calls in flight.
    pub fn in_flight(&self) -> usize {
        self.shared.counts.borrow().in_flight
    }

    /// Events that the webhook is still to be told.
    pub fn untold(&self) -> usize {
        self.shared.counts.borrow().untold
    }
}

impl Counts {
    fn of(&mut self, kind: Kind) -> &mut usize {
        match kind {
            Kind::Asked => &mut self.in_flight,
            Kind::Untold => &mut self.untold,
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.shared.counts.send_modify(|counts| {
            let count = counts.of(self.kind);
            *count = count.saturating_sub(1);
        });
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn draining_waits_for_what_has_begun() {
        let lifecycle = Lifecycle::default();
        let (request, event) = (lifecycle.begin(), lifecycle.begin_telling());
        lifecycle.advance(Phase::Draining);
        lifecycle.reached(Phase::Draining).await;
        assert!(lifecycle.is_draining());
        for (left, counts) in [(Some(event), (1, 1)), (None, (1, 0))] {
            assert_eq!((lifecycle.in_flight(), lifecycle.untold()), counts);
            assert!(lifecycle.idle().now_or_never().is_none());
            drop(left);
        }
        drop(request);
        lifecycle.idle().await;
        lifecycle.advance(Phase::Serving);
        assert_eq!(lifecycle.phase(), Phase::Draining, "there is no way back");
    }
}
