//! Clients that hold a key, and the proofs they make.

use crate::common::{ISSUER, NOW, authenticated, key_ring};
use jeton_protocol::caller::Caller;
use jeton_protocol::client::Client;
use jeton_protocol::dpop::{self, Unspent};
use jeton_protocol::issue::KeyRing;
use jeton_protocol::refusal::{Refusal, Trail};
use jeton_token::dpop::Request;
use jeton_token::{Confirmation, SignatureAlgorithm, SigningKey, base64url, sha256};
use serde_json::{Value, json};
use std::sync::LazyLock;

/// Two keys of one client, or one each of two.
pub static ONE: LazyLock<SigningKey> = LazyLock::new(made);
pub static OTHER: LazyLock<SigningKey> = LazyLock::new(made);

/// The tenant's keys, made once: RSA takes long.
pub static RING: LazyLock<KeyRing> = LazyLock::new(key_ring);

fn made() -> SigningKey {
    SigningKey::generate(SignatureAlgorithm::Es256, None).unwrap()
}

pub fn key_of(key: &SigningKey) -> Confirmation {
    Confirmation::DpopKey(key.public_jwk().thumbprint_bytes())
}

pub fn token_url() -> String {
    format!("{ISSUER}/token")
}

/// What a right proof for the token endpoint says, changed by `changes`.
pub fn claims(changes: &Value) -> Value {
    let mut claims = json!({
        "jti": "jti-1", "htm": "POST", "htu": token_url(), "iat": NOW.seconds(),
    });
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

pub fn signed(key: &SigningKey, claims: &Value) -> String {
    let header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": key.public_jwk() });
    let part = |value: &Value| base64url::encode(value.to_string().as_bytes());
    let input = format!("{}.{}", part(&header), part(claims));
    let mut signature = Vec::new();
    key.sign(input.as_bytes(), &mut signature).unwrap();
    format!("{input}.{}", base64url::encode(&signature))
}

pub fn proof(key: &SigningKey) -> String {
    signed(key, &claims(&json!({})))
}

pub fn verify(text: &str) -> Result<Unspent, Refusal> {
    let url = token_url();
    let request = Request {
        method: "POST",
        url: &url,
        access_token: None,
    };
    dpop::verify(text, &request, None, NOW, &mut Trail::off())
}

/// The proof of a request to userinfo with this token.
pub fn at_userinfo(key: &SigningKey, token: &str) -> Unspent {
    let url = format!("{ISSUER}/userinfo");
    let ath = base64url::encode(&sha256(token.as_bytes()));
    let claims = claims(&json!({ "htm": "GET", "htu": url, "ath": ath }));
    let request = Request {
        method: "GET",
        url: &url,
        access_token: Some(token),
    };
    dpop::verify(
        &signed(key, &claims),
        &request,
        None,
        NOW,
        &mut Trail::off(),
    )
    .unwrap()
}

/// The client with the key it proves, if it does.
pub fn holding(client: Client, key: Option<&SigningKey>) -> Caller {
    let binding = key.map(|key| {
        let unspent = verify(&proof(key)).unwrap();
        unspent.spent(true, &mut Trail::off()).unwrap()
    });
    Caller::new(authenticated(client), binding)
}
