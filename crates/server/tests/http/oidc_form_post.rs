//! The form post response mode over HTTP: the page, what it may do, and what it holds.

use crate::support::browser::form;
use crate::support::{Answer, ISSUER, TestServer, Tokens, jwt};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jeton_token::secret::sha256;

const POLYGLOT: &str = "\"'><script>alert(1)</script><!--&amp;&quot;\u{202e}+%20";

/// Checks that the page posts to the redirection URI and can do nothing else.
#[track_caller]
fn is_posting_page(answer: &Answer) {
    assert_eq!(answer.status.as_u16(), 200);
    assert!(answer.is_page(), "{}", answer.body);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
    let scripts: Vec<&str> = answer.body.split("<script").skip(1).collect();
    let [script] = scripts.as_slice() else {
        panic!("{} scripts", scripts.len())
    };
    let text = script
        .strip_prefix('>')
        .unwrap()
        .split("</script>")
        .next()
        .unwrap();
    let hash = STANDARD.encode(sha256(text.as_bytes()));
    let csp = answer.header("content-security-policy").unwrap();
    let directives: Vec<&str> = csp.split(';').map(str::trim).collect();
    for wanted in [
        "default-src 'none'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        &format!("script-src 'sha256-{hash}'"),
    ] {
        assert!(directives.contains(&wanted), "{wanted} in {csp}");
    }
    assert!(!csp.contains("unsafe"));
    // Browsers would apply it to wherever the client redirects to after the POST.
    assert!(!csp.contains("form-action"), "{csp}");
    assert_eq!(form(answer).action, "https://web.example/cb");
    assert!(
        answer
            .body
            .contains("<button type=\"submit\" class=\"continue")
    );
}

// P-107, P-108, P-109, SEC-109, SEC-111, SEC-401
#[tokio::test]
async fn the_response_is_a_form_with_a_button_and_one_script() {
    let server = TestServer::start().await;
    let request = server
        .request("web", "openid")
        .with("response_mode", "form_post");
    let answer = server.browser().complete(&request, "alice").await;
    is_posting_page(&answer);
    let fields = form(&answer).hidden;
    let names: Vec<&str> = fields.0.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["code", "state", "iss"]);
    assert_eq!(fields.value("state"), Some("state-1"));
    assert_eq!(fields.value("iss"), Some(ISSUER));
    Tokens::of(&server.redeem("web", fields.value("code").unwrap()).await);
}

// P-107, P-108
#[tokio::test]
async fn an_error_is_a_form_too() {
    let server = TestServer::start().await;
    let request = server
        .request("web", "openid")
        .with("response_mode", "form_post");
    let silent = server
        .browser()
        .authorize(&request.clone().with("prompt", "none"))
        .await;
    is_posting_page(&silent);
    assert_eq!(form(&silent).hidden.value("error"), Some("login_required"));
    let broken = server
        .browser()
        .authorize(&request.clone().with("scope", "a\"b"))
        .await;
    is_posting_page(&broken);
    assert_eq!(form(&broken).hidden.value("error"), Some("invalid_scope"));
    let mut browser = server.browser();
    let page = browser.authorize(&request).await;
    let denied = browser.submit(&page, &[("cancel", "yes")]).await;
    is_posting_page(&denied);
    assert_eq!(form(&denied).hidden.value("error"), Some("access_denied"));
}

// SEC-111, SEC-117, SEC-002
#[tokio::test]
async fn whatever_state_is_it_stays_a_value() {
    let server = TestServer::start().await;
    let request = server
        .request("web", "openid")
        .with("response_mode", "form_post")
        .with("state", POLYGLOT);
    let answer = server
        .browser()
        .authorize(&request.clone().with("prompt", "none"))
        .await;
    is_posting_page(&answer);
    assert!(
        !answer.body.contains("alert(1)</script>"),
        "{}",
        answer.body
    );
    assert!(answer.body.contains("&lt;script&gt;alert(1)"));
    let foreign = request.with("redirect_uri", "https://web.example/cb/..;/x");
    let answer = server.browser().authorize(&foreign).await.expect(400);
    assert!(!answer.body.contains("<form"), "{}", answer.body);
}

// P-325, P-329
#[tokio::test]
async fn a_signed_response_is_the_one_field() {
    let server = TestServer::start().await;
    let request = server
        .request("web", "openid")
        .with("response_mode", "form_post.jwt");
    let answer = server.browser().complete(&request, "alice").await;
    is_posting_page(&answer);
    let fields = form(&answer).hidden;
    assert_eq!(fields.0.len(), 1);
    let claims = jwt::verified(&server, fields.value("response").unwrap()).await;
    Tokens::of(&server.redeem("web", claims["code"].as_str().unwrap()).await);
}

// P-108: in the language of the reader
#[tokio::test]
async fn the_page_speaks_french() {
    let server = TestServer::start().await;
    let request = server
        .request("web", "openid")
        .with("response_mode", "form_post")
        .with("prompt", "none");
    let ask = server.get("/authorize").query(&request);
    let answer = server.send(ask.header("accept-language", "fr")).await;
    assert!(
        answer.body.contains("Retour à l’application"),
        "{}",
        answer.body
    );
}
