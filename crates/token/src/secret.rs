//! Bytes that must not be seen, and how to compare them. Hashing of passwords does not belong here.

use std::fmt;

use aws_lc_rs::{constant_time, digest};
use zeroize::Zeroizing;

use crate::entropy::Entropy;

/// Secret bytes: wiped on drop, never printed, never serialised, compared in constant time. (SEC-419, SEC-420)
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    pub fn from_text(text: String) -> Self {
        Self::new(text.into_bytes())
    }

    /// 256 fresh bits.
    pub fn random(entropy: &mut Entropy) -> Self {
        let mut bytes = vec![0; 32];
        entropy.fill(&mut bytes);
        Self::new(bytes)
    }

    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Compares without telling by its duration how much was right. The length is not hidden.
    pub fn matches(&self, presented: &[u8]) -> bool {
        constant_time_eq(&self.0, presented)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

pub fn constant_time_eq(left: &[u8], right: &[u8]) -> bool {
    constant_time::verify_slices_are_equal(left, right).is_ok()
}

pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    for (to, from) in out
        .iter_mut()
        .zip(digest::digest(&digest::SHA256, bytes).as_ref())
    {
        *to = *from;
    }
    out
}
