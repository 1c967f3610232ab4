//! JWTs as clients, attackers and resource servers make and read them.

use super::TestServer;
use super::ask::Fields;
use super::clients::HMAC_SECRET;
use aws_lc_rs::hmac as mac;
use jeton_token::algorithm::SignatureAlgorithm;
use jeton_token::base64url;
use jeton_token::signing_key::SigningKey;
use serde_json::{Value, json};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The key the client `keyed` is registered with.
pub fn client_key() -> &'static SigningKey {
    static KEY: OnceLock<SigningKey> = OnceLock::new();
    KEY.get_or_init(|| SigningKey::generate(SignatureAlgorithm::Es256, None).unwrap())
}

/// A key nobody registered.
pub fn foreign_key() -> &'static SigningKey {
    static KEY: OnceLock<SigningKey> = OnceLock::new();
    KEY.get_or_init(|| SigningKey::generate(SignatureAlgorithm::Es256, None).unwrap())
}

/// What a right client assertion says; each has a `jti` of its own.
pub fn assertion_claims(server: &TestServer, client: &str) -> Value {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let now = server.now().seconds();
    json!({
        "iss": client, "sub": client, "aud": server.issuer, "iat": now, "exp": now + 60,
        "jti": format!("jti-{}", NEXT.fetch_add(1, Ordering::Relaxed)),
    })
}

pub fn keyed(server: &TestServer, client: &str) -> String {
    sign(
        client_key(),
        &json!({ "alg": "ES256" }),
        &assertion_claims(server, client),
    )
}

pub fn hmac(server: &TestServer) -> String {
    sign_hmac(
        HMAC_SECRET.as_bytes(),
        &json!({ "alg": "HS256" }),
        &assertion_claims(server, "hmac"),
    )
}

pub fn assertion_fields(jwt: &str) -> [(&'static str, &str); 2] {
    [
        ("client_assertion_type", ASSERTION_TYPE),
        ("client_assertion", jwt),
    ]
}

pub fn with_assertion(fields: Fields, jwt: &str) -> Fields {
    fields
        .with("client_assertion_type", ASSERTION_TYPE)
        .with("client_assertion", jwt)
}

pub fn sign(key: &SigningKey, header: &Value, claims: &Value) -> String {
    let input = input(header, claims);
    let mut signature = Vec::new();
    key.sign(input.as_bytes(), &mut signature).unwrap();
    format!("{input}.{}", base64url::encode(&signature))
}

pub fn sign_hmac(secret: &[u8], header: &Value, claims: &Value) -> String {
    let input = input(header, claims);
    let tag = mac::sign(&mac::Key::new(mac::HMAC_SHA256, secret), input.as_bytes());
    format!("{input}.{}", base64url::encode(tag.as_ref()))
}

/// Header and claims, to be signed or not.
pub fn input(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| base64url::encode(value.to_string().as_bytes());
    format!("{}.{}", part(header), part(claims))
}

/// Header and claims of a JWT whose signature somebody else checks.
pub fn read(jwt: &str) -> (Value, Value) {
    let part = |number: usize| {
        let bytes = base64url::decode(jwt.split('.').nth(number).unwrap()).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    };
    (part(0), part(1))
}

/// The claims, after the signature has been checked with the keys the issuer publishes.
pub async fn verified(server: &TestServer, jwt: &str) -> Value {
    use jeton_token::jws::Jws;
    use jeton_token::key_set::KeySet;
    let jwks = server.send(server.get("/jwks")).await.expect(200);
    let keys = KeySet::parse(jwks.body.as_bytes()).unwrap();
    let unverified = Jws::parse(jwt).unwrap();
    let header = unverified.header();
    let kid = header.kid.as_deref().expect("a kid");
    let mut candidates = keys.candidates(Some(kid), header.alg);
    let key = candidates
        .find(|key| key.kid() == Some(kid))
        .expect("the key is published");
    let claims = unverified
        .verify(key)
        .expect("the signature verifies")
        .claims()
        .unwrap();
    Value::Object(claims.into_members())
}
