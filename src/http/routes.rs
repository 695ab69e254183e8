//! Every route, once: the router and the API description come from the same list.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Document;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::ApiError;
use super::state::App;
use super::{classify, edge, guard, health, metrics, model, openapi};

/// The service as a value that can be called, with or without a socket.
pub fn router(app: App) -> Router {
    let guarded = guarded().route_layer(from_fn_with_state(app.clone(), guard::guard));
    let (router, _) = guarded.merge(open()).split_for_parts();
    router
        .route("/docs/{file}", get(openapi::docs_file))
        .fallback(|| async { ApiError::NotFound })
        .method_not_allowed_fallback(|| async { ApiError::MethodNotAllowed })
        // `upload` has a limit of its own.
        .layer(DefaultBodyLimit::disable())
        .layer(CatchPanicLayer::custom(edge::on_panic))
        .layer(from_fn_with_state(app.clone(), edge::surround))
        .with_state(app)
}

/// The API description.
pub fn document() -> Document {
    guarded().merge(open()).split_for_parts().1
}

/// Routes that need a key, where keys are set, and that have a rate.
fn guarded() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(openapi::Head::openapi())
        .routes(routes!(classify::classify))
        .routes(routes!(model::model))
        .routes(routes!(metrics::metrics))
}

/// Routes for everybody.
fn open() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(routes!(health::live))
        .routes(routes!(health::ready))
        .routes(routes!(openapi::as_json))
        .routes(routes!(openapi::as_yaml))
        .routes(routes!(openapi::docs))
}
