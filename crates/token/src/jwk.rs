//! Public keys that verify signatures, read from JWK and kept parsed. Private and symmetric keys are refused here.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::signature::{
    self, ParsedPublicKey, RsaParameters, RsaPublicKeyComponents, VerificationAlgorithm,
};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use thiserror::Error;

use crate::algorithm::{KeyKind, SignatureAlgorithm};
use crate::{base64url, ed25519_point, rsa_modulus, secret};

/// A public key that can verify signatures. (RFC 7517 §4, RFC 7518 §6, RFC 8037 §2)
#[derive(Clone)]
pub struct PublicJwk {
    material: Material,
    kid: Option<String>,
    alg: Option<String>,
    key_use: Option<String>,
    key_ops: Option<Vec<String>>,
    parsed: Arc<[(SignatureAlgorithm, ParsedPublicKey)]>,
}

#[derive(Clone, PartialEq, Eq)]
enum Material {
    Rsa { n: String, e: String },
    Ec { kind: KeyKind, x: String, y: String },
    Ed25519 { x: String },
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, Error)]
pub enum JwkError {
    #[error("member `{0}` is missing")]
    Missing(&'static str),
    #[error("member `{0}` has the wrong JSON type")]
    WrongType(&'static str),
    #[error("member `{0}` is not minimal or full-length unpadded base64url")]
    Encoding(&'static str),
    #[error("contains private key material (`{0}`)")]
    Private(&'static str),
    #[error("a symmetric key has no place among public keys")]
    Symmetric,
    #[error("key type is not known")]
    UnknownKeyType,
    #[error("curve is not known")]
    UnknownCurve,
    #[error("`alg` does not fit the key")]
    AlgorithmMismatch,
    #[error("an RSA modulus must have 2048 to 8192 bits")]
    RsaSize,
    #[error("an RSA exponent must be odd, at least 65537 and below 2^32")]
    RsaExponent,
    #[error("the RSA modulus is weak")]
    RsaWeak,
    #[error("not a point of the curve, or one of small order")]
    Point,
}

/// Members that only private or symmetric keys have. (RFC 7518 §6.2.2, §6.3.2, §6.4)
const PRIVATE_MEMBERS: [&str; 10] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv", "seed"];

impl PublicJwk {
    /// Reads one key. The members must come from a strict reader such as [`crate::json::parse_object`].
    pub fn parse(members: &Map<String, Value>) -> Result<Self, JwkError> {
        let kty = required(members, "kty")?;
        if kty == "oct" {
            return Err(JwkError::Symmetric);
        }
        if let Some(name) = PRIVATE_MEMBERS
            .into_iter()
            .find(|name| members.contains_key(*name))
        {
            return Err(JwkError::Private(name));
        }
        let material = Material::parse(kty, members)?;
        let alg = optional(members, "alg")?;
        let parsed = material.parse_for(alg)?;
        Ok(Self {
            material,
            kid: optional(members, "kid")?.map(str::to_owned),
            alg: alg.map(str::to_owned),
            key_use: optional(members, "use")?.map(str::to_owned),
            key_ops: key_ops(members)?,
            parsed,
        })
    }

    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The `alg` member as written, which may name something other than a signature.
    pub fn alg(&self) -> Option<&str> {
        self.alg.as_deref()
    }

    pub fn kind(&self) -> KeyKind {
        self.material.kind()
    }

    /// Whether this key may verify a signature made with `algorithm`: kind, `alg`, `use` and `key_ops` all agree.
    pub fn fits(&self, algorithm: SignatureAlgorithm) -> bool {
        self.kind() == algorithm.key_kind()
            && self
                .key_use
                .as_deref()
                .is_none_or(|key_use| key_use == "sig")
            && self
                .key_ops
                .as_ref()
                .is_none_or(|ops| ops.iter().any(|op| op == "verify"))
            && self
                .alg
                .as_deref()
                .is_none_or(|alg| SignatureAlgorithm::parse(alg) == Some(algorithm))
    }

    /// The thumbprint of the key, SHA-256 as base64url. (RFC 7638 §3)
    pub fn thumbprint(&self) -> String {
        base64url::encode(&self.thumbprint_bytes())
    }

    pub fn thumbprint_bytes(&self) -> [u8; 32] {
        secret::sha256(self.material.canonical().as_bytes())
    }

    /// The key as published: what it is made of and what it is for, nothing else.
    pub fn to_json(&self) -> Map<String, Value> {
        let mut members = Map::new();
        let mut put = |name: &str, text: &str| members.insert(name.to_owned(), Value::from(text));
        for (name, text) in self.material.members() {
            put(name, text);
        }
        for (name, text) in [
            ("kid", &self.kid),
            ("alg", &self.alg),
            ("use", &self.key_use),
        ] {
            if let Some(text) = text {
                put(name, text);
            }
        }
        if let Some(ops) = &self.key_ops {
            members.insert("key_ops".to_owned(), Value::from(ops.clone()));
        }
        members
    }

    /// Whether `signed` is this key's signature of `message`. False when the algorithm does not fit the key.
    ///
    /// Tokens are verified by [`crate::jws::Unverified::verify`]; this is seen from outside for vectors that are no tokens.
    #[doc(hidden)]
    pub fn verifies(&self, algorithm: SignatureAlgorithm, message: &[u8], signed: &[u8]) -> bool {
        if !self.fits(algorithm)
            || (algorithm == SignatureAlgorithm::EdDsa && !has_strict_point(signed))
        {
            return false;
        }
        let key = self.parsed.iter().find(|(known, _)| *known == algorithm);
        key.is_some_and(|(_, key)| key.verify_sig(message, signed).is_ok())
    }
}

fn has_strict_point(signed: &[u8]) -> bool {
    signed
        .first_chunk::<32>()
        .is_some_and(ed25519_point::is_strict)
}

impl Material {
    fn parse(kty: &str, members: &Map<String, Value>) -> Result<Self, JwkError> {
        let text = |name| required(members, name).map(str::to_owned);
        match kty {
            "RSA" => Ok(Self::Rsa {
                n: text("n")?,
                e: text("e")?,
            }),
            "EC" => {
                let kind = match required(members, "crv")? {
                    "P-256" => KeyKind::P256,
                    "P-384" => KeyKind::P384,
                    "P-521" => KeyKind::P521,
                    _ => return Err(JwkError::UnknownCurve),
                };
                Ok(Self::Ec {
                    kind,
                    x: text("x")?,
                    y: text("y")?,
                })
            }
            "OKP" => match required(members, "crv")? {
                "Ed25519" => Ok(Self::Ed25519 { x: text("x")? }),
                _ => Err(JwkError::UnknownCurve),
            },
            _ => Err(JwkError::UnknownKeyType),
        }
    }

    const fn kind(&self) -> KeyKind {
        match self {
            Self::Rsa { .. } => KeyKind::Rsa,
            Self::Ec { kind, .. } => *kind,
            Self::Ed25519 { .. } => KeyKind::Ed25519,
        }
    }

    /// The members that make the key, in the order of their names.
    fn members(&self) -> Vec<(&'static str, &str)> {
        match self {
            Self::Rsa { n, e } => vec![("e", e), ("kty", "RSA"), ("n", n)],
            Self::Ec { kind, x, y } => {
                vec![
                    ("crv", curve_name(*kind)),
                    ("kty", "EC"),
                    ("x", x),
                    ("y", y),
                ]
            }
            Self::Ed25519 { x } => vec![("crv", "Ed25519"), ("kty", "OKP"), ("x", x)],
        }
    }

    /// The text whose hash is the thumbprint. No value can need escaping: all are base64url or fixed names.
    fn canonical(&self) -> String {
        let members: Vec<String> = self
            .members()
            .into_iter()
            .map(|(name, text)| format!("\"{name}\":\"{text}\""))
            .collect();
        format!("{{{}}}", members.join(","))
    }

    /// Parses the key once for each algorithm it may be used with; always at least once, so that bad keys are refused.
    fn parse_for(
        &self,
        alg: Option<&str>,
    ) -> Result<Arc<[(SignatureAlgorithm, ParsedPublicKey)]>, JwkError> {
        let named = alg.and_then(SignatureAlgorithm::parse);
        if named.is_some_and(|named| named.key_kind() != self.kind()) {
            return Err(JwkError::AlgorithmMismatch);
        }
        let of_kind = SignatureAlgorithm::ALL
            .into_iter()
            .filter(|known| known.key_kind() == self.kind());
        match (alg, named) {
            (_, Some(named)) => Ok(Arc::new([(named, self.parse_as(named)?)])),
            (None, None) => of_kind
                .map(|known| Ok((known, self.parse_as(known)?)))
                .collect(),
            (Some(_), None) => of_kind
                .take(1)
                .map(|known| Ok((known, self.parse_as(known)?)))
                .collect(),
        }
    }

    fn parse_as(&self, algorithm: SignatureAlgorithm) -> Result<ParsedPublicKey, JwkError> {
        match self {
            Self::Rsa { n, e } => {
                let n = base64url::decode(n).map_err(|_| JwkError::Encoding("n"))?;
                let e = base64url::decode(e).map_err(|_| JwkError::Encoding("e"))?;
                rsa_modulus::check(&n, &e)?;
                let parameters = rsa_parameters(algorithm).ok_or(JwkError::AlgorithmMismatch)?;
                RsaPublicKeyComponents { n, e }
                    .to_parsed_public_key(parameters)
                    .map_err(|_| JwkError::RsaWeak)
            }
            Self::Ec { x, y, .. } => {
                let (verification, size) = curve(algorithm).ok_or(JwkError::AlgorithmMismatch)?;
                let mut point = vec![4];
                point.extend(coordinate("x", x, size)?);
                point.extend(coordinate("y", y, size)?);
                ParsedPublicKey::new(verification, point).map_err(|_| JwkError::Point)
            }
            Self::Ed25519 { x } => {
                let x: [u8; 32] =
                    base64url::decode_array(x).map_err(|_| JwkError::Encoding("x"))?;
                if !ed25519_point::is_strict(&x) {
                    return Err(JwkError::Point);
                }
                ParsedPublicKey::new(&signature::ED25519, x).map_err(|_| JwkError::Point)
            }
        }
    }
}

fn coordinate(name: &'static str, text: &str, size: usize) -> Result<Vec<u8>, JwkError> {
    let bytes = base64url::decode(text).map_err(|_| JwkError::Encoding(name))?;
    if bytes.len() == size {
        Ok(bytes)
    } else {
        Err(JwkError::Encoding(name))
    }
}

const fn curve_name(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::P256 => "P-256",
        KeyKind::P384 => "P-384",
        KeyKind::P521 => "P-521",
        KeyKind::Ed25519 => "Ed25519",
        KeyKind::Rsa | KeyKind::Symmetric => "",
    }
}

fn curve(algorithm: SignatureAlgorithm) -> Option<(&'static dyn VerificationAlgorithm, usize)> {
    match algorithm.key_kind() {
        KeyKind::P256 => Some((&signature::ECDSA_P256_SHA256_FIXED, 32)),
        KeyKind::P384 => Some((&signature::ECDSA_P384_SHA384_FIXED, 48)),
        KeyKind::P521 => Some((&signature::ECDSA_P521_SHA512_FIXED, 66)),
        KeyKind::Rsa | KeyKind::Ed25519 | KeyKind::Symmetric => None,
    }
}

fn rsa_parameters(algorithm: SignatureAlgorithm) -> Option<&'static RsaParameters> {
    use SignatureAlgorithm as A;
    match algorithm {
        A::Rs256 => Some(&signature::RSA_PKCS1_2048_8192_SHA256),
        A::Rs384 => Some(&signature::RSA_PKCS1_2048_8192_SHA384),
        A::Rs512 => Some(&signature::RSA_PKCS1_2048_8192_SHA512),
        A::Ps256 => Some(&signature::RSA_PSS_2048_8192_SHA256),
        A::Ps384 => Some(&signature::RSA_PSS_2048_8192_SHA384),
        A::Ps512 => Some(&signature::RSA_PSS_2048_8192_SHA512),
        A::Es256 | A::Es384 | A::Es512 | A::EdDsa | A::Hs256 | A::Hs384 | A::Hs512 => None,
    }
}

fn optional<'a>(
    members: &'a Map<String, Value>,
    name: &'static str,
) -> Result<Option<&'a str>, JwkError> {
    members
        .get(name)
        .map(|value| value.as_str().ok_or(JwkError::WrongType(name)))
        .transpose()
}

fn required<'a>(members: &'a Map<String, Value>, name: &'static str) -> Result<&'a str, JwkError> {
    optional(members, name)?.ok_or(JwkError::Missing(name))
}

fn key_ops(members: &Map<String, Value>) -> Result<Option<Vec<String>>, JwkError> {
    let wrong = JwkError::WrongType("key_ops");
    let Some(value) = members.get("key_ops") else {
        return Ok(None);
    };
    let ops = value.as_array().ok_or(wrong)?;
    ops.iter()
        .map(|op| op.as_str().map(str::to_owned).ok_or(wrong))
        .collect::<Result<_, _>>()
        .map(Some)
}

impl PartialEq for PublicJwk {
    fn eq(&self, other: &Self) -> bool {
        self.material == other.material
            && self.kid == other.kid
            && self.alg == other.alg
            && self.key_use == other.key_use
            && self.key_ops == other.key_ops
    }
}

impl Eq for PublicJwk {}

impl Serialize for PublicJwk {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

impl fmt::Debug for PublicJwk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "PublicJwk({:?}, kid {:?}, {})",
            self.kind(),
            self.kid,
            self.thumbprint()
        )
    }
}
