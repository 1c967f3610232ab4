//! Request objects by value over HTTP, brought and pushed (RFC 9101, Core §6.1). What is refused is in the corpus.

use crate::support::{CHALLENGE, Fields, TestServer, Tokens, clients, jwt};
use serde_json::{Value, json};

async fn server() -> TestServer {
    let server = TestServer::start().await;
    server
        .change_client("keyed", clients::keyed_for_users)
        .await;
    server
}

fn object(server: &TestServer, more: &[(&str, Value)]) -> String {
    let mut claims = json!({
        "iss": "keyed", "aud": server.issuer, "exp": server.now().seconds() + 60, "client_id": "keyed",
        "response_type": "code", "redirect_uri": "https://web.example/cb", "scope": "openid email",
        "state": "state-1", "nonce": "nonce-1", "code_challenge": CHALLENGE, "code_challenge_method": "S256",
    });
    for (name, value) in more {
        claims[*name] = value.clone();
    }
    let header = json!({ "alg": "ES256", "typ": "oauth-authz-req+jwt" });
    jwt::sign(jwt::client_key(), &header, &claims)
}

// P-125, P-128, P-131, P-132
#[tokio::test]
async fn a_request_object_is_the_request() {
    let server = server().await;
    let object = object(&server, &[("claims", json!({"id_token": {"email": null}}))]);
    let fields = Fields::from([
        ("client_id", "keyed"),
        ("response_type", "code"),
        ("scope", "openid photos:read"),
        ("state", "outside"),
        ("request", &object),
    ]);
    let answer = server.browser().complete(&fields, "alice").await;
    assert_eq!(answer.callback("state").as_deref(), Some("state-1"));
    let tokens = Tokens::of(&server.redeem("keyed", &answer.code()).await);
    assert_eq!(tokens.json["scope"], "openid email");
    let claims = jwt::verified(&server, tokens.id()).await;
    assert_eq!(
        (&claims["nonce"], &claims["email"]),
        (&json!("nonce-1"), &json!("alice@example.org"))
    );
}

// P-126, P-136, RFC 9126 §3
#[tokio::test]
async fn a_request_object_can_be_pushed() {
    let server = server().await;
    let object = object(&server, &[]);
    let uri = server
        .push("keyed", &Fields::from([("request", object.as_str())]))
        .await;
    let fields = Fields::from([("client_id", "keyed"), ("request_uri", &uri)]);
    let answer = server.browser().complete(&fields, "alice").await;
    Tokens::of(&server.redeem("keyed", &answer.code()).await);
}

// P-128
#[tokio::test]
async fn the_registered_algorithm_is_enforced_at_both_endpoints() {
    let server = server().await;
    let wants_ps256 = |client: &mut jeton_protocol::client::Client| {
        client.request_object_signing_alg = Some(jeton_token::SignatureAlgorithm::Ps256);
    };
    server.change_client("keyed", wants_ps256).await;
    let object = object(&server, &[]);
    let push = Fields::from([("request", object.as_str())]);
    server
        .post_as("keyed", "/par", &push)
        .await
        .refused(400, "invalid_request_object");
    let fields = push
        .and("client_id", "keyed")
        .and("redirect_uri", "https://web.example/cb");
    let answer = server.browser().authorize(&fields).await;
    assert_eq!(answer.error(), "invalid_request_object");
}
