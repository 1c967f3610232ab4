//! SEC-309, SEC-R08: a write that fails is 503, whether it was made or not; never half an answer, never a second effect.

use crate::support::browser::{asks_consent, asks_password};
use crate::support::{Answer, Fields, TestServer, Tokens, jwt};
use jeton_store::Fault;

const FAULTS: [Fault; 2] = [Fault::BeforeCommit, Fault::AfterCommit];

#[track_caller]
pub fn is_unavailable(answer: &Answer) {
    assert_eq!(
        answer.status,
        503,
        "{:?} {}",
        answer.location(),
        answer.body
    );
    assert!(answer.header("retry-after").is_some());
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.location(), None);
    assert!(answer.headers.get("set-cookie").is_none());
    for secret in ["jta_", "jtr_", "jtc_", "jts_", "eyJ", "active"] {
        assert!(!answer.body.contains(secret), "{secret}: {}", answer.body);
    }
}

#[track_caller]
fn is_unavailable_json(answer: &Answer) {
    is_unavailable(answer);
    assert_eq!(answer.error(), "temporarily_unavailable");
}

// SEC-309, SEC-R08
#[tokio::test]
async fn a_redemption_that_was_not_written_can_be_tried_again_and_one_that_was_cannot() {
    for fault in FAULTS {
        let server = TestServer::start().await;
        let code = server.code("web", "openid").await;
        server.app.store.fail_next(fault);
        is_unavailable_json(&server.redeem("web", &code).await);
        let again = server.redeem("web", &code).await;
        match fault {
            Fault::BeforeCommit => drop(again.expect(200)),
            Fault::AfterCommit => again.refused(400, "invalid_grant"),
        }
    }
}

// SEC-309, SEC-R08
#[tokio::test]
async fn a_rotation_that_failed_can_be_tried_again_and_never_forks() {
    for fault in FAULTS {
        let server = TestServer::start().await;
        let tokens = server.tokens("spa", "openid").await;
        server.app.store.fail_next(fault);
        is_unavailable_json(&server.refresh("spa", tokens.refresh()).await);
        let one = Tokens::of(&server.refresh("spa", tokens.refresh()).await);
        let other = Tokens::of(&server.refresh("spa", tokens.refresh()).await);
        assert_eq!(one.refresh(), other.refresh());
        server.refresh("spa", one.refresh()).await.expect(200);
    }
}

// SEC-309, SEC-R08
#[tokio::test]
async fn a_revocation_is_acknowledged_only_when_it_is_known_to_be_written() {
    for fault in FAULTS {
        for refresh in [false, true] {
            let server = TestServer::start().await;
            let tokens = server.tokens("web", "openid").await;
            let token = if refresh {
                tokens.refresh()
            } else {
                &tokens.access
            };
            server.app.store.fail_next(fault);
            is_unavailable_json(&server.revoke("web", token).await);
            if fault == Fault::BeforeCommit {
                assert!(server.is_active("web", token).await);
            }
            server.revoke("web", token).await.expect(200);
            assert!(!server.is_active("web", token).await);
        }
    }
}

// SEC-031, SEC-309. Other nodes, and this one, learn such a cut within a second or two (design: "Revocation is a cut").
#[tokio::test]
async fn a_revocation_of_unknown_outcome_that_was_written_holds() {
    let server = TestServer::start().await;
    let tokens = server.tokens("web", "openid").await;
    server.app.store.fail_next(Fault::AfterCommit);
    is_unavailable_json(&server.revoke("web", tokens.refresh()).await);
    server.advance(2);
    server.look_around().await;
    server
        .refresh("web", tokens.refresh())
        .await
        .refused(400, "invalid_grant");
    server
        .userinfo(&tokens.access)
        .await
        .refused(401, "invalid_token");
}

// SEC-309, SEC-R08
#[tokio::test]
async fn an_assertion_whose_spending_failed_authenticates_nobody() {
    for path in ["/token", "/introspect", "/revoke"] {
        for fault in FAULTS {
            let server = TestServer::start().await;
            let fields = Fields::from([("grant_type", "client_credentials"), ("token", "x")]);
            let ask = server.post(
                path,
                &jwt::with_assertion(fields, &jwt::keyed(&server, "keyed")),
            );
            server.app.store.fail_next(fault);
            is_unavailable_json(&server.send(ask.clone()).await);
            let again = server.send(ask).await;
            assert_eq!(
                again.status.as_u16(),
                if fault == Fault::BeforeCommit {
                    200
                } else {
                    401
                },
                "{path}"
            );
        }
    }
}

