//! What all handlers share.

use std::ops::Deref;
use std::sync::Arc;

use tokio::sync::Semaphore;

use super::guard::Rates;
use super::keys::Keys;
use super::lifecycle::Lifecycle;
use super::metrics::Metrics;
use super::models::{Models, ModelsError};
use super::webhook::{EndpointError, Webhook};
use super::work::{RotaLimits, Workers};
use crate::config::Serve;

/// The service at work; cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Shared>);

/// What an [`App`] consists of.
pub struct Shared {
    /// The settings it was started with.
    pub settings: Serve,
    /// The models at work.
    pub models: Models,
    /// Where all computing is done.
    pub workers: Workers,
    /// Serving or draining, and what is in flight.
    pub lifecycle: Lifecycle,
    /// What is counted.
    pub metrics: Metrics,
    /// Who may ask.
    pub keys: Keys,
    /// How often.
    pub rates: Rates,
    /// Where alerts and summaries of live calls are told, if anywhere.
    pub webhook: Option<Webhook>,
    /// Room for connections.
    pub connection_room: Arc<Semaphore>,
    /// Room for request bodies in memory, one permit a KiB.
    pub upload_room: Arc<Semaphore>,
    /// Room for live calls.
    pub session_room: Arc<Semaphore>,
}

/// Why a service cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The system does not give a thread.
    #[error("cannot start worker threads: {0}")]
    Threads(#[source] std::io::Error),
    /// The file of API keys.
    #[error("cannot read API keys from {file}: {problem}")]
    Keys {
        /// The file.
        file: String,
        /// What is wrong with it.
        problem: std::io::Error,
    },
    /// The webhook's address.
    #[error(transparent)]
    Webhook(#[from] EndpointError),
    /// Two metrics of one name.
    #[error("cannot count: {0}")]
    Metrics(#[from] prometheus::Error),
}

impl App {
    /// Joins settings and models, and starts the worker threads.
    ///
    /// # Errors
    /// Any [`StartError`].
    pub fn new(settings: Serve, models: Models) -> Result<Self, StartError> {
        let limits = &settings.limits;
        let keys = Keys::load(&settings.security).map_err(|problem| {
            let file = settings.security.api_keys_file.as_deref().unwrap_or(std::path::Path::new(""));
            StartError::Keys { file: file.display().to_string(), problem }
        })?;
        let metrics = Metrics::new()?;
        metrics.models(&models.all());
        let rates = Rates::new(settings.security.rate_limit_per_minute);
        let rota = RotaLimits {
            max_at_work: limits.max_concurrency as usize,
            max_waiting: limits.max_queue as usize,
            threads: limits.worker_threads(),
            max_wait: limits.queue_timeout_ms,
        };
        let workers = Workers::start(rota).map_err(StartError::Threads)?;
        let webhook = Webhook::new(&settings.live)?;
        let upload_room = Arc::new(Semaphore::new(limits.max_buffered_bytes() / 1024));
        let session_room = Arc::new(Semaphore::new(limits.max_sessions as usize));
        let connection_room = Arc::new(Semaphore::new(settings.network.max_connections as usize));
        let lifecycle = Lifecycle::default();
        Ok(Self(Arc::new(Shared {
            settings,
            models,
            workers,
            lifecycle,
            metrics,
            keys,
            rates,
            webhook,
            connection_room,
            upload_room,
            session_room,
        })))
    }
}

impl App {
    /// Reads the models again, and counts how that went; who asks meanwhile is answered by the old ones.
    pub fn reload_models(&self) -> Vec<ModelsError> {
        let problems = self.models.reload();
        self.metrics.reloaded(problems.is_empty());
        self.metrics.models(&self.models.all());
        problems
    }
}

impl Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}
