//! §3.3, §5.4: the pages between the code and the answer, and who may give it.

use crate::support::browser::{asks_password, form};
use crate::support::device::{Started, asks_about_device, asks_code};
use crate::support::{Setup, TestServer};
use std::time::Duration;

// SEC-152, SEC-092: who, from where, when, what, and a warning in plain words
#[tokio::test]
async fn the_page_names_the_client_its_place_its_wishes_and_the_danger() {
    let server = TestServer::start().await;
    let device = Started::asking(&server, "tv", "openid photos:read").await;
    server.advance(125);
    let page = server.browser().at_device(&device, "alice").await;
    for text in [
        "Application tv",
        "alice",
        "192.0.2.1",
        "the same network as this browser",
        "08:00 UTC",
        "2 minutes ago",
        "Look at your photos",
        "Did you start this yourself, on a device in front of you?",
        "it is their device, not yours",
    ] {
        assert!(page.body.contains(text), "{text}: {}", page.body);
    }
    let mut far = server.browser();
    let step = far.code_page("bob").await;
    let ask = far
        .filled(&step, &[("user_code", "BCDF-GHJK")])
        .peer("2001:db8::1".parse().unwrap());
    far.go(ask).await.expect(200);
    assert_eq!(server.cause(), "user_code_unknown");
}

// SEC-152
#[tokio::test]
async fn a_device_that_asked_from_elsewhere_is_shown_as_such() {
    let server = TestServer::start().await;
    let device = Started::by(&server, "tv").await;
    let mut browser = server.browser();
    browser.at_device(&device, "alice").await;
    let page = browser
        .seen
        .iter()
        .rev()
        .find(|answer| answer.is_page())
        .unwrap();
    let handle = form(page).hidden.value("interaction").unwrap().to_owned();
    let ask = server
        .get(&format!("/device/confirm?interaction={handle}"))
        .peer("198.51.100.9".parse().unwrap());
    let page = browser.step(ask).await.expect(200);
    assert!(
        page.body.contains("not the network of this browser"),
        "{}",
        page.body
    );
}

// SEC-155: nothing that a held key could press, nothing a fragment could focus
#[tokio::test]
async fn the_page_has_no_ids_no_focus_and_its_buttons_come_late() {
    let server = TestServer::start().await;
    let device = Started::by(&server, "tv").await;
    let mut browser = server.browser();
    let code = browser.code_page("alice").await;
    let confirm = browser.enter(&code, &device.user_code).await;
    for page in [&code, &confirm] {
        for forbidden in [" id=\"", "autofocus", "accesskey", "tabindex", "<script"] {
            assert!(!page.body.contains(forbidden), "{forbidden}: {}", page.body);
        }
    }
    assert!(confirm.body.contains("class=\"buttons late\""));
    let csp = confirm.header("content-security-policy").unwrap();
    assert!(
        csp.contains("frame-ancestors 'none'") && csp.contains("default-src 'none'"),
        "{csp}"
    );
}

// SEC-152: a link that carries the code still has to be compared, and answered
#[tokio::test]
async fn a_code_in_the_link_only_fills_the_field_in() {
    let server = TestServer::start().await;
    let device = Started::by(&server, "tv").await;
    let mut browser = server.signed_in("alice").await;
    let path = format!("/device?user_code={}", device.user_code.to_lowercase());
    let page = browser.go(server.get(&path)).await;
    assert!(asks_code(&page));
    assert!(
        page.body
            .contains(&format!("value=\"{}\"", device.user_code))
    );
    assert!(
        page.body
            .contains("Compare it with the one your device shows")
    );
    server
        .poll("tv", &device.device_code)
        .await
        .refused(400, "authorization_pending");
    let page = browser.enter(&page, &device.user_code).await;
    assert!(asks_about_device(&page));
    server.advance(5);
    server
        .poll("tv", &device.device_code)
        .await
        .refused(400, "authorization_pending");
}

// SEC-100: what is no code is not repeated on the page
#[tokio::test]
async fn what_is_no_code_in_the_link_is_not_shown() {
    let server = TestServer::start().await;
    let mut browser = server.signed_in("alice").await;
    let page = browser
        .go(server.get("/device?user_code=%22%3E%3Cscript%3E"))
        .await;
    assert!(asks_code(&page));
    assert!(!page.body.contains("script"));
}

// SEC-152: a session that was left open approves nothing
#[tokio::test]
async fn a_sign_in_that_is_old_is_asked_for_again() {
    let server = TestServer::start().await;
    let mut browser = server.signed_in("alice").await;
    assert!(asks_code(&browser.go(server.get("/device")).await));
    server.advance(601);
    let page = browser.go(server.get("/device")).await;
    assert!(asks_password(&page));
    assert!(asks_code(&browser.sign_in(&page, "alice").await));
    let strict = Setup::default()
        .policy(|policy| policy.lifetimes.device_sign_in = Duration::from_secs(0))
        .start()
        .await;
    let mut browser = strict.signed_in("alice").await;
    strict.advance(1);
    assert!(asks_password(&browser.go(strict.get("/device")).await));
}

