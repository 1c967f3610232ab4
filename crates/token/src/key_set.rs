//! A set of public keys, as a client registers it or an issuer publishes it. Fetching one does not belong here.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Map, Value};
use thiserror::Error;

use crate::algorithm::SignatureAlgorithm;
use crate::json::{self, JsonError};
use crate::jwk::{JwkError, PublicJwk};
use crate::jws::{Unverified, Verified};

/// How many keys of a set are kept; the rest is not looked at.
pub const MAX_KEYS: usize = 64;
/// How long the text of a set may be.
pub const MAX_LENGTH: usize = 256 * 1024;

/// Parsed public keys, in the order of their set. (RFC 7517 §5)
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeySet {
    keys: Vec<PublicJwk>,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, Error)]
pub enum KeySetError {
    #[error("the key set is not strict JSON: {0}")]
    Json(#[from] JsonError),
    #[error("`keys` must be an array of objects")]
    Keys,
    #[error("key {index} of the set: {problem}")]
    Key { index: usize, problem: JwkError },
}

impl KeySet {
    pub fn new(keys: Vec<PublicJwk>) -> Self {
        Self { keys }
    }

    /// Reads a set as a client registers it: keys of unknown type or curve are left out, a bad key refuses the set.
    pub fn parse(bytes: &[u8]) -> Result<Self, KeySetError> {
        Self::from_object(&json::parse_object(bytes, MAX_LENGTH)?)
    }

    /// Reads a set that somebody else publishes: a bad key is left out, so that it cannot take the good ones with it.
    pub fn parse_foreign(bytes: &[u8]) -> Result<Self, KeySetError> {
        let object = json::parse_object(bytes, MAX_LENGTH)?;
        let keys = members(&object)?
            .iter()
            .take(MAX_KEYS)
            .filter_map(Value::as_object);
        Ok(Self {
            keys: keys.filter_map(|key| PublicJwk::parse(key).ok()).collect(),
        })
    }

    /// As [`KeySet::parse`], from an object that a strict reader has already read.
    pub fn from_object(object: &Map<String, Value>) -> Result<Self, KeySetError> {
        let mut keys = Vec::new();
        for (index, key) in members(object)?.iter().take(MAX_KEYS).enumerate() {
            match PublicJwk::parse(key.as_object().ok_or(KeySetError::Keys)?) {
                Ok(key) => keys.push(key),
                Err(JwkError::UnknownKeyType | JwkError::UnknownCurve) => {}
                Err(problem) => return Err(KeySetError::Key { index, problem }),
            }
        }
        Ok(Self { keys })
    }

    /// The keys that may have made a signature with `alg` under `kid`.
    ///
    /// A signature without `kid` may come from any fitting key, and a key without `kid` may answer to any. (RFC 7517
    /// §4.5)
    pub fn candidates<'a>(
        &'a self,
        kid: Option<&'a str>,
        alg: SignatureAlgorithm,
    ) -> impl Iterator<Item = &'a PublicJwk> + 'a {
        let named = move |key: &&PublicJwk| match (kid, key.kid()) {
            (Some(wanted), Some(own)) => wanted == own,
            (None, _) | (_, None) => true,
        };
        self.keys
            .iter()
            .filter(named)
            .filter(move |key| key.fits(alg))
    }

    /// The signature of `unverified`, if one of the keys that fit it made it.
    pub fn verify<'a>(&self, unverified: &'a Unverified<'_>) -> Option<Verified<'a>> {
        let header = unverified.header();
        self.candidates(header.kid.as_deref(), header.alg)
            .find_map(|key| unverified.verify(key).ok())
    }

    pub fn keys(&self) -> &[PublicJwk] {
        &self.keys
    }

    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}

fn members(object: &Map<String, Value>) -> Result<&[Value], KeySetError> {
    object
        .get("keys")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .ok_or(KeySetError::Keys)
}

impl Serialize for KeySet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Set<'a> {
            keys: &'a [PublicJwk],
        }
        Set { keys: &self.keys }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for KeySet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let object = Map::deserialize(deserializer)?;
        Self::from_object(&object).map_err(de::Error::custom)
    }
}
