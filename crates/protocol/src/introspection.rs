//! Introspection: what a token still is, told to those it concerns (RFC 7662).

use crate::client::Client;
use crate::client_auth::AuthenticatedClient;
use crate::issue::token_type;
use crate::params::Params;
use crate::refusal::{Noted, Refusal, Trail};
use crate::rules;
use crate::standing::Standing;
use crate::tenant::Tenant;
use jeton_token::at_jwt::AccessTokenFacts;
use jeton_token::confirmation::Confirmation;
use jeton_token::handle::HandleKind;
use jeton_token::jwt;
use jeton_token::row_id::RowId;
use jeton_token::sealed::{self, SealedFacts};
use jeton_token::timestamp::Timestamp;
use serde::Serialize;

rules! {
    TOKEN_SENT = InvalidRequest, "token_missing", "RFC 7662 §2.1, RFC 7009 §2.1", {
        promise: "The request carries a token",
        told: "token is missing",
        fix: "Send the token as the form parameter token"
    };
    CALLER_CONFIDENTIAL = InvalidClient, "introspection_by_public_client", "RFC 7662 §2.1, §4", {
        promise: "The caller has proven itself",
        told: "Introspection needs client authentication",
        fix: "Introspect as a confidential client; register the API as one"
    };
    CALLER_CONCERNED = InvalidToken, "introspection_audience", "RFC 7662 §4", {
        promise: "The token was issued to the caller, or is meant for an audience the caller answers for",
        told: "The token is not active",
        fix: "Add the token's audience to the client's introspects, or introspect as the API it is meant for"
    };
    TOKEN_READABLE = InvalidToken, "token_unknown", "RFC 6750 §3.1", {
        promise: "The token is one this issuer gave out",
        told: "The access token is not valid",
        fix: "Send an access token of this issuer, unchanged"
    };
    TOKEN_FRESH = InvalidToken, "token_expired", "RFC 6750 §3.1", {
        promise: "The token has not expired",
        told: "The access token has expired",
        fix: "Refresh it, or ask for a new one; lifetimes.access_token says how long it lives"
    };
}

/// What kind of token a text claims to be, judged by its prefix alone. Whether it is one is for its keys to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenRef<'a> {
    Sealed(&'a str),
    Refresh(&'a str),
    Jwt(&'a str),
    /// A handle of another kind, or nothing of ours.
    Other,
}

impl<'a> TokenRef<'a> {
    pub fn read(text: &'a str) -> Self {
        if text.starts_with(sealed::PREFIX) {
            return Self::Sealed(text);
        }
        match HandleKind::claimed_by(text) {
            Some(HandleKind::RefreshToken) => Self::Refresh(text),
            Some(_) => Self::Other,
            None if text.starts_with("eyJ") => Self::Jwt(text),
            None => Self::Other,
        }
    }
}

/// The same of every access token, whatever its format.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenFacts {
    pub token: RowId,
    pub grant: Option<RowId>,
    pub session: Option<RowId>,
    pub client: String,
    pub subject: String,
    pub user: Option<RowId>,
    pub scope: String,
    pub audience: Vec<String>,
    pub issued_at: Timestamp,
    pub expires_at: Timestamp,
    pub binding: Option<Confirmation>,
    pub auth_time: Option<Timestamp>,
    pub acr: Option<String>,
    /// Whether userinfo has to look into the grant for claims that were asked for by name.
    pub asks_userinfo: bool,
}

impl From<SealedFacts> for TokenFacts {
    fn from(facts: SealedFacts) -> Self {
        Self {
            token: facts.token,
            grant: facts.grant,
            session: facts.session,
            client: facts.client,
            subject: facts.subject,
            user: facts.user,
            scope: facts.scope,
            audience: facts.audience,
            issued_at: facts.issued_at,
            expires_at: facts.expires_at,
            binding: facts.cnf,
            auth_time: facts.auth_time,
            acr: facts.acr,
            asks_userinfo: facts.asks_userinfo == Some(true),
        }
    }
}

impl From<AccessTokenFacts> for TokenFacts {
    fn from(facts: AccessTokenFacts) -> Self {
        Self {
            token: facts.token,
            grant: facts.grant,
            session: facts.session,
            user: facts.grant.and_then(|_| facts.subject.parse().ok()),
            client: facts.client,
            subject: facts.subject,
            scope: facts.scope.unwrap_or_default(),
            audience: facts.audience,
            issued_at: facts.issued_at,
            expires_at: facts.expires_at,
            binding: facts.cnf,
            auth_time: facts.auth_time,
            acr: facts.acr,
            // A JWT does not say: its readers are not concerned.
            asks_userinfo: facts.grant.is_some(),
        }
    }
}

impl TokenFacts {
    pub fn has_scope(&self, value: &str) -> bool {
        self.scope.split(' ').any(|known| known == value)
    }
}

/// The token to look at.
pub fn token<'a>(params: &'a Params<'_>, trail: &mut Trail) -> Result<&'a str, Refusal> {
    trail.demand(&TOKEN_SENT, params.one("token"), || {
        Noted::new("token", "absent")
    })
}

/// Whoever asks has to have proven who they are: a public client has not.
pub fn admit(caller: &AuthenticatedClient, trail: &mut Trail) -> Result<(), Refusal> {
    trail.require(&CALLER_CONFIDENTIAL, !caller.is_public(), || {
        Noted::new("a confidential client", "a public one")
    })
}

/// The answer of RFC 7662 §2.2. Absent members are left out; an inactive token tells nothing else.
#[derive(Debug, Default, Serialize)]
pub struct Introspection<'a> {
    pub active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iss: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub: Option<&'a str>,
    #[serde(
        skip_serializing_if = "<[_]>::is_empty",
        serialize_with = "jwt::audience"
    )]
    pub aud: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_type: Option<&'static str>,
    #[serde(
        serialize_with = "jwt::optional_seconds",
        skip_serializing_if = "Option::is_none"
    )]
    pub exp: Option<Timestamp>,
    #[serde(
        serialize_with = "jwt::optional_seconds",
        skip_serializing_if = "Option::is_none"
    )]
    pub iat: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jti: Option<RowId>,
    #[serde(
        serialize_with = "jwt::optional_seconds",
        skip_serializing_if = "Option::is_none"
    )]
    pub auth_time: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acr: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cnf: Option<Confirmation>,
}

