//! Makes assertions, true ones and broken ones.

use crate::common::{ISSUER, NOW, client, form, issuer, params};
use jeton_protocol::client::{AuthenticationMethod, Client};
use jeton_protocol::client_auth::{self, OpenedSecret, Presented, Verified};
use jeton_protocol::refusal::{Refusal, Trail};
use jeton_token::key_set::KeySet;
use jeton_token::secret::sha256;
use jeton_token::signing_key::SigningKey;
use jeton_token::timestamp::Timestamp;
use jeton_token::{SignatureAlgorithm, base64url};
use serde_json::{Value, json};
use std::sync::Arc;

pub const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

pub fn key() -> SigningKey {
    crate::common::signing_key(SignatureAlgorithm::Es256)
}

/// A client of `private_key_jwt` whose keys these are.
pub fn client_of(keys: &[&SigningKey]) -> Client {
    Client {
        authentication: AuthenticationMethod::PrivateKeyJwt,
        jwks: Some(KeySet::new(
            keys.iter().map(|key| key.public_jwk().clone()).collect(),
        )),
        ..client()
    }
}

pub fn client_of_secret() -> Client {
    Client {
        authentication: AuthenticationMethod::ClientSecretJwt,
        ..client()
    }
}

pub fn good_claims() -> Value {
    json!({
        "iss": "app", "sub": "app", "aud": ISSUER, "jti": "a-jti",
        "iat": NOW.seconds(), "exp": NOW.seconds() + 60,
    })
}

/// The good claims with one changed, or removed by `null`.
pub fn claims_with(name: &str, value: &Value) -> Value {
    let mut claims = good_claims();
    let members = claims.as_object_mut().unwrap();
    members.insert(name.to_owned(), value.clone());
    members.retain(|_, value| !value.is_null());
    claims
}

/// Signs any header and payload, fitting or not.
pub fn sign(key: &SigningKey, header: &Value, payload: &str) -> String {
    let part = |text: &str| base64url::encode(text.as_bytes());
    let signed = format!("{}.{}", part(&header.to_string()), part(payload));
    let mut signature = Vec::new();
    key.sign(signed.as_bytes(), &mut signature).unwrap();
    format!("{signed}.{}", base64url::encode(&signature))
}

pub fn jwt(key: &SigningKey, claims: &Value) -> String {
    let header = json!({"alg": key.algorithm().name(), "kid": key.kid()});
    sign(key, &header, &claims.to_string())
}

/// HS256 over any secret, made from the definition of HMAC (RFC 2104).
pub fn hs256(secret: &[u8], header: &Value, claims: &Value) -> String {
    let part = |value: &Value| base64url::encode(value.to_string().as_bytes());
    let signed = format!("{}.{}", part(header), part(claims));
    let mut block = [0_u8; 64];
    if secret.len() > block.len() {
        block[..32].copy_from_slice(&sha256(secret));
    } else {
        block[..secret.len()].copy_from_slice(secret);
    }
    let inner: Vec<u8> = block
        .iter()
        .map(|b| b ^ 0x36)
        .chain(signed.bytes())
        .collect();
    let outer: Vec<u8> = block
        .iter()
        .map(|b| b ^ 0x5c)
        .chain(sha256(&inner))
        .collect();
    format!("{signed}.{}", base64url::encode(&sha256(&outer)))
}

pub fn verify_at(
    now: Timestamp,
    client: &Client,
    opened: &OpenedSecret<'_>,
    jwt: &str,
) -> Result<Verified, Refusal> {
    let body = form(&[("client_assertion_type", TYPE), ("client_assertion", jwt)]);
    let params = params(&body);
    let mut trail = Trail::off();
    let presented = Presented::read(None, &params, &mut trail)?;
    client_auth::verify(
        &presented,
        Arc::new(client.clone()),
        opened,
        (&issuer(), now),
        &mut trail,
    )
}

pub fn verify(client: &Client, jwt: &str) -> Result<Verified, Refusal> {
    verify_at(NOW, client, &OpenedSecret::None, jwt)
}
