//! Core §3.1.2: `prompt`, `max_age`, `id_token_hint`, and the consent that is remembered.

use crate::support::browser::{asks_consent, asks_password};
use crate::support::{Browser, START, TestServer, Tokens, jwt};

async fn claims_of(server: &TestServer, client: &str, code: &str) -> serde_json::Value {
    let tokens = Tokens::of(&server.redeem(client, code).await);
    jwt::verified(server, tokens.id()).await
}

fn pages(browser: &Browser) -> usize {
    browser
        .seen
        .iter()
        .filter(|answer| answer.is_page())
        .count()
}

// P-89, P-90, P-100, S47, SEC-114
#[tokio::test]
async fn prompt_none_shows_no_page_whatever_comes_of_it() {
    let server = TestServer::start().await;
    let silent = server.request("web", "openid").with("prompt", "none");
    let mut browser = server.browser();
    assert_eq!(browser.authorize(&silent).await.error(), "login_required");
    browser
        .complete(&server.request("first", "openid"), "alice")
        .await
        .code();
    browser.seen.clear();
    assert_eq!(browser.authorize(&silent).await.error(), "consent_required");
    assert_eq!(pages(&browser), 0);
    browser
        .complete(&server.request("web", "openid"), "alice")
        .await
        .code();
    browser.seen.clear();
    let answer = browser.authorize(&silent).await;
    assert!(answer.callback("code").is_some());
    assert_eq!(pages(&browser), 0);
    let wider = server.request("web", "openid email").with("prompt", "none");
    assert_eq!(browser.authorize(&wider).await.error(), "consent_required");
}

// P-100
#[tokio::test]
async fn consent_is_remembered_and_asked_again_for_more() {
    let server = TestServer::start().await;
    let mut browser = server.browser();
    browser
        .complete(&server.request("web", "openid email"), "alice")
        .await
        .code();
    let less = browser.authorize(&server.request("web", "openid")).await;
    assert!(less.callback("code").is_some(), "{}", less.body);
    let more = browser
        .authorize(&server.request("web", "openid profile"))
        .await;
    assert!(asks_consent(&more));
    browser.approve(&more).await.code();
    let both = browser
        .authorize(&server.request("web", "openid email profile"))
        .await;
    assert!(
        both.callback("code").is_some(),
        "both approvals are remembered"
    );
}

// P-93, SEC-115
#[tokio::test]
async fn prompt_login_asks_for_the_password_again_and_the_time_moves() {
    let server = TestServer::start().await;
    let mut browser = server.browser();
    browser
        .complete(&server.request("web", "openid"), "alice")
        .await
        .code();
    server.advance(50);
    let page = browser
        .authorize(&server.request("web", "openid").with("prompt", "login"))
        .await;
    assert!(asks_password(&page));
    let code = browser.sign_in(&page, "alice").await.code();
    let claims = claims_of(&server, "web", &code).await;
    assert_eq!(claims["auth_time"], START.seconds() + 50);
}

// SEC-115
#[tokio::test]
async fn cancelling_a_second_sign_in_leaves_the_session_as_it_was() {
    let server = TestServer::start().await;
    let mut browser = server.browser();
    browser
        .complete(&server.request("web", "openid"), "alice")
        .await
        .code();
    server.advance(50);
    let page = browser
        .authorize(&server.request("web", "openid").with("prompt", "login"))
        .await;
    assert_eq!(
        browser.submit(&page, &[("cancel", "yes")]).await.error(),
        "access_denied"
    );
    let code = browser
        .authorize(&server.request("web", "openid").with("prompt", "none"))
        .await
        .code();
    assert_eq!(
        claims_of(&server, "web", &code).await["auth_time"],
        START.seconds()
    );
}

// P-94
#[tokio::test]
async fn prompt_consent_asks_although_it_was_given() {
    let server = TestServer::start().await;
    for client in ["web", "first"] {
        let mut browser = server.browser();
        browser
            .complete(&server.request(client, "openid"), "alice")
            .await
            .code();
        let page = browser
            .authorize(&server.request(client, "openid").with("prompt", "consent"))
            .await;
        assert!(asks_consent(&page), "{client}");
        browser.approve(&page).await.code();
    }
}

// P-93
#[tokio::test]
async fn select_account_shows_the_sign_in_page_and_takes_another_user() {
    let server = TestServer::start().await;
    let mut browser = server.signed_in("alice").await;
    let page = browser
        .authorize(
            &server
                .request("first", "openid")
                .with("prompt", "select_account"),
        )
        .await;
    assert!(asks_password(&page));
    let code = browser.sign_in(&page, "bob").await.code();
    assert_eq!(
        claims_of(&server, "first", &code).await["sub"],
        server.user("bob").await.id.to_string()
    );
}

