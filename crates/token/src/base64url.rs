//! The one spelling of bytes as text: base64url without padding. (RFC 7515 §2, SEC-177)

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use thiserror::Error;

#[derive(Copy, Clone, Debug, PartialEq, Eq, Error)]
#[error("not unpadded canonical base64url")]
pub struct Base64UrlError;

pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Appends the text of `bytes` to `out`.
pub fn encode_onto(bytes: &[u8], out: &mut String) {
    URL_SAFE_NO_PAD.encode_string(bytes, out);
}

/// The length of the text of `count` bytes.
pub const fn encoded_len(count: usize) -> usize {
    count.saturating_mul(4).div_ceil(3)
}

/// Reads text, refusing padding, white space, other alphabets and set bits behind the last byte.
pub fn decode(text: &str) -> Result<Vec<u8>, Base64UrlError> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| Base64UrlError)
}

/// Reads text that must hold exactly `N` bytes.
pub fn decode_array<const N: usize>(text: &str) -> Result<[u8; N], Base64UrlError> {
    if text.len() != encoded_len(N) {
        return Err(Base64UrlError);
    }
    let mut out = [0; N];
    match URL_SAFE_NO_PAD.decode_slice(text, &mut out) {
        Ok(count) if count == N => Ok(out),
        Ok(_) | Err(_) => Err(Base64UrlError),
    }
}
