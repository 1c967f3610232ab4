//! JSON objects, read strictly: one value for a text, or none. (RFC 8725 §2.4, SEC-175, SEC-179)

use std::cell::Cell;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use thiserror::Error;

/// How deep objects and arrays may nest; the outermost object counts.
pub const MAX_DEPTH: usize = 16;

#[derive(Copy, Clone, Debug, PartialEq, Eq, Error)]
pub enum JsonError {
    #[error("longer than allowed")]
    TooLong,
    #[error("not UTF-8")]
    NotUtf8,
    #[error("not well-formed JSON, or a number out of range, or something behind the object")]
    Malformed,
    #[error("not an object")]
    NotAnObject,
    #[error("a member occurs twice")]
    DuplicateMember,
    #[error("two members differ only in upper and lower case")]
    CaseVariantMember,
    #[error("a member name contains NUL")]
    NulInName,
    #[error("nested too deeply")]
    TooDeep,
}

/// Reads one object of at most `limit` bytes.
///
/// Refused are members that occur twice at any depth and outermost members that differ only in case: two readers
/// would otherwise see two different texts.
pub fn parse_object(bytes: &[u8], limit: usize) -> Result<Map<String, Value>, JsonError> {
    if bytes.len() > limit {
        return Err(JsonError::TooLong);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| JsonError::NotUtf8)?;
    let problem = Cell::new(None);
    let mut reader = serde_json::Deserializer::from_str(text);
    let strict = Strict {
        depth: 0,
        problem: &problem,
    };
    let value = strict
        .deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value))
        .map_err(|_| problem.get().unwrap_or(JsonError::Malformed))?;
    let Value::Object(map) = value else {
        return Err(JsonError::NotAnObject);
    };
    refuse_case_variants(&map)?;
    Ok(map)
}

fn refuse_case_variants(map: &Map<String, Value>) -> Result<(), JsonError> {
    if map
        .keys()
        .all(|name| !name.bytes().any(|byte| byte.is_ascii_uppercase()))
    {
        return Ok(());
    }
    let mut folded: Vec<String> = map.keys().map(|name| name.to_ascii_lowercase()).collect();
    folded.sort_unstable();
    let count = folded.len();
    folded.dedup();
    if folded.len() == count {
        Ok(())
    } else {
        Err(JsonError::CaseVariantMember)
    }
}

#[derive(Copy, Clone)]
struct Strict<'a> {
    depth: usize,
    problem: &'a Cell<Option<JsonError>>,
}

impl Strict<'_> {
    fn refuse<E: de::Error>(&self, problem: JsonError) -> E {
        self.problem.set(Some(problem));
        E::custom(problem)
    }

    fn deeper<E: de::Error>(&self) -> Result<Self, E> {
        if self.depth >= MAX_DEPTH {
            return Err(self.refuse(JsonError::TooDeep));
        }
        Ok(Self {
            depth: self.depth + 1,
            ..*self
        })
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| self.refuse(JsonError::Malformed))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut map = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if name.contains('\0') {
                return Err(self.refuse(JsonError::NulInName));
            }
            if map.contains_key(&name) {
                return Err(self.refuse(JsonError::DuplicateMember));
            }
            map.insert(name, members.next_value_seed(inner)?);
        }
        Ok(Value::Object(map))
    }
}
