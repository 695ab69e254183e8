//! The service: routes, limits, errors, and the threads that do the work.
//!
//! A request is surrounded by [`edge`](self) (its name, its log line, its error), admitted by its handler, read by `upload`,
//! judged by [`work`] a step at a time, and answered in the words of [`answer`]. [`serve`] is what has sockets.

mod routes;
mod state;
mod edge;
mod request_id;
mod trace_context;
pub mod traces;
mod query;
mod guard;
mod keys;
mod error;
pub mod classify;
pub mod stream;
mod webhook;
mod pace;
mod room;
mod incoming;
mod form;
mod upload;
mod linger;
pub mod work;
pub mod answer;
mod table;
mod schema;
pub mod model;
mod models;
mod health;
pub mod openapi;
mod oip;
mod page;
mod metrics;
mod lifecycle;
mod activity;
mod observed;
mod tls;
mod probe;
mod server;

pub use error::{ApiError, ErrorBody};
pub use lifecycle::{InFlight, Lifecycle, Phase};
pub use models::{Models, ModelsError, Served};
pub use probe::{NotReady, ready};
pub use request_id::RequestId;
pub use routes::{document, router};
pub use server::{Listening, serve, serve_metrics};
pub use state::{App, StartError};
pub use stream::serve_audiosocket;
pub use tls::{Certificate, TlsError};
