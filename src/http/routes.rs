//! Every route, once: the router and the API description come from the same list.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use tower::util::option_layer;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::{AllowOrigin, CorsLayer};
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Document;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::ApiError;
use super::state::App;
use super::{classify, edge, guard, health, metrics, model, oip, openapi, page, request_id, stream};

/// The service as a value that can be called, with or without a socket.
pub fn router(app: App) -> Router {
    let mut guarded = guarded();
    if app.settings.insight.metrics_listen.is_none() {
        guarded = guarded.merge(figures());
    }
    let guard = from_fn_with_state(app.clone(), guard::guard);
    let guarded = guarded.route_layer(guard.clone());
    let inference = inference().merge(versions()).route_layer(guard).merge(inference_open());
    let (router, _) = guarded.merge(inference).merge(open()).split_for_parts();
    surround(router.route("/docs/{file}", get(openapi::docs_file)), app)
}

/// What is served on an address of its own, for those who watch.
pub fn metrics_router(app: App) -> Router {
    let (router, _) = figures().merge(health()).split_for_parts();
    surround(router, app)
}

fn surround(router: Router<App>, app: App) -> Router {
    router
        .fallback(|| async { ApiError::NotFound })
        .method_not_allowed_fallback(|| async { ApiError::MethodNotAllowed })
        // `upload` has a limit of its own.
        .layer(DefaultBodyLimit::disable())
        .layer(CatchPanicLayer::custom(edge::on_panic))
        .layer(option_layer(cors(&app.settings.security.cors_allow_origin)))
        .layer(from_fn_with_state(app.clone(), edge::surround))
        .with_state(app)
}

/// Lets pages of those origins call this service.
fn cors(origins: &[String]) -> Option<CorsLayer> {
    let allowed = match origins {
        [] => return None,
        some if some.iter().any(|origin| origin == "*") => AllowOrigin::any(),
        some => AllowOrigin::list(some.iter().filter_map(|origin| HeaderValue::from_str(origin).ok())),
    };
    let key = HeaderName::from_static("x-api-key");
    let timing = HeaderName::from_static("server-timing");
    let layer = CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE, key, request_id::HEADER, oip::JSON_LENGTH])
        .expose_headers([request_id::HEADER, timing, header::RETRY_AFTER, oip::JSON_LENGTH]);
    Some(layer)
}

/// The API description.
pub fn document() -> Document {
    guarded().merge(inference()).merge(inference_open()).merge(figures()).merge(open()).split_for_parts().1
}

/// Routes that need a key, where keys are set, and that have a rate.
fn guarded() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(openapi::Head::openapi())
        .routes(routes!(classify::classify))
        .routes(routes!(stream::stream))
        .routes(routes!(model::model))
}

/// The Open Inference Protocol, guarded.
fn inference() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(oip::model_metadata)).routes(routes!(oip::infer))
}

/// The same of the one version that there is, which clients name that were told it.
fn versions() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .route("/v2/models/{model}/versions/{version}", get(oip::model_metadata))
        .route("/v2/models/{model}/versions/{version}/infer", post(oip::infer))
}

/// What of it is for everybody.
fn inference_open() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .route("/v2/models/{model}/versions/{version}/ready", get(oip::model_ready))
        .routes(routes!(oip::server))
        .routes(routes!(oip::live))
        .routes(routes!(oip::ready))
        .routes(routes!(oip::model_ready))
}

/// What is measured; guarded too, unless it has an address of its own.
fn figures() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(metrics::metrics))
}

fn health() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(health::live)).routes(routes!(health::ready))
}

/// Routes for everybody.
fn open() -> OpenApiRouter<App> {
    health()
        .routes(routes!(page::page))
        .routes(routes!(openapi::as_json))
        .routes(routes!(openapi::as_yaml))
        .routes(routes!(openapi::docs))
}
