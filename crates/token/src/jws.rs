//! Signed tokens in compact form, read strictly. What the payload means is not decided here. (RFC 7515, RFC 8725)

use aws_lc_rs::hmac;
use serde_json::{Map, Value};
use thiserror::Error;

use crate::algorithm::SignatureAlgorithm;
use crate::base64url;
use crate::json::{self, JsonError};
use crate::jwk::PublicJwk;
use crate::jwt::{Claims, UnverifiedClaims};
use crate::secret::Secret;

/// The longest text that is looked at. (SEC-179)
pub const MAX_LENGTH: usize = 16 * 1024;

/// The reader of compact signed tokens; no other form exists. (SEC-075)
pub struct Jws;

/// The members of a header that are looked at. Keys and addresses of keys in a header are not. (SEC-172)
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JwsHeader {
    pub alg: SignatureAlgorithm,
    pub kid: Option<String>,
    pub typ: Option<String>,
    pub cty: Option<String>,
}

impl JwsHeader {
    /// Whether `typ` names this media type; case and a leading `application/` do not matter. (RFC 7515 §4.1.9)
    pub fn typ_is(&self, wanted: &str) -> bool {
        self.typ
            .as_deref()
            .is_some_and(|typ| short(typ).eq_ignore_ascii_case(short(wanted)))
    }
}

fn short(media_type: &str) -> &str {
    const PREFIX: &str = "application/";
    match media_type.split_at_checked(PREFIX.len()) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case(PREFIX) && !rest.contains('/') => rest,
        Some(_) | None => media_type,
    }
}

/// A token that was taken apart and not proven yet.
#[derive(Clone, Debug)]
pub struct Unverified<'a> {
    header: JwsHeader,
    raw_header: Map<String, Value>,
    signed: &'a str,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

/// A token whose signature was proven. Made by `verify` and `verify_hmac` only.
#[derive(Copy, Clone, Debug)]
pub struct Verified<'a> {
    header: &'a JwsHeader,
    payload: &'a [u8],
}

/// Which part of the text.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Part {
    Header,
    Payload,
    Signature,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, Error)]
