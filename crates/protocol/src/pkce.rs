//! Proof Key for Code Exchange: S256 only (RFC 7636, RFC 9700 §2.1.1).

use jeton_token::base64url;
use jeton_token::secret::{constant_time_eq, sha256};

/// A code challenge has the length of an unpadded base64url SHA-256 and nothing else (RFC 7636 §4.2).
pub fn is_challenge(text: &str) -> bool {
    base64url::decode(text).is_ok_and(|bytes| bytes.len() == 32)
}

/// 43 to 128 unreserved characters (RFC 7636 §4.1).
pub fn is_verifier(text: &str) -> bool {
    (43..=128).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~'))
}

pub fn matches(challenge: &str, verifier: &str) -> bool {
    let computed = base64url::encode(&sha256(verifier.as_bytes()));
    constant_time_eq(challenge.as_bytes(), computed.as_bytes())
}
