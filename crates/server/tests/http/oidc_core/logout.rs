//! RP-Initiated Logout 1.0, in its plain form.

use crate::support::{Answer, Ask, Browser, Fields, TestServer, Tokens};
use http::Method;

const BYE: &str = "https://web.example/bye";

async fn signed_in(server: &TestServer) -> (Browser, Tokens) {
    let mut browser = server.browser();
    let answer = browser
        .complete(&server.request("web", "openid"), "alice")
        .await;
    (
        browser,
        Tokens::of(&server.redeem("web", &answer.code()).await),
    )
}

async fn is_signed_in(browser: &mut Browser) -> bool {
    let silent = browser
        .server
        .request("first", "openid")
        .with("prompt", "none");
    browser.authorize(&silent).await.callback("code").is_some()
}

fn asks(answer: &Answer) -> bool {
    answer.is_page() && answer.status == 200 && answer.body.contains("name=\"yes\"")
}

// P-297, P-299, P-300, P-301, SEC-041, SEC-205
#[tokio::test]
async fn a_hint_and_a_registered_way_back_end_the_session_and_lead_there_with_the_state_only() {
    let server = TestServer::start().await;
    for method in [Method::GET, Method::POST] {
        for state in [Some("a b&c=d"), None] {
            let (mut browser, tokens) = signed_in(&server).await;
            let cookies = browser.cookies.clone();
            let mut fields = Fields::from([
                ("id_token_hint", tokens.id()),
                ("post_logout_redirect_uri", BYE),
            ]);
            if let Some(state) = state {
                fields = fields.with("state", state);
            }
            let ask = if method == Method::GET {
                server.get("/end-session").query(&fields)
            } else {
                server.post("/end-session", &fields)
            };
            let answer = browser.go(ask).await.expect(303);
            let location = answer.location().unwrap();
            assert_eq!(location.split('?').next(), Some(BYE));
            assert_eq!(answer.callback("state").as_deref(), state);
            assert_eq!(location.contains('?'), state.is_some());
            assert!(answer.header("clear-site-data").is_some());
            assert!(!is_signed_in(&mut browser).await);
            browser.cookies = cookies;
            assert!(
                !is_signed_in(&mut browser).await,
                "the cookie of before is worth nothing"
            );
        }
    }
}

// P-298, SEC-205
#[tokio::test]
async fn an_expired_hint_is_as_good() {
    let server = TestServer::start().await;
    let (mut browser, tokens) = signed_in(&server).await;
    server.advance(3600);
    let fields = Fields::from([
        ("id_token_hint", tokens.id()),
        ("post_logout_redirect_uri", BYE),
    ]);
    browser
        .go(server.get("/end-session").query(&fields))
        .await
        .expect(303);
    assert!(!is_signed_in(&mut browser).await);
}

// P-302, P-303, SEC-205
#[tokio::test]
async fn an_address_that_is_not_registered_is_a_page_and_ends_nothing() {
    let server = TestServer::start().await;
    let (mut browser, tokens) = signed_in(&server).await;
    for back in [
        "https://evil.example/",
        "https://web.example/bye?x=1",
        "https://web.example/bye/",
        "https://web.example/cb",
        "//evil.example",
    ] {
        let fields = Fields::from([
            ("id_token_hint", tokens.id()),
            ("post_logout_redirect_uri", back),
        ]);
        let answer = browser
            .go(server.get("/end-session").query(&fields))
            .await
            .expect(400);
        assert!(answer.is_page() && answer.location().is_none(), "{back}");
    }
    assert!(is_signed_in(&mut browser).await);
}

// P-304, P-305, SEC-200, SEC-205
#[tokio::test]
async fn without_a_valid_hint_the_user_is_asked_and_may_stay() {
    let server = TestServer::start().await;
    let (mut browser, _) = signed_in(&server).await;
    let question = browser.go(server.get("/end-session")).await;
    assert!(asks(&question), "{}", question.body);
    browser
        .submit(&question, &[("no", "yes")])
        .await
        .expect(200);
    assert!(is_signed_in(&mut browser).await);
    let question = browser.go(server.get("/end-session")).await;
    browser
        .submit(&question, &[("yes", "yes")])
        .await
        .expect(200);
    assert!(!is_signed_in(&mut browser).await);
}

