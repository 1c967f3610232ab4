//! Private keys that sign, kept parsed, and the JWTs they make. Which key is current does not belong here.

use std::cell::RefCell;
use std::fmt;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    self, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, RsaEncoding, RsaKeyPair,
};
use serde::Serialize;
use serde_json::{Map, Value, json};
use thiserror::Error;

use crate::algorithm::{KeyKind, SignatureAlgorithm};
use crate::base64url;
use crate::jwk::{JwkError, PublicJwk};
use crate::secret::Secret;

/// A private key and the one algorithm it is published for.
pub struct SigningKey {
    algorithm: SignatureAlgorithm,
    pair: Pair,
    public: PublicJwk,
    kid: String,
    /// The first part of every JWT this key can make, ready to be copied.
    headers: Vec<(SignatureAlgorithm, [String; JwtType::ALL.len()])>,
}

enum Pair {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

/// What a JWT is, written into its `typ` so that no kind passes for another. (RFC 8725 §3.11)
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum JwtType {
    /// RFC 9068 §2.1
    AccessToken,
    /// Also for signed userinfo and authorization responses, which have no type of their own.
    IdToken,
    /// OpenID Connect Back-Channel Logout §2.4
    Logout,
    /// RFC 9701 §5
    Introspection,
    /// A signed statement about the audit trail (SEC-431).
    AuditCheckpoint,
}

impl JwtType {
    pub const ALL: [Self; 5] = [
        Self::AccessToken,
        Self::IdToken,
        Self::Logout,
        Self::Introspection,
        Self::AuditCheckpoint,
    ];

    pub const fn typ(self) -> &'static str {
        match self {
            Self::AccessToken => "at+jwt",
            Self::IdToken => "JWT",
            Self::Logout => "logout+jwt",
            Self::Introspection => "token-introspection+jwt",
            Self::AuditCheckpoint => "audit-checkpoint+jwt",
        }
    }
}

