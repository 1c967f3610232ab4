//! RFC 6749 §6 and RFC 9700 §4.14: refreshing, rotating, and what happens to whoever steals.

use crate::support::{Fields, Setup, TestServer, Tokens, jwt};
use std::collections::BTreeSet;
use std::time::Duration;

const DAY: u64 = 24 * 3600;

// P-177, P-178, S45
#[tokio::test]
async fn refreshing_works_without_scope_with_the_same_and_with_less() {
    let server = TestServer::start().await;
    let tokens = server.tokens("web", "openid email photos:read").await;
    let with = |scope: &str| {
        Fields::from([
            ("grant_type", "refresh_token"),
            ("refresh_token", tokens.refresh()),
            ("scope", scope),
        ])
    };
    for (asked, granted) in [
        ("", "openid email photos:read"),
        ("photos:read email openid", "openid email photos:read"),
        ("photos:read", "photos:read"),
        ("", "openid email photos:read"),
    ] {
        let answer = Tokens::of(&server.token("web", &with(asked)).await);
        let mut scope: Vec<&str> = answer.json["scope"].as_str().unwrap().split(' ').collect();
        let mut wanted: Vec<&str> = granted.split(' ').collect();
        scope.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(scope, wanted, "{asked}");
        assert_ne!(answer.access, tokens.access);
        assert_eq!(answer.id.is_some(), granted.contains("openid"));
    }
    server
        .token("web", &with("openid email photos:read profile"))
        .await
        .refused(400, "invalid_scope");
    server.refresh("web", tokens.refresh()).await.expect(200);
}

// P-178, P-98, S47
#[tokio::test]
async fn a_refreshed_id_token_has_the_same_subject_and_time_of_sign_in_and_no_nonce() {
    let server = TestServer::start().await;
    let tokens = server.tokens("web", "openid").await;
    server.advance(100);
    let again = Tokens::of(&server.refresh("web", tokens.refresh()).await);
    let (before, after) = (
        jwt::verified(&server, tokens.id()).await,
        jwt::verified(&server, again.id()).await,
    );
    for claim in ["iss", "sub", "aud", "auth_time", "sid", "acr", "azp"] {
        assert_eq!(before[claim], after[claim], "{claim}");
    }
    assert_eq!(
        after["iat"].as_i64(),
        before["iat"].as_i64().map(|at| at + 100)
    );
    assert_eq!(after.get("nonce"), None);
}

// P-181
#[tokio::test]
async fn confidential_clients_do_not_rotate_unless_registered_so_and_public_ones_do() {
    let server = TestServer::start().await;
    for (client, rotates) in [
        ("web", false),
        ("post", false),
        ("rotating", true),
        ("spa", true),
        ("native", true),
        ("fixed-spa", false),
    ] {
        let tokens = server.tokens(client, "openid").await;
        let again = Tokens::of(&server.refresh(client, tokens.refresh()).await);
        let successor = again.refresh.as_deref();
        assert_eq!(
            successor.is_some_and(|successor| successor != tokens.refresh()),
            rotates,
            "{client}"
        );
        server
            .refresh(client, successor.unwrap_or(tokens.refresh()))
            .await
            .expect(200);
    }
}

// SEC-161, P-181, S45
#[tokio::test]
async fn within_the_grace_the_token_before_yields_the_same_successor() {
    let server = TestServer::start().await;
    let tokens = server.tokens("spa", "openid").await;
    let first = Tokens::of(&server.refresh("spa", tokens.refresh()).await);
    server.app.clock.advance(Duration::from_millis(9_999));
    let second = Tokens::of(&server.refresh("spa", tokens.refresh()).await);
    assert_eq!(first.refresh(), second.refresh());
    server.userinfo(&second.access).await.expect(200);
    server.refresh("spa", first.refresh()).await.expect(200);
}

// SEC-013, SEC-161, SEC-346
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_64_refreshes_at_once_all_succeed_with_one_successor() {
    let server = TestServer::start().await;
    let tokens = server.tokens("spa", "openid").await;
    let uses: Vec<_> = (0..64)
        .map(|_| {
            let (server, token) = (server.clone(), tokens.refresh().to_owned());
            tokio::spawn(async move { server.refresh("spa", &token).await })
        })
        .collect();
    let mut successors = BTreeSet::new();
    for one in uses {
        successors.insert(Tokens::of(&one.await.unwrap()).refresh().to_owned());
    }
    assert_eq!(successors.len(), 1, "{successors:?}");
    let next = Tokens::of(&server.refresh("spa", successors.first().unwrap()).await);
    assert!(!successors.contains(next.refresh()));
}

// SEC-160, S45
#[tokio::test]
async fn a_token_used_again_after_the_grace_takes_the_whole_grant_along() {
    let server = TestServer::start().await;
    let stolen = server.tokens("spa", "openid").await;
    let next = Tokens::of(&server.refresh("spa", stolen.refresh()).await);
    server.advance(11);
    server
        .refresh("spa", stolen.refresh())
        .await
        .refused(400, "invalid_grant");
    assert_eq!(server.cause(), "refresh_token_reused");
    server
        .refresh("spa", next.refresh())
        .await
        .refused(400, "invalid_grant");
    for access in [&stolen.access, &next.access] {
        server.userinfo(access).await.refused(401, "invalid_token");
    }
}