// P-306, SEC-200
#[tokio::test]
async fn a_client_id_alone_asks_first_and_then_leads_back() {
    let server = TestServer::start().await;
    let (mut browser, _) = signed_in(&server).await;
    let fields = Fields::from([
        ("client_id", "web"),
        ("post_logout_redirect_uri", BYE),
        ("state", "s&1"),
    ]);
    let question = browser.go(server.get("/end-session").query(&fields)).await;
    assert!(asks(&question), "{}", question.body);
    let answer = browser
        .submit(&question, &[("yes", "yes")])
        .await
        .expect(303);
    assert!(answer.location().unwrap().starts_with(BYE));
    assert_eq!(answer.callback("state").as_deref(), Some("s&1"));
    assert!(!is_signed_in(&mut browser).await);
}

// SEC-200, SEC-205
#[tokio::test]
async fn the_hint_of_another_session_asks_first() {
    let server = TestServer::start().await;
    let (_, of_another_browser) = signed_in(&server).await;
    let (mut browser, _) = signed_in(&server).await;
    let fields = Fields::from([("id_token_hint", of_another_browser.id())]);
    assert!(asks(
        &browser.go(server.get("/end-session").query(&fields)).await
    ));
    assert!(is_signed_in(&mut browser).await);
}

// SEC-200
#[tokio::test]
async fn the_question_of_one_browser_cannot_be_answered_by_another_site_or_browser() {
    let server = TestServer::start().await;
    let (mut browser, _) = signed_in(&server).await;
    let (mut other, _) = signed_in(&server).await;
    let question = browser.go(server.get("/end-session")).await;
    other.submit(&question, &[("yes", "yes")]).await.expect(400);
    assert!(is_signed_in(&mut other).await);
    let mut foreign = browser.filled(&question, &[("yes", "yes")]);
    foreign.headers.retain(|(name, _)| name != "origin");
    browser
        .step(foreign.header("sec-fetch-site", "cross-site"))
        .await
        .expect(400);
    assert!(is_signed_in(&mut browser).await);
}

// P-301
#[tokio::test]
async fn signing_out_without_a_session_leads_back_all_the_same() {
    let server = TestServer::start().await;
    let (_, tokens) = signed_in(&server).await;
    let fields = Fields::from([
        ("id_token_hint", tokens.id()),
        ("post_logout_redirect_uri", BYE),
    ]);
    let answer = server
        .browser()
        .go(server.get("/end-session").query(&fields))
        .await
        .expect(303);
    assert_eq!(answer.location(), Some(BYE));
    let page = server
        .browser()
        .go(server.get("/end-session"))
        .await
        .expect(200);
    assert!(page.is_page());
}

// P-297, SEC-200: a form of another site comes without our cookies, and must not look like a sign-out that worked.
#[tokio::test]
async fn a_form_posted_by_another_site_comes_back_with_the_cookies_and_then_signs_out() {
    let server = TestServer::start().await;
    let (mut browser, tokens) = signed_in(&server).await;
    let fields = Fields::from([("id_token_hint", tokens.id()), ("state", "s")]);
    let posted = server
        .post("/end-session", &fields)
        .header("sec-fetch-site", "cross-site");
    let bounced = server.send(posted).await;
    assert_eq!(bounced.status, 303);
    let location = bounced.location().unwrap().to_owned();
    assert!(
        location.starts_with(&format!("{}/end-session?", server.origin())),
        "{location}"
    );
    assert!(
        is_signed_in(&mut browser).await,
        "nothing has been decided yet"
    );
    browser.go(Ask::new(Method::GET, &location)).await;
    assert!(!is_signed_in(&mut browser).await);
}
