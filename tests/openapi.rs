//! The committed API description is what the server serves.

use std::path::Path;

#[test]
fn the_committed_description_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.yaml");
    let fresh = emotone::http::openapi::yaml().unwrap();
    if std::env::var_os("GOLDEN").is_some_and(|wish| wish == "write") {
        std::fs::write(&path, &fresh).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == fresh, "openapi.yaml is out of date; `GOLDEN=write cargo test --test openapi` renews it");
}

#[test]
fn every_route_of_the_house_is_described() {
    let document = serde_json::to_value(emotone::http::document()).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    for (method, path) in [
        ("post", "/classify"),
        ("get", "/model"),
        ("get", "/health/live"),
        ("get", "/health/ready"),
        ("get", "/metrics"),
        ("get", "/openapi.json"),
        ("get", "/openapi.yaml"),
        ("get", "/docs"),
    ] {
        assert!(document["paths"][path][method].is_object(), "{method} {path} is not described");
    }
}

#[test]
fn every_reference_leads_somewhere() {
    fn check(value: &serde_json::Value, document: &serde_json::Value) {
        if let Some(reference) = value.get("$ref").and_then(serde_json::Value::as_str) {
            assert!(document.pointer(&reference[1..]).is_some(), "{reference} leads nowhere");
        }
        let inside = value.as_object().into_iter().flat_map(|object| object.values());
        inside.chain(value.as_array().into_iter().flatten()).for_each(|value| check(value, document));
    }
    let document = serde_json::to_value(emotone::http::document()).unwrap();
    check(&document, &document);
}
