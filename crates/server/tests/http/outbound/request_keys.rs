//! Request objects of clients whose keys are at their `jwks_uri` (RFC 9101 §6.2, P-128, P-198, SEC-226).

use super::client_keys::{client, key, serving, set};
use crate::support::remote::Remote;
use crate::support::{CHALLENGE, Fields, clients, jwt};
use jeton_protocol::client::{Client, GrantType};
use jeton_token::signing_key::SigningKey;
use serde_json::json;

fn far(remote: &Remote) -> Client {
    let mut far = client("far", &remote.url("/jwks"));
    far.grant_types = vec![GrantType::AuthorizationCode];
    clients::keyed_for_users(&mut far);
    far
}

fn request(key: &SigningKey) -> Fields {
    let redirect_uri = clients::redirect_uri("far");
    let claims = json!({
        "client_id": "far", "response_type": "code", "redirect_uri": redirect_uri, "scope": "openid",
        "code_challenge": CHALLENGE, "code_challenge_method": "S256",
    });
    let header = json!({ "alg": "ES256", "typ": "oauth-authz-req+jwt", "kid": key.kid() });
    let object = jwt::sign(key, &header, &claims);
    Fields::from([
        ("client_id", "far"),
        ("response_type", "code"),
        ("redirect_uri", redirect_uri),
        ("request", &object),
    ])
}

#[tokio::test]
async fn the_keys_are_fetched_once_and_again_when_the_client_has_new_ones() {
    let remote = Remote::start().await;
    let server = serving(&remote, vec![far(&remote)]).await;
    let (old, new) = (key(Some("old")), key(Some("new")));
    remote.serves_keys("/jwks", &set(&[&old]));
    for _ in 0..2 {
        let asked = request(&old);
        server.browser().complete(&asked, "alice").await.code();
    }
    assert_eq!(remote.asked(), 1);
    remote.serves_keys("/jwks", &set(&[&new]));
    server.advance(60);
    let asked = request(&new);
    server.browser().complete(&asked, "alice").await.code();
    assert_eq!(remote.asked(), 2);
}

#[tokio::test]
async fn a_pushed_object_is_verified_with_them_too() {
    let remote = Remote::start().await;
    let server = serving(&remote, vec![far(&remote)]).await;
    let theirs = key(Some("a"));
    remote.serves_keys("/jwks", &set(&[&theirs]));
    for (signed_by, status) in [(&theirs, 201), (jwt::foreign_key(), 400)] {
        let header = json!({ "alg": "ES256", "kid": "a" });
        let assertion = jwt::sign(&theirs, &header, &jwt::assertion_claims(&server, "far"));
        let fields = jwt::with_assertion(request(signed_by), &assertion);
        let answer = server.send(server.post("/par", &fields)).await;
        assert_eq!(answer.status.as_u16(), status);
    }
    assert_eq!(server.cause(), "request_object_signature");
}

#[tokio::test]
async fn keys_that_cannot_be_had_verify_nothing_and_the_operator_reads_why() {
    let remote = Remote::start().await;
    let server = serving(&remote, vec![far(&remote)]).await;
    let fields = request(&key(Some("a")));
    let answer = server.browser().authorize(&fields).await;
    assert_eq!(
        answer.callback("error").as_deref(),
        Some("invalid_request_object")
    );
    assert_eq!(server.cause(), "request_object_signature");
    let found = server.refusal().unwrap().noted.found.to_string();
    assert!(found.contains("could not be had"), "{found}");
}
