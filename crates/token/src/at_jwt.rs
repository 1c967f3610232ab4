//! The JWT profile for access tokens. Whether one may be issued or still holds is not decided here. (RFC 9068)

use serde::Serialize;
use serde_json::Value;

use crate::confirmation::Confirmation;
use crate::jwt::{self, ClaimError, Claims};
use crate::row_id::RowId;
use crate::timestamp::Timestamp;

/// The claims of an access token about to be signed. (RFC 9068 §2.2)
#[derive(Copy, Clone, Debug, Serialize)]
pub struct AccessTokenClaims<'a> {
    pub iss: &'a str,
    pub sub: &'a str,
    #[serde(serialize_with = "jwt::audience")]
    pub aud: &'a [String],
    pub client_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<&'a str>,
    #[serde(serialize_with = "jwt::seconds")]
    pub iat: Timestamp,
    #[serde(serialize_with = "jwt::seconds")]
    pub exp: Timestamp,
    /// Carries the millisecond of the issue.
    pub jti: RowId,
    #[serde(
        serialize_with = "jwt::optional_seconds",
        skip_serializing_if = "Option::is_none"
    )]
    pub auth_time: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acr: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<RowId>,
    /// The grant this token comes from, so that a revoked grant takes it along.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gid: Option<RowId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cnf: Option<Confirmation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub act: Option<&'a Value>,
    #[serde(
        rename = "authorization_details",
        skip_serializing_if = "Option::is_none"
    )]
    pub details: Option<&'a Value>,
}

/// What a verified access token says. Issuer, audience and time are still to be compared.
#[derive(Clone, Debug, PartialEq)]
pub struct AccessTokenFacts {
    pub issuer: String,
    pub subject: String,
    pub audience: Vec<String>,
    pub client: String,
    pub scope: Option<String>,
    /// With milliseconds where `jti` carries them.
    pub issued_at: Timestamp,
    pub expires_at: Timestamp,
    pub token: RowId,
    pub auth_time: Option<Timestamp>,
    pub acr: Option<String>,
    pub session: Option<RowId>,
    pub grant: Option<RowId>,
    pub cnf: Option<Confirmation>,
    pub act: Option<Value>,
    pub details: Option<Value>,
}

/// Reads the claims of one of our access tokens; every required claim must be there with its type. (RFC 9068 §2.2, §4)
pub fn read(claims: &Claims) -> Result<AccessTokenFacts, ClaimError> {
    let token = row(claims, "jti")?.ok_or(ClaimError::Missing("jti"))?;
    let audience = claims.audience()?;
    if audience.is_empty() {
        return Err(ClaimError::Missing("aud"));
    }
    Ok(AccessTokenFacts {
        issuer: claims.required_text("iss")?.to_owned(),
        subject: claims.required_text("sub")?.to_owned(),
        audience: audience.into_iter().map(str::to_owned).collect(),
        client: claims.required_text("client_id")?.to_owned(),
        scope: claims.text("scope")?.map(str::to_owned),
        issued_at: with_millis(claims.required_time("iat")?, token),
        expires_at: claims.required_time("exp")?,
        token,
        auth_time: claims.time("auth_time")?,
        acr: claims.text("acr")?.map(str::to_owned),
        session: row(claims, "sid")?,
        grant: row(claims, "gid")?,
        cnf: claims.read("cnf", "one key thumbprint")?,
        act: claims.object("act")?.cloned().map(Value::Object),
        details: claims
            .array("authorization_details")?
            .cloned()
            .map(Value::Array),
    })
}

fn row(claims: &Claims, name: &'static str) -> Result<Option<RowId>, ClaimError> {
    let wrong = ClaimError::WrongType {
        name,
        expected: "one of our ids",
    };
    claims
        .text(name)?
        .map(|text| text.parse().map_err(|_| wrong))
        .transpose()
}

fn with_millis(issued_at: Timestamp, token: RowId) -> Timestamp {
    if token.time().seconds() == issued_at.seconds() {
        token.time()
    } else {
        issued_at
    }
}
