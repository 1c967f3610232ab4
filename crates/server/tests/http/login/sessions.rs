//! Sessions: made anew at each sign-in, never planted, never longer than they may be (SEC-041, SEC-118, SEC-203).

use crate::rfc9700::sinks::cookie;
use crate::support::browser::{asks_consent, asks_password};
use crate::support::{Browser, TestServer, Tokens, jwt};

async fn is_signed_in(browser: &mut Browser) -> bool {
    let silent = browser
        .server
        .request("first", "openid")
        .with("prompt", "none");
    browser.authorize(&silent).await.callback("code").is_some()
}

// SEC-041
#[tokio::test]
async fn each_sign_in_makes_a_new_session() {
    let server = TestServer::start().await;
    let mut browser = server.signed_in("alice").await;
    let name = cookie(&server, "session");
    let before = browser.cookies[&name].clone();
    let page = browser
        .authorize(&server.request("first", "openid").with("prompt", "login"))
        .await;
    browser.sign_in(&page, "alice").await.code();
    assert_ne!(browser.cookies[&name], before);
}

// SEC-041
#[tokio::test]
async fn a_cookie_that_was_planted_is_not_signed_in_by_the_victim() {
    let server = TestServer::start().await;
    let attacker = server.signed_in("bob").await;
    let name = cookie(&server, "session");
    let planted = attacker.cookies[&name].clone();
    let mut victim = server.browser();
    victim.cookies.insert(name.clone(), planted.clone());
    let page = victim
        .authorize(&server.request("web", "openid").with("prompt", "login"))
        .await;
    let consent = victim.sign_in(&page, "alice").await;
    victim.approve(&consent).await.code();
    assert_ne!(victim.cookies[&name], planted);
    let mut attacker = attacker;
    let answer = attacker
        .authorize(&server.request("first", "openid").with("prompt", "none"))
        .await;
    if let Some(code) = answer.callback("code") {
        let tokens = Tokens::of(&server.redeem("first", &code).await);
        assert_ne!(
            jwt::verified(&server, tokens.id()).await["sub"],
            server.user("alice").await.id.to_string()
        );
    }
}

// SEC-041
#[tokio::test]
async fn two_users_of_one_browser_never_share_a_session() {
    let server = TestServer::start().await;
    let mut browser = server.browser();
    let mut sessions = Vec::new();
    for user in ["alice", "bob"] {
        let page = browser
            .authorize(
                &server
                    .request("first", "openid")
                    .with("prompt", "select_account"),
            )
            .await;
        let code = browser.sign_in(&page, user).await.code();
        let tokens = Tokens::of(&server.redeem("first", &code).await);
        sessions.push((
            jwt::verified(&server, tokens.id()).await["sid"].clone(),
            tokens,
        ));
        server.advance(1);
    }
    assert_ne!(sessions[0].0, sessions[1].0);
    server
        .refresh("first", sessions[0].1.refresh())
        .await
        .refused(400, "invalid_grant");
    server
        .refresh("first", sessions[1].1.refresh())
        .await
        .expect(200);
}

// SEC-203, S46
#[tokio::test]
async fn a_session_ends_when_it_is_idle_for_too_long_and_at_its_absolute_end() {
    let server = TestServer::start().await;
    let mut idle = server.signed_in("alice").await;
    server.advance(8 * 3600 - 1);
    assert!(is_signed_in(&mut idle).await);
    server.advance(8 * 3600);
    assert!(!is_signed_in(&mut idle).await);

    let mut busy = server.signed_in("alice").await;
    for _ in 0..5 {
        server.advance(4 * 3600);
        assert!(is_signed_in(&mut busy).await);
    }
    server.advance(4 * 3600);
    assert!(!is_signed_in(&mut busy).await, "24 hours");
}

// SEC-041, SEC-118
#[tokio::test]
async fn a_cookie_that_is_sent_twice_counts_as_absent() {
    let server = TestServer::start().await;
    let browser = server.signed_in("alice").await;
    let name = cookie(&server, "session");
    let own = &browser.cookies[&name];
    let silent = server.request("first", "openid").with("prompt", "none");
    for cookies in [
        format!("{name}={own}; {name}=planted"),
        format!("{name}=planted; {name}={own}"),
    ] {
        let answer = server
            .send(
                server
                    .get("/authorize")
                    .query(&silent)
                    .header("cookie", &cookies),
            )
            .await;
        assert_eq!(answer.error(), "login_required", "{cookies}");
    }
    let crowd: String = (0..100)
        .map(|number| format!("other-{number}=x; "))
        .collect();
    let ask = server
        .get("/authorize")
        .query(&silent)
        .header("cookie", &format!("{crowd}{name}={own}"));
    assert!(server.send(ask).await.callback("code").is_some());
}

// SEC-014, SEC-041
#[tokio::test]
async fn a_sign_in_cannot_be_handed_to_another_browser() {
    let server = TestServer::start().await;
    let mut attacker = server.browser();
    let page = attacker.authorize(&server.request("web", "openid")).await;
    let mut victim = server.signed_in("alice").await;
    let ask = victim.filled(
        &page,
        &[("username", "alice"), ("password", "the password of alice")],
    );
    let answer = victim.go(ask).await.expect(400);
    assert_eq!(
        (answer.location(), server.cause()),
        (None, "interaction_of_another_browser")
    );
    // Nor by bringing the attacker's browser cookie along without its session.
    let name = cookie(&server, "browser");
    victim
        .cookies
        .insert(name.clone(), attacker.cookies[&name].clone());
    let shown = victim.go(server.get(page_path(&page).as_str())).await;
    assert!(asks_password(&shown) || asks_consent(&shown));
}

fn page_path(page: &crate::support::Answer) -> String {
    let form = crate::support::browser::form(page);
    format!(
        "/continue?interaction={}",
        form.hidden.value("interaction").unwrap()
    )
}

// SEC-050
#[tokio::test]
async fn an_approval_counts_once_and_for_its_own_request_only() {
    let server = TestServer::start().await;
    let mut browser = server.signed_in("alice").await;
    let one = browser.authorize(&server.request("web", "openid")).await;
    let other = browser
        .authorize(&server.request("other", "openid email"))
        .await;
    let (of_one, of_other) = (
        crate::support::browser::form(&one),
        crate::support::browser::form(&other),
    );
    let mixed = crate::support::Fields::from([
        ("interaction", of_other.hidden.value("interaction").unwrap()),
        ("csrf", of_one.hidden.value("csrf").unwrap()),
        ("approve", "yes"),
    ]);
    let ask = server
        .post("/consent", &mixed)
        .header("origin", server.origin());
    browser.go(ask).await.expect(400);
    assert_eq!(server.cause(), "form_from_elsewhere");
    browser.approve(&one).await.code();
    let again = browser.approve(&one).await.expect(400);
    assert_eq!(
        (again.location(), server.cause()),
        (None, "interaction_unknown")
    );
}
