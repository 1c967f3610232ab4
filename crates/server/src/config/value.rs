//! Values as they were written, and how the plain types are read from them.

use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use serde_json::json;

/// A value as written, before anybody knows what it should be.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nobody wrote one, and there is no default.
    Absent,
    /// Text from the environment, a file it names, a flag or a default: the type is not known yet.
    Loose(String),
    /// A TOML string.
    Text(String),
    /// A TOML integer.
    Integer(i64),
    /// A TOML boolean.
    Boolean(bool),
    /// A TOML array.
    List(Vec<Value>),
    /// A TOML value no key takes, by its kind.
    Other(&'static str),
}

impl Value {
    /// The value as text, or a sentence that says it should have been `wanted`.
    pub fn text(&self, wanted: &str) -> Result<&str, String> {
        match self {
            Self::Loose(text) | Self::Text(text) => Ok(text),
            Self::Absent | Self::Integer(_) | Self::Boolean(_) | Self::List(_) | Self::Other(_) => {
                Err(format!("is {}; write {wanted}", self.kind()))
            }
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Absent => "not set",
            Self::Loose(_) | Self::Text(_) => "a text",
            Self::Integer(_) => "a number",
            Self::Boolean(_) => "a boolean",
            Self::List(_) => "a list",
            Self::Other(kind) => kind,
        }
    }

    /// The members of a list. Loose text is a TOML array or parts separated by commas.
    fn list(&self, wanted: &str) -> Result<Vec<Value>, String> {
        match self {
            Self::List(members) => Ok(members.clone()),
            Self::Loose(text) if text.trim_start().starts_with('[') => {
                let value = toml::de::DeValue::parse(text.trim())
                    .map_err(|error| format!("is not a list: {}", error.message()))?;
                super::gather::value_of(value.get_ref()).list(wanted)
            }
            Self::Loose(text) => Ok(text
                .split(',')
                .map(str::trim)
                .filter(|part| !part.is_empty())
                .map(|part| Self::Loose(part.to_owned()))
                .collect()),
            Self::Absent | Self::Text(_) | Self::Integer(_) | Self::Boolean(_) | Self::Other(_) => {
                Err(format!("is {}; write {wanted}", self.kind()))
            }
        }
    }
}

/// What the reference and the schema say about a type.
#[derive(Debug, Clone)]
pub struct Shape {
    /// The type in words, with an example where the form is not obvious.
    pub words: String,
    /// The type as JSON Schema.
    pub schema: serde_json::Value,
}

impl Shape {
    pub(super) fn text(words: &str) -> Self {
        Self {
            words: words.to_owned(),
            schema: json!({"type": "string"}),
        }
    }
}

/// A type a key can have.
pub trait Setting: Sized {
    /// Whether a credential file of the key's name *is* the value instead of holding it.
    const IS_A_FILE: bool = false;

    /// How the type is described to an operator.
    fn shape() -> Shape;

    /// Reads a value; the error is the end of a sentence that starts with the key's name.
    fn parse(value: &Value) -> Result<Self, String>;

    /// The value as TOML, secrets hidden.
    fn shown(&self) -> String;

    /// Whether the value lies in a range; a type without an order lies in none.
    fn within(&self, _low: &Self, _high: &Self) -> bool {
        false
    }
}

/// `text` as a TOML string.
pub(super) fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

impl Setting for bool {
    fn shape() -> Shape {
        Shape {
            words: "true or false".to_owned(),
            schema: json!({"type": "boolean"}),
        }
    }

    fn parse(value: &Value) -> Result<Self, String> {
        match value {
            Value::Boolean(it) => Ok(*it),
            Value::Loose(text) => text
                .parse()
                .map_err(|_| format!("is {text:?}; write true or false")),
            Value::Absent
            | Value::Text(_)
            | Value::Integer(_)
            | Value::List(_)
            | Value::Other(_) => Err(format!("is {}; write true or false", value.kind())),
        }
    }

    fn shown(&self) -> String {
        self.to_string()
    }
}

impl Setting for u32 {
    fn shape() -> Shape {
        Shape {
            words: "number".to_owned(),
            schema: json!({"type": "integer", "minimum": 0}),
        }
    }

    fn parse(value: &Value) -> Result<Self, String> {
        match value {
            Value::Integer(it) => {
                Self::try_from(*it).map_err(|_| format!("is {it}; write a number from 0 up"))
            }
            Value::Loose(text) => text
                .parse()
                .map_err(|_| format!("is {text:?}; write a whole number")),
            Value::Absent
            | Value::Text(_)
            | Value::Boolean(_)
            | Value::List(_)
            | Value::Other(_) => Err(format!("is {}; write a whole number", value.kind())),
        }
    }

    fn shown(&self) -> String {
        self.to_string()
    }

    fn within(&self, low: &Self, high: &Self) -> bool {
        (low..=high).contains(&self)
    }
}

/// A port.
impl Setting for NonZeroU16 {
    fn shape() -> Shape {
        Shape {
            words: "port".to_owned(),
            schema: json!({"type": "integer", "minimum": 1, "maximum": 65535}),
        }
    }

    fn parse(value: &Value) -> Result<Self, String> {
        let number = u32::parse(value)?;
        let port = u16::try_from(number).ok().and_then(Self::new);
        port.ok_or_else(|| format!("has {number}; write a port from 1 to 65535"))
    }

