//! What a believed token says, and what a request needs of it. Whether the token is to be believed is for others.

use jeton_token::confirmation::Confirmation;
use jeton_token::jwt::ClaimError;
use jeton_token::timestamp::Timestamp;
use serde_json::{Map, Value};
use std::time::Duration;

use crate::rejected::Rejected;

/// Who may do what: the same of a JWT and of an introspection answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Access {
    /// Always there in a JWT.
    pub issuer: Option<String>,
    /// The user, or the client itself when there is none.
    pub subject: String,
    pub client: String,
    pub audience: Vec<String>,
    /// Values, in the order of the token.
    pub scope: Vec<String>,
    pub issued_at: Option<Timestamp>,
    pub not_before: Option<Timestamp>,
    pub expires_at: Timestamp,
    pub auth_time: Option<Timestamp>,
    pub acr: Option<String>,
    /// The key without which the token is worth nothing.
    pub cnf: Option<Confirmation>,
    /// Everything the token says, `authorization_details` and `act` among it.
    pub claims: Map<String, Value>,
}

/// The last second of the year 9999.
const LATEST: f64 = 253_402_300_799.0;

impl Access {
    /// Reads claims. A claim of another type than it should have is an error, never an absence. (RFC 8725 §3.10)
    pub(crate) fn read(
        claims: Map<String, Value>,
        required: &[&'static str],
    ) -> Result<Self, ClaimError> {
        if let Some(name) = required.iter().find(|name| !claims.contains_key(**name)) {
            return Err(ClaimError::Missing(name));
        }
        let needed = |name| text(&claims, name)?.ok_or(ClaimError::Missing(name));
        let audience = audience(&claims)?;
        if audience.is_empty() {
            return Err(ClaimError::Missing("aud"));
        }
        text(&claims, "jti")?;
        let scope = text(&claims, "scope")?.unwrap_or_default();
        Ok(Self {
            issuer: text(&claims, "iss")?,
            subject: needed("sub")?,
            client: needed("client_id")?,
            audience,
            scope: scope.split_ascii_whitespace().map(str::to_owned).collect(),
            issued_at: time(&claims, "iat")?,
            not_before: time(&claims, "nbf")?,
            expires_at: time(&claims, "exp")?.ok_or(ClaimError::Missing("exp"))?,
            auth_time: time(&claims, "auth_time")?,
            acr: text(&claims, "acr")?,
            cnf: confirmation(&claims)?,
            claims,
        })
    }

    pub fn has_scope(&self, value: &str) -> bool {
        self.scope.iter().any(|known| known == value)
    }
}

/// What a request needs beyond a token that is to be believed: scope, and how and when the user signed in.
///
/// ```
/// use jeton_resource::Requirement;
/// use std::time::Duration;
///
/// let to_pay = Requirement::scope("payments:write")
///     .and_acr(["urn:example:mfa"])
///     .and_max_age(Duration::from_secs(300));
/// # let _ = to_pay;
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requirement {
    pub(crate) scope: Vec<String>,
    pub(crate) acr_values: Vec<String>,
    pub(crate) max_age: Option<Duration>,
}

impl Requirement {
    /// Any token of this resource will do.
    pub fn none() -> Self {
        Self::default()
    }

    /// All of these values, with spaces between them.
    pub fn scope(values: &str) -> Self {
        Self {
            scope: values.split_ascii_whitespace().map(str::to_owned).collect(),
            ..Self::default()
        }
    }

    /// One of these ways to sign in, the best liked first. (RFC 9470 §3)
    #[must_use]
    pub fn and_acr<'a>(mut self, values: impl IntoIterator<Item = &'a str>) -> Self {
        self.acr_values = values.into_iter().map(str::to_owned).collect();
        self
    }

    /// The user signed in no longer ago than this. (RFC 9470 §3)
    #[must_use]
    pub fn and_max_age(mut self, most: Duration) -> Self {
        self.max_age = Some(most);
        self
    }

    /// Scope first: whoever lacks it need not sign in again.
    pub fn check(&self, access: &Access, now: Timestamp) -> Result<(), Rejected> {
        if !self.scope.iter().all(|value| access.has_scope(value)) {
            return Err(Rejected::Scope);
        }
        let acr = access.acr.as_ref();
        let by_this_way = acr.is_some_and(|acr| self.acr_values.contains(acr));
        if !self.acr_values.is_empty() && !by_this_way {
            return Err(Rejected::Authentication);
        }
        let recent = |most| access.auth_time.is_some_and(|at| now.since(at) <= most);
        if !self.max_age.is_none_or(recent) {
            return Err(Rejected::Authentication);
        }
        Ok(())
    }
}

fn text(claims: &Map<String, Value>, name: &'static str) -> Result<Option<String>, ClaimError> {
    typed(claims, name, "a string", |value| {
        value.as_str().map(str::to_owned)
    })
}

/// A number of seconds between 1970 and 9999, fractions allowed. (RFC 7519 §2)
#[expect(
    clippy::cast_possible_truncation,
    reason = "the range is checked before"
)]
fn time(claims: &Map<String, Value>, name: &'static str) -> Result<Option<Timestamp>, ClaimError> {
    typed(claims, name, "a time", |value| {
        let seconds = value.as_f64()?;
        let sound = (0.0..=LATEST).contains(&seconds);
        sound.then(|| Timestamp::from_millis((seconds * 1000.0) as i64))
    })
}

fn audience(claims: &Map<String, Value>) -> Result<Vec<String>, ClaimError> {
    let read = |value: &Value| match value {
        Value::String(one) => Some(vec![one.clone()]),
        Value::Array(many) => many
            .iter()
            .map(|one| one.as_str().map(str::to_owned))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    };
    let read = typed(claims, "aud", "a string or an array of strings", read)?;
    Ok(read.unwrap_or_default())
}

/// A binding that is not understood is refused: it must not vanish.
fn confirmation(claims: &Map<String, Value>) -> Result<Option<Confirmation>, ClaimError> {
    typed(claims, "cnf", "one key thumbprint", |value| {
        serde_json::from_value(value.clone()).ok()
    })
}

fn typed<T>(
    claims: &Map<String, Value>,
    name: &'static str,
    expected: &'static str,
    read: impl FnOnce(&Value) -> Option<T>,
) -> Result<Option<T>, ClaimError> {
    let wrong = ClaimError::WrongType { name, expected };
    claims
        .get(name)
        .map(|value| read(value).ok_or(wrong))
        .transpose()
}
