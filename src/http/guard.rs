//! The door of the routes that cost something: keys, then rates.

use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use super::error::ApiError;
use super::keys::Caller;
use super::server::Peer;
use super::state::App;

/// Callers that are remembered at least; beyond, those who have not asked lately are forgotten.
const REMEMBERED: usize = 10_000;
/// How often at most: looking through all of them takes its time.
const FORGET_EVERY: Duration = Duration::from_secs(1);

/// How often each caller may ask.
pub struct Rates {
    limiter: Option<DefaultKeyedRateLimiter<Caller>>,
    clock: DefaultClock,
    forgot: Mutex<Instant>,
}

impl Rates {
    /// So many requests a minute for each caller, all at once if they like; 0 is no limit.
    pub fn new(per_minute: u32) -> Self {
        let limiter = NonZeroU32::new(per_minute).map(|rate| RateLimiter::keyed(Quota::per_minute(rate)));
        Self { limiter, clock: DefaultClock::default(), forgot: Mutex::new(Instant::now()) }
    }

    /// Counts a request.
    ///
    /// # Errors
    /// [`ApiError::RateLimited`], with the time after which one more is granted.
    pub fn check(&self, caller: Caller) -> Result<(), ApiError> {
        let Some(limiter) = &self.limiter else { return Ok(()) };
        if limiter.len() > REMEMBERED && self.is_time_to_forget() {
            limiter.retain_recent();
        }
        limiter.check_key(&caller).map_err(|until| {
            let retry_after = until.wait_time_from(self.clock.now());
            ApiError::RateLimited { retry_after }
        })
    }

    fn is_time_to_forget(&self) -> bool {
        let mut forgot = self.forgot.lock().unwrap_or_else(PoisonError::into_inner);
        let is_time = forgot.elapsed() >= FORGET_EVERY;
        if is_time {
            *forgot = Instant::now();
        }
        is_time
    }
}

/// Lets those pass who may.
pub async fn guard(State(app): State<App>, request: Request, next: Next) -> Result<Response, ApiError> {
    let address = request.extensions().get::<Peer>().map(|peer| peer.0.ip());
    let caller = app.keys.check(request.headers(), address)?;
    app.rates.check(caller)?;
    Ok(next.run(request).await)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_caller_has_a_rate_of_its_own() {
        let rates = Rates::new(2);
        let (one, other) = (Caller::Key([1; 32]), Caller::Key([2; 32]));
        assert!(rates.check(one).is_ok() && rates.check(one).is_ok());
        let ApiError::RateLimited { retry_after } = rates.check(one).unwrap_err() else { panic!("let in") };
        assert!(retry_after.as_secs() <= 30);
        assert!(rates.check(other).is_ok());
        let unlimited = Rates::new(0);
        assert!((0..1000).all(|_| unlimited.check(one).is_ok()));
    }
}
