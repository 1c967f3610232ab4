//! Scope values (RFC 6749 §3.3).

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// A set of scope values, kept in order of first appearance, written with single spaces.
///
/// Order never matters for meaning (P-57): comparisons treat it as a set.
#[derive(Clone, Debug, Default)]
pub struct Scope(Vec<String>);

/// A scope value of more than this, or a request with more values, is refused before anything is compared (SEC-082).
pub const MOST_VALUES: usize = 64;
const LONGEST_VALUE: usize = 128;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScopeError {
    /// A character outside `%x21 / %x23-5B / %x5D-7E`.
    IllegalCharacter,
    TooLong,
    TooMany,
}

impl Scope {
    /// Reads the scope of a request.
    pub fn parse(text: &str) -> Result<Self, ScopeError> {
        Self::read(text, MOST_VALUES)
    }

    /// Reads up to `most` values, and looks at nothing behind them.
    fn read(text: &str, most: usize) -> Result<Self, ScopeError> {
        let mut values: Vec<String> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        for value in text.split(' ').filter(|value| !value.is_empty()) {
            if value.len() > LONGEST_VALUE {
                return Err(ScopeError::TooLong);
            }
            if !value
                .bytes()
                .all(|b| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
            {
                return Err(ScopeError::IllegalCharacter);
            }
            if seen.insert(value) {
                if values.len() == most {
                    return Err(ScopeError::TooMany);
                }
                values.push(value.to_owned());
            }
        }
        Ok(Self(values))
    }

    /// Of values that this program names itself.
    pub(crate) fn of(values: impl Iterator<Item = &'static str>) -> Self {
        Self(values.map(str::to_owned).collect())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn contains(&self, value: &str) -> bool {
        self.0.iter().any(|known| known == value)
    }

    pub fn is_subset_of(&self, other: &Self) -> bool {
        self.0.iter().all(|value| other.contains(value))
    }

    /// The values that `keep` says yes to.
    pub fn filtered(&self, keep: impl Fn(&str) -> bool) -> Self {
        let kept = self.0.iter().filter(|value| keep(value));
        Self(kept.cloned().collect())
    }

    /// The values of `self` that `other` also has.
    pub fn intersection(&self, other: &Self) -> Self {
        self.filtered(|value| other.contains(value))
    }

    /// The values of `self` that `other` lacks.
    pub fn without(&self, other: &Self) -> Self {
        self.filtered(|value| !other.contains(value))
    }

    pub fn union(&self, other: &Self) -> Self {
        let mut values = self.0.clone();
        values.extend(other.without(self).0);
        Self(values)
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl PartialEq for Scope {
    fn eq(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && self.is_subset_of(other)
    }
}

impl Eq for Scope {}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, value) in self.0.iter().enumerate() {
            if position > 0 {
                f.write_str(" ")?;
            }
            f.write_str(value)?;
        }
        Ok(())
    }
}

impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        // One that was put together here from several may have more values than a request may.
        Self::read(&text, usize::MAX)
            .map_err(|error| serde::de::Error::custom(format!("scope: {error:?}")))
    }
}

/// What a tenant says about one of its scope values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScopeDefinition {
    /// What the person reads at consent.
    pub description: Option<String>,
    /// Granted to those who may have it, but not advertised (RFC 8414 §2).
    #[serde(default)]
    pub hidden: bool,
}

/// The scope values OpenID Connect Core §5.4 and §11 define.
pub const OPENID_CONNECT: [&str; 6] = [
    "openid",
    "profile",
    "email",
    "address",
    "phone",
    "offline_access",
];
