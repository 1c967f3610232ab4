//! Local verification of `at+jwt` access tokens (RFC 9068 §4). Fetching keys, asking about opaque tokens and answering
//! challenges are not here.

use jeton_token::at_jwt::{self, AccessTokenFacts};
use jeton_token::confirmation::Confirmation;
use jeton_token::dpop::{DpopError, Proof, Request};
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

/// Why a token is not accepted. To the caller they are `invalid_token` (RFC 6750 §3.1), those about a proof itself
/// `invalid_dpop_proof` (RFC 9449 §7.1).
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
    #[error("the token is bound to a key, and nothing proves that the sender holds it")]
    Unproven,
    #[error("DPoP proof: {0}")]
    Proof(DpopError),
    #[error("the DPoP proof is too old or from the future")]
    ProofTime,
    #[error("the DPoP proof is by another key than the token's")]
    ProofKey,
}

impl Verifier {
    pub fn new(issuer: impl Into<String>, audience: impl Into<String>, keys: KeySet) -> Self {
        Self {
            issuer: issuer.into(),
            audience: audience.into(),
            keys,
        }
    }

    /// The facts of a bearer token that this resource may act on now. One that is bound to a key is no bearer token.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<AccessTokenFacts, Rejected> {
        let facts = self.read(token, now)?;
        match facts.cnf {
            None => Ok(facts),
            Some(_) => Err(Rejected::Unproven),
        }
    }

    /// The facts of a token that came by the DPoP scheme, with the proof of the `DPoP` header, which has to be there once.
    ///
    /// Whether the proof was used before is for the caller to remember: the `jti` of a key, for two minutes. (RFC 9449 §7.1)
    pub fn verify_bound(
        &self,
        (token, proof): (&str, &str),
        (method, url): (&str, &str),
        now: Timestamp,
    ) -> Result<(AccessTokenFacts, Proof), Rejected> {
        let facts = self.read(token, now)?;
        let request = Request {
            method,
            url,
            access_token: Some(token),
        };
        let proof = Proof::verify(proof, &request).map_err(Rejected::Proof)?;
        if !proof.is_timely(now) {
            return Err(Rejected::ProofTime);
        }
        if facts.cnf != Some(Confirmation::DpopKey(proof.thumbprint)) {
            return Err(Rejected::ProofKey);
        }
        Ok((facts, proof))
    }

    fn read(&self, token: &str, now: Timestamp) -> Result<AccessTokenFacts, Rejected> {
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
