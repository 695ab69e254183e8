//! `emotone serve`: the service, from its settings to its last answer.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result};
use emotone::config::Serve;
use emotone::http::{self, App, Certificate, Listening, Models, Phase};
use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::{error, info, warn};

use super::insight;
use super::load::{DEFAULT_MODEL, named};

/// Files that are open besides connections and live calls: models, logs, answers on their way to a webhook.
const OTHER_FILES: u64 = 128;
/// Connections that may wait to be accepted, where the system grants as many: thousands come within a second when a crowd
/// connects anew, and one that finds no room is tried again only after a second.
const BACKLOG: u32 = 4096;

/// What is bound and read before anything is served, so that what is wrong is said in one line.
struct Ready {
    settings: Serve,
    listener: TcpListener,
    metrics_listener: Option<TcpListener>,
    audiosocket_listener: Option<TcpListener>,
    certificate: Option<Arc<Certificate>>,
    models: Models,
    hang_up: Signal,
}

/// Serves until SIGTERM or SIGINT.
pub fn serve(settings: Serve) -> Result<ExitCode> {
    let runtime = runtime::Builder::new_multi_thread().enable_all().build().context("cannot start async threads")?;
    let telemetry = insight::set_up(&settings.insight, runtime.handle())?;
    // Sockets are made for the runtime, though it is not running yet.
    let entered = runtime.enter();
    let ready = Ready {
        // First of all: until somebody listens, SIGHUP ends the process, and who renews a model does not know when it started.
        hang_up: signal(SignalKind::hangup())?,
        // Before there is an address to ask at, for it takes a while.
        models: Models::load(named(&settings.model), DEFAULT_MODEL, settings.limits.audio())?,
        listener: bind(settings.network.listen)?,
        metrics_listener: settings.insight.metrics_listen.map(bind).transpose()?,
        audiosocket_listener: settings.live.audiosocket_listen.map(bind).transpose()?,
        certificate: Certificate::load(&settings.security)?,
        settings,
    };
    drop(entered);
    let lost_lines = telemetry.lost_lines.clone();
    runtime.block_on(run(ready, move || lost_lines.dropped_lines()))?;
    telemetry.end();
    // What is left has had its time.
    runtime.shutdown_background();
    Ok(ExitCode::SUCCESS)
}

async fn run(ready: Ready, lost_log_lines: impl Fn() -> usize + Send + Sync + 'static) -> Result<()> {
    let Ready { settings, listener, metrics_listener, audiosocket_listener, certificate, models, hang_up } = ready;
    let (terminate, interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let app = App::new(settings, models)?;
    app.metrics.follow_log(lost_log_lines)?;
    let address = listener.local_addr()?;
    for model in app.models.all().iter() {
        let card = model.pipeline.classifier().card();
        info!(name = model.name, model = card.name, version = card.version, "model");
    }
    tokio::spawn(end_on_signals(app.clone(), terminate, interrupt));
    tokio::spawn(reload_on_signal(app.clone(), certificate.clone(), hang_up));
    if let Some(certificate) = &certificate {
        tokio::spawn(certificate.clone().follow());
    }
    if let Some(listener) = metrics_listener {
        info!(address = %listener.local_addr()?, "serving metrics");
        tokio::spawn(http::serve_metrics(listener, app.clone()));
    }
    if let Some(listener) = audiosocket_listener {
        info!(address = %listener.local_addr()?, "serving AudioSocket");
        tokio::spawn(http::serve_audiosocket(listener, app.clone()));
    }
    let tls = certificate.as_ref().map(Certificate::acceptor).transpose().context("cannot set up TLS")?;
    raise_file_limit(&app);
    info!(%address, tls = tls.is_some(), "serving");
    http::serve(Listening { listener, tls }, app.clone(), http::router(app)).await.context("cannot serve")?;
    info!("ended");
    Ok(())
}

/// Each connection is an open file, of which a shell often grants no more than 1024 where the system would grant many.
fn raise_file_limit(app: &App) {
    let (network, limits) = (&app.settings.network, &app.settings.limits);
    let needed = u64::from(network.max_connections) + u64::from(limits.max_sessions) + OTHER_FILES;
    match rlimit::increase_nofile_limit(needed) {
        Ok(granted) if granted < needed => {
            warn!(granted, needed, "fewer open files than --max-connections and --max-sessions need")
        }
        Ok(_) => {}
        Err(problem) => warn!(%problem, "the limit of open files stays"),
    }
}

/// The first signal drains, the second ends the process.
async fn end_on_signals(app: App, mut terminate: Signal, mut interrupt: Signal) {
    either(&mut terminate, &mut interrupt).await;
    app.lifecycle.advance(Phase::Draining);
    either(&mut terminate, &mut interrupt).await;
    eprintln!("emotone: ended by a second signal");
    std::process::exit(1);
}

async fn either(terminate: &mut Signal, interrupt: &mut Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

/// SIGHUP: models, keys and certificate are read again; what cannot be read keeps its old self.
async fn reload_on_signal(app: App, certificate: Option<Arc<Certificate>>, mut hang_up: Signal) {
    while hang_up.recv().await.is_some() {
        let (app, certificate) = (app.clone(), certificate.clone());
        let reloaded = tokio::task::spawn_blocking(move || reload(&app, certificate.as_deref())).await;
        if let Err(panic) = reloaded {
            error!(%panic, "reading again failed");
        }
    }
}

fn reload(app: &App, certificate: Option<&Certificate>) {
    let problems = app.reload_models();
    for problem in &problems {
        error!(%problem, "the old model stays");
    }
    if let Err(problem) = app.keys.reload() {
        error!(%problem, "the old API keys stay");
    }
    if let Some(Err(problem)) = certificate.map(Certificate::reload) {
        error!(%problem, "the old certificate stays");
    }
    for model in app.models.all().iter() {
        let version = &model.pipeline.classifier().card().version;
        info!(name = model.name, version, "model");
    }
}

fn bind(address: SocketAddr) -> Result<TcpListener> {
    let listen = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // As std does: a restarted service needs its port at once, whatever old connections linger there.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    listen().with_context(|| format!("cannot listen on {address}"))
}
