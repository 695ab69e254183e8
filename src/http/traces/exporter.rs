//! From spans to a collector.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use opentelemetry::trace::TracerProvider;
use opentelemetry_http::hyper::HyperClient;
use opentelemetry_http::{HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use tokio::runtime::Handle;
use tracing::{Subscriber, warn};
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::registry::LookupSpan;

/// Time for a collector's answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// As which service the spans come, unless `OTEL_SERVICE_NAME` says otherwise.
const SERVICE: &str = "emotone";

/// Why traces cannot be sent.
#[derive(Debug, thiserror::Error)]
#[error("cannot send traces over OTLP: {0}")]
pub struct TracesError(#[from] ExporterBuildError);

/// Collects spans and sends them in batches, from a thread of its own. Spans that its queue has no room for are dropped.
pub struct Exporter {
    provider: SdkTracerProvider,
}

impl Exporter {
    /// An exporter to the collector that the environment names, whose sockets belong to `runtime`.
    ///
    /// # Errors
    /// [`TracesError`] if the address is none.
    pub fn new(runtime: Handle) -> Result<Self, TracesError> {
        let _context = runtime.enter();
        let client = HyperClient::with_default_connector(PATIENCE, None);
        let client = OnRuntime { client, runtime: runtime.clone() };
        let exporter = SpanExporter::builder().with_http().with_http_client(client).build()?;
        let mut resource = Resource::builder();
        if std::env::var_os("OTEL_SERVICE_NAME").is_none() {
            resource = resource.with_service_name(SERVICE);
        }
        let provider =
            SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource.build()).build();
        Ok(Self { provider })
    }

    /// What hands spans over.
    pub fn layer<S: Subscriber + for<'span> LookupSpan<'span>>(&self) -> OpenTelemetryLayer<S, SdkTracer> {
        tracing_opentelemetry::layer()
            .with_tracer(self.provider.tracer(SERVICE))
            .with_threads(false)
            .with_location(false)
    }

    /// Sends what is left, and waits until it is sent. Not to be called from an async thread.
    pub fn end(self) {
        if let Err(problem) = self.provider.shutdown() {
            warn!(%problem, "the last traces were not sent");
        }
    }
}

/// The exporter's thread has no runtime of its own, and sockets need one.
#[derive(Debug, Clone)]
struct OnRuntime {
    client: HyperClient,
    runtime: Handle,
}

#[async_trait]
impl HttpClient for OnRuntime {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        self.runtime.spawn(async move { client.send_bytes(request).await }).await?
    }
}
