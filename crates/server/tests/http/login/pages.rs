//! What the pages say, in whose language, and of what nobody should be able to make them say (SEC-049, S11, S22).

use crate::support::browser::{asks_consent, form};
use crate::support::{Answer, TestServer, clients};
use jeton_protocol::client::AuthenticationMethod;

const POLYGLOT: &str = "jaVasCript:/*-/*`/*\\`/*'/*\"/**/(/* */oNcliCk=alert() )//%0D%0A%0d%0a//</stYle/</titLe/</teXtarEa/</scRipt/--!>\\x3csVg/<sVg/oNloAd=alert()//>\\x3e";

// SEC-049
#[tokio::test]
async fn no_parameter_reaches_a_page_unescaped() {
    let server = TestServer::start().await;
    let names = [
        "response_type",
        "client_id",
        "redirect_uri",
        "scope",
        "state",
        "nonce",
        "prompt",
        "max_age",
        "ui_locales",
        "login_hint",
        "id_token_hint",
        "claims",
        "display",
        "acr_values",
        "request",
        "response_mode",
        "unknown",
    ];
    for name in names {
        let request = server.request("web", "openid").with(name, POLYGLOT);
        let answer = server.browser().authorize(&request).await;
        assert!(
            !answer.body.contains("<sVg") && !answer.body.contains("</scRipt"),
            "{name}"
        );
        assert!(
            answer
                .location()
                .is_none_or(|location| !location.contains('<')),
            "{name}"
        );
    }
}

// SEC-049
#[tokio::test]
async fn no_header_or_path_reaches_a_page_unescaped() {
    let server = TestServer::start().await;
    for header in [
        "user-agent",
        "referer",
        "accept-language",
        "x-forwarded-host",
        "cookie",
    ] {
        let request = server.request("web", "openid");
        let answer = server
            .browser()
            .go(server
                .get("/authorize")
                .query(&request)
                .header(header, POLYGLOT))
            .await;
        assert!(!answer.body.contains("<sVg"), "{header}");
    }
    for path in [
        "/continue",
        "/sign-in",
        "/consent",
        "/end-session",
        "/errors/",
    ] {
        let fields =
            crate::support::Fields::from([("interaction", POLYGLOT), ("id_token_hint", POLYGLOT)]);
        let answer = server.send(server.get(path).query(&fields)).await;
        assert!(
            !answer.body.contains("<sVg") && !answer.body.contains("oNcliCk"),
            "{path}"
        );
    }
}

// SEC-049, P-102
#[tokio::test]
async fn a_client_cannot_write_markup_into_our_pages() {
    let mut client = clients::new(
        "evil",
        AuthenticationMethod::ClientSecretBasic,
        &[jeton_protocol::client::GrantType::AuthorizationCode],
    );
    client.name = Some(format!("{POLYGLOT}\u{202e}"));
    client.client_uri = Some("javascript:alert(1)".to_owned());
    client.policy_uri = Some("data:text/html,<script>".to_owned());
    let server = crate::support::Setup::default()
        .client(client)
        .start()
        .await;
    let mut browser = server.browser();
    let page = browser.authorize(&server.request("evil", "openid")).await;
    let consent = browser.sign_in(&page, "alice").await;
    for page in [&page, &consent] {
        assert!(
            !page.body.contains("<sVg")
                && !page.body.contains("href=\"javascript")
                && !page.body.contains("href=\"data")
        );
        assert!(!page.body.contains('\u{202e}'), "text that runs backwards");
    }
}

// P-102, P-103, S11, S22
#[tokio::test]
async fn the_pages_name_the_client_and_link_to_its_terms() {
    let server = TestServer::start().await;
    let mut browser = server.browser();
    let page = browser
        .authorize(&server.request("web", "openid photos:read"))
        .await;
    assert!(page.body.contains("Application web"));
    let consent = browser.sign_in(&page, "alice").await;
    assert!(asks_consent(&consent));
    for text in [
        "Application web",
        "https://web.example/privacy",
        "https://web.example/terms",
        "Look at your photos",
        "web.example",
    ] {
        assert!(consent.body.contains(text), "{text}");
    }
    assert_eq!(form(&consent).boxes, ["scope.photos:read"]);
    for class in ["class=\"sign-in", "class=\"cancel"] {
        assert!(page.body.contains(class), "{class}");
    }
    for class in ["class=\"approve", "class=\"deny"] {
        assert!(consent.body.contains(class), "{class}");
    }
}

// P-79, S11
#[tokio::test]
async fn the_language_is_the_one_asked_for() {
    let server = TestServer::start().await;
    let request = server.request("web", "openid");
    let french = server
        .browser()
        .authorize(&request.clone().with("ui_locales", "fr-CA en"))
        .await;
    assert!(french.body.contains("lang=\"fr\""), "{}", french.body);
    let by_header = server
        .get("/authorize")
        .query(&request)
        .header("accept-language", "fr;q=0.9, en;q=0.1");
    let answer = server.browser().step(by_header).await;
    assert_eq!(answer.status, 303);
    let unknown = server
        .browser()
        .authorize(&request.with("ui_locales", "tlh"))
        .await;
    assert!(unknown.body.contains("lang=\"en\""));
}

// SEC-041: a double click is no error, and leaves the browser signed in.
#[tokio::test]
async fn a_sign_in_form_sent_twice_leaves_the_browser_signed_in() {
    let server = TestServer::start().await;
    let mut browser = server.browser();
    let page = browser.authorize(&server.request("web", "openid")).await;
    let typed = [
        ("username", "alice"),
        ("password", &TestServer::password("alice")),
    ];
    let form = browser.filled(&page, &typed);
    let (first, second) = (browser.step(form.clone()).await, browser.step(form).await);
    assert_eq!((first.status.as_u16(), second.status.as_u16()), (303, 303));
    let silent = server.request("first", "openid").with("prompt", "none");
    browser.authorize(&silent).await.code();
}

// SEC-R02
#[tokio::test]
async fn a_redirection_uri_removed_during_the_sign_in_gets_no_answer() {
    let server = TestServer::start().await;
    let other = clients::uris(
        &["https://web.example/new"],
        jeton_protocol::client::ApplicationType::Web,
    );
    let request = server.request("web", "openid");
    let mut waiting = server.browser();
    let sign_in = waiting.authorize(&request).await;
    let mut cancelling = server.browser();
    let cancelled = cancelling.authorize(&request).await;
    let mut asked = server.browser();
    let consent = asked.authorize(&request).await;
    let consent = asked.sign_in(&consent, "alice").await;
    assert!(asks_consent(&consent));
    server
        .change_client("web", |client| client.redirect_uris = other)
        .await;
    let is_shown = |answer: Answer| {
        assert_eq!(answer.location(), None);
        assert!(answer.expect(400).is_page());
        assert_eq!(server.cause(), "redirect_uri_mismatch");
    };
    is_shown(asked.approve(&consent).await);
    is_shown(cancelling.submit(&cancelled, &[("cancel", "yes")]).await);
    is_shown(waiting.sign_in(&sign_in, "alice").await);
}
