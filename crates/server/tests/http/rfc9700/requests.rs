//! Requests as an attacker bends them: repeated parameters, addresses to be led to, frames, floods.

use crate::support::browser::{asks_password, form};
use crate::support::{Ask, Fields, Setup, TestServer};
use http::Method;
use jeton::throttle::Rates;

// P-59, SEC-105, S35
#[tokio::test]
async fn no_parameter_of_an_authorization_request_may_be_repeated() {
    let server = TestServer::start().await;
    let request = server.request("web", "openid");
    let optional = [
        "prompt",
        "max_age",
        "login_hint",
        "claims",
        "display",
        "unknown",
        "empty",
    ];
    let names = request
        .0
        .iter()
        .map(|(name, _)| name.clone())
        .chain(optional.map(str::to_owned));
    for name in names.collect::<Vec<_>>() {
        let value = request.value(&name).unwrap_or_default().to_owned();
        let twice = request
            .clone()
            .without(&name)
            .and(&name, &value)
            .and(&name, &value);
        for ask in [
            server.get("/authorize").query(&twice),
            server.post("/authorize", &twice),
        ] {
            let answer = server.send(ask).await;
            assert_eq!(server.cause(), "parameter_repeated", "{name}");
            // Without one address, state and mode there is no answer to send; anything else is told to the client.
            if ["client_id", "redirect_uri", "state", "response_mode"].contains(&name.as_str()) {
                assert_eq!(
                    (answer.status.as_u16(), answer.location()),
                    (400, None),
                    "{name}"
                );
            } else {
                assert_eq!(
                    answer.callback("error").as_deref(),
                    Some("invalid_request"),
                    "{name}"
                );
            }
        }
    }
}

// S35
#[tokio::test]
async fn resource_and_audience_may_be_repeated() {
    let server = TestServer::start().await;
    let request = server.request("web", "openid");
    for name in ["resource", "audience"] {
        let twice = request
            .clone()
            .and(name, "https://a.example")
            .and(name, "https://b.example");
        assert!(
            asks_password(&server.browser().authorize(&twice).await),
            "{name}"
        );
    }
}

// P-59, SEC-105, S35
#[tokio::test]
async fn no_parameter_of_a_token_request_may_be_repeated() {
    let server = TestServer::start().await;
    let redemption = server.redemption("web", "x");
    for name in [
        "grant_type",
        "code",
        "redirect_uri",
        "code_verifier",
        "scope",
        "refresh_token",
        "client_id",
        "unknown",
    ] {
        let value = redemption.value(name).unwrap_or("web").to_owned();
        let twice = redemption
            .clone()
            .without(name)
            .and(name, &value)
            .and(name, &value);
        server
            .token("web", &twice)
            .await
            .refused(400, "invalid_request");
        assert_eq!(server.cause(), "parameter_repeated", "{name}");
    }
}

/// Parameters that other servers follow, with addresses that look local to some parser.
fn led_away() -> Fields {
    let names = [
        "return",
        "return_to",
        "returnUrl",
        "next",
        "url",
        "redirect",
        "redirect_to",
        "continue",
        "target",
        "goto",
        "rd",
        "service",
    ];
    let values = [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https:evil.example",
        "/\tevil.example",
        "javascript:alert(1)",
        "https://id.example@evil.example",
        "%2f%2fevil.example",
    ];
    let mut extra = Fields::default();
    for (number, name) in names.iter().enumerate() {
        extra = extra.and(name, values[number % values.len()]);
    }
    extra
}

// SEC-006, SEC-107
#[tokio::test]
async fn no_parameter_says_where_to_go_after_signing_in() {
    let server = TestServer::start().await;
    let extra = led_away();
    let mut browser = server.browser();
    let mut request = server.request("first", "openid");
    request.0.extend(extra.0.clone());
    let page = browser.authorize(&request).await;
    let handle = form(&page).hidden.value("interaction").unwrap().to_owned();
    for path in [
        "/continue",
        "/sign-in",
        "/consent",
        "/end-session",
        "/",
        "//evil.example",
        "/errors//evil.example",
    ] {
        let ask = server
            .get(path)
            .query(&extra.clone().and("interaction", &handle));
        let answer = browser.step(ask).await;
        assert!(
            answer
                .location()
                .is_none_or(|to| to.starts_with('/') && !to.starts_with("//")),
            "{path}: {:?}",
            answer.location()
        );
    }
    let mut typed: Vec<(&str, &str)> =
        vec![("username", "alice"), ("password", "the password of alice")];
    typed.extend(
        extra
            .0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str())),
    );
    let answer = browser.submit(&page, &typed).await;
    assert!(
        answer
            .location()
            .unwrap()
            .starts_with("https://web.example/cb?code="),
        "{:?}",
        answer.location()
    );
    assert!(
        browser
            .seen
            .iter()
            .filter_map(|answer| answer.location())
            .all(|to| !to.contains("evil"))
    );
}

// SEC-114, SEC-404
#[tokio::test]
async fn nothing_is_given_to_a_frame() {
    let server = TestServer::start().await;
    let mut browser = server.signed_in("alice").await;
    let silent = server.request("first", "openid").with("prompt", "none");
    for dest in ["iframe", "frame", "embed", "object"] {
        let ask = server
            .get("/authorize")
            .query(&silent)
            .header("sec-fetch-dest", dest)
            .header("sec-fetch-site", "cross-site");
        let answer = browser.step(ask).await;
        assert!(
            answer.callback("code").is_none(),
            "{dest}: {:?}",
            answer.location()
        );
        assert_eq!(
            (answer.status.as_u16(), answer.is_page()),
            (400, true),
            "{dest}"
        );
    }
    let ask = server
        .get("/authorize")
        .query(&silent)
        .header("sec-fetch-dest", "document")
        .header("sec-fetch-site", "cross-site");
    browser.step(ask).await.code();
}

