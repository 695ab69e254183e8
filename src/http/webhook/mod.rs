//! Alerts and summaries of live calls as signed POSTs, by <https://www.standardwebhooks.com>.
//!
//! Telling never waits: what does not find room in the queue is dropped and counted. What is told holds up draining until it
//! is delivered or given up, and the later events of its call as well; when the time for draining is nearly over, each has one
//! more attempt.

mod signature;
mod queue;
mod delivery;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use tokio::sync::{Notify, Semaphore};
use tokio::time::sleep;
use tracing::{debug, warn};
use uuid::Uuid;

pub use self::delivery::EndpointError;
use self::delivery::{Endpoint, Outcome};
use self::queue::{OfSession, Queue};
use super::lifecycle::{InFlight, Lifecycle, Phase};
use super::metrics::Metrics;
use super::state::App;
use crate::config::{Live, WebhookSecret};

/// Events that may wait.
const LONGEST_QUEUE: usize = 1024;
/// Events on their way at a time, those between two attempts included.
const MOST_AT_WORK: usize = 64;
/// Attempts for one event.
const ATTEMPTS: u32 = 6;
/// Wait before the second attempt; each later wait is [`BACKOFF`] times as long, so that all waits take about half a minute.
/// A receiver that never answers makes it a minute and a half.
const FIRST_WAIT: Duration = Duration::from_millis(250);
const BACKOFF: u32 = 3;

/// Where events of live calls are told.
pub struct Webhook {
    queue: Mutex<Queue<Arc<Event>>>,
    /// Something may have become possible to tell.
    changed: Notify,
    /// Taken by whoever delivers.
    delivery: Mutex<Option<(Endpoint, WebhookSecret)>>,
}

/// Something to be told, and that it has to be waited for.
struct Event {
    id: String,
    session: String,
    body: Bytes,
    _untold: InFlight,
}

impl OfSession for Arc<Event> {
    fn session(&self) -> &str {
        &self.session
    }
}

impl Webhook {
    /// The webhook of the settings, if they name one.
    ///
    /// # Errors
    /// [`EndpointError`] for an address that cannot be used.
    pub fn new(settings: &Live) -> Result<Option<Self>, EndpointError> {
        let (Some(address), Some(secret)) = (&settings.webhook, &settings.webhook_secret) else { return Ok(None) };
        let delivery = (Endpoint::new(address)?, secret.clone());
        let queue = Mutex::new(Queue::new(LONGEST_QUEUE));
        Ok(Some(Self { queue, changed: Notify::new(), delivery: Mutex::new(Some(delivery)) }))
    }

    /// Tells something of a session, unless too much waits already. Never blocks.
    pub fn tell(&self, session: &str, event: &impl Serialize, lifecycle: &Lifecycle, metrics: &Metrics) {
        let Ok(body) = serde_json::to_vec(event) else { return };
        let (id, session) = (format!("msg_{}", Uuid::now_v7().simple()), session.to_string());
        let event = Event { id, session, body: body.into(), _untold: lifecycle.begin_telling() };
        let entered = self.queue().enter(Arc::new(event));
        match entered {
            Ok(()) => self.changed.notify_one(),
            Err(event) => drop_event(&event, metrics, "too many wait, or the server has ended"),
        }
    }

    /// Gives up what has not been told, and whatever comes later.
    pub fn give_up(&self, metrics: &Metrics) {
        let untold = self.queue().close();
        untold.iter().for_each(|event| drop_event(event, metrics, "the server ends"));
    }

    /// Waits for an event that can be told now; nobody else may.
    async fn next(&self) -> Arc<Event> {
        loop {
            let next = self.queue().next();
            match next {
                Some(event) => return event,
                None => self.changed.notified().await,
            }
        }
    }

    /// An event was told or failed, and the next of its session can be told.
    fn arrived(&self, event: &Event, told: bool, metrics: &Metrics) {
        // What was given up meanwhile is counted already.
        if self.queue().arrived(&event.session) {
            metrics.webhook(if told { "delivered" } else { "failed" });
        }
        self.changed.notify_one();
    }