pub enum JwsError {
    #[error("longer than {MAX_LENGTH} bytes")]
    TooLong,
    #[error("not three parts separated by dots")]
    NotCompact,
    #[error("the {0:?} part is not unpadded canonical base64url")]
    Encoding(Part),
    #[error("the signature is empty")]
    NoSignature,
    #[error("header: {0}")]
    Header(JsonError),
    #[error("header member `{0}` is not a string")]
    HeaderType(&'static str),
    #[error("`alg` is missing")]
    NoAlgorithm,
    #[error("`alg` says that nothing is signed")]
    Unsigned,
    #[error("`alg` is not an algorithm we know")]
    UnknownAlgorithm,
    #[error("header member `{0}` asks for something not done here")]
    NotUnderstood(&'static str),
    #[error("the algorithm does not fit the key")]
    WrongKey,
    #[error("the secret is too short for this algorithm")]
    ShortSecret,
    #[error("the signature is wrong")]
    WrongSignature,
    #[error("payload: {0}")]
    Payload(JsonError),
}

impl Jws {
    /// Takes a compact token apart. Nothing is proven by this.
    pub fn parse(text: &str) -> Result<Unverified<'_>, JwsError> {
        if text.len() > MAX_LENGTH {
            return Err(JwsError::TooLong);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(JwsError::NotCompact)?;
        let (header, payload) = signed.split_once('.').ok_or(JwsError::NotCompact)?;
        if payload.contains('.') {
            return Err(JwsError::NotCompact);
        }
        if signature.is_empty() {
            return Err(JwsError::NoSignature);
        }
        let decode = |part, text| base64url::decode(text).map_err(|_| JwsError::Encoding(part));
        let header = decode(Part::Header, header)?;
        let raw_header = json::parse_object(&header, MAX_LENGTH).map_err(JwsError::Header)?;
        Ok(Unverified {
            header: read_header(&raw_header)?,
            raw_header,
            signed,
            payload: decode(Part::Payload, payload)?,
            signature: decode(Part::Signature, signature)?,
        })
    }
}

/// Members that change what is signed or how; none is understood here, so all are refused. (RFC 7515 §4.1.11,
/// RFC 7797 §3)
const NOT_UNDERSTOOD: [&str; 4] = ["crit", "b64", "zip", "enc"];

fn read_header(raw: &Map<String, Value>) -> Result<JwsHeader, JwsError> {
    if let Some(name) = NOT_UNDERSTOOD
        .into_iter()
        .find(|name| raw.contains_key(*name))
    {
        return Err(JwsError::NotUnderstood(name));
    }
    let text = |name| match raw.get(name) {
        Some(value) => value.as_str().map(Some).ok_or(JwsError::HeaderType(name)),
        None => Ok(None),
    };
    let owned = |name| text(name).map(|text| text.map(str::to_owned));
    let alg = text("alg")?.ok_or(JwsError::NoAlgorithm)?;
    if alg.is_empty() || alg.eq_ignore_ascii_case("none") {
        return Err(JwsError::Unsigned);
    }
    Ok(JwsHeader {
        alg: SignatureAlgorithm::parse(alg).ok_or(JwsError::UnknownAlgorithm)?,
        kid: owned("kid")?,
        typ: owned("typ")?,
        cty: owned("cty")?,
    })
}

impl Unverified<'_> {
    pub fn header(&self) -> &JwsHeader {
        &self.header
    }

    /// The header as written, for the one profile that carries its key in it. (RFC 9449 §4.2)
    pub fn raw_header(&self) -> &Map<String, Value> {
        &self.raw_header
    }

    /// What the token says before anybody proved it: only for finding the key to verify with.
    pub fn unverified_claims(&self) -> Result<UnverifiedClaims, JwsError> {
        Claims::parse(&self.payload)
            .map(UnverifiedClaims)
            .map_err(JwsError::Payload)
    }

    /// Proves the signature with a public key, which decides what algorithms it allows. (RFC 8725 §3.1)
    pub fn verify(&self, key: &PublicJwk) -> Result<Verified<'_>, JwsError> {
        if !key.fits(self.header.alg) {
            return Err(JwsError::WrongKey);
        }
        if !key.verifies(self.header.alg, self.signed.as_bytes(), &self.signature) {
            return Err(JwsError::WrongSignature);
        }
        Ok(self.proven())
    }

    /// Proves the signature with a shared secret of at least `min_len` bytes, and never fewer than the hash has.
    /// (RFC 7518 §3.2)
    pub fn verify_hmac(&self, secret: &Secret, min_len: usize) -> Result<Verified<'_>, JwsError> {
        let algorithm = hmac_algorithm(self.header.alg).ok_or(JwsError::WrongKey)?;
        if secret.len() < min_len.max(algorithm.tag_len()) {
            return Err(JwsError::ShortSecret);
        }
        let key = hmac::Key::new(algorithm, secret.expose());
        hmac::verify(&key, self.signed.as_bytes(), &self.signature)
            .map_err(|_| JwsError::WrongSignature)?;
        Ok(self.proven())
    }

    fn proven(&self) -> Verified<'_> {
        Verified {
            header: &self.header,
            payload: &self.payload,
        }
    }
}

impl<'a> Verified<'a> {
    pub fn header(&self) -> &'a JwsHeader {
        self.header
    }

    pub fn payload(&self) -> &'a [u8] {
        self.payload
    }

    pub fn claims(&self) -> Result<Claims, JwsError> {
        Claims::parse(self.payload).map_err(JwsError::Payload)
    }
}

fn hmac_algorithm(algorithm: SignatureAlgorithm) -> Option<hmac::Algorithm> {
    use SignatureAlgorithm as A;
    match algorithm {
        A::Hs256 => Some(hmac::HMAC_SHA256),
        A::Hs384 => Some(hmac::HMAC_SHA384),
        A::Hs512 => Some(hmac::HMAC_SHA512),
        A::Rs256 | A::Rs384 | A::Rs512 | A::Ps256 | A::Ps384 | A::Ps512 => None,
        A::Es256 | A::Es384 | A::Es512 | A::EdDsa => None,
    }
}
