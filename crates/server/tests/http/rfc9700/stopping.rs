//! Events that stop somebody, and everything that must be dead after each (SEC-024, SEC-030, SEC-031).

use crate::support::browser::asks_password;
use crate::support::{Browser, Fields, TestServer, Tokens};
use jeton_store::Changed;
use std::collections::BTreeMap;

#[derive(Clone, Copy, Debug)]
enum Event {
    UserDisabled,
    UserDeleted,
    PasswordReplaced,
    ClientDisabled,
    SignedOut,
    SessionsEnded,
}

/// What alice and her client had before the event: tied to her session, and offline.
struct Before {
    browser: Browser,
    code: String,
    tied: Tokens,
    offline: Tokens,
    jwt: Tokens,
}

async fn before(server: &TestServer) -> Before {
    let mut browser = server.browser();
    let mut tokens = Vec::new();
    for (client, scope) in [
        ("web", "openid"),
        ("web", "openid offline_access"),
        ("jwt-web", "openid"),
    ] {
        let code = browser
            .complete(&server.request(client, scope), "alice")
            .await
            .code();
        tokens.push(Tokens::of(&server.redeem(client, &code).await));
    }
    let code = browser
        .complete(&server.request("web", "openid"), "alice")
        .await
        .code();
    let jwt = tokens.pop().unwrap();
    let offline = tokens.pop().unwrap();
    Before {
        browser,
        code,
        tied: tokens.pop().unwrap(),
        offline,
        jwt,
    }
}

/// What there was before the event that has happened now, and the cookies of then.
async fn had_before(server: &TestServer, event: Event) -> (Before, BTreeMap<String, String>) {
    let mut had = before(server).await;
    let cookies = had.browser.cookies.clone();
    server.advance(1);
    happen(server, event, &mut had).await;
    (had, cookies)
}

async fn happen(server: &TestServer, event: Event, before: &mut Before) {
    let (store, tenant) = (&server.app.store, server.tenant());
    let user = server.user("alice").await.id;
    let changed = match event {
        Event::UserDisabled => store.disable_user(&tenant, user, server.occasion()).await,
        Event::UserDeleted => store.delete_user(&tenant, user, server.occasion()).await,
        Event::PasswordReplaced => {
            store
                .set_password(&tenant, user, "$argon2id$".to_owned(), server.occasion())
                .await
        }
        Event::ClientDisabled => {
            server.disable_client("web").await;
            server.disable_client("jwt-web").await;
            Ok(Changed::Changed)
        }
        Event::SignedOut => {
            let hint = Fields::from([("id_token_hint", before.tied.id())]);
            before
                .browser
                .go(server.get("/end-session").query(&hint))
                .await
                .expect(200);
            Ok(Changed::Changed)
        }
        Event::SessionsEnded => {
            store
                .end_sessions_of_user(&tenant, user, None, server.occasion())
                .await
                .unwrap();
            Ok(Changed::Changed)
        }
    };
    assert_eq!(changed, Ok(Changed::Changed), "{event:?}");
    server.look_around().await;
}