    fn shown(&self) -> String {
        self.to_string()
    }
}

impl Setting for String {
    fn shape() -> Shape {
        Shape::text("text")
    }

    fn parse(value: &Value) -> Result<Self, String> {
        value.text("a text in quotes").map(str::to_owned)
    }

    fn shown(&self) -> String {
        quoted(self)
    }
}

impl Setting for PathBuf {
    const IS_A_FILE: bool = true;

    fn shape() -> Shape {
        Shape::text("path, relative to the working directory")
    }

    fn parse(value: &Value) -> Result<Self, String> {
        match value.text("a path in quotes")? {
            "" => Err("is empty; write a path".to_owned()),
            path => Ok(Self::from(path)),
        }
    }

    fn shown(&self) -> String {
        quoted(&self.to_string_lossy())
    }
}

impl Setting for SocketAddr {
    fn shape() -> Shape {
        Shape::text("address and port, such as \"127.0.0.1:9000\" or \"[::]:443\"")
    }

    fn parse(value: &Value) -> Result<Self, String> {
        let text = value.text("an address and port, such as \"127.0.0.1:9000\"")?;
        text.parse().map_err(|_| {
            format!("is {text:?}; write an IP address and a port, such as \"127.0.0.1:9000\"")
        })
    }

    fn shown(&self) -> String {
        quoted(&self.to_string())
    }
}

impl Setting for IpNet {
    fn shape() -> Shape {
        Shape::text("network, such as \"10.0.0.0/8\", or one address")
    }

    fn parse(value: &Value) -> Result<Self, String> {
        let text = value.text("a network, such as \"10.0.0.0/8\"")?;
        let single = || text.parse::<std::net::IpAddr>().ok().map(Self::from);
        text.parse()
            .ok()
            .or_else(single)
            .ok_or_else(|| format!("has {text:?}; write a network, such as \"10.0.0.0/8\""))
    }

    fn shown(&self) -> String {
        quoted(&self.to_string())
    }
}

const UNITS: [(&str, u64); 4] = [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];

/// A duration as it is written everywhere: whole seconds in the largest unit that fits.
pub(crate) fn duration_text(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let fits = |(_, size): &&(&str, u64)| seconds > 0 && seconds.is_multiple_of(*size);
    let (unit, size) = UNITS.iter().find(fits).unwrap_or(&("s", 1));
    format!("{}{unit}", seconds / size)
}

/// The duration somebody wrote outside of the configuration, in the same form.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    Setting::parse(&Value::Loose(text.to_owned()))
}

/// Durations are whole seconds with a unit: nobody has to guess whether 60 means seconds or minutes.
impl Setting for Duration {
    fn shape() -> Shape {
        Shape {
            words: "duration in s, m, h or d, such as \"10m\"".to_owned(),
            schema: json!({"type": "string", "pattern": "^[0-9]+[smhd]$"}),
        }
    }

    fn parse(value: &Value) -> Result<Self, String> {
        let text = value.text("a duration with its unit in quotes, such as \"10m\"")?;
        let seconds = UNITS.iter().find_map(|(unit, seconds)| {
            let count = text.strip_suffix(unit)?;
            let digits = !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit());
            digits
                .then(|| count.parse::<u64>().ok()?.checked_mul(*seconds))
                .flatten()
        });
        seconds.map(Self::from_secs).ok_or_else(|| {
            format!("is {text:?}; write a number and one of s, m, h, d, such as \"10m\"")
        })
    }

    fn shown(&self) -> String {
        quoted(&duration_text(*self))
    }

    fn within(&self, low: &Self, high: &Self) -> bool {
        (low..=high).contains(&self)
    }
}

impl<T: Setting> Setting for Option<T> {
    const IS_A_FILE: bool = T::IS_A_FILE;

    fn shape() -> Shape {
        T::shape()
    }

    fn parse(value: &Value) -> Result<Self, String> {
        match value {
            Value::Absent => Ok(None),
            Value::Loose(text) if text.is_empty() => Ok(None),
            Value::Loose(_)
            | Value::Text(_)
            | Value::Integer(_)
            | Value::Boolean(_)
            | Value::List(_)
            | Value::Other(_) => T::parse(value).map(Some),
        }
    }

    fn shown(&self) -> String {
        self.as_ref().map_or_else(|| "not set".to_owned(), T::shown)
    }

    fn within(&self, low: &Self, high: &Self) -> bool {
        match (self, low, high) {
            (Some(it), Some(low), Some(high)) => it.within(low, high),
            (None, _, _) => true,
            (Some(_), _, _) => false,
        }
    }
}

impl<T: Setting> Setting for Vec<T> {
    fn shape() -> Shape {
        let one = T::shape();
        Shape {
            words: format!("list; each: {}", one.words),
            schema: json!({"type": "array", "items": one.schema}),
        }
    }

    fn parse(value: &Value) -> Result<Self, String> {
        let wanted = "a list in square brackets";
        value.list(wanted)?.iter().map(T::parse).collect()
    }

    fn shown(&self) -> String {
        let members: Vec<String> = self.iter().map(T::shown).collect();
        format!("[{}]", members.join(", "))
    }
}
