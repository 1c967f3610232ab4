//! RFC 7662: introspection.

use crate::support::clients::API;
use crate::support::{Fields, START, TestServer};
use serde_json::json;

// S56, P-45
#[tokio::test]
async fn an_active_token_is_described_as_it_is() {
    let server = TestServer::start().await;
    for client in ["web", "jwt-web"] {
        let tokens = server.tokens(client, "openid photos:read").await;
        let user = server.user("alice").await;
        let answer = server
            .post_as(
                client,
                "/introspect",
                &Fields::from([("token", tokens.access.as_str())]),
            )
            .await;
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let known = answer.json();
        assert_eq!(known["active"], true);
        assert_eq!(known["iss"], server.issuer);
        assert_eq!(known["sub"], user.id.to_string());
        assert_eq!(known["client_id"], client);
        assert_eq!(known["scope"], "openid photos:read");
        assert_eq!(known["token_type"], "Bearer");
        assert_eq!(known["aud"], server.issuer);
        assert_eq!(known["iat"], START.seconds());
        assert_eq!(known["exp"], START.seconds() + 600);
        assert_eq!(known["auth_time"], START.seconds());
        assert!(known["jti"].is_string());
    }
}

// S56, SEC-032, SEC-166
#[tokio::test]
async fn only_the_client_itself_and_the_api_it_is_meant_for_learn_anything() {
    let server = TestServer::start().await;
    let tokens = server.tokens("api-web", "openid photos:read").await;
    let known = server.introspect("api", &tokens.access).await;
    assert_eq!(
        (&known["active"], &known["aud"]),
        (&json!(true), &json!([API, server.issuer]))
    );
    assert!(server.is_active("api-web", &tokens.access).await);
    for stranger in ["stranger", "web", "other"] {
        assert_eq!(
            server.introspect(stranger, &tokens.access).await,
            json!({ "active": false })
        );
    }
    let elsewhere = server.tokens("web", "openid").await;
    assert_eq!(
        server.introspect("api", &elsewhere.access).await,
        json!({ "active": false })
    );
}

// S56
#[tokio::test]
async fn a_refresh_token_is_described_to_its_client_only() {
    let server = TestServer::start().await;
    let tokens = server.tokens("api-web", "openid").await;
    let known = server.introspect("api-web", tokens.refresh()).await;
    assert_eq!(
        (&known["active"], &known["client_id"]),
        (&json!(true), &json!("api-web"))
    );
    assert_eq!(known.get("token_type"), None);
    assert_eq!(
        server.introspect("api", tokens.refresh()).await,
        json!({ "active": false })
    );
}

// SEC-076, S53
#[tokio::test]
async fn a_token_is_active_until_its_end_and_not_a_millisecond_longer() {
    let server = TestServer::start().await;
    for client in ["web", "jwt-web"] {
        let tokens = server.tokens(client, "openid").await;
        server
            .app
            .clock
            .advance(std::time::Duration::from_millis(599_999));
        assert!(server.is_active(client, &tokens.access).await, "{client}");
        server
            .app
            .clock
            .advance(std::time::Duration::from_millis(1));
        assert!(!server.is_active(client, &tokens.access).await, "{client}");
    }
}

// SEC-036, SEC-177
#[tokio::test]
async fn a_token_changed_in_any_place_is_inactive() {
    let server = TestServer::start().await;
    for client in ["web", "jwt-web"] {
        let tokens = server.tokens(client, "openid").await;
        for token in [tokens.access.as_str(), tokens.refresh()] {
            let mut variants = vec![
                format!("{token}A"),
                format!("{token}="),
                format!("{token}\n"),
                format!(" {token}"),
                token.to_uppercase(),
            ];
            for at in (0..token.len()).step_by(7).chain([token.len() - 1]) {
                variants.push(token[..at].to_owned() + &token[at + 1..]);
                let other = if token.as_bytes()[at] == b'B' {
                    'C'
                } else {
                    'B'
                };
                variants.push(format!("{}{other}{}", &token[..at], &token[at + 1..]));
            }
            for variant in variants.iter().filter(|variant| !variant.is_empty()) {
                assert!(!server.is_active(client, variant).await, "{variant}");
            }
            assert!(server.is_active(client, token).await);
        }
    }
}

// SEC-166
#[tokio::test]
async fn nobody_introspects_without_having_proven_who_they_are() {
    let server = TestServer::start().await;
    let tokens = server.tokens("spa", "openid").await;
    let fields = Fields::from([("token", tokens.access.as_str())]);
    server
        .send(server.post("/introspect", &fields))
        .await
        .refused(401, "invalid_client");
    server
        .post_as("spa", "/introspect", &fields)
        .await
        .refused(401, "invalid_client");
    let with_token = server.post("/introspect", &fields).bearer(&tokens.access);
    server.send(with_token).await.refused(401, "invalid_client");
}
