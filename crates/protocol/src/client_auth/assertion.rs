//! `private_key_jwt` and `client_secret_jwt` (RFC 7523 §2.2 and §3, Core §9).

use super::{OpenedSecret, Presented, Replay};
use crate::authorize::request::clipped;
use crate::client::{AuthenticationMethod, Client};
use crate::params::Params;
use crate::refusal::{Noted, Refusal, Trail};
use crate::rules;
use crate::tenant::Issuer;
use crate::times::{CLOCK_TOLERANCE, Times};
use jeton_token::algorithm::SignatureAlgorithm;
use jeton_token::jws::{Jws, Unverified};
use jeton_token::jwt::Claims;
use jeton_token::key_set::KeySet;
use jeton_token::timestamp::Timestamp;
use std::time::Duration;

rules! {
    ASSERTION_TYPE = InvalidClient, "client_assertion_type", "RFC 7523 §2.2", {
        promise: "client_assertion_type is that of JWTs",
        told: "client_assertion_type is missing or not supported",
        fix: "Send client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer with client_assertion"
    };
    ASSERTION_SENT = InvalidClient, "client_assertion_missing", "RFC 7521 §4.2", {
        promise: "client_assertion is there",
        told: "client_assertion is missing",
        fix: "Send the signed JWT as client_assertion"
    };
    ASSERTION_PARSES = InvalidClient, "client_assertion_malformed", "RFC 7515 §5.2, RFC 8725 §3", {
        promise: "The assertion is one well-formed, signed compact JWT",
        told: "client_assertion is not a well-formed signed JWT",
        fix: "Send a compact JWS of at most 16 KiB with a supported alg, without crit; alg none is never accepted"
    };
    ASSERTION_NAMES_CLIENT = InvalidClient, "client_assertion_subject", "RFC 7523 §3", {
        promise: "iss and sub of the assertion are both the client",
        told: "iss and sub of client_assertion must both be the client_id",
        fix: "Set iss and sub to the client_id"
    };
    ASSERTION_TYP = InvalidClient, "client_assertion_typ", "RFC 8725 §3.11", {
        promise: "typ is absent, JWT or client-authentication+jwt",
        told: "client_assertion has the typ of another kind of token",
        fix: "Leave typ out, or set it to JWT or client-authentication+jwt"
    };
    ASSERTION_ALG = InvalidClient, "client_assertion_alg", "RFC 8725 §3.1, Core §9", {
        promise: "The signature algorithm is one the client's method and registration allow",
        told: "client_assertion is signed with an algorithm that is not allowed",
        fix: "Sign with the registered token_endpoint_auth_signing_alg; keys for private_key_jwt, the secret for client_secret_jwt"
    };
    CLIENT_KEYS = InvalidClient, "client_keys_unavailable", "Core §10.1.1, RFC 7591 §2", {
        promise: "The keys behind the client's jwks_uri are known",
        told: "Client authentication failed",
        fix: "Serve the key set at jwks_uri over https with status 200 as application/json, at most 64 KiB; name an internal host and port in outbound.allow and its authority in outbound.ca"
    };
    ASSERTION_VERIFIES = InvalidClient, "client_assertion_signature", "RFC 7523 §3", {
        promise: "The signature verifies with a key of the client",
        told: "Client authentication failed",
        fix: "Sign with a key that is in the client's registered jwks, or at its jwks_uri, and name it by kid; a new key at jwks_uri is seen within a minute"
    };
    ASSERTION_AUDIENCE = InvalidClient, "client_assertion_audience", "RFC 7523 §3, RFC 10070", {
        promise: "aud is the issuer identifier, and nothing else",
        told: "aud of client_assertion must be the issuer identifier alone",
        fix: "Set aud to the issuer exactly as in the metadata; not the token endpoint, and not several values"
    };
    ASSERTION_TIMES = InvalidClient, "client_assertion_times", "RFC 7523 §3", {
        promise: "exp is ahead by at most five minutes; iat and nbf are at most ten seconds ahead",
        told: "client_assertion is expired, not yet valid, or valid for too long",
        fix: "Set exp one minute ahead, iat to now, and check the clock of the client"
    };
    ASSERTION_CLAIMS = InvalidClient, "client_assertion_claims", "RFC 7523 §3, RFC 8725 §3.10", {
        promise: "iss, sub, aud, exp and jti are there, each of its JSON type",
        told: "client_assertion lacks a required claim, or a claim has the wrong type",
        fix: "Give iss, sub, aud, exp and jti; times are numbers of seconds, jti a string of at most 256 characters"
    };
    ASSERTION_FRESH = InvalidClient, "client_assertion_replayed", "RFC 7523 §3, SEC-120", {
        promise: "The assertion has not been used before",
        told: "client_assertion has been used before",
        fix: "Make a new assertion with a new jti for each request"
    };
}