// SEC-309, SEC-R08
#[tokio::test]
async fn an_authorization_request_that_could_not_be_kept_is_a_page() {
    for fault in FAULTS {
        let server = TestServer::start().await;
        server.app.store.fail_next(fault);
        let answer = server
            .browser()
            .authorize(&server.request("web", "openid"))
            .await;
        is_unavailable(&answer);
        assert!(answer.is_page());
    }
}

// SEC-309, SEC-R08
#[tokio::test]
async fn a_sign_in_that_failed_signs_nobody_in() {
    for fault in FAULTS {
        let server = TestServer::start().await;
        let mut browser = server.browser();
        let page = browser.authorize(&server.request("first", "openid")).await;
        assert!(asks_password(&page));
        server.app.store.fail_next(fault);
        let answer = browser.sign_in(&page, "alice").await;
        is_unavailable(&answer);
        assert!(answer.is_page());
        let silent = server.request("first", "openid").with("prompt", "none");
        assert_eq!(browser.authorize(&silent).await.error(), "login_required");
        browser.sign_in(&page, "alice").await.code();
    }
}

// SEC-309, SEC-R08
#[tokio::test]
async fn a_consent_that_failed_gives_no_code_and_can_be_given_again_when_it_was_not_written() {
    for fault in FAULTS {
        let server = TestServer::start().await;
        let mut browser = server.browser();
        let page = browser.authorize(&server.request("web", "openid")).await;
        let page = browser.sign_in(&page, "alice").await;
        assert!(asks_consent(&page));
        server.app.store.fail_next(fault);
        is_unavailable(&browser.approve(&page).await);
        if fault == Fault::BeforeCommit {
            browser.approve(&page).await.code();
        }
    }
}

// SEC-309, SEC-R08
#[tokio::test]
async fn an_approval_of_unknown_outcome_gives_at_most_one_code() {
    for fault in FAULTS {
        let server = TestServer::start().await;
        let mut browser = server.signed_in("alice").await;
        let page = browser.authorize(&server.request("web", "openid")).await;
        assert!(asks_consent(&page));
        let sent = browser.filled(&page, &[("approve", "yes")]);
        let onward = browser.step(sent).await;
        let path = onward.location().unwrap().to_owned();
        server.app.store.fail_next(fault);
        let first = browser.step(server.get(&path)).await;
        is_unavailable(&first);
        let second = browser.step(server.get(&path)).await;
        assert_eq!(
            second.callback("code").is_some(),
            fault == Fault::BeforeCommit,
            "{}",
            second.body
        );
    }
}

// SEC-309, SEC-R08
#[tokio::test]
async fn signing_out_is_acknowledged_only_when_it_is_known_to_be_written() {
    for fault in FAULTS {
        let server = TestServer::start().await;
        let mut browser = server.browser();
        let answer = browser
            .complete(&server.request("web", "openid"), "alice")
            .await;
        let tokens = Tokens::of(&server.redeem("web", &answer.code()).await);
        let hint = Fields::from([
            ("id_token_hint", tokens.id()),
            ("post_logout_redirect_uri", "https://web.example/bye"),
        ]);
        server.app.store.fail_next(fault);
        let answer = browser.go(server.get("/end-session").query(&hint)).await;
        is_unavailable(&answer);
        browser
            .go(server.get("/end-session").query(&hint))
            .await
            .expect(303);
        let silent = server.request("web", "openid").with("prompt", "none");
        assert_eq!(browser.authorize(&silent).await.error(), "login_required");
    }
}

// SEC-309. A refusal by the user, too, is told to the client only when it is kept.
#[tokio::test]
async fn a_denial_that_was_not_written_is_not_sent() {
    for fault in FAULTS {
        let server = TestServer::start().await;
        let mut browser = server.browser();
        let page = browser.authorize(&server.request("web", "openid")).await;
        server.app.store.fail_next(fault);
        is_unavailable(&browser.submit(&page, &[("cancel", "yes")]).await);
    }
}
