//! RFC 6749 §4.1.1, §4.1.2 and §3.1.2: asking for a code, and where the answer goes.

use crate::support::browser::asks_password;
use crate::support::{Ask, Fields, TestServer};
use http::Method;

// P-56, S11
#[tokio::test]
async fn get_and_post_ask_for_the_same() {
    let server = TestServer::start().await;
    let request = server.request("web", "openid");
    let got = server.browser().authorize(&request).await;
    let posted = server
        .browser()
        .go(server.post("/authorize", &request))
        .await;
    assert!(
        asks_password(&got) && asks_password(&posted),
        "{}",
        posted.body
    );
}

// P-57, P-58, P-59, P-78, P-79, P-80, P-81, P-82, P-87
#[tokio::test]
async fn hints_unknown_parameters_and_empty_ones_never_fail_a_request() {
    let server = TestServer::start().await;
    let extra = [
        ("display", "page"),
        ("display", "popup"),
        ("display", "unknown"),
        ("ui_locales", "se xx-unknown"),
        ("claims_locales", "se"),
        ("login_hint", "nobody@example.org"),
        ("acr_values", "1 2 unknown"),
        ("unknown", "x"),
        ("max_age", ""),
        ("prompt", ""),
        ("nonce", ""),
        (
            "claims",
            "{\"id_token\":{\"unknown\":{\"essential\":true}}}",
        ),
        ("resource", "https://a.example"),
        ("max_age", "0"),
        ("max_age", "9999999999"),
    ];
    for (name, value) in extra {
        let mut request = server.request("web", "openid").with(name, value);
        request.0.reverse();
        let answer = server.browser().authorize(&request).await;
        assert!(
            asks_password(&answer),
            "{name}={value}: {} {}",
            answer.status,
            answer.body
        );
    }
}

// P-75, P-76, P-111, P-113, P-114, P-122, SEC-117, S15
#[tokio::test]
async fn the_response_has_code_iss_and_the_state_as_it_was_sent_and_nothing_else() {
    let server = TestServer::start().await;
    let long = "s".repeat(2048);
    for state in [
        "x",
        "a b+c%20d&e=f#g",
        "état ✓ 漢字",
        "\"<script>",
        long.as_str(),
    ] {
        let answer = server
            .browser()
            .complete(
                &server.request("web", "openid").with("state", state),
                "alice",
            )
            .await;
        assert_eq!(answer.callback("state").as_deref(), Some(state));
        assert_eq!(
            answer.callback("iss").as_deref(),
            Some(server.issuer.as_str())
        );
        assert_eq!(names(answer.location().unwrap()), ["code", "state", "iss"]);
    }
    let answer = server
        .browser()
        .complete(&server.request("web", "openid").without("state"), "alice")
        .await;
    assert_eq!(names(answer.location().unwrap()), ["code", "iss"]);
}

fn names(location: &str) -> Vec<String> {
    let query = location.split_once('?').unwrap().1;
    url::form_urlencoded::parse(query.as_bytes())
        .map(|(name, _)| name.into_owned())
        .collect()
}

// P-66
#[tokio::test]
async fn a_registered_query_is_kept_byte_for_byte_before_our_parameters() {
    let server = TestServer::start().await;
    let uri = "https://web.example/cb?keep=a%20b&x=1";
    let answer = server
        .browser()
        .complete(
            &server.request("web", "openid").with("redirect_uri", uri),
            "alice",
        )
        .await;
    let location = answer.location().unwrap();
    assert!(
        location.starts_with(&format!("{uri}&code=jtc_")),
        "{location}"
    );
}

// P-115, P-116, S16, S17
#[tokio::test]
async fn codes_are_long_and_of_visible_characters() {
    let server = TestServer::start().await;
    let (one, other) = (
        server.code("web", "openid").await,
        server.code("web", "openid").await,
    );
    assert!(
        one.starts_with("jtc_")
            && one.len() >= 43
            && one.bytes().all(|b| (0x21..=0x7e).contains(&b)),
        "{one}"
    );
    assert_ne!(one, other);
    server.userinfo(&one).await.refused(401, "invalid_token");
}