// SEC-160
#[tokio::test]
async fn a_token_two_generations_old_revokes_at_once_grace_or_not() {
    let server = TestServer::start().await;
    let first = server.tokens("spa", "openid").await;
    let second = Tokens::of(&server.refresh("spa", first.refresh()).await);
    let third = Tokens::of(&server.refresh("spa", second.refresh()).await);
    server
        .refresh("spa", first.refresh())
        .await
        .refused(400, "invalid_grant");
    assert_eq!(server.cause(), "refresh_token_reused");
    server
        .refresh("spa", third.refresh())
        .await
        .refused(400, "invalid_grant");
}

// SEC-161
#[tokio::test]
async fn a_wider_scope_or_another_client_does_not_rotate_anything() {
    let server = TestServer::start().await;
    let tokens = server.tokens("spa", "openid").await;
    let wider = Fields::from([
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens.refresh()),
        ("scope", "openid email"),
    ]);
    server
        .token("spa", &wider)
        .await
        .refused(400, "invalid_scope");
    server
        .refresh("native", tokens.refresh())
        .await
        .refused(400, "invalid_grant");
    server.advance(60);
    server.refresh("spa", tokens.refresh()).await.expect(200);
}

// P-179, SEC-010, SEC-162
#[tokio::test]
async fn a_refresh_token_works_for_its_own_client_only() {
    let server = TestServer::start().await;
    let clients = ["web", "other", "post", "spa", "native", "rotating", "first"];
    for owner in clients {
        let tokens = server.tokens(owner, "openid").await;
        for thief in clients.into_iter().filter(|thief| *thief != owner) {
            server
                .refresh(thief, tokens.refresh())
                .await
                .refused(400, "invalid_grant");
            assert_eq!(server.cause(), "refresh_token_of_another_client");
        }
        server.refresh(owner, tokens.refresh()).await.expect(200);
    }
}

// SEC-163, S46
#[tokio::test]
async fn rotation_slides_the_idle_end_and_never_the_absolute_one() {
    let server = TestServer::start().await;
    let mut tokens = server.tokens("spa", "openid offline_access").await;
    for _ in 0..6 {
        server.advance(14 * DAY - 1);
        tokens = Tokens::of(&server.refresh("spa", tokens.refresh()).await);
    }
    server.advance(6 * DAY + 6);
    server
        .refresh("spa", tokens.refresh())
        .await
        .refused(400, "invalid_grant");
    assert_eq!(server.cause(), "grant_expired");
}

// SEC-163, S46
#[tokio::test]
async fn an_unused_refresh_token_dies_at_its_idle_end() {
    let setup =
        Setup::default().policy(|policy| policy.lifetimes.refresh_idle = Duration::from_secs(100));
    let server = setup.start().await;
    for client in ["web", "spa"] {
        let tokens = server.tokens(client, "openid").await;
        server.advance(99);
        let tokens = Tokens {
            refresh: Tokens::of(&server.refresh(client, tokens.refresh()).await)
                .refresh
                .or(tokens.refresh),
            ..tokens
        };
        server.advance(101);
        server
            .refresh(client, tokens.refresh())
            .await
            .refused(400, "invalid_grant");
        assert_eq!(server.cause(), "refresh_token_expired", "{client}");
    }
}

// SEC-162, P-180
#[tokio::test]
async fn a_new_password_ends_every_grant_of_the_user_offline_or_not() {
    let server = TestServer::start().await;
    let tokens = [
        server.tokens("web", "openid").await,
        server.tokens("spa", "openid offline_access").await,
    ];
    server.advance(1);
    let user = server.user("alice").await.id;
    let store = &server.app.store;
    store
        .set_password(
            &server.tenant(),
            user,
            "$argon2id$other".to_owned(),
            server.occasion(),
        )
        .await
        .unwrap();
    server
        .refresh("web", tokens[0].refresh())
        .await
        .refused(400, "invalid_grant");
    server
        .refresh("spa", tokens[1].refresh())
        .await
        .refused(400, "invalid_grant");
    for tokens in &tokens {
        server
            .userinfo(&tokens.access)
            .await
            .refused(401, "invalid_token");
    }
}

// SEC-162, P-180, S45
#[tokio::test]
async fn signing_out_ends_what_is_tied_to_the_session_and_leaves_offline_access() {
    let server = TestServer::start().await;
    let mut browser = server.browser();
    let mut tokens = Vec::new();
    for scope in ["openid", "openid offline_access"] {
        let answer = browser
            .complete(&server.request("web", scope), "alice")
            .await;
        tokens.push(Tokens::of(&server.redeem("web", &answer.code()).await));
    }
    server.advance(1);
    let hint = Fields::from([("id_token_hint", tokens[0].id())]);
    browser
        .go(server.get("/end-session").query(&hint))
        .await
        .expect(200);
    server
        .refresh("web", tokens[0].refresh())
        .await
        .refused(400, "invalid_grant");
    server
        .userinfo(&tokens[0].access)
        .await
        .refused(401, "invalid_token");
    server.refresh("web", tokens[1].refresh()).await.expect(200);
    server.userinfo(&tokens[1].access).await.expect(200);
}