/// What `private_key_jwt` may be signed with unless an algorithm is registered; RS256 and its kin have to be (SEC-170).
const BY_DEFAULT: [SignatureAlgorithm; 7] = [
    SignatureAlgorithm::Es256,
    SignatureAlgorithm::Es384,
    SignatureAlgorithm::Es512,
    SignatureAlgorithm::Ps256,
    SignatureAlgorithm::Ps384,
    SignatureAlgorithm::Ps512,
    SignatureAlgorithm::EdDsa,
];

const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const MOST_AHEAD: Duration = Duration::from_secs(300);
const SHORTEST_HMAC_SECRET: usize = 32;

pub(super) fn read<'a>(
    params: &'a Params<'_>,
    trail: &mut Trail,
) -> Result<Presented<'a>, Refusal> {
    let kind = params.one("client_assertion_type");
    trail.require(&ASSERTION_TYPE, kind == Some(TYPE), || {
        Noted::new(
            TYPE,
            if kind.is_some() {
                "another type"
            } else {
                "absent"
            },
        )
    })?;
    let jwt = trail.demand(&ASSERTION_SENT, params.one("client_assertion"), || {
        Noted::new("client_assertion", "absent")
    })?;
    let unverified = parse(jwt)?;
    let claims = unverified
        .unverified_claims()
        .map_err(|error| malformed(&error))?;
    let subject = claims.text("sub").ok().flatten();
    let id = trail
        .demand(&ASSERTION_CLAIMS, subject, || {
            Noted::new("sub, a string", "none")
        })?
        .to_owned();
    Ok(Presented::Assertion { id, jwt })
}

pub(super) fn verify(
    jwt: &str,
    client: &Client,
    opened: &OpenedSecret<'_>,
    (issuer, now): (&Issuer, Timestamp),
    trail: &mut Trail,
) -> Result<Replay, Refusal> {
    let unverified = parse(jwt)?;
    trail.pass(&ASSERTION_PARSES);
    let header = unverified.header();
    let typ_fits =
        header.typ.is_none() || header.typ_is("JWT") || header.typ_is("client-authentication+jwt");
    trail.require(&ASSERTION_TYP, typ_fits, || {
        Noted::new("JWT or client-authentication+jwt", "another typ")
    })?;
    let claims = verify_signature(&unverified, client, opened, trail)?;
    check_claims(&claims, client, issuer, now, trail)
}

fn verify_signature(
    unverified: &Unverified<'_>,
    client: &Client,
    opened: &OpenedSecret<'_>,
    trail: &mut Trail,
) -> Result<Claims, Refusal> {
    let alg = unverified.header().alg;
    let by_secret = client.authentication == AuthenticationMethod::ClientSecretJwt;
    let allowed = match client.authentication_algorithm {
        Some(only) => only == alg && alg.is_symmetric() == by_secret,
        None if by_secret => alg.is_symmetric(),
        None => BY_DEFAULT.contains(&alg),
    };
    trail.require(&ASSERTION_ALG, allowed, || {
        let wanted = client.authentication_algorithm.map_or(
            if by_secret {
                "HS256"
            } else {
                "ES256, ES384, ES512, PS256, PS384, PS512 or EdDSA; another one only when it is registered"
            },
            |alg| alg.name(),
        );
        Noted::new(wanted, alg.name())
    })?;
    let verified = if by_secret {
        match opened {
            OpenedSecret::Plain(secret) => {
                unverified.verify_hmac(secret, SHORTEST_HMAC_SECRET).ok()
            }
            OpenedSecret::None
            | OpenedSecret::Digest(_)
            | OpenedSecret::Compared(_)
            | OpenedSecret::Keys(_)
            | OpenedSecret::NoKeys(_) => None,
        }
    } else {
        keys_of(client, opened, trail)?.and_then(|keys| keys.verify(unverified))
    };
    let verified = trail.demand(&ASSERTION_VERIFIES, verified, || {
        Noted::new(
            "a signature by a key of the client",
            "none of its keys fits",
        )
    })?;
    verified.claims().map_err(|error| malformed(&error))
}

