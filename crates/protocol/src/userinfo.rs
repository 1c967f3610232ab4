//! The userinfo endpoint (Core §5.3) and how an access token is presented (RFC 6750 §2, RFC 9449 §7.1).

use crate::claims::released;
use crate::client::Client;
use crate::grant::Grant;
use crate::introspection::TokenFacts;
use crate::issue::{KeyRing, MintError};
use crate::params::Params;
use crate::refusal::{Noted, Refusal, Trail};
use crate::rules;
use crate::scope::Scope;
use crate::standing::Standing;
use crate::tenant::Issuer;
use crate::user::User;
use jeton_token::algorithm::SignatureAlgorithm;
use jeton_token::signing_key::JwtType;
use serde_json::{Map, Value};

rules! {
    TOKEN_PRESENTED = InvalidToken, "bearer_missing", "RFC 6750 §2, §3", {
        promise: "The request presents an access token",
        told: "An access token is required",
        fix: "Send Authorization: Bearer with an access token"
    };
    TOKEN_PRESENTED_ONCE = InvalidRequest, "bearer_twice", "RFC 6750 §2", {
        promise: "The access token is presented in one way only",
        told: "The access token was sent in more than one way",
        fix: "Send the access token in the Authorization header only"
    };
    TOKEN_NOT_IN_QUERY = InvalidRequest, "bearer_in_query", "RFC 9700 §4.3.2, draft-ietf-oauth-v2-1 §5.1", {
        promise: "The access token is not in the URI",
        told: "An access token must not be sent in the query string",
        fix: "Send Authorization: Bearer; URIs end up in logs and histories"
    };
    TOKEN_SCHEME = InvalidToken, "bearer_scheme", "RFC 6750 §2.1, RFC 9449 §7.1", {
        promise: "The Authorization header uses the Bearer or the DPoP scheme",
        told: "An access token is required",
        fix: "Send Authorization: Bearer with an access token, or DPoP with a bound one"
    };
    MEANT_FOR_ISSUER = InvalidToken, "userinfo_audience", "RFC 9068 §4, SEC-034", {
        promise: "The access token is meant for this issuer",
        told: "The access token is not meant for this endpoint",
        fix: "Use a token whose scope has openid; tokens for other audiences are not accepted here"
    };
    OPENID_SCOPE = InsufficientScope, "userinfo_scope", "Core §5.3.1, RFC 6750 §3.1", {
        promise: "The access token has the openid scope and stands for a user",
        told: "The access token lacks the openid scope",
        fix: "Ask for the openid scope in the authorization request"
    };
}

/// How a token is presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// By the Bearer scheme, or in the body.
    Bearer,
    Dpop,
}

impl Scheme {
    fn parse(name: &str) -> Option<Self> {
        if name.eq_ignore_ascii_case("bearer") {
            Some(Self::Bearer)
        } else if name.eq_ignore_ascii_case("dpop") {
            Some(Self::Dpop)
        } else {
            None
        }
    }
}

/// The one token a request presents: by header, or by form body of a POST.
pub fn presented<'a>(
    authorization: Option<&'a str>,
    query: &Params<'_>,
    body: &'a Params<'_>,
    trail: &mut Trail,
) -> Result<(Scheme, &'a str), Refusal> {
    trail.require(
        &TOKEN_NOT_IN_QUERY,
        query.one("access_token").is_none(),
        || Noted::new("no access_token in the query", "access_token"),
    )?;
    let by_body = body.one("access_token");
    trail.require(
        &TOKEN_PRESENTED_ONCE,
        authorization.is_none() || by_body.is_none(),
        || Noted::new("header or body", "header and body"),
    )?;
    match (authorization, by_body) {
        (None, found) => trail
            .demand(&TOKEN_PRESENTED, found, || {
                Noted::new("an access token", "nothing")
            })
            .map(|token| (Scheme::Bearer, token)),
        (Some(header), _) => {
            let read = header
                .split_once(' ')
                .and_then(|(name, token)| Some((Scheme::parse(name)?, token.trim())));
            trail.demand(&TOKEN_SCHEME, read, || {
                Noted::new("Bearer or DPoP", "another scheme")
            })
        }
    }
}

/// Whether the token may be used at userinfo.
pub fn admit(facts: &TokenFacts, issuer: &Issuer, trail: &mut Trail) -> Result<(), Refusal> {
    let meant = facts.audience.iter().any(|meant| meant == issuer.as_str());
    trail.require(
        &OPENID_SCOPE,
        facts.has_scope("openid") && facts.user.is_some(),
        || {
            Noted::new(
                "openid",
                if facts.scope.is_empty() {
                    "no scope".to_owned()
                } else {
                    facts.scope.clone()
                },
            )
        },
    )?;
    trail.require(&MEANT_FOR_ISSUER, meant, || {
        Noted::new(issuer.as_str().to_owned(), facts.audience.join(", "))
    })
}

/// The answer to a client that registered for a signed one: the claims with issuer and audience, and nothing that could make
/// it pass for an ID token, which expires (Core §5.3.2, P-261).
pub fn sign(
    mut claims: Map<String, Value>,
    (client, algorithm): (&Client, SignatureAlgorithm),
    (issuer, ring): (&Issuer, &KeyRing),
) -> Result<String, MintError> {
    claims.insert("iss".to_owned(), Value::from(issuer.as_str()));
    claims.insert("aud".to_owned(), Value::from(client.id.as_str()));
    let key = ring.signing_key(algorithm)?;
    Ok(key.sign_jwt(JwtType::IdToken, &claims)?)
}

/// The claims the token entitles its client to; `sub` first and always (Core §5.3.2).
pub fn answer(
    facts: &TokenFacts,
    user: &User,
    grant: Option<&Grant>,
    _: Standing,
) -> Map<String, Value> {
    let scope = Scope::parse(&facts.scope).unwrap_or_default();
    let asked = grant
        .and_then(|grant| grant.claims.as_ref())
        .map(|claims| claims.userinfo.as_slice());
    let mut claims = Map::new();
    claims.insert("sub".to_owned(), Value::from(facts.subject.clone()));
    claims.extend(released(user, &scope, asked.unwrap_or_default()));
    claims
}
