//! The sockets: connections with a limit and timeouts, HTTP/1.1 and HTTP/2, and an end that waits for those who are being
//! served, though not for ever.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{AcquireError, Notify, OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{sleep, sleep_until, timeout};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;
use tracing::{debug, info, warn};

use super::activity::{ConnectionActivity, Patience};
use super::lifecycle::Phase;
use super::observed::ObservedSocket;
use super::routes::metrics_router;
use super::state::App;
use super::webhook;

/// Largest head of a request.
const MAX_HEAD_BYTES: usize = 64 * 1024;
/// Requests at a time on one HTTP/2 connection.
const MAX_STREAMS: u32 = 128;
/// The end of the time for draining, in which live calls say goodbye and the webhook is told: at most so much of it, for
/// judging the rest of hundreds of calls takes seconds.
const LONGEST_FAREWELL: Duration = Duration::from_secs(10);
/// The part of the time for draining that this takes at most: one in so many.
const FAREWELL_PART: u32 = 3;
/// What is granted beyond the time for draining to who has not ended yet.
const GRACE: Duration = Duration::from_secs(1);
/// How long answers have to reach the network in the end.
const FLUSH: Duration = Duration::from_secs(1);
/// How long an HTTP/2 client has to end its connection once it was told to. Closed without a word, it would not know whether
/// a request that was on its way had been heard.
const GOODBYE: Duration = Duration::from_secs(1);
/// How long to wait when the system gives no more sockets.
const BREATH: Duration = Duration::from_millis(50);
/// A connection without a request for this long is closed when others wait for its place.
const IDLE_UNDER_PRESSURE: Duration = Duration::from_secs(1);

/// Connections of those who watch, who have room of their own: they look most when everything else is full.
const MOST_WATCHERS: u32 = 64;

/// Who is at the other end of a connection.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// Where to serve, and whether by TLS.
pub struct Listening {
    /// The socket; its owner decides on address and port.
    pub listener: TcpListener,
    /// What makes connections safe, if anything.
    pub tls: Option<TlsAcceptor>,
}

/// Serves until [`Phase::Draining`] has been reached and everything in flight has ended, or its time has.
///
/// # Errors
/// If the listener is of no use any more.
pub async fn serve(listening: Listening, app: App, router: Router) -> io::Result<()> {
    tokio::spawn(webhook::deliver(app.clone()));
    let (room, most) = (app.connection_room.clone(), app.settings.network.max_connections);
    let end = drained(app.clone());
    listen(listening, app, router, (room, most), end).await
}

/// Serves figures and health alone, until it is dropped: those who watch want to see the end of the draining too.
///
/// # Errors
/// As [`serve`].
pub async fn serve_metrics(listener: TcpListener, app: App) -> io::Result<()> {
    let (router, room) = (metrics_router(app.clone()), Arc::new(Semaphore::new(MOST_WATCHERS as usize)));
    listen(Listening { listener, tls: None }, app, router, (room, MOST_WATCHERS), std::future::pending()).await
}

/// Serves until the `end`, while there is room, which has so many places.
async fn listen(
    listening: Listening,
    app: App,
    router: Router,
    (room, places): (Arc<Semaphore>, u32),
    end: impl Future<Output = ()>,
) -> io::Result<()> {
    let Listening { listener, tls } = listening;
    let (closing, pressure) = (watch::Sender::new(false), Arc::new(Notify::new()));
    tokio::pin!(end);
    loop {
        let (socket, peer) = tokio::select! {
            () = &mut end => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    warn!(%error, "no connection could be accepted");
                    sleep(BREATH).await;
                    continue;
                }
            },
        };
        let place = tokio::select! {
            () = &mut end => break,
            place = place(&room, &pressure) => place.map_err(io::Error::other)?,
        };
        let connection = Connection {
            app: app.clone(),
            router: router.clone(),
            peer,
            closing: closing.subscribe(),
            pressure: pressure.clone(),
        };
        // Answers are small and complete; waiting for more bytes to send would only delay them.
        let _ = socket.set_nodelay(true);
        let (tls, patience) = (tls.clone(), app.settings.network.header_timeout_seconds);
        tokio::spawn(async move {
            match tls {
                None => connection.serve(socket).await,
                Some(tls) => match timeout(patience, tls.accept(socket)).await {
                    Ok(Ok(socket)) => connection.serve(socket).await,
                    Ok(Err(error)) => debug!(%peer, %error, "no TLS"),
                    Err(_elapsed) => debug!(%peer, "no TLS in time"),
                },
            }
            drop(place);
        });
    }
    closing.send_replace(true);
    let _ = timeout(FLUSH, room.acquire_many(places)).await;
    Ok(())
}