pub const INACTIVE: Introspection<'static> = Introspection {
    active: false,
    iss: None,
    sub: None,
    aud: &[],
    client_id: None,
    scope: None,
    token_type: None,
    exp: None,
    iat: None,
    jti: None,
    auth_time: None,
    acr: None,
    cnf: None,
};

/// Describes a token that stands to a caller it concerns; the refusal is for the log, the caller sees `active: false`.
pub fn describe<'a>(
    facts: &'a TokenFacts,
    tenant: &'a Tenant,
    caller: &AuthenticatedClient,
    _: Standing,
    trail: &mut Trail,
) -> Result<Introspection<'a>, Refusal> {
    let client = caller.client();
    trail.require(
        &CALLER_CONCERNED,
        concerns(&facts.client, &facts.audience, client),
        || {
            Noted::new(
                format!(
                    "issued to {}, or meant for one of: {}",
                    client.id,
                    client.introspects.join(", ")
                ),
                format!(
                    "issued to {}, meant for {}",
                    facts.client,
                    facts.audience.join(", ")
                ),
            )
        },
    )?;
    Ok(Introspection {
        active: true,
        iss: Some(tenant.issuer.as_str()),
        sub: Some(&facts.subject),
        aud: &facts.audience,
        client_id: Some(&facts.client),
        scope: (!facts.scope.is_empty()).then_some(facts.scope.as_str()),
        token_type: Some(token_type(facts.binding)),
        exp: Some(facts.expires_at),
        iat: Some(facts.issued_at),
        jti: Some(facts.token),
        auth_time: facts.auth_time,
        acr: facts.acr.as_deref(),
        cnf: facts.binding,
    })
}

/// Whether a token issued to `issued_to` for `audience` is any business of `client`.
pub fn concerns(issued_to: &str, audience: &[String], client: &Client) -> bool {
    issued_to == client.id.as_str()
        || audience
            .iter()
            .any(|meant| client.introspects.contains(meant))
}

/// Refuses a token past its end. Not before that instant, and not a millisecond after it.
pub fn is_fresh(facts: &TokenFacts, now: Timestamp, trail: &mut Trail) -> Result<(), Refusal> {
    trail.require(&TOKEN_FRESH, now < facts.expires_at, || {
        Noted::new(
            format!("before {} ms", facts.expires_at.millis()),
            format!("{} ms", now.millis()),
        )
    })
}

/// The refusal for a text that no key of this issuer made.
pub fn unreadable(found: impl std::fmt::Display) -> Refusal {
    Refusal::new(
        &TOKEN_READABLE,
        "an access token of this issuer",
        found.to_string(),
    )
}
