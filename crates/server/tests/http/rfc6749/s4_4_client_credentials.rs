//! RFC 6749 §4.4: a client for itself.

use crate::support::clients::API;
use crate::support::{Fields, TestServer, Tokens};
use serde_json::json;

fn own() -> Fields {
    Fields::from([("grant_type", "client_credentials")])
}

// P-182, S43, S44
#[tokio::test]
async fn a_client_gets_an_access_token_and_neither_refresh_token_nor_id_token() {
    let server = TestServer::start().await;
    let tokens = server.own_tokens("service").await;
    assert_eq!((&tokens.refresh, &tokens.id), (&None, &None));
    let known = server.introspect("service", &tokens.access).await;
    assert_eq!(
        (&known["sub"], &known["client_id"]),
        (&json!("service"), &json!("service"))
    );
    assert_eq!(known["aud"], API);
    assert_eq!(known["auth_time"], json!(null));
}

// S41, S43
#[tokio::test]
async fn without_a_scope_it_gets_its_own_without_those_that_need_a_user() {
    let server = TestServer::start().await;
    assert_eq!(
        server.own_tokens("service").await.json["scope"],
        "photos:read photos:write"
    );
    let narrower = server
        .token("service", &own().with("scope", "photos:write"))
        .await;
    assert_eq!(Tokens::of(&narrower).json["scope"], "photos:write");
}

// SEC-030
#[tokio::test]
async fn a_disabled_client_gets_nothing_and_what_it_has_is_dead() {
    let server = TestServer::start().await;
    let tokens = server.own_tokens("service").await;
    assert!(server.is_active("api", &tokens.access).await);
    server.advance(1);
    server.disable_client("service").await;
    server
        .token("service", &own())
        .await
        .refused(401, "invalid_client");
    assert!(!server.is_active("api", &tokens.access).await);
    server.advance(1);
    server.enable_client("service").await;
    assert!(
        !server.is_active("api", &tokens.access).await,
        "what it had before stays dead"
    );
    let again = server.own_tokens("service").await;
    assert!(server.is_active("api", &again.access).await);
}