/// The client's own keys: those of its record, or those that were fetched for it, and never anybody else's (SEC-129).
fn keys_of<'a>(
    client: &'a Client,
    opened: &'a OpenedSecret<'_>,
    trail: &mut Trail,
) -> Result<Option<&'a KeySet>, Refusal> {
    let Some(uri) = &client.jwks_uri else {
        return Ok(client.jwks.as_ref());
    };
    let (keys, problem) = match opened {
        OpenedSecret::Keys(keys) => (Some(keys.as_ref()), ""),
        OpenedSecret::NoKeys(problem) => (None, problem.as_str()),
        OpenedSecret::None
        | OpenedSecret::Digest(_)
        | OpenedSecret::Compared(_)
        | OpenedSecret::Plain(_) => (None, "not asked for"),
    };
    trail
        .demand(&CLIENT_KEYS, keys, || {
            Noted::new(format!("a key set at {uri}"), clipped(problem))
        })
        .map(Some)
}

fn check_claims(
    claims: &Claims,
    client: &Client,
    issuer: &Issuer,
    now: Timestamp,
    trail: &mut Trail,
) -> Result<Replay, Refusal> {
    let (iss, sub) = (required_text(claims, "iss")?, required_text(claims, "sub")?);
    let id = client.id.as_str();
    trail.require(&ASSERTION_NAMES_CLIENT, iss == id && sub == id, || {
        Noted::new(
            format!("iss = sub = {id}"),
            if iss == id {
                "another sub"
            } else {
                "another iss"
            },
        )
    })?;
    let audience = claims.audience().map_err(|_| wrong_type("aud"))?;
    if audience.is_empty() {
        return Err(absent("aud"));
    }
    trail.require(&ASSERTION_AUDIENCE, audience == [issuer.as_str()], || {
        Noted::new(issuer.as_str().to_owned(), clipped(&audience.join(" and ")))
    })?;
    let exp = check_times(claims, now, trail)?;
    let jti = required_text(claims, "jti")?;
    trail.require(&ASSERTION_CLAIMS, (1..=256).contains(&jti.len()), || {
        Noted::new(
            "a jti of 1 to 256 characters",
            format!("{} characters", jti.len()),
        )
    })?;
    Ok(Replay {
        jti: jti.to_owned(),
        until: exp.plus(CLOCK_TOLERANCE),
    })
}

/// Checks `exp`, `iat` and `nbf`, and returns the first.
fn check_times(claims: &Claims, now: Timestamp, trail: &mut Trail) -> Result<Timestamp, Refusal> {
    let times = Times::read(claims, wrong_type)?;
    let exp = times.exp.ok_or_else(|| absent("exp"))?;
    trail.require(&ASSERTION_TIMES, times.fit(now, MOST_AHEAD), || {
        times.noted(now, "300 s")
    })?;
    Ok(exp)
}

fn required_text<'a>(claims: &'a Claims, name: &'static str) -> Result<&'a str, Refusal> {
    claims
        .text(name)
        .map_err(|_| wrong_type(name))?
        .ok_or_else(|| absent(name))
}

fn wrong_type(name: &'static str) -> Refusal {
    Refusal::new(
        &ASSERTION_CLAIMS,
        format!("{name} of its JSON type"),
        "another type",
    )
}

fn absent(name: &'static str) -> Refusal {
    Refusal::new(&ASSERTION_CLAIMS, name, "absent")
}

fn parse(jwt: &str) -> Result<Unverified<'_>, Refusal> {
    Jws::parse(jwt).map_err(|error| malformed(&error))
}

fn malformed(error: &dyn std::fmt::Display) -> Refusal {
    Refusal::new(&ASSERTION_PARSES, "a compact signed JWT", error.to_string())
}