// SEC-024, SEC-030, SEC-162, SEC-R02
#[tokio::test]
async fn after_each_event_nothing_it_stops_still_works_anywhere() {
    for event in [
        Event::UserDisabled,
        Event::UserDeleted,
        Event::PasswordReplaced,
        Event::ClientDisabled,
        Event::SignedOut,
        Event::SessionsEnded,
    ] {
        let server = TestServer::start().await;
        let (mut had, cookies) = had_before(&server, event).await;
        let offline_lives = matches!(event, Event::SignedOut | Event::SessionsEnded);
        let client_lives = !matches!(event, Event::ClientDisabled);

        let refused = server.redeem("web", &had.code).await;
        assert_eq!(
            refused.error(),
            if client_lives {
                "invalid_grant"
            } else {
                "invalid_client"
            },
            "{event:?}: the code"
        );
        for (client, tokens, lives) in [
            ("web", &had.tied, false),
            ("web", &had.offline, offline_lives),
            ("jwt-web", &had.jwt, false),
        ] {
            let refreshed = server.refresh(client, tokens.refresh()).await.status == 200;
            let known = server.userinfo(&tokens.access).await.status == 200;
            assert_eq!(
                (refreshed, known),
                (lives, lives),
                "{event:?}: {client} {}",
                tokens.json["scope"]
            );
            if client_lives {
                assert_eq!(
                    server.is_active(client, &tokens.access).await,
                    lives,
                    "{event:?}: introspection"
                );
                assert_eq!(
                    server.is_active(client, tokens.refresh()).await,
                    lives,
                    "{event:?}: introspection of refresh"
                );
            }
        }
        had.browser.cookies = cookies;
        let silent = server.request("first", "openid").with("prompt", "none");
        let signed_in = had
            .browser
            .authorize(&silent)
            .await
            .callback("code")
            .is_some();
        assert_eq!(signed_in, !client_lives, "{event:?}: the session cookie");
    }
}

// SEC-030
#[tokio::test]
async fn a_disabled_user_cannot_sign_in_and_is_told_what_a_stranger_is_told() {
    let server = TestServer::start().await;
    server.disable_user("alice").await;
    let mut browser = server.browser();
    let page = browser.authorize(&server.request("first", "openid")).await;
    let refused = browser.sign_in(&page, "alice").await;
    assert!(asks_password(&refused));
    let stranger = browser
        .submit(&page, &[("username", "alicf"), ("password", "x")])
        .await;
    assert_eq!(refused.body.replace("alice", "alicf"), stranger.body);
}

// SEC-030
#[tokio::test]
async fn a_client_disabled_during_a_sign_in_gets_no_code() {
    let server = TestServer::start().await;
    let mut browser = server.browser();
    let page = browser.authorize(&server.request("web", "openid")).await;
    let consent = browser.sign_in(&page, "alice").await;
    server.disable_client("web").await;
    let answer = browser.approve(&consent).await.expect(400);
    assert_eq!(
        (answer.location(), server.cause()),
        (None, "client_unknown")
    );
}

// SEC-030
#[tokio::test]
async fn a_user_disabled_during_a_sign_in_gets_no_code() {
    let server = TestServer::start().await;
    let mut browser = server.browser();
    let page = browser.authorize(&server.request("web", "openid")).await;
    let consent = browser.sign_in(&page, "alice").await;
    server.advance(1);
    server.disable_user("alice").await;
    let answer = browser.approve(&consent).await;
    assert!(answer.callback("code").is_none(), "{:?}", answer.location());
}

// SEC-031, SEC-162
#[tokio::test]
async fn what_was_stopped_stays_dead_when_the_user_may_come_back() {
    let server = TestServer::start().await;
    let mut had = before(&server).await;
    server.advance(1);
    happen(&server, Event::UserDisabled, &mut had).await;
    let id = server.user("alice").await.id;
    server
        .app
        .store
        .enable_user(&server.tenant(), id, server.occasion())
        .await
        .unwrap();
    server.advance(1);
    server.look_around().await;
    server
        .refresh("web", had.offline.refresh())
        .await
        .refused(400, "invalid_grant");
    server
        .userinfo(&had.tied.access)
        .await
        .refused(401, "invalid_token");
    server.tokens("web", "openid").await;
}

// SEC-031
#[tokio::test]
async fn a_stop_in_the_same_millisecond_as_the_token_still_counts() {
    let server = TestServer::start().await;
    let tokens = server.tokens("web", "openid offline_access").await;
    server.disable_user("alice").await;
    server
        .userinfo(&tokens.access)
        .await
        .refused(401, "invalid_token");
    server
        .refresh("web", tokens.refresh())
        .await
        .refused(400, "invalid_grant");
    assert!(!server.is_active("web", &tokens.access).await);
}
