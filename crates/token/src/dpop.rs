//! DPoP proofs: a signed note of a key's holder that one request is theirs. Whether a proof was seen before, and which
//! nonce it had to carry, is not decided here. (RFC 9449 §4)

use std::time::Duration;

use serde_json::Value;
use thiserror::Error;

use crate::algorithm::SignatureAlgorithm;
use crate::base64url;
use crate::jwk::{JwkError, PublicJwk};
use crate::jws::{Jws, JwsError};
use crate::jwt::{ClaimError, Claims};
use crate::secret::{constant_time_eq, sha256};
use crate::target_uri;
use crate::timestamp::Timestamp;

/// What a proof may be signed with. Symmetric algorithms prove nothing, and RSA with PKCS #1 v1.5 is left behind.
pub const ALGORITHMS: [SignatureAlgorithm; 7] = [
    SignatureAlgorithm::Es256,
    SignatureAlgorithm::Es384,
    SignatureAlgorithm::Es512,
    SignatureAlgorithm::Ps256,
    SignatureAlgorithm::Ps384,
    SignatureAlgorithm::Ps512,
    SignatureAlgorithm::EdDsa,
];

/// How far from now a proof may have been made, either way: phones keep time badly.
pub const TOLERANCE: Duration = Duration::from_secs(60);

const LONGEST_JTI: usize = 256;

/// The request that a proof must be for.
#[derive(Copy, Clone, Debug)]
pub struct Request<'a> {
    pub method: &'a str,
    /// The address as clients know it, not as a proxy rewrote it.
    pub url: &'a str,
    /// At a protected resource, the token that is presented with the proof.
    pub access_token: Option<&'a str>,
}

/// A proof whose holder has the key and meant this request. It may still be old, or used before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// RFC 7638, SHA-256: what `cnf.jkt` and `dpop_jkt` name.
    pub thumbprint: [u8; 32],
    pub jti: String,
    pub issued_at: Timestamp,
    pub nonce: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DpopError {
    #[error("not a well-formed compact JWS: {0}")]
    Malformed(JwsError),
    #[error("typ is not dpop+jwt")]
    Typ,
    #[error("signed with {0}, which is no algorithm for proofs")]
    Algorithm(SignatureAlgorithm),
    #[error("the header has no jwk")]
    NoKey,
    #[error("jwk: {0}")]
    Key(JwkError),
    #[error("the signature is not one by the key in the header")]
    Signature(JwsError),
    #[error("{0}")]
    Claims(ClaimError),
    #[error("jti is empty or longer than {LONGEST_JTI} bytes")]
    Jti,
    #[error("htm is for another method")]
    Method(String),
    #[error("htu is for another address")]
    Url(String),
    #[error("ath is not the hash of the access token")]
    AccessToken,
}

impl Proof {
    /// Reads the one value of a `DPoP` header, and proves all that needs neither a clock nor a memory.
    pub fn verify(text: &str, request: &Request<'_>) -> Result<Self, DpopError> {
        let unverified = Jws::parse(text).map_err(DpopError::Malformed)?;
        let header = unverified.header();
        if !header.typ_is("dpop+jwt") {
            return Err(DpopError::Typ);
        }
        if !ALGORITHMS.contains(&header.alg) {
            return Err(DpopError::Algorithm(header.alg));
        }
        let key = key(unverified.raw_header().get("jwk"), header.alg)?;
        let claims = unverified
            .verify(&key)
            .map_err(DpopError::Signature)?
            .claims()
            .map_err(DpopError::Malformed)?;
        let proof = read(&claims, key.thumbprint_bytes()).map_err(DpopError::Claims)?;
        if proof.jti.is_empty() || proof.jti.len() > LONGEST_JTI {
            return Err(DpopError::Jti);
        }
        is_for(&claims, request)?;
        Ok(proof)
    }

    /// Whether the proof was made about now. One with a nonce of ours need not be asked. (RFC 9449 §11.1)
    pub fn is_timely(&self, now: Timestamp) -> bool {
        self.issued_at >= now.minus(TOLERANCE) && self.issued_at <= now.plus(TOLERANCE)
    }
}

fn key(jwk: Option<&Value>, algorithm: SignatureAlgorithm) -> Result<PublicJwk, DpopError> {
    let members = jwk.ok_or(DpopError::NoKey)?.as_object();
    let mut members = members
        .ok_or(DpopError::Key(JwkError::WrongType("jwk")))?
        .clone();
    // A key that names no algorithm is only made ready for this one.
    members
        .entry("alg")
        .or_insert_with(|| Value::from(algorithm.name()));
    PublicJwk::parse(&members).map_err(DpopError::Key)
}

fn read(claims: &Claims, thumbprint: [u8; 32]) -> Result<Proof, ClaimError> {
    for name in ["htm", "htu"] {
        claims.required_text(name)?;
    }
    Ok(Proof {
        thumbprint,
        jti: claims.required_text("jti")?.to_owned(),
        issued_at: claims.required_time("iat")?,
        nonce: claims.text("nonce")?.map(str::to_owned),
    })
}

fn is_for(claims: &Claims, request: &Request<'_>) -> Result<(), DpopError> {
    let text = |name| claims.required_text(name).map_err(DpopError::Claims);
    let (method, url) = (text("htm")?, text("htu")?);
    if method != request.method {
        return Err(DpopError::Method(method.to_owned()));
    }
    let wanted = target_uri::normalized(request.url);
    if wanted.is_none() || target_uri::normalized(url) != wanted {
        return Err(DpopError::Url(url.to_owned()));
    }
    if let Some(token) = request.access_token {
        let hash = claims.text("ath").map_err(DpopError::Claims)?;
        let wanted = base64url::encode(&sha256(token.as_bytes()));
        if !hash.is_some_and(|hash| constant_time_eq(hash.as_bytes(), wanted.as_bytes())) {
            return Err(DpopError::AccessToken);
        }
    }
    Ok(())
}
