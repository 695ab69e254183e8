//! `emotone serve`: the service, from its settings to its last answer.

use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;

use anyhow::{Context, Result};
use emotone::config::{Insight, LogFormat, Serve};
use emotone::http::{self, App, Phase};
use emotone::pipeline::Pipeline;
use tokio::runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::info;
use tracing_subscriber::EnvFilter;

use super::load;

/// Serves until SIGTERM or SIGINT.
pub fn serve(settings: Serve) -> Result<ExitCode> {
    set_up_log(&settings.insight)?;
    let listener = bind(settings.network.listen)?;
    let classifier = load::classifier(settings.model.model.as_deref())?;
    let pipeline = Pipeline::new(classifier, settings.limits.audio()).context("cannot set up the model's features")?;
    let runtime = runtime::Builder::new_multi_thread().enable_all().build().context("cannot start async threads")?;
    runtime.block_on(run(settings, listener, pipeline))?;
    // What is left has had its time.
    runtime.shutdown_background();
    Ok(ExitCode::SUCCESS)
}

async fn run(settings: Serve, listener: TcpListener, pipeline: Pipeline) -> Result<()> {
    let (terminate, interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let app = App::new(settings, pipeline)?;
    let router = http::router(app.clone());
    let address = listener.local_addr()?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let card = app.pipeline.classifier().card();
    info!(%address, model = card.name, version = card.version, "serving");
    tokio::spawn(end_on_signals(app.clone(), terminate, interrupt));
    http::serve(listener, app, router).await.context("cannot serve")?;
    info!("ended");
    Ok(())
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

fn bind(address: SocketAddr) -> Result<TcpListener> {
    let listener = TcpListener::bind(address).with_context(|| format!("cannot listen on {address}"))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn set_up_log(insight: &Insight) -> Result<()> {
    let filter = EnvFilter::try_new(&insight.log_level)
        .with_context(|| format!("--log-level: cannot understand `{}`", insight.log_level))?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match insight.log_format {
        LogFormat::Json => log.json().flatten_event(true).with_current_span(true).with_span_list(false).init(),
        LogFormat::Text => log.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).init(),
    }
    Ok(())
}
