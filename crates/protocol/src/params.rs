//! Parameters of a request, from a query or a form body (RFC 6749 §3.1, §3.2 and appendix B).
//!
//! Repeats are refused, empties count as absent, unknown ones are kept unread. Decoding is strict: bad percent-encoding, bad
//! UTF-8 and NUL are refused rather than repaired.

use crate::refusal::{Noted, Refusal, Rule};
use crate::rules;
use serde_json::{Map, Value};
use std::borrow::Cow;

rules! {
    FORM_CONTENT_TYPE = InvalidRequest, "content_type_not_form", "RFC 6749 §3.2, appendix B", {
        promise: "The body is application/x-www-form-urlencoded in UTF-8",
        told: "The request body must be application/x-www-form-urlencoded in UTF-8",
        fix: "Send parameters as a form (key=value&key=value) with Content-Type: application/x-www-form-urlencoded, not as JSON or multipart"
    };
    PARAMETER_ENCODING = InvalidRequest, "parameter_encoding", "RFC 6749 appendix B", {
        promise: "Every parameter is well-formed percent-encoded UTF-8 without NUL",
        told: "A parameter is not well-formed percent-encoded UTF-8",
        fix: "Encode names and values as UTF-8, then percent-encode them; a percent sign itself is %25"
    };
    PARAMETER_ONCE = InvalidRequest, "parameter_repeated", "RFC 6749 §3.1, §3.2", {
        promise: "No parameter is sent more than once",
        told: "A parameter was sent more than once",
        fix: "Send each parameter once; only resource may be repeated (RFC 8707 §2)"
    };
    PARAMETER_COUNT = InvalidRequest, "too_many_parameters", "RFC 6749 §10.14", {
        promise: "The request has at most 128 parameters",
        told: "The request has too many parameters",
        fix: "Send fewer than 129 parameters"
    };
    PARAMETERS_IN_BODY = InvalidRequest, "parameters_in_query", "RFC 6749 §2.3.1, §3.2", {
        promise: "Parameters of this endpoint are in the body, not in the URI",
        told: "Parameters of this endpoint must be sent in the request body",
        fix: "Move every parameter from the query string to the form body; a URI ends up in logs"
    };
}

pub const MOST_PARAMETERS: usize = 128;

/// The parameters of one request.
#[derive(Clone, Debug, Default)]
pub struct Params<'a> {
    entries: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    repeated: Vec<Cow<'a, str>>,
}

impl<'a> Params<'a> {
    pub fn from_form(content_type: Option<&str>, body: &'a [u8]) -> Result<Self, Refusal> {
        Self::unjudged_form(content_type, body)?.once()
    }

    pub fn from_query(query: Option<&'a str>) -> Result<Self, Refusal> {
        Self::unjudged_query(query)?.once()
    }

    /// As [`Self::from_form`], with repeats kept for the caller to judge: an authorization request has to know first where
    /// its refusal may be sent.
    pub fn unjudged_form(content_type: Option<&str>, body: &'a [u8]) -> Result<Self, Refusal> {
        if !is_form(content_type) {
            let found = content_type.map_or("no Content-Type", |_| "another Content-Type");
            return Err(Refusal::new(
                &FORM_CONTENT_TYPE,
                "application/x-www-form-urlencoded",
                found,
            ));
        }
        Self::decode(body)
    }

    pub fn unjudged_query(query: Option<&'a str>) -> Result<Self, Refusal> {
        Self::decode(query.unwrap_or_default().as_bytes())
    }

    /// Whether one of `names` was sent more than once.
    pub fn repeats(&self, names: &[&str]) -> bool {
        self.repeated
            .iter()
            .any(|name| names.contains(&name.as_ref()))
    }

    /// Refuses a request that repeats anything.
    pub fn check_once(&self) -> Result<(), Refusal> {
        match self.repeated.first() {
            None => Ok(()),
            Some(name) => Err(repeated(&PARAMETER_ONCE, name)),
        }
    }

