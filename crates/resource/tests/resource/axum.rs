//! The layer on a router of axum, as the example has it.

use crate::support::*;
use axum::body::Body;
use axum::routing::get;
use axum::{Extension, Router};
use http::{Request, StatusCode};
use jeton_resource::{Access, KeyCache, Protect, Requirement, ResourceServer, Timestamp, Verifier};
use serde_json::json;
use std::sync::Arc;
use tower_service::Service;

fn now() -> Timestamp {
    NOW
}

async fn who(Extension(access): Extension<Access>) -> String {
    access.subject
}

#[tokio::test]
async fn each_route_asks_for_its_own_scope() {
    let (issuer, key) = (Issuer::new(), made());
    issuer.publishes(&[&key]);
    let server = ResourceServer::new(Verifier::new(ISSUER, API), API)
        .with_keys(KeyCache::new(ISSUER, issuer.fetch()).unwrap());
    let protect = Protect::new(Arc::new(server), now);
    let asking = |scope| protect.requiring(Requirement::scope(scope));
    let mut router = Router::new()
        .route("/read", get(who).layer(asking("read")))
        .route("/admin", get(who).layer(asking("admin")))
        .route("/open", get(|| async { "anybody" }));
    let authorization = format!("Bearer {}", token(&key, &json!({})));
    for (path, header, status) in [
        ("/read", Some(&authorization), StatusCode::OK),
        ("/read", None, StatusCode::UNAUTHORIZED),
        ("/admin", Some(&authorization), StatusCode::FORBIDDEN),
        ("/open", None, StatusCode::OK),
    ] {
        let mut request = Request::get(path);
        if let Some(header) = header {
            request = request.header("authorization", header);
        }
        let request = request.body(Body::empty()).unwrap();
        let response = router.call(request).await.unwrap();
        assert_eq!(response.status(), status, "{path} {header:?}");
    }
}