// SEC-152: a client that wants it fresher gets it fresher
#[tokio::test]
async fn the_client_may_want_a_fresher_sign_in_than_the_policy() {
    let server = TestServer::start().await;
    server
        .change_client("tv", |client| client.default_max_age = Some(60))
        .await;
    let mut browser = server.signed_in("alice").await;
    server.advance(61);
    let device = Started::by(&server, "tv").await;
    let page = browser.code_page("alice").await;
    let page = browser.enter(&page, &device.user_code).await;
    assert!(asks_password(&page));
    let page = browser.sign_in(&page, "alice").await;
    assert!(asks_about_device(&page), "{}", page.body);
}

// SEC-039, SEC-155
#[tokio::test]
async fn a_stranger_cannot_answer_for_a_device_whose_code_somebody_entered() {
    let server = TestServer::start().await;
    let device = Started::by(&server, "tv").await;
    let mut alice = server.browser();
    let confirm = alice.at_device(&device, "alice").await;
    let mut bob = server.browser();
    let page = bob.code_page("bob").await;
    let page = bob.enter(&page, &device.user_code).await;
    assert!(asks_code(&page));
    assert_eq!(server.cause(), "user_code_unknown");
    let stolen = bob.filled(&confirm, &[("approve", "yes")]);
    bob.step(stolen).await.expect(400);
    assert_eq!(server.cause(), "interaction_of_another_browser");
    server
        .poll("tv", &device.device_code)
        .await
        .refused(400, "authorization_pending");
    alice
        .submit(&confirm, &[("approve", "yes")])
        .await
        .expect(200);
}

// SEC-155, SEC-041: the page belongs to the session it was shown to
#[tokio::test]
async fn an_answer_after_another_user_signed_in_is_refused() {
    let server = TestServer::start().await;
    let device = Started::by(&server, "tv").await;
    let mut browser = server.browser();
    let confirm = browser.at_device(&device, "alice").await;
    let bob = server.signed_in("bob").await;
    let session = "__Host-jeton-session";
    browser
        .cookies
        .insert(session.to_owned(), bob.cookies[session].clone());
    let ask = browser.filled(&confirm, &[("approve", "yes")]);
    let refused = browser.step(ask).await.expect(400);
    assert!(refused.is_page());
    server
        .poll("tv", &device.device_code)
        .await
        .refused(400, "authorization_pending");
}

// SEC-347
#[tokio::test]
async fn a_page_is_answered_once() {
    let server = TestServer::start().await;
    let device = Started::by(&server, "tv").await;
    let mut browser = server.browser();
    let page = browser.at_device(&device, "alice").await;
    let (yes, no) = (
        browser.filled(&page, &[("approve", "yes")]),
        browser.filled(&page, &[("deny", "yes")]),
    );
    let denied = browser.step(no).await.expect(200);
    assert!(denied.body.contains("Nothing was connected"));
    browser.step(yes).await.expect(400);
    server
        .poll("tv", &device.device_code)
        .await
        .refused(400, "access_denied");
}

#[tokio::test]
async fn whoever_goes_away_from_the_sign_in_leaves_the_device_waiting() {
    let server = TestServer::start().await;
    let device = Started::by(&server, "tv").await;
    let mut browser = server.browser();
    let page = browser.go(server.get("/device")).await;
    let left = browser
        .submit(&page, &[("cancel", "yes")])
        .await
        .expect(200);
    assert!(left.body.contains("You did not sign in"), "{}", left.body);
    server
        .poll("tv", &device.device_code)
        .await
        .refused(400, "authorization_pending");
}

// SEC-310: what a consent is, it is here too
#[tokio::test]
async fn an_approval_is_remembered_and_audited_and_grants_no_more_than_was_shown() {
    let server = TestServer::start().await;
    let device = Started::asking(&server, "printer", "openid photos:read").await;
    let mut browser = server.browser();
    server
        .change_client("printer", |client| {
            client.scope = jeton_protocol::scope::Scope::parse("openid").unwrap();
        })
        .await;
    let page = browser.at_device(&device, "alice").await;
    assert!(!page.body.contains("Look at your photos"));
    browser
        .submit(&page, &[("approve", "yes")])
        .await
        .expect(200);
    let (tenant, user) = (server.tenant(), server.user("alice").await.id);
    let client = jeton_protocol::client::ClientId::parse("printer").unwrap();
    let consent = server
        .app
        .store
        .consent(&tenant, user, &client)
        .await
        .unwrap();
    assert_eq!(consent.unwrap().scope.to_string(), "openid");
    let page = jeton_store::Page {
        after: None,
        limit: 200,
    };
    let trail = server.app.store.audit_records(&tenant, page).await.unwrap();
    assert_eq!(
        trail
            .iter()
            .filter(|entry| entry.event == "grant.approved")
            .count(),
        1
    );
}
