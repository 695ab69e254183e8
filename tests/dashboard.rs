//! The dashboard in `deploy/` asks for metrics that there are.

#![allow(clippy::unwrap_used, reason = "a test that cannot ask has failed")]

mod service;

use axum::body::Body;
use axum::http::Request;
use service::{ask, clip, post, service};

#[tokio::test]
async fn the_first_reload_and_the_first_lost_event_are_an_increase() {
    let answer = ask(&service(), Request::get("/metrics").body(Body::empty()).unwrap()).await;
    let served = String::from_utf8(answer.body).unwrap();
    for (name, results) in [
        ("emotone_model_reloads_total", &["ok", "failed"][..]),
        ("emotone_webhook_events_total", &["delivered", "failed", "dropped"]),
    ] {
        for result in results {
            assert!(served.contains(&format!("{name}{{result=\"{result}\"}} 0\n")), "{name} {result}: {served}");
        }
    }
}

#[tokio::test]
async fn every_metric_of_the_dashboard_is_served() {
    let service = service();
    ask(&service, post("/classify", "audio/wav", clip())).await;
    service.app.reload_models();
    let answer = ask(&service, Request::get("/metrics").body(Body::empty()).unwrap()).await;
    let served = String::from_utf8(answer.body).unwrap();
    let dashboard = include_str!("../deploy/grafana/emotone.json");
    let is_of_a_name = |letter: char| letter.is_ascii_lowercase() || letter == '_';
    let mut found = 0;
    for word in dashboard.split(|letter| !is_of_a_name(letter)) {
        if word.starts_with("emotone_") || word.starts_with("process_") {
            found += 1;
            assert!(served.contains(&format!("\n{word}")), "{word} is not served");
        }
    }
    assert!(found > 20);
}
