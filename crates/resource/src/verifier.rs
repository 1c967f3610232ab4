//! Local verification of `at+jwt` access tokens (RFC 9068 §4). Fetching keys, asking about opaque tokens and answering
//! challenges are not here.

use jeton_token::at_jwt::{self, AccessTokenFacts};
use jeton_token::jws::Jws;
use jeton_token::key_set::KeySet;
use jeton_token::timestamp::Timestamp;
use std::time::Duration;
use thiserror::Error;

/// How far the clocks of issuer and resource may differ.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(10);

/// What one resource server believes: one issuer, its keys, and its own name.
#[derive(Clone, Debug)]
pub struct Verifier {
    issuer: String,
    audience: String,
    keys: KeySet,
}

/// Why a token is not accepted. All of them are `invalid_token` to the caller (RFC 6750 §3.1).
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Rejected {
    #[error("not a well-formed signed JWT: {0}")]
    Malformed(String),
    #[error("typ is not at+jwt")]
    Typ,
    #[error("no key of the issuer verifies the signature")]
    Signature,
    #[error("issued by another issuer")]
    Issuer,
    #[error("meant for another audience")]
    Audience,
    #[error("expired, or issued in the future")]
    Time,
}

impl Verifier {
    pub fn new(issuer: impl Into<String>, audience: impl Into<String>, keys: KeySet) -> Self {
        Self {
            issuer: issuer.into(),
            audience: audience.into(),
            keys,
        }
    }

    /// The facts of a token that this resource may act on now.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<AccessTokenFacts, Rejected> {
        let malformed = |error: &dyn std::fmt::Display| Rejected::Malformed(error.to_string());
        let unverified = Jws::parse(token).map_err(|error| malformed(&error))?;
        if !unverified.header().typ_is("at+jwt") {
            return Err(Rejected::Typ);
        }
        let verified = self.keys.verify(&unverified).ok_or(Rejected::Signature)?;
        let claims = verified.claims().map_err(|error| malformed(&error))?;
        let facts = at_jwt::read(&claims).map_err(|error| malformed(&error))?;
        if facts.issuer != self.issuer {
            return Err(Rejected::Issuer);
        }
        if !facts.audience.contains(&self.audience) {
            return Err(Rejected::Audience);
        }
        if now >= facts.expires_at || facts.issued_at > now.plus(CLOCK_TOLERANCE) {
            return Err(Rejected::Time);
        }
        Ok(facts)
    }
}