#[derive(Debug, Error)]
pub enum SignError {
    #[error("this key does not sign with {0}")]
    Algorithm(SignatureAlgorithm),
    #[error("the private key was rejected")]
    KeyRejected,
    #[error("the public key was rejected: {0}")]
    Public(#[from] JwkError),
    #[error("signing failed")]
    Failed,
    #[error("the claims cannot be written: {0}")]
    Claims(#[from] serde_json::Error),
}

impl SigningKey {
    /// Makes a new key. Without a `kid` it is named by its thumbprint.
    pub fn generate(algorithm: SignatureAlgorithm, kid: Option<&str>) -> Result<Self, SignError> {
        let pair = match algorithm.key_kind() {
            KeyKind::Rsa => RsaKeyPair::generate(KeySize::Rsa2048).map(Pair::Rsa),
            KeyKind::P256 | KeyKind::P384 | KeyKind::P521 => {
                let curve = curve(algorithm).ok_or(SignError::Algorithm(algorithm))?;
                EcdsaKeyPair::generate(curve).map(Pair::Ec)
            }
            KeyKind::Ed25519 => Ed25519KeyPair::generate().map(Pair::Ed25519),
            KeyKind::Symmetric => return Err(SignError::Algorithm(algorithm)),
        };
        Self::over(algorithm, kid, pair.map_err(|_| SignError::Failed)?)
    }

    /// Reads a key from PKCS#8. Checking an RSA key costs more than a signature, so keep the result.
    pub fn from_pkcs8(
        algorithm: SignatureAlgorithm,
        kid: Option<&str>,
        pkcs8: &[u8],
    ) -> Result<Self, SignError> {
        let pair = match algorithm.key_kind() {
            KeyKind::Rsa => RsaKeyPair::from_pkcs8(pkcs8).map(Pair::Rsa),
            KeyKind::P256 | KeyKind::P384 | KeyKind::P521 => {
                let curve = curve(algorithm).ok_or(SignError::Algorithm(algorithm))?;
                EcdsaKeyPair::from_pkcs8(curve, pkcs8).map(Pair::Ec)
            }
            KeyKind::Ed25519 => Ed25519KeyPair::from_pkcs8(pkcs8).map(Pair::Ed25519),
            KeyKind::Symmetric => return Err(SignError::Algorithm(algorithm)),
        };
        Self::over(algorithm, kid, pair.map_err(|_| SignError::KeyRejected)?)
    }

    fn over(
        algorithm: SignatureAlgorithm,
        kid: Option<&str>,
        pair: Pair,
    ) -> Result<Self, SignError> {
        let mut members = pair.public_members();
        let kid = match kid {
            Some(kid) => kid.to_owned(),
            None => PublicJwk::parse(&members)?.thumbprint(),
        };
        for (name, text) in [
            ("kid", kid.as_str()),
            ("alg", algorithm.name()),
            ("use", "sig"),
        ] {
            members.insert(name.to_owned(), Value::from(text));
        }
        let public = PublicJwk::parse(&members)?;
        let fitting = SignatureAlgorithm::ALL
            .into_iter()
            .filter(|other| other.key_kind() == algorithm.key_kind());
        let headers = fitting
            .map(|alg| (alg, JwtType::ALL.map(|typ| protected(alg, typ, &kid))))
            .collect();
        Ok(Self {
            algorithm,
            pair,
            public,
            kid,
            headers,
        })
    }

    /// The private key, for storing it sealed.
    pub fn to_pkcs8(&self) -> Result<Secret, SignError> {
        let bytes = match &self.pair {
            Pair::Rsa(pair) => {
                AsDer::<Pkcs8V1Der<'_>>::as_der(pair).map(|der| der.as_ref().to_vec())
            }
            Pair::Ec(pair) => pair.to_pkcs8v1().map(|document| document.as_ref().to_vec()),
            Pair::Ed25519(pair) => pair.to_pkcs8v1().map(|document| document.as_ref().to_vec()),
        };
        bytes.map(Secret::new).map_err(|_| SignError::Failed)
    }

    pub fn kid(&self) -> &str {
        &self.kid
    }

    pub fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    /// The public half, with `kid`, `alg` and `use`, ready to be published.
    pub fn public_jwk(&self) -> &PublicJwk {
        &self.public
    }

    /// Appends the signature of `input` to `out`.
    pub fn sign(&self, input: &[u8], out: &mut Vec<u8>) -> Result<(), SignError> {
        self.sign_as(self.algorithm, input, out)
    }

    /// As [`SigningKey::sign`], with another algorithm of the same kind of key: an RSA key knows several.
    pub fn sign_as(
        &self,
        algorithm: SignatureAlgorithm,
        input: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), SignError> {
        let mut room = [0; LONGEST_SIGNATURE];
        out.extend_from_slice(self.pair.sign(algorithm, input, &mut room)?);
        Ok(())
    }

    /// Writes and signs a JWT.
    pub fn sign_jwt(&self, typ: JwtType, claims: &impl Serialize) -> Result<String, SignError> {
        self.sign_jwt_as(self.algorithm, typ, claims)
    }

    /// As [`SigningKey::sign_jwt`], with another algorithm of the same kind of key.
    pub fn sign_jwt_as(
        &self,
        algorithm: SignatureAlgorithm,
        typ: JwtType,
        claims: &impl Serialize,
    ) -> Result<String, SignError> {
        let headers = self.headers.iter().find(|(known, _)| *known == algorithm);
        let header = headers.and_then(|(_, headers)| headers.get(typ as usize));
        let header = header.ok_or(SignError::Algorithm(algorithm))?;
        let mut payload = PAYLOAD.take();
        payload.clear();
        serde_json::to_writer(&mut payload, claims)?;
        let signature_length = base64url::encoded_len(self.pair.signature_length());
        let length = header.len() + base64url::encoded_len(payload.len()) + signature_length + 2;
        let mut jwt = String::with_capacity(length);
        jwt.push_str(header);
        jwt.push('.');
        base64url::encode_onto(&payload, &mut jwt);
        PAYLOAD.replace(payload);
        let mut room = [0; LONGEST_SIGNATURE];
        let signed = self.pair.sign(algorithm, jwt.as_bytes(), &mut room)?;
        jwt.push('.');
        base64url::encode_onto(signed, &mut jwt);
        Ok(jwt)
    }
}

thread_local! {
    /// Where claims are written before they are encoded; kept, so that it is allocated once a thread.
    static PAYLOAD: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Of an RSA key with 8192 bits.
const LONGEST_SIGNATURE: usize = 1024;

fn protected(algorithm: SignatureAlgorithm, typ: JwtType, kid: &str) -> String {
    let header = json!({ "alg": algorithm.name(), "typ": typ.typ(), "kid": kid });
    base64url::encode(header.to_string().as_bytes())
}

impl Pair {
    /// Signs into `room` and returns the part that was needed.
    fn sign<'a>(
        &self,
        algorithm: SignatureAlgorithm,
        input: &[u8],
        room: &'a mut [u8; LONGEST_SIGNATURE],
    ) -> Result<&'a [u8], SignError> {
        let unfit = SignError::Algorithm(algorithm);
        let signed = match self {
            Self::Rsa(pair) => {
                let encoding = rsa_encoding(algorithm).ok_or(unfit)?;
                let out = room
                    .get_mut(..pair.public_modulus_len())
                    .ok_or(SignError::Failed)?;
                pair.sign(encoding, &SystemRandom::new(), input, out)
                    .map_err(|_| SignError::Failed)?;
                return Ok(out);
            }
            Self::Ec(pair) if curve(algorithm) == Some(pair.algorithm()) => {
                pair.sign(&SystemRandom::new(), input)
            }
            Self::Ed25519(pair) if algorithm == SignatureAlgorithm::EdDsa => pair.try_sign(input),
            Self::Ec(_) | Self::Ed25519(_) => return Err(unfit),
        };
        let signed = signed.map_err(|_| SignError::Failed)?;
        let out = room
            .get_mut(..signed.as_ref().len())
            .ok_or(SignError::Failed)?;
        out.copy_from_slice(signed.as_ref());
        Ok(out)
    }

    fn signature_length(&self) -> usize {
        match self {
            Self::Rsa(pair) => pair.public_modulus_len(),
            Self::Ec(pair) => pair.public_key().as_ref().len().saturating_sub(1),
            Self::Ed25519(_) => 64,
        }
    }

    fn public_members(&self) -> Map<String, Value> {
        let members = match self {
            Self::Rsa(pair) => {
                let public = pair.public_key();
                let n = public.modulus().big_endian_without_leading_zero();
                let e = public.exponent().big_endian_without_leading_zero();
                json!({ "kty": "RSA", "n": base64url::encode(n), "e": base64url::encode(e) })
            }
            Self::Ec(pair) => {
                let point = pair.public_key().as_ref().get(1..).unwrap_or_default();
                let (x, y) = point.split_at(point.len() / 2);
                let crv = match x.len() {
                    32 => "P-256",
                    48 => "P-384",
                    _ => "P-521",
                };
                json!({ "kty": "EC", "crv": crv, "x": base64url::encode(x), "y": base64url::encode(y) })
            }
            Self::Ed25519(pair) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "x": base64url::encode(pair.public_key().as_ref()) })
            }
        };
        match members {
            Value::Object(members) => members,
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_) => Map::new(),
        }
    }
}