// SEC-127, SEC-166
#[tokio::test]
async fn a_client_that_asks_too_often_is_told_when_to_come_back_and_others_are_not_touched() {
    let setup = Setup {
        rates: Rates::new([5, 50, 10, 4, 3]),
        ..Setup::default()
    };
    let server = setup.start().await;
    let own = Fields::from([("grant_type", "client_credentials")]);
    for _ in 0..4 {
        server.token("service", &own).await.expect(200);
    }
    let slowed = server.token("service", &own).await.expect(429);
    assert_eq!(slowed.header("retry-after"), Some("1"));
    let page = slowed.json()["error_uri"].as_str().unwrap().to_owned();
    assert!(page.ends_with("/errors/too_many_requests"), "{page}");
    let page = server.send(Ask::new(Method::GET, &page)).await.expect(200);
    assert!(
        page.body.contains("limits.token_requests_per_client"),
        "{}",
        page.body
    );
    assert_eq!(slowed.header("cache-control"), Some("no-store"));
    server.token("jwt-service", &own).await.expect(200);
    for _ in 0..3 {
        server.is_active("api", "unknown").await;
    }
    let fields = Fields::from([("token", "unknown")]);
    server
        .post_as("api", "/introspect", &fields)
        .await
        .expect(429);
    server.advance(1);
    server.token("service", &own).await.expect(200);
    server.is_active("api", "unknown").await;
}

// SEC-012, SEC-134
#[tokio::test]
async fn a_code_of_a_silent_request_is_spent_like_any_other() {
    let server = TestServer::start().await;
    let mut browser = server.browser();
    browser
        .complete(&server.request("web", "openid"), "alice")
        .await
        .code();
    let code = browser
        .authorize(&server.request("web", "openid").with("prompt", "none"))
        .await
        .code();
    let tokens = crate::support::Tokens::of(&server.redeem("web", &code).await);
    server
        .redeem("web", &code)
        .await
        .refused(400, "invalid_grant");
    server
        .userinfo(&tokens.access)
        .await
        .refused(401, "invalid_token");
}

// SEC-001, SEC-002, SEC-101
#[tokio::test]
async fn addresses_that_two_parsers_read_differently_are_never_led_to() {
    let server = TestServer::start().await;
    for uri in [
        "https://web.example@evil.example/cb",
        "https://web.example\\@evil.example/cb",
        "https://web.example#@evil.example/cb",
        "https://evil.example@web.example/cb",
        "https://web.example:@evil.example/cb",
        "https://web.example%40evil.example/cb",
        "https://web.example/cb/..%2f",
        "https://web.example/cb/%252e%252e/",
        "https://web.example/cb/..;/x",
        "https://web.example/./cb",
        "https://web.example//cb",
        "https://web.example/cb?",
        "https://web.example/cb;x",
        "https://web.example\u{ff0f}cb",
        "https://web\u{3002}example/cb",
        "https://xn--web-.example/cb",
        "https:/web.example/cb",
        "https:web.example/cb",
        "HTTPS://web.example/cb",
        "https://web.example:0443/cb",
        "https://[::1]/cb",
        " https://web.example/cb",
        "https://web.example/cb\u{0}",
        "https://web.example/cb%00",
        "https://web.example/%63b",
        "//web.example/cb",
        "/cb",
        "cb",
    ] {
        let request = server
            .request("web", "openid")
            .with("redirect_uri", uri)
            .with("prompt", "none");
        let answer = server.send(server.get("/authorize").query(&request)).await;
        assert_eq!(
            (answer.status.as_u16(), answer.location()),
            (400, None),
            "{uri}"
        );
    }
}

// P-56, SEC-200: a form of another site comes without our cookies; the same request as a GET brings them.
#[tokio::test]
async fn a_request_posted_by_another_site_finds_the_session_all_the_same() {
    let server = TestServer::start().await;
    let mut browser = server.signed_in("alice").await;
    let request = server.request("first", "openid").with("prompt", "none");
    let posted = server
        .post("/authorize", &request)
        .header("sec-fetch-site", "cross-site");
    let bounced = server.send(posted).await;
    assert_eq!(
        (bounced.status.as_u16(), bounced.callback("error")),
        (303, None)
    );
    let location = bounced.location().unwrap().to_owned();
    assert!(
        location.starts_with(&format!("{}/authorize?", server.origin())),
        "{location}"
    );
    browser.go(Ask::new(Method::GET, &location)).await.code();
}

// SEC-118: another application's cookies are none of our business, whatever bytes they hold.
#[tokio::test]
async fn a_foreign_cookie_of_odd_bytes_does_not_hide_ours() {
    let server = TestServer::start().await;
    let mut browser = server.signed_in("alice").await;
    browser
        .cookies
        .insert("lang".to_owned(), "fran\u{e7}ais".to_owned());
    let request = server.request("first", "openid").with("prompt", "none");
    browser.authorize(&request).await.code();
}

// SEC-404: an older browser hides the origin of our own form; the form's token still tells.
#[tokio::test]
async fn a_form_of_ours_with_a_hidden_origin_is_taken_and_one_without_its_token_is_not() {
    let server = TestServer::start().await;
    let mut browser = server.browser();
    let page = browser.authorize(&server.request("first", "openid")).await;
    let typed = [
        ("username", "alice"),
        ("password", &TestServer::password("alice")),
    ];
    let forged = browser.filled(&page, &[typed[0], typed[1], ("csrf", "AAAA")]);
    let refused = browser.go(forged.header("origin", "null")).await;
    assert_eq!(refused.status, 400);
    let own = browser.filled(&page, &typed);
    browser.go(own.header("origin", "null")).await.code();
}