    fn queue(&self) -> MutexGuard<'_, Queue<Arc<Event>>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it takes to deliver; nothing the second time.
    fn take_delivery(&self) -> Option<(Endpoint, WebhookSecret)> {
        self.delivery.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Delivers the events of a service for as long as it lasts, if it has a webhook and nobody else does so: even calls that are
/// cut off in the end have their summary told.
pub async fn deliver(app: App) {
    let Some(webhook) = &app.webhook else { return };
    let Some((endpoint, secret)) = webhook.take_delivery() else { return };
    let at_work = Arc::new(Semaphore::new(MOST_AT_WORK));
    while let Ok(place) = at_work.clone().acquire_owned().await {
        let event = webhook.next().await;
        let (app, endpoint, secret) = (app.clone(), endpoint.clone(), secret.clone());
        tokio::spawn(async move {
            let told = attempt(&endpoint, &secret, &event, &app.lifecycle).await;
            if let Some(webhook) = &app.webhook {
                webhook.arrived(&event, told, &app.metrics);
            }
            drop((place, event));
        });
    }
}

fn drop_event(event: &Event, metrics: &Metrics, why: &str) {
    metrics.webhook("dropped");
    warn!(event = event.id, session_id = event.session, why, "an event was not told");
}

/// Tries until it is told, or failed for good.
async fn attempt(endpoint: &Endpoint, secret: &WebhookSecret, event: &Event, lifecycle: &Lifecycle) -> bool {
    let (id, session_id) = (&event.id, &event.session);
    for number in 1..=ATTEMPTS {
        // Others of its session wait behind it, and in the end there is no time for them but what it leaves.
        let is_last = number == ATTEMPTS || lifecycle.phase() >= Phase::Ending;
        match endpoint.post(secret, id, event.body.clone()).await {
            Outcome::Delivered => return true,
            Outcome::Refused(status) => {
                warn!(event = id, session_id, status, "the webhook refuses an event");
                return false;
            }
            Outcome::Failed(problem) if is_last => {
                warn!(event = id, session_id, problem, attempts = number, "an event could not be told");
                return false;
            }
            Outcome::Failed(problem) => {
                debug!(event = id, session_id, problem, number, "an event will be told again");
                tokio::select! {
                    () = sleep(wait_after(number)) => {}
                    () = lifecycle.reached(Phase::Ending) => {}
                }
            }
        }
    }
    false
}

/// The wait after an attempt, counted from 1.
fn wait_after(attempt: u32) -> Duration {
    FIRST_WAIT * BACKOFF.pow(attempt.saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_spread_over_half_a_minute() {
        let waits: Duration = (1..ATTEMPTS).map(wait_after).sum();
        assert!((20..60).contains(&waits.as_secs()), "{waits:?}");
    }

    fn webhook() -> Webhook {
        let settings = crate::config::Serve::with_options(&[
            "--webhook",
            "http://127.0.0.1:9/",
            "--webhook-secret",
            "a secret for a test",
        ]);
        Webhook::new(&settings.unwrap().live).unwrap().unwrap()
    }

    #[test]
    fn what_finds_no_room_is_dropped_and_counted() {
        let (webhook, lifecycle, metrics) = (webhook(), Lifecycle::default(), Metrics::new().unwrap());
        (0..LONGEST_QUEUE + 5).for_each(|number| webhook.tell("a call", &number, &lifecycle, &metrics));
        assert_eq!(lifecycle.untold(), LONGEST_QUEUE, "what was dropped holds up nothing");
        assert_eq!((lifecycle.in_flight(), metrics.webhooks_of("dropped")), (0, 5));
    }

    #[tokio::test]
    async fn what_is_given_up_is_counted_once() {
        let (webhook, lifecycle, metrics) = (webhook(), Lifecycle::default(), Metrics::new().unwrap());
        (0..3).for_each(|number| webhook.tell("a call", &number, &lifecycle, &metrics));
        let on_its_way = webhook.next().await;
        webhook.give_up(&metrics);
        webhook.give_up(&metrics);
        webhook.arrived(&on_its_way, true, &metrics);
        webhook.tell("a call", &3, &lifecycle, &metrics);
        drop(on_its_way);
        assert_eq!((metrics.webhooks_of("dropped"), metrics.webhooks_of("delivered"), lifecycle.untold()), (4, 0, 0));
    }
}
