//! The core of everything, once on SQLite and once on PostgreSQL.

use crate::support::{Fields, Setup, TestServer, Tokens, clients, cluster, dpop, jwt};
use jeton_store::Location;
use std::collections::BTreeSet;

/// Runs a case on each database, as `name::sqlite` and `name::postgres`.
macro_rules! both {
    ($($(#[$note:meta])* async fn $name:ident($server:ident: TestServer) $body:block)*) => {
        $(
            $(#[$note])*
            mod $name {
                use super::*;

                async fn case($server: TestServer) $body

                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn sqlite() {
                    case(Setup::default().start().await).await;
                }

                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn postgres() {
                    let url = tokio::task::spawn_blocking(cluster::schema).await.unwrap();
                    let location = Location::Postgres { url };
                    case(Setup { location, ..Setup::default() }.start().await).await;
                }
            }
        )*
    };
}

both! {
    // S15, S37, P-154, P-252
    async fn a_user_signs_in_and_the_client_gets_tokens_that_work(server: TestServer) {
        let tokens = server.tokens("web", "openid email").await;
        assert_eq!(jwt::verified(&server, tokens.id()).await["nonce"], "nonce-1");
        assert_eq!(server.userinfo(&tokens.access).await.expect(200).json()["email"], "alice@example.org");
        assert!(server.is_active("web", &tokens.access).await);
        assert!(server.is_active("web", tokens.refresh()).await);
        server.own_tokens("service").await;
    }

    // P-164, SEC-134
    async fn a_replayed_code_takes_its_tokens_along(server: TestServer) {
        let code = server.code("web", "openid").await;
        let tokens = Tokens::of(&server.redeem("web", &code).await);
        server.redeem("web", &code).await.refused(400, "invalid_grant");
        assert_eq!(server.cause(), "code_spent");
        server.userinfo(&tokens.access).await.refused(401, "invalid_token");
        server.refresh("web", tokens.refresh()).await.refused(400, "invalid_grant");
    }

    // P-139, P-143, P-144, SEC-012
    async fn a_pushed_request_is_opened_often_and_answered_once(server: TestServer) {
        let uri = server.push("web", &server.request("web", "openid")).await;
        let fields = Fields::from([("client_id", "web"), ("request_uri", &uri)]);
        server.browser().authorize(&fields).await.expect(200);
        let answer = server.browser().complete(&fields, "alice").await;
        Tokens::of(&server.redeem("web", &answer.code()).await);
        server.browser().authorize(&fields).await.expect(400);
        assert_eq!(server.cause(), "request_uri_used");
    }

    // RACE-64, SEC-013, SEC-300
    async fn of_64_browsers_with_one_pushed_request_one_gets_a_code(server: TestServer) {
        let uri = server.push("first", &server.request("first", "openid")).await;
        let fields = Fields::from([("client_id", "first"), ("request_uri", &uri)]);
        let browser = server.signed_in("alice").await;
        let uses: Vec<_> = (0..64)
            .map(|_| {
                let (mut browser, fields) = (browser.clone(), fields.clone());
                tokio::spawn(async move { browser.authorize(&fields).await.callback("code").is_some() })
            })
            .collect();
        let mut answered = 0;
        for one in uses {
            answered += usize::from(one.await.unwrap());
        }
        assert_eq!(answered, 1);
    }

    // SEC-013, SEC-134
    async fn of_64_redemptions_at_once_one_succeeds(server: TestServer) {
        let code = server.code("web", "openid").await;
        let uses: Vec<_> = (0..64)
            .map(|_| {
                let (server, code) = (server.clone(), code.clone());
                tokio::spawn(async move { server.redeem("web", &code).await.status.as_u16() })
            })
            .collect();
        let mut issued = 0;
        for one in uses {
            issued += usize::from(one.await.unwrap() == 200);
        }
        assert_eq!(issued, 1);
    }

    // SEC-161
    async fn of_64_refreshes_at_once_all_get_one_successor(server: TestServer) {
        let tokens = server.tokens("spa", "openid").await;
        let uses: Vec<_> = (0..64)
            .map(|_| {
                let (server, token) = (server.clone(), tokens.refresh().to_owned());
                tokio::spawn(async move { Tokens::of(&server.refresh("spa", &token).await).refresh().to_owned() })
            })
            .collect();
        let mut successors = BTreeSet::new();
        for one in uses {
            successors.insert(one.await.unwrap());
        }
        assert_eq!(successors.len(), 1);
    }

    // SEC-160, SEC-161
    async fn rotation_has_a_grace_and_then_revokes(server: TestServer) {
        let first = server.tokens("spa", "openid").await;
        let second = Tokens::of(&server.refresh("spa", first.refresh()).await);
        let again = Tokens::of(&server.refresh("spa", first.refresh()).await);
        assert_eq!(second.refresh(), again.refresh());
        server.advance(11);
        server.refresh("spa", first.refresh()).await.refused(400, "invalid_grant");
        assert_eq!(server.cause(), "refresh_token_reused");
        server.refresh("spa", second.refresh()).await.refused(400, "invalid_grant");
        server.userinfo(&again.access).await.refused(401, "invalid_token");
    }

    // S57, SEC-165
    async fn what_is_revoked_is_dead_at_once(server: TestServer) {
        let tokens = server.tokens("web", "openid").await;
        let other = server.tokens("web", "openid").await;
        server.revoke("web", &tokens.access).await.expect(200);
        assert!(!server.is_active("web", &tokens.access).await);
        server.revoke("web", tokens.refresh()).await.expect(200);
        server.refresh("web", tokens.refresh()).await.refused(400, "invalid_grant");
        server.userinfo(&other.access).await.expect(200);
    }

    // SEC-030
    async fn a_disabled_user_has_nothing_left(server: TestServer) {
        let tokens = server.tokens("web", "openid offline_access").await;
        let code = server.code("web", "openid").await;
        server.advance(1);
        server.disable_user("alice").await;
        server.redeem("web", &code).await.refused(400, "invalid_grant");
        server.refresh("web", tokens.refresh()).await.refused(400, "invalid_grant");
        server.userinfo(&tokens.access).await.refused(401, "invalid_token");
        assert!(!server.is_active("web", &tokens.access).await);
    }

    // SEC-020, SEC-120
    async fn an_assertion_is_spent_once(server: TestServer) {
        let assertion = jwt::keyed(&server, "keyed");
        let fields = jwt::with_assertion(Fields::from([("grant_type", "client_credentials")]), &assertion);
        server.send(server.post("/token", &fields)).await.expect(200);
        server.send(server.post("/token", &fields)).await.refused(401, "invalid_client");
        assert_eq!(server.cause(), "client_assertion_replayed");
    }

    // P-223, SEC-306, SEC-348
    async fn a_proof_is_spent_once(server: TestServer) {
        let proof = dpop::proof(dpop::one(), &dpop::for_token(&server));
        let own = Fields::from([("grant_type", "client_credentials")]);
        let uses: Vec<_> = (0..64)
            .map(|_| {
                let ask = clients::authenticate(&server, "service", server.post("/token", &own));
                let (server, ask) = (server.clone(), ask.header("dpop", &proof));
                tokio::spawn(async move { server.send(ask).await.status.as_u16() })
            })
            .collect();
        let mut accepted = 0;
        for one in uses {
            accepted += usize::from(one.await.unwrap() == 200);
        }
        assert_eq!(accepted, 1);
    }

    // P-222, P-231, SEC-181
    async fn a_public_client_keeps_its_key(server: TestServer) {
        let tokens = dpop::tokens(&server, "spa", dpop::one()).await;
        server.send(dpop::userinfo(&server, &tokens.access, dpop::one())).await.expect(200);
        let refused = dpop::refresh(&server, "spa", tokens.refresh(), dpop::other()).await;
        refused.refused(400, "invalid_grant");
        dpop::refresh(&server, "spa", tokens.refresh(), dpop::one()).await.expect(200);
    }

    // P-301, SEC-041
    async fn signing_out_ends_the_session_and_what_hangs_on_it(server: TestServer) {
        let mut browser = server.browser();
        let answer = browser.complete(&server.request("web", "openid"), "alice").await;
        let tokens = Tokens::of(&server.redeem("web", &answer.code()).await);
        server.advance(1);
        let hint = Fields::from([("id_token_hint", tokens.id())]);
        browser.go(server.get("/end-session").query(&hint)).await.expect(200);
        server.refresh("web", tokens.refresh()).await.refused(400, "invalid_grant");
        let silent = server.request("web", "openid").with("prompt", "none");
        assert_eq!(browser.authorize(&silent).await.error(), "login_required");
    }

    // SEC-044, SEC-127
    async fn guesses_are_counted(server: TestServer) {
        let mut browser = server.browser();
        let mut page = browser.authorize(&server.request("first", "openid")).await;
        for _ in 0..5 {
            page = browser.submit(&page, &[("username", "alice"), ("password", "a guess")]).await;
        }
        let page = browser.sign_in(&page, "alice").await;
        assert!(page.callback("code").is_none(), "the sixth try in a row, right or not");
        server.advance(180);
        browser.sign_in(&page, "alice").await.code();
    }
}