// P-60, P-61, P-62, P-63, SEC-003, SEC-100, SEC-101, S12, S13
#[tokio::test]
async fn no_byte_of_a_redirect_uri_may_differ() {
    let server = TestServer::start().await;
    let registered = "https://web.example/cb";
    for at in 0..=registered.len() {
        let mut mutants: Vec<String> = Vec::new();
        for with in [
            "/", ".", "@", "\\", "%", "?", "#", "A", "\t", "\u{3002}", "%00",
        ] {
            mutants.push(format!("{}{with}{}", &registered[..at], &registered[at..]));
            if at < registered.len() {
                mutants.push(format!(
                    "{}{with}{}",
                    &registered[..at],
                    &registered[at + 1..]
                ));
            }
        }
        if at < registered.len() {
            mutants.push(format!("{}{}", &registered[..at], &registered[at + 1..]));
            mutants.push(format!(
                "{}{}{}",
                &registered[..at],
                registered[at..=at].to_uppercase(),
                &registered[at + 1..]
            ));
        }
        for mutant in mutants.iter().filter(|mutant| *mutant != registered) {
            let request = server.request("web", "openid").with("redirect_uri", mutant);
            let answer = server.send(server.get("/authorize").query(&request)).await;
            assert_eq!(
                (answer.status.as_u16(), answer.location()),
                (400, None),
                "{mutant}"
            );
            assert_eq!(server.cause(), "redirect_uri_mismatch", "{mutant}");
        }
    }
}

// SEC-103, SEC-104, S12
#[tokio::test]
async fn only_the_port_of_a_native_clients_loopback_address_is_free() {
    let server = TestServer::start().await;
    let cases = [
        ("http://127.0.0.1/cb", true),
        ("http://127.0.0.1:1/cb", true),
        ("http://127.0.0.1:65535/cb", true),
        ("http://[::1]:7777/cb", true),
        ("http://localhost/cb", true),
        ("com.example.app:/cb", true),
        ("http://localhost:7777/cb", false),
        ("http://127.0.0.1:7777/other", false),
        ("http://127.0.0.1:7777/cb?x", false),
        ("http://127.0.0.1:0/cb", false),
        ("http://127.0.0.1:65536/cb", false),
        ("http://127.0.0.1:07777/cb", false),
        ("http://127.0.0.1:77x/cb", false),
        ("http://127.0.0.1:/cb", false),
        ("https://127.0.0.1:7777/cb", false),
        ("http://127.1:7777/cb", false),
        ("http://0x7f.1/cb", false),
        ("http://2130706433/cb", false),
        ("http://[::ffff:127.0.0.1]/cb", false),
        ("http://127.0.0.1.evil.example/cb", false),
        ("http://127.0.0.1:80@evil.example/cb", false),
        ("com.example.app:/cb2", false),
        ("com.example.APP:/cb", false),
    ];
    for (uri, admitted) in cases {
        let request = server.request("native", "openid").with("redirect_uri", uri);
        let answer = server.browser().authorize(&request).await;
        assert_eq!(asks_password(&answer), admitted, "{uri}: {}", answer.status);
    }
    let uri = "http://127.0.0.1:7777/cb";
    let request = server.request("native", "openid").with("redirect_uri", uri);
    let code = server.browser().complete(&request, "alice").await;
    assert!(
        code.location()
            .unwrap()
            .starts_with(&format!("{uri}?code=")),
        "{:?}",
        code.location()
    );
    let fields = server
        .redemption("native", &code.code())
        .with("redirect_uri", uri);
    server.token("native", &fields).await.expect(200);
}

