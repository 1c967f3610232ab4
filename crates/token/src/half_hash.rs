//! `at_hash` and its kin: the left half of the hash that goes with a signature algorithm.

use aws_lc_rs::digest;

use crate::algorithm::SignatureAlgorithm;
use crate::base64url;

/// Base64url of the left half of the hash of `text`. (OpenID Connect Core §3.1.3.6)
pub fn half_hash(algorithm: SignatureAlgorithm, text: &str) -> String {
    use SignatureAlgorithm::{
        EdDsa, Es256, Es384, Es512, Hs256, Hs384, Hs512, Ps256, Ps384, Ps512, Rs256, Rs384, Rs512,
    };
    let kind = match algorithm {
        Rs256 | Ps256 | Es256 | Hs256 => &digest::SHA256,
        Rs384 | Ps384 | Es384 | Hs384 => &digest::SHA384,
        // Ed25519 hashes with SHA-512 inside.
        Rs512 | Ps512 | Es512 | Hs512 | EdDsa => &digest::SHA512,
    };
    let hash = digest::digest(kind, text.as_bytes());
    let left = hash.as_ref().len() / 2;
    base64url::encode(hash.as_ref().get(..left).unwrap_or_default())
}
