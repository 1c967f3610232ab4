//! RFC 7009: revocation.

use crate::support::{Fields, TestServer, Tokens};

// S57, SEC-165
#[tokio::test]
async fn revoking_a_refresh_token_kills_its_grant_and_every_access_token_of_it() {
    let server = TestServer::start().await;
    for client in ["web", "jwt-web", "spa"] {
        let tokens = server.tokens(client, "openid").await;
        let later = Tokens::of(&server.refresh(client, tokens.refresh()).await);
        let newest = later
            .refresh
            .as_deref()
            .unwrap_or(tokens.refresh())
            .to_owned();
        server.revoke(client, &newest).await.expect(200);
        for access in [&tokens.access, &later.access] {
            server.userinfo(access).await.refused(401, "invalid_token");
        }
        server
            .refresh(client, &newest)
            .await
            .refused(400, "invalid_grant");
    }
}

// S57, SEC-165
#[tokio::test]
async fn revoking_an_access_token_kills_that_one_only() {
    let server = TestServer::start().await;
    for client in ["web", "jwt-web"] {
        let tokens = server.tokens(client, "openid").await;
        let later = Tokens::of(&server.refresh(client, tokens.refresh()).await);
        server.revoke(client, &tokens.access).await.expect(200);
        server
            .userinfo(&tokens.access)
            .await
            .refused(401, "invalid_token");
        assert!(!server.is_active(client, &tokens.access).await);
        server.userinfo(&later.access).await.expect(200);
        server.refresh(client, tokens.refresh()).await.expect(200);
    }
}

// SEC-164, S57
#[tokio::test]
async fn what_nobody_knows_is_as_good_as_revoked() {
    let server = TestServer::start().await;
    let tokens = server.tokens("web", "openid").await;
    let mut altered = tokens.refresh().to_owned();
    altered.pop();
    let code = server.code("web", "openid").await;
    for token in [
        "unknown",
        "jtr_",
        "jta_",
        "eyJ",
        "eyJhbGciOiJub25lIn0.e30.",
        &altered,
        &code,
        tokens.id(),
    ] {
        let answer = server.revoke("web", token).await.expect(200);
        assert_eq!(
            (answer.body.as_str(), answer.header("cache-control")),
            ("", Some("no-store")),
            "{token}"
        );
    }
    server.userinfo(&tokens.access).await.expect(200);
    server.redeem("web", &code).await.expect(200);
}

// SEC-164
#[tokio::test]
async fn a_foreign_token_is_not_revoked_and_the_caller_is_told() {
    let server = TestServer::start().await;
    let tokens = server.tokens("web", "openid").await;
    for token in [tokens.access.as_str(), tokens.refresh()] {
        for stranger in ["stranger", "spa", "other"] {
            server
                .revoke(stranger, token)
                .await
                .refused(400, "invalid_request");
            assert_eq!(server.cause(), "revocation_of_foreign_token");
        }
    }
    server.userinfo(&tokens.access).await.expect(200);
    server.refresh("web", tokens.refresh()).await.expect(200);
}

// S57
#[tokio::test]
async fn the_hint_may_be_right_wrong_or_unknown() {
    let server = TestServer::start().await;
    for hint in ["access_token", "refresh_token", "unknown", ""] {
        let tokens = server.tokens("web", "openid").await;
        for token in [tokens.access.as_str(), tokens.refresh()] {
            let fields = Fields::from([("token", token), ("token_type_hint", hint)]);
            server.post_as("web", "/revoke", &fields).await.expect(200);
            assert!(!server.is_active("web", token).await, "{hint}");
        }
    }
}

// SEC-160
#[tokio::test]
async fn an_old_refresh_token_revokes_its_grant_too() {
    let server = TestServer::start().await;
    let tokens = server.tokens("spa", "openid").await;
    let next = Tokens::of(&server.refresh("spa", tokens.refresh()).await);
    server.revoke("spa", tokens.refresh()).await.expect(200);
    server
        .refresh("spa", next.refresh())
        .await
        .refused(400, "invalid_grant");
}

// S57
#[tokio::test]
async fn revoking_twice_and_after_expiry_is_no_error() {
    let server = TestServer::start().await;
    let tokens = server.tokens("web", "openid").await;
    for _ in 0..2 {
        server.revoke("web", &tokens.access).await.expect(200);
        server.revoke("web", tokens.refresh()).await.expect(200);
    }
    let tokens = server.tokens("web", "openid").await;
    server.advance(100 * 24 * 3600);
    server.revoke("web", &tokens.access).await.expect(200);
    server.revoke("web", tokens.refresh()).await.expect(200);
}