// P-60, P-62, SEC-100
#[tokio::test]
async fn an_unknown_client_and_a_foreign_address_get_the_same_kind_of_page() {
    let server = TestServer::start().await;
    let unknown = server.request("web", "openid").with("client_id", "nobody");
    let foreign = server
        .request("web", "openid")
        .with("redirect_uri", "https://evil.example/");
    for request in [unknown, foreign] {
        let answer = server
            .send(server.get("/authorize").query(&request))
            .await
            .expect(400);
        assert!(answer.is_page() && answer.location().is_none());
        assert!(
            !answer.body.contains("evil.example") && !answer.body.contains("nobody"),
            "{}",
            answer.body
        );
    }
}

// SEC-005, SEC-016, SEC-R10
#[tokio::test]
async fn the_forms_cannot_change_what_was_asked_for() {
    let server = TestServer::start().await;
    let mut browser = server.browser();
    let page = browser.authorize(&server.request("web", "openid")).await;
    let tampered = [
        ("username", "alice"),
        ("password", "the password of alice"),
        ("client_id", "other"),
        ("redirect_uri", "https://evil.example/"),
        ("scope", "openid email photos:read"),
        ("state", "mine"),
    ];
    let page = browser.submit(&page, &tampered).await;
    let approved = [
        ("approve", "yes"),
        ("scope.email", "yes"),
        ("scope.photos:read", "yes"),
        ("redirect_uri", "https://evil.example/"),
    ];
    let answer = browser.submit(&page, &approved).await;
    assert!(
        answer
            .location()
            .unwrap()
            .starts_with("https://web.example/cb?code="),
        "{:?}",
        answer.location()
    );
    assert_eq!(answer.callback("state").as_deref(), Some("state-1"));
    let tokens = server.redeem("web", &answer.code()).await.expect(200);
    assert_eq!(tokens.json()["scope"], "openid");
}

// P-101, SEC-107
#[tokio::test]
async fn the_user_can_say_no_at_either_page() {
    let server = TestServer::start().await;
    let mut browser = server.browser();
    let page = browser.authorize(&server.request("web", "openid")).await;
    let answer = browser.submit(&page, &[("cancel", "yes")]).await;
    assert_eq!(
        (answer.error().as_str(), answer.callback("state").as_deref()),
        ("access_denied", Some("state-1"))
    );

    let mut browser = server.browser();
    let page = browser.authorize(&server.request("web", "openid")).await;
    let page = browser.sign_in(&page, "alice").await;
    let answer = browser.submit(&page, &[("deny", "yes")]).await;
    assert_eq!(answer.error(), "access_denied");
    assert!(answer.callback("code").is_none());
    assert!(
        browser
            .seen
            .iter()
            .all(|seen| ![301, 302, 307, 308].contains(&seen.status.as_u16()))
    );
}

// P-112, SEC-049
#[tokio::test]
async fn an_error_response_repeats_nothing_of_the_request_but_its_state() {
    let server = TestServer::start().await;
    let request = server
        .request("web", "openid \"<script>alert(1)</script>")
        .with("prompt", "none");
    let answer = server
        .send(server.get("/authorize").query(&request))
        .await
        .expect(303);
    assert_eq!(answer.error(), "invalid_scope");
    assert!(!answer.location().unwrap().contains("alert"));
}

// SEC-195
#[tokio::test]
async fn a_head_request_has_the_status_of_its_get() {
    let server = TestServer::start().await;
    let ask = Ask::new(
        Method::HEAD,
        &format!("{}/.well-known/openid-configuration", server.issuer),
    );
    server.send(ask).await.expect(200);
}

// P-68, P-92, P-110
#[tokio::test]
async fn a_fault_after_the_proof_of_the_address_goes_to_the_client_also_by_post() {
    let server = TestServer::start().await;
    let request: Fields = server
        .request("web", "openid")
        .with("response_type", "token");
    let answer = server
        .send(server.post("/authorize", &request))
        .await
        .expect(303);
    assert_eq!(answer.error(), "unsupported_response_type");
    assert_eq!(
        answer.callback("iss").as_deref(),
        Some(server.issuer.as_str())
    );
}