    /// The members of a request object, as if they had been sent as a form: text as it is, other JSON as its text, and each
    /// member of a list that a form would repeat (RFC 9101 §4). `null` counts as absent.
    pub(crate) fn from_object(members: &Map<String, Value>) -> Params<'static> {
        let mut entries = Vec::with_capacity(members.len());
        for (name, value) in members {
            let values = match value.as_array() {
                Some(values) if may_repeat(name) => values.as_slice(),
                Some(_) | None => std::slice::from_ref(value),
            };
            for value in values.iter().filter(|value| !value.is_null()) {
                let text = value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned);
                if !text.is_empty() {
                    entries.push((Cow::Owned(name.clone()), Cow::Owned(text)));
                }
            }
        }
        Params {
            entries,
            repeated: Vec::new(),
        }
    }

    fn once(self) -> Result<Self, Refusal> {
        self.check_once()?;
        Ok(self)
    }

    /// The value of a parameter; an empty one is absent (RFC 6749 §3.1).
    pub fn one(&self, name: &str) -> Option<&str> {
        self.entries
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_ref())
    }

    /// All values of a parameter that may be repeated.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.entries
            .iter()
            .filter(move |(known, _)| known == name)
            .map(|(_, value)| value.as_ref())
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|(name, _)| name.as_ref())
    }

    fn decode(bytes: &'a [u8]) -> Result<Self, Refusal> {
        let mut entries: Vec<(Cow<'a, str>, Cow<'a, str>)> = Vec::with_capacity(8);
        let mut seen_empty: Vec<Cow<'a, str>> = Vec::new();
        let mut repeated: Vec<Cow<'a, str>> = Vec::new();
        let pairs = bytes
            .split(|byte| *byte == b'&')
            .filter(|pair| !pair.is_empty());
        for (position, pair) in pairs.enumerate() {
            if position >= MOST_PARAMETERS {
                return Err(Refusal::new(&PARAMETER_COUNT, "at most 128", "more"));
            }
            let at = pair.iter().position(|byte| *byte == b'=');
            let (name, value) = match at {
                Some(at) => (
                    pair.get(..at).unwrap_or_default(),
                    pair.get(at + 1..).unwrap_or_default(),
                ),
                None => (pair, &[][..]),
            };
            let (name, value) = (decode_component(name)?, decode_component(value)?);
            let again =
                entries.iter().any(|(known, _)| *known == name) || seen_empty.contains(&name);
            if again && !may_repeat(&name) {
                repeated.push(name);
                continue;
            }
            if value.is_empty() {
                seen_empty.push(name);
            } else {
                entries.push((name, value));
            }
        }
        Ok(Self { entries, repeated })
    }
}

fn may_repeat(name: &str) -> bool {
    matches!(name, "resource" | "audience")
}

fn repeated(rule: &'static Rule, name: &str) -> Refusal {
    let known = crate::rules::KNOWN_PARAMETERS
        .iter()
        .find(|known| **known == name);
    Refusal {
        rule,
        noted: Box::new(Noted::new(
            "once",
            known.map_or("an unknown parameter, twice".to_owned(), |name| {
                format!("{name}, twice")
            }),
        )),
    }
}

fn is_form(content_type: Option<&str>) -> bool {
    let Some(content_type) = content_type else {
        return false;
    };
    let mut parts = content_type.split(';');
    let essence = parts.next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
        && parts.all(|parameter| {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            !name.trim().eq_ignore_ascii_case("charset")
                || value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
        })
}

/// Decodes one name or value, borrowing when there is nothing to decode.
fn decode_component(bytes: &[u8]) -> Result<Cow<'_, str>, Refusal> {
    let refuse =
        |found: &'static str| Refusal::new(&PARAMETER_ENCODING, "percent-encoded UTF-8", found);
    if !bytes.iter().any(|byte| matches!(byte, b'%' | b'+' | 0)) {
        return std::str::from_utf8(bytes)
            .map(Cow::Borrowed)
            .map_err(|_| refuse("bytes that are not UTF-8"));
    }
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes.iter();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => decoded.push(b' '),
            b'%' => {
                let high = rest.next().and_then(|digit| hex_value(*digit));
                let low = rest.next().and_then(|digit| hex_value(*digit));
                let (Some(high), Some(low)) = (high, low) else {
                    return Err(refuse("a percent sign without two hexadecimal digits"));
                };
                decoded.push(high << 4 | low);
            }
            0 => return Err(refuse("a NUL")),
            plain => decoded.push(*plain),
        }
    }
    if decoded.contains(&0) {
        return Err(refuse("a NUL"));
    }
    String::from_utf8(decoded)
        .map(Cow::Owned)
        .map_err(|_| refuse("bytes that are not UTF-8"))
}

fn hex_value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// Decodes the id or the secret of an `Authorization: Basic` header, which are form-encoded before base64 (RFC 6749 §2.3.1).
pub fn decode_credential(text: &str) -> Result<Cow<'_, str>, Refusal> {
    decode_component(text.as_bytes())
}