fn curve(algorithm: SignatureAlgorithm) -> Option<&'static EcdsaSigningAlgorithm> {
    match algorithm.key_kind() {
        KeyKind::P256 => Some(&signature::ECDSA_P256_SHA256_FIXED_SIGNING),
        KeyKind::P384 => Some(&signature::ECDSA_P384_SHA384_FIXED_SIGNING),
        KeyKind::P521 => Some(&signature::ECDSA_P521_SHA512_FIXED_SIGNING),
        KeyKind::Rsa | KeyKind::Ed25519 | KeyKind::Symmetric => None,
    }
}

fn rsa_encoding(algorithm: SignatureAlgorithm) -> Option<&'static dyn RsaEncoding> {
    use SignatureAlgorithm as A;
    match algorithm {
        A::Rs256 => Some(&signature::RSA_PKCS1_SHA256),
        A::Rs384 => Some(&signature::RSA_PKCS1_SHA384),
        A::Rs512 => Some(&signature::RSA_PKCS1_SHA512),
        A::Ps256 => Some(&signature::RSA_PSS_SHA256),
        A::Ps384 => Some(&signature::RSA_PSS_SHA384),
        A::Ps512 => Some(&signature::RSA_PSS_SHA512),
        A::Es256 | A::Es384 | A::Es512 | A::EdDsa | A::Hs256 | A::Hs384 | A::Hs512 => None,
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({}, kid {:?})", self.algorithm, self.kid)
    }
}
