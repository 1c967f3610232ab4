//! Claims of a JWT, read with types that fail closed. Which claims a token must have is not decided here.

use serde::ser::SerializeSeq;
use serde::{Serializer, de::DeserializeOwned};
use serde_json::{Map, Value};
use thiserror::Error;

use crate::json::{self, JsonError};
use crate::jws::MAX_LENGTH;
use crate::timestamp::Timestamp;

/// The claims of a token whose signature was verified. A claim of the wrong JSON type is an error, never an absence.
/// (RFC 8725 §3.10)
#[derive(Clone, Debug, PartialEq)]
pub struct Claims(Map<String, Value>);

#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ClaimError {
    #[error("claim `{0}` is missing")]
    Missing(&'static str),
    #[error("claim `{name}` is not {expected}")]
    WrongType {
        name: &'static str,
        expected: &'static str,
    },
}

/// The last second of the year 9999.
const LATEST: i64 = 253_402_300_799;

impl Claims {
    pub(crate) fn parse(payload: &[u8]) -> Result<Self, JsonError> {
        json::parse_object(payload, MAX_LENGTH).map(Self)
    }

    pub fn text(&self, name: &'static str) -> Result<Option<&str>, ClaimError> {
        self.typed(name, "a string", Value::as_str)
    }

    pub fn required_text(&self, name: &'static str) -> Result<&str, ClaimError> {
        self.text(name)?.ok_or(ClaimError::Missing(name))
    }

    /// Reads a NumericDate: a number between 1970 and 9999, fractions of a second allowed. (RFC 7519 §2)
    pub fn time(&self, name: &'static str) -> Result<Option<Timestamp>, ClaimError> {
        self.typed(name, "a time", numeric_date)
    }

    pub fn required_time(&self, name: &'static str) -> Result<Timestamp, ClaimError> {
        self.time(name)?.ok_or(ClaimError::Missing(name))
    }

    /// The members of `aud`, which may be one string or many; none when it is absent. (RFC 7519 §4.1.3)
    pub fn audience(&self) -> Result<Vec<&str>, ClaimError> {
        let texts = self.typed(
            "aud",
            "a string or an array of strings",
            |value| match value {
                Value::String(text) => Some(vec![text.as_str()]),
                Value::Array(_) => all_texts(value),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
            },
        )?;
        Ok(texts.unwrap_or_default())
    }

    pub fn texts(&self, name: &'static str) -> Result<Option<Vec<&str>>, ClaimError> {
        self.typed(name, "an array of strings", all_texts)
    }

    pub fn flag(&self, name: &'static str) -> Result<Option<bool>, ClaimError> {
        self.typed(name, "true or false", Value::as_bool)
    }

    pub fn object(&self, name: &'static str) -> Result<Option<&Map<String, Value>>, ClaimError> {
        self.typed(name, "an object", Value::as_object)
    }

    pub fn array(&self, name: &'static str) -> Result<Option<&Vec<Value>>, ClaimError> {
        self.typed(name, "an array", Value::as_array)
    }

    /// Reads a claim as a type of its own.
    pub fn read<T: DeserializeOwned>(
        &self,
        name: &'static str,
        expected: &'static str,
    ) -> Result<Option<T>, ClaimError> {
        self.typed(name, expected, |value| {
            serde_json::from_value(value.clone()).ok()
        })
    }

    /// Whether the claim is there at all, with whatever type.
    pub fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub fn members(&self) -> &Map<String, Value> {
        &self.0
    }

    pub fn into_members(self) -> Map<String, Value> {
        self.0
    }

    fn typed<'a, T>(
        &'a self,
        name: &'static str,
        expected: &'static str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, ClaimError> {
        let wrong = ClaimError::WrongType { name, expected };
        self.0
            .get(name)
            .map(|value| read(value).ok_or(wrong))
            .transpose()
    }
}

/// Claims that nobody has proven. Good for finding the key to verify with, and for nothing else.
#[derive(Clone, Debug, PartialEq)]
pub struct UnverifiedClaims(pub(crate) Claims);

impl UnverifiedClaims {
    pub fn text(&self, name: &'static str) -> Result<Option<&str>, ClaimError> {
        self.0.text(name)
    }
}

fn all_texts(value: &Value) -> Option<Vec<&str>> {
    value.as_array()?.iter().map(Value::as_str).collect()
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the range is checked before"
)]
fn numeric_date(value: &Value) -> Option<Timestamp> {
    let number = value.as_number()?;
    if let Some(seconds) = number.as_i64() {
        return (0..=LATEST)
            .contains(&seconds)
            .then(|| Timestamp::from_seconds(seconds));
    }
    let seconds = number.as_f64()?;
    let in_range = (0.0..=LATEST as f64).contains(&seconds);
    in_range.then(|| Timestamp::from_millis((seconds * 1000.0) as i64))
}

/// Writes a time as whole seconds; for `#[serde(serialize_with)]`.
pub fn seconds<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_i64(time.seconds())
}

/// As [`seconds`], for a time that may be absent.
pub fn optional_seconds<S: Serializer>(
    time: &Option<Timestamp>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => serializer.serialize_i64(time.seconds()),
        None => serializer.serialize_none(),
    }
}

/// Writes one audience as a string and several as an array; for `#[serde(serialize_with)]`.
pub fn audience<S: Serializer>(audience: &[String], serializer: S) -> Result<S::Ok, S::Error> {
    if let [only] = audience {
        return serializer.serialize_str(only);
    }
    let mut list = serializer.serialize_seq(Some(audience.len()))?;
    for member in audience {
        list.serialize_element(member)?;
    }
    list.end()
}
