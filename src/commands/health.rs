//! `emotone health`: what a container's health check runs.

use std::process::ExitCode;

use anyhow::{Context, Result};
use emotone::config::Health;
use emotone::http;

/// Succeeds if the server takes requests.
pub fn health(options: &Health) -> Result<ExitCode> {
    http::ready(options.listen, options.tls_cert_file.as_deref()).context("not ready")?;
    Ok(ExitCode::SUCCESS)
}
