//! Keys and tokens that several tests share.

use std::sync::LazyLock;

use jeton_token::{PublicJwk, SignatureAlgorithm, SigningKey, base64url, json};
use serde_json::Value;

pub static RSA: LazyLock<SigningKey> = LazyLock::new(|| made(SignatureAlgorithm::Rs256));
pub static PSS: LazyLock<SigningKey> = LazyLock::new(|| made(SignatureAlgorithm::Ps256));
pub static P256: LazyLock<SigningKey> = LazyLock::new(|| made(SignatureAlgorithm::Es256));
pub static P384: LazyLock<SigningKey> = LazyLock::new(|| made(SignatureAlgorithm::Es384));
pub static P521: LazyLock<SigningKey> = LazyLock::new(|| made(SignatureAlgorithm::Es512));
pub static ED25519: LazyLock<SigningKey> = LazyLock::new(|| made(SignatureAlgorithm::EdDsa));

fn made(algorithm: SignatureAlgorithm) -> SigningKey {
    SigningKey::generate(algorithm, None).unwrap()
}

pub fn all() -> [&'static SigningKey; 6] {
    [&RSA, &PSS, &P256, &P384, &P521, &ED25519]
}

/// A compact token with exactly this header and payload, signed by `key`.
pub fn signed(key: &SigningKey, header: &str, payload: &[u8]) -> String {
    let input = format!(
        "{}.{}",
        base64url::encode(header.as_bytes()),
        base64url::encode(payload)
    );
    let mut signature = Vec::new();
    key.sign(input.as_bytes(), &mut signature).unwrap();
    format!("{input}.{}", base64url::encode(&signature))
}

pub fn jwk(text: &str) -> PublicJwk {
    PublicJwk::parse(&json::parse_object(text.as_bytes(), 10_000).unwrap()).unwrap()
}

pub fn object(value: Value) -> serde_json::Map<String, Value> {
    value.as_object().unwrap().clone()
}