// P-95, P-96, P-97, SEC-115
#[tokio::test]
async fn max_age_is_the_oldest_sign_in_that_still_counts() {
    let server = TestServer::start().await;
    let mut browser = server.signed_in("alice").await;
    server.advance(100);
    let young = server.request("first", "openid").with("max_age", "100");
    let code = browser.authorize(&young).await.code();
    assert_eq!(
        claims_of(&server, "first", &code).await["auth_time"],
        START.seconds()
    );
    let old = server.request("first", "openid").with("max_age", "99");
    let page = browser.authorize(&old).await;
    assert!(asks_password(&page));
    let code = browser.sign_in(&page, "alice").await.code();
    assert_eq!(
        claims_of(&server, "first", &code).await["auth_time"],
        START.seconds() + 100
    );
}

// P-95, SEC-115
#[tokio::test]
async fn max_age_0_asks_once_and_then_ends() {
    let server = TestServer::start().await;
    let mut browser = server.signed_in("alice").await;
    server.advance(1);
    let page = browser
        .authorize(&server.request("first", "openid").with("max_age", "0"))
        .await;
    assert!(asks_password(&page));
    let answer = browser.sign_in(&page, "alice").await;
    assert!(
        answer.callback("code").is_some(),
        "{} {}",
        answer.status,
        answer.body
    );
}

// P-95, P-97
#[tokio::test]
async fn a_registered_default_max_age_counts_like_a_sent_one() {
    let server = TestServer::start().await;
    server
        .change_client("first", |client| client.default_max_age = Some(60))
        .await;
    let mut browser = server.signed_in("alice").await;
    server.advance(61);
    assert!(asks_password(
        &browser.authorize(&server.request("first", "openid")).await
    ));
}

// P-88, P-91, SEC-116
#[tokio::test]
async fn a_hint_of_the_same_user_succeeds_and_of_another_does_not() {
    let server = TestServer::start().await;
    let hint_of = async |user: &str| {
        let answer = server
            .browser()
            .complete(&server.request("first", "openid"), user)
            .await;
        Tokens::of(&server.redeem("first", &answer.code()).await)
            .id()
            .to_owned()
    };
    let (alice, bob) = (hint_of("alice").await, hint_of("bob").await);
    server.advance(24 * 3600);
    let mut browser = server.signed_in("alice").await;
    let silent = server.request("first", "openid").with("prompt", "none");
    let code = browser
        .authorize(&silent.clone().with("id_token_hint", &alice))
        .await
        .code();
    assert_eq!(
        claims_of(&server, "first", &code).await["sub"],
        server.user("alice").await.id.to_string()
    );
    assert_eq!(
        browser
            .authorize(&silent.with("id_token_hint", &bob))
            .await
            .error(),
        "login_required"
    );
}

// P-88, SEC-116
#[tokio::test]
async fn whoever_signs_in_as_another_than_the_hinted_user_is_refused_to_the_client() {
    let server = TestServer::start().await;
    let answer = server
        .browser()
        .complete(&server.request("first", "openid"), "bob")
        .await;
    let hint = Tokens::of(&server.redeem("first", &answer.code()).await)
        .id()
        .to_owned();
    let mut browser = server.browser();
    let page = browser
        .authorize(
            &server
                .request("first", "openid")
                .with("id_token_hint", &hint),
        )
        .await;
    assert!(asks_password(&page));
    assert_eq!(
        browser.sign_in(&page, "alice").await.error(),
        "login_required"
    );
}

// P-104
#[tokio::test]
async fn one_request_opened_in_two_tabs_can_be_finished_in_each() {
    let server = TestServer::start().await;
    let mut browser = server.browser();
    let request = server.request("web", "openid");
    let one = browser.authorize(&request).await;
    let other = browser.authorize(&request).await;
    let consent = browser.sign_in(&one, "alice").await;
    browser.approve(&consent).await.code();
    browser.sign_in(&other, "alice").await.code();
}

// P-81
#[tokio::test]
async fn login_hint_fills_in_the_name_and_is_escaped() {
    let server = TestServer::start().await;
    let request = server
        .request("web", "openid")
        .with("login_hint", "alice\"><script>");
    let page = server.browser().authorize(&request).await;
    assert!(!page.body.contains("<script>"));
    assert!(
        page.body.contains("alice&quot;&gt;&lt;script&gt;"),
        "{}",
        page.body
    );
}
