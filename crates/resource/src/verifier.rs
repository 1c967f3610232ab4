//! Local verification of `at+jwt` access tokens (RFC 9068 §4). Where keys come from, and who sends the token, is for others.

use jeton_token::jws::{Jws, Unverified};
use jeton_token::key_set::KeySet;
use jeton_token::timestamp::Timestamp;
use std::time::Duration;

use crate::access::Access;
use crate::rejected::Rejected;

/// How far the clocks of issuer and resource may differ. An end is an end: nothing is added to `exp`.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(10);

/// RFC 9068 §2.2.
const REQUIRED: [&str; 7] = ["iss", "exp", "aud", "sub", "client_id", "iat", "jti"];

/// What one resource server believes: one issuer, and its own name.
#[derive(Clone, Debug)]
pub struct Verifier {
    pub(crate) issuer: String,
    audience: String,
}

impl Verifier {
    /// Both are compared byte for byte; give the issuer as its metadata writes it.
    pub fn new(issuer: impl Into<String>, audience: impl Into<String>) -> Self {
        Self {
            issuer: issuer.into(),
            audience: audience.into(),
        }
    }

    /// What a token says that this resource may believe now. One that names a key in `cnf` still needs its holder:
    /// see [`Proofs::prove_holder`](crate::Proofs::prove_holder).
    pub fn verify(&self, token: &str, keys: &KeySet, now: Timestamp) -> Result<Access, Rejected> {
        let unverified = Jws::parse(token).map_err(Rejected::Malformed)?;
        self.could_be_meant(&unverified)?;
        self.open(&unverified, keys, now)
    }

    /// Judged before any key is looked for: another issuer's token must not have our issuer asked for keys.
    pub(crate) fn could_be_meant(&self, unverified: &Unverified<'_>) -> Result<(), Rejected> {
        if !unverified.header().typ_is("at+jwt") {
            return Err(Rejected::Typ);
        }
        let claims = unverified
            .unverified_claims()
            .map_err(Rejected::Malformed)?;
        match claims.text("iss").map_err(Rejected::Claims)? {
            Some(issuer) if issuer == self.issuer => Ok(()),
            Some(_) => Err(Rejected::Issuer),
            None => Err(Rejected::Claims(jeton_token::ClaimError::Missing("iss"))),
        }
    }

    pub(crate) fn open(
        &self,
        unverified: &Unverified<'_>,
        keys: &KeySet,
        now: Timestamp,
    ) -> Result<Access, Rejected> {
        let verified = keys.verify(unverified).ok_or(Rejected::Signature)?;
        let claims = verified.claims().map_err(Rejected::Malformed)?;
        let access = Access::read(claims.into_members(), &REQUIRED).map_err(Rejected::Claims)?;
        self.judge(&access, now)?;
        Ok(access)
    }

    /// Issuer, audience and time, of a JWT and of an introspection answer alike.
    pub(crate) fn judge(&self, access: &Access, now: Timestamp) -> Result<(), Rejected> {
        if access
            .issuer
            .as_ref()
            .is_some_and(|iss| *iss != self.issuer)
        {
            return Err(Rejected::Issuer);
        }
        if !access.audience.contains(&self.audience) {
            return Err(Rejected::Audience);
        }
        if now >= access.expires_at {
            return Err(Rejected::Expired);
        }
        let latest = now.plus(CLOCK_TOLERANCE);
        let too_early = |at: Option<Timestamp>| at.is_some_and(|at| at > latest);
        if too_early(access.issued_at) || too_early(access.not_before) {
            return Err(Rejected::TooEarly);
        }
        Ok(())
    }
}
