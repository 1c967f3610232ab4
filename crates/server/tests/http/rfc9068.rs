//! RFC 9068: JWT access tokens.

use crate::support::clients::API;
use crate::support::{START, Setup, TestServer, jwt};
use jeton_protocol::tenant::TokenFormat;
use serde_json::json;

// S51, S52, S42
#[tokio::test]
async fn a_jwt_access_token_has_its_type_and_every_required_claim() {
    let server = TestServer::start().await;
    let tokens = server.tokens("jwt-web", "openid photos:read").await;
    let (header, _) = jwt::read(&tokens.access);
    assert_eq!(
        (&header["typ"], &header["alg"]),
        (&json!("at+jwt"), &json!("ES256"))
    );
    let claims = jwt::verified(&server, &tokens.access).await;
    assert_eq!(claims["iss"], server.issuer);
    assert_eq!(claims["sub"], server.user("alice").await.id.to_string());
    assert_eq!(claims["aud"], server.issuer);
    assert_eq!(claims["client_id"], "jwt-web");
    assert_eq!(claims["scope"], "openid photos:read");
    assert_eq!(claims["iat"], START.seconds());
    assert_eq!(claims["exp"], START.seconds() + 600);
    assert!(claims["jti"].is_string());
}

// S51, S42, SEC-034
#[tokio::test]
async fn the_audience_is_never_empty_and_names_the_api_when_the_client_has_one() {
    let server = TestServer::start().await;
    server
        .change_client("api-web", |client| {
            client.access_token_format = Some(TokenFormat::Jwt)
        })
        .await;
    for (scope, audience) in [
        ("photos:read", json!(API)),
        ("openid photos:read", json!([API, server.issuer])),
    ] {
        let tokens = server.tokens("api-web", scope).await;
        assert_eq!(
            jwt::verified(&server, &tokens.access).await["aud"],
            audience,
            "{scope}"
        );
    }
    let own = server.own_tokens("jwt-service").await;
    assert_eq!(
        jwt::verified(&server, &own.access).await["aud"],
        server.issuer
    );
}

// S46, S52
#[tokio::test]
async fn a_client_may_have_shorter_access_tokens_in_either_format() {
    let server = TestServer::start().await;
    for client in ["web", "jwt-web"] {
        server
            .change_client(client, |client| {
                client.access_token_lifetime = Some(std::time::Duration::from_secs(30))
            })
            .await;
        let tokens = server.tokens(client, "openid").await;
        assert_eq!(tokens.json["expires_in"], 30);
        server.advance(29);
        server.userinfo(&tokens.access).await.expect(200);
        server.advance(1);
        server
            .userinfo(&tokens.access)
            .await
            .refused(401, "invalid_token");
    }
}

// S42, S53
#[tokio::test]
async fn the_demo_api_believes_a_jwt_for_itself_and_no_other() {
    let server = Setup {
        development: true,
        ..Setup::default()
    }
    .start()
    .await;
    for (audience, status) in [(API, 401), ("https://id.example/demo/api", 200)] {
        server
            .change_client("jwt-service", |client| {
                client.audience = vec![audience.to_owned()];
            })
            .await;
        let tokens = server.own_tokens("jwt-service").await;
        assert!(tokens.access.starts_with("eyJ"));
        let authorization = format!("Bearer {}", tokens.access);
        let ask = server.get("/demo/api");
        let answer = server
            .send(ask.header("authorization", &authorization))
            .await;
        answer.expect(status);
    }
}
