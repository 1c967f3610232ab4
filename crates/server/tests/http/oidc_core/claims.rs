//! Core §5: what changes about a user is seen at once.

use crate::support::browser::{asks_consent, form};
use crate::support::{Answer, Setup, TestServer, Tokens, clients, jwt};
use jeton_protocol::client::{AuthenticationMethod, GrantType};
use jeton_protocol::scope::Scope;
use serde_json::Value;

const BOTH: &str = r#"{"id_token":{"email":null},"userinfo":{"phone_number":null,"unknown":null}}"#;

/// What the code of an answer gives: the token response, the ID token, and userinfo.
async fn given(server: &TestServer, client: &str, answer: &Answer) -> [Value; 3] {
    let tokens = Tokens::of(&server.redeem(client, &answer.code()).await);
    let id_token = jwt::verified(server, tokens.id()).await;
    let userinfo = server.userinfo(&tokens.access).await.expect(200).json();
    [tokens.json, id_token, userinfo]
}

// P-257, P-260
#[tokio::test]
async fn userinfo_tells_what_is_true_now() {
    let server = TestServer::start().await;
    let tokens = server.tokens("web", "openid email").await;
    let mut user = server.user("alice").await;
    user.claims
        .insert("email".to_owned(), "new@example.org".into());
    server
        .app
        .store
        .replace_user(&server.tenant(), user, server.occasion())
        .await
        .unwrap();
    assert_eq!(
        server.userinfo(&tokens.access).await.expect(200).json()["email"],
        "new@example.org"
    );
}

// P-257
#[tokio::test]
async fn a_scope_the_user_unchecked_gives_nothing() {
    let server = TestServer::start().await;
    let mut browser = server.browser();
    let page = browser
        .authorize(&server.request("web", "openid email phone"))
        .await;
    let page = browser.sign_in(&page, "alice").await;
    let answer = browser
        .submit(&page, &[("approve", "yes"), ("scope.phone", "yes")])
        .await;
    let tokens = crate::support::Tokens::of(&server.redeem("web", &answer.code()).await);
    let json = server.userinfo(&tokens.access).await.expect(200).json();
    assert_eq!(
        (json.get("email"), json["phone_number"].is_string()),
        (None, true)
    );
}

// P-84, P-260, Core §3.1.2.4
#[tokio::test]
async fn claims_by_name_are_consented_to_like_the_scope_they_belong_to() {
    let server = TestServer::start().await;
    let mut browser = server.browser();
    let plain = server.request("web", "openid");
    browser.complete(&plain, "alice").await.code();
    let asking = plain.with("claims", BOTH);
    let silent = asking.clone().with("prompt", "none");
    let refused = browser.authorize(&silent).await;
    assert_eq!(
        refused.callback("error").as_deref(),
        Some("consent_required")
    );
    let page = browser.authorize(&asking).await;
    assert!(asks_consent(&page), "{}", page.body);
    assert_eq!(form(&page).boxes, ["scope.email", "scope.phone"]);
    let approved = browser.approve(&page).await;
    let remembered = browser.authorize(&silent).await;
    for answer in [approved, remembered] {
        let [response, id_token, userinfo] = given(&server, "web", &answer).await;
        assert_eq!(response["scope"], "openid", "the token is no wider");
        assert_eq!(id_token["email"], "alice@example.org");
        assert!(userinfo["phone_number"].is_string());
        assert_eq!(userinfo.as_object().unwrap().len(), 2, "{userinfo}");
    }
}

// P-260
#[tokio::test]
async fn a_claim_by_name_whose_scope_the_user_unchecked_is_not_released() {
    let server = TestServer::start().await;
    for scope in ["openid", "openid email phone"] {
        let mut browser = server.browser();
        let asking = server.request("web", scope).with("claims", BOTH);
        let page = browser.authorize(&asking).await;
        let page = browser.sign_in(&page, "alice").await;
        let answer = browser.submit(&page, &[("approve", "yes")]).await;
        let [response, id_token, userinfo] = given(&server, "web", &answer).await;
        assert_eq!(response["scope"], "openid");
        assert_eq!(id_token.get("email"), None, "{scope}");
        assert_eq!(userinfo.as_object().unwrap().len(), 1, "{userinfo}");
        let refused = browser.authorize(&asking.with("prompt", "none")).await;
        assert_eq!(
            refused.callback("error").as_deref(),
            Some("consent_required")
        );
    }
}

// P-260
#[tokio::test]
async fn approving_claims_alone_is_a_denial() {
    let server = TestServer::start().await;
    let mut browser = server.browser();
    let asking = server.request("web", "photos:read").with("claims", BOTH);
    let page = browser.authorize(&asking).await;
    let page = browser.sign_in(&page, "alice").await;
    let boxes = [("approve", "yes"), ("scope.email", "yes")];
    let answer = browser.submit(&page, &boxes).await;
    assert_eq!(answer.callback("error").as_deref(), Some("access_denied"));
}

// P-87, P-260
#[tokio::test]
async fn a_client_gets_no_claims_by_name_beyond_its_registered_scope() {
    let grants = [GrantType::AuthorizationCode];
    let method = AuthenticationMethod::ClientSecretBasic;
    for first_party in [false, true] {
        let mut narrow = clients::new("narrow", method, &grants);
        narrow.scope = Scope::parse("openid phone").unwrap();
        narrow.first_party = first_party;
        let server = Setup::default().client(narrow).start().await;
        let asking = server.request("narrow", "openid").with("claims", BOTH);
        let answer = server.browser().complete(&asking, "alice").await;
        let [_, id_token, userinfo] = given(&server, "narrow", &answer).await;
        assert_eq!(id_token.get("email"), None, "first party: {first_party}");
        assert!(userinfo["phone_number"].is_string());
    }
}