/// A place in the room; while there is none, connections that do nothing are asked to go.
async fn place(room: &Arc<Semaphore>, pressure: &Notify) -> Result<OwnedSemaphorePermit, AcquireError> {
    loop {
        if room.available_permits() == 0 {
            pressure.notify_waiters();
        }
        if let Ok(place) = timeout(IDLE_UNDER_PRESSURE, room.clone().acquire_owned()).await {
            return place;
        }
    }
}

/// Waits for the order to end, and then for everybody who is being served.
async fn drained(app: App) {
    let lifecycle = &app.lifecycle;
    lifecycle.reached(Phase::Draining).await;
    info!(in_flight = lifecycle.in_flight(), untold = lifecycle.untold(), "draining");
    let (patience, farewell) = patience_and_farewell(app.settings.network.drain_seconds);
    if timeout(patience, lifecycle.idle()).await.is_err() {
        warn!(in_flight = lifecycle.in_flight(), untold = lifecycle.untold(), "the time for draining is nearly over");
        lifecycle.advance(Phase::Ending);
        if timeout(farewell + GRACE, lifecycle.idle()).await.is_err() {
            warn!(in_flight = lifecycle.in_flight(), untold = lifecycle.untold(), "ended before everything was");
            if let Some(webhook) = &app.webhook {
                webhook.give_up(&app.metrics);
            }
        }
    }
}

/// Divides the time for draining: so long live calls go on, and then they have so long to say goodbye.
fn patience_and_farewell(drain: Duration) -> (Duration, Duration) {
    let farewell = (drain / FAREWELL_PART).min(LONGEST_FAREWELL);
    (drain.saturating_sub(farewell), farewell)
}

struct Connection {
    app: App,
    router: Router,
    peer: SocketAddr,
    closing: watch::Receiver<bool>,
    pressure: Arc<Notify>,
}

impl Connection {
    async fn serve(mut self, socket: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let activity = ConnectionActivity::new(patience(&self.app), Instant::now());
        let (router, peer, begun) = (self.router, self.peer, activity.clone());
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(Arc::new(begun.begin()));
            request.extensions_mut().insert(Peer(peer));
            router.clone().oneshot(request.map(Body::new))
        });

        let protocol = protocol();
        let connection = protocol
            .serve_connection_with_upgrades(TokioIo::new(ObservedSocket::new(socket, activity.clone())), service);
        tokio::pin!(connection);
        let (mut next_look, mut told) = (Instant::now(), false);
        loop {
            tokio::select! {
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        debug!(%peer, %error, "connection ended");
                    }
                    return;
                }
                _ = self.closing.wait_for(|closing| *closing), if !told => {
                    told = true;
                    connection.as_mut().graceful_shutdown();
                }
                () = sleep_until(next_look.into()) => match activity.check(Instant::now()) {
                    Some(later) => next_look = later,
                    None if told || !activity.is_multiplexed() => {
                        return debug!(%peer, "connection closed: its time is over");
                    }
                    None => {
                        (told, next_look) = (true, Instant::now() + GOODBYE);
                        connection.as_mut().graceful_shutdown();
                    }
                },
                () = self.pressure.notified() => {
                    if !activity.is_idle_for(IDLE_UNDER_PRESSURE, Instant::now()) {
                        continue;
                    }
                    if told || !activity.is_multiplexed() {
                        return;
                    }
                    told = true;
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    }
}

fn protocol() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(MAX_HEAD_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(MAX_HEAD_BYTES as u32);
    builder
}

fn patience(app: &App) -> Patience {
    let (network, limits) = (&app.settings.network, &app.settings.limits);
    let (header, idle) = (network.header_timeout_seconds, network.idle_timeout_seconds);
    let longest_work = limits.queue_timeout_ms + limits.request_timeout_seconds;
    Patience { header, idle, stalled: longest_work + network.body_timeout_seconds + idle }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goodbyes_are_within_the_time_for_draining() {
        let seconds = |drain| {
            let (patience, farewell) = patience_and_farewell(Duration::from_secs(drain));
            (patience.as_secs(), farewell.as_secs())
        };
        assert_eq!([0, 3, 30, 600].map(seconds), [(0, 0), (2, 1), (20, 10), (590, 10)]);
    }
}
