//! Request objects: an authorization request as a JWT the client signed (RFC 9101, Core §6.1). By value only.

use super::request::{Circumstances, clipped};
use crate::client::Client;
use crate::params::Params;
use crate::refusal::{Noted, Refusal, Trail};
use crate::rules;
use crate::tenant::Issuer;
use crate::times::Times;
use jeton_token::algorithm::SignatureAlgorithm;
use jeton_token::jws::{Jws, JwsError, Unverified};
use jeton_token::jwt::Claims;
use jeton_token::key_set::KeySet;
use jeton_token::timestamp::Timestamp;
use std::sync::Arc;
use std::time::Duration;

rules! {
    ONE_SOURCE = InvalidRequest, "request_and_request_uri", "Core §6.1, RFC 9101 §5", {
        promise: "A request is given by value or by reference, not both",
        told: "Only one of request and request_uri may be used",
        fix: "Send one of them"
    };
    OBJECT_SENT = InvalidRequest, "request_object_missing", "RFC 9101 §10.5", {
        promise: "A client that has to sign its requests has signed this one",
        told: "The client must send a signed request object",
        fix: "Send the parameters as a signed JWT in request, or change require_signed_request_object of the client"
    };
    OBJECT_SIGNED = RequestNotSupported, "request_object_unsigned", "Core §6.1, RFC 9101 §10.5", {
        promise: "The request object is signed",
        told: "Unsigned request objects are not supported",
        fix: "Sign the request object with a key in the client's jwks; alg none is never accepted"
    };
    OBJECT_PARSES = InvalidRequestObject, "request_object_malformed", "RFC 9101 §6.1, RFC 7515 §5.2, RFC 8725 §3", {
        promise: "The request object is one well-formed, signed compact JWT whose claims can be read in one way only",
        told: "The request object is not a well-formed signed JWT",
        fix: "Send a compact JWS of at most 16 KiB with a supported alg, without crit and without repeated members; not encrypted"
    };
    OBJECT_TYP = InvalidRequestObject, "request_object_typ", "RFC 9101 §10.8, RFC 8725 §3.11", {
        promise: "typ is absent, JWT or oauth-authz-req+jwt",
        told: "The request object has the typ of another kind of token",
        fix: "Set typ to oauth-authz-req+jwt, or leave it out"
    };
    OBJECT_ALG = InvalidRequestObject, "request_object_alg", "OpenID Connect Registration §2, RFC 9101 §10.5", {
        promise: "The signature algorithm is the registered one, or any public-key algorithm when none is registered",
        told: "The request object is signed with an algorithm that is not allowed",
        fix: "Sign with the registered request_object_signing_alg"
    };
    OBJECT_VERIFIES = InvalidRequestObject, "request_object_signature", "RFC 9101 §6.2", {
        promise: "The signature verifies with a key of the client",
        told: "The signature of the request object does not verify",
        fix: "Sign with a key that is in the client's jwks or at its jwks_uri, and name it by kid"
    };
    OBJECT_CLAIMS = InvalidRequestObject, "request_object_claims", "RFC 9101 §4, RFC 8725 §3.10", {
        promise: "iss, aud, exp, iat and nbf have their JSON types where they are, and no text has a NUL",
        told: "A claim of the request object has the wrong type",
        fix: "Times are numbers of seconds, iss is a string, aud a string or a list of strings"
    };
    OBJECT_PLAIN = InvalidRequestObject, "request_object_nested", "RFC 9101 §4, RFC 9126 §2.1", {
        promise: "The request object contains neither request nor request_uri",
        told: "The request object must not contain request or request_uri",
        fix: "Put the parameters themselves into the request object"
    };
    OBJECT_NO_SUBJECT = InvalidRequestObject, "request_object_subject", "RFC 9101 §10.8", {
        promise: "The request object has no sub, so that it cannot pass for an assertion that authenticates the client",
        told: "The request object must not contain sub",
        fix: "Leave sub out; the client is named by client_id and iss"
    };
    OBJECT_OF_CLIENT = InvalidRequestObject, "request_object_client", "RFC 9101 §4, §6.3, Core §6.1", {
        promise: "client_id in the request object is the client, and so is iss where it is there",
        told: "client_id and iss of the request object must be the client",
        fix: "Set client_id, and iss if it is sent, to the client_id outside"
    };
    OBJECT_TYPE_AGREES = InvalidRequestObject, "request_object_response_type", "Core §6.1", {
        promise: "response_type beside the request object, where it is sent, is the one inside",
        told: "response_type differs from that of the request object",
        fix: "Send the same response_type inside and outside, or only inside"
    };
    OBJECT_AUDIENCE = InvalidRequestObject, "request_object_audience", "RFC 9101 §4, Core §6.1", {
        promise: "aud, where it is there, has the issuer identifier",
        told: "aud of the request object must be the issuer identifier",
        fix: "Set aud to the issuer exactly as in the metadata"
    };
    OBJECT_TIMES = InvalidRequestObject, "request_object_times", "RFC 9101 §4, RFC 7519 §4.1.4, §4.1.5", {
        promise: "exp, where it is there, is ahead by at most an hour; iat and nbf are at most ten seconds ahead",
        told: "The request object is expired, not yet valid, or valid for too long",
        fix: "Set exp a few minutes ahead, nbf to now, and check the clock of the client"
    };
}

const MOST_AHEAD: Duration = Duration::from_secs(60 * 60);

/// The keys of a client that keeps them elsewhere, as far as they could be had.
#[derive(Clone, Debug)]
pub enum KeysElsewhere {
    /// They are in the client's record, or not asked for.
    None,
    Fetched(Arc<KeySet>),
    /// Why not, for the operator.
    Unavailable(String),
}

/// What may sign a request object: every algorithm with a public key.
pub fn algorithms() -> impl Iterator<Item = SignatureAlgorithm> {
    SignatureAlgorithm::ALL
        .into_iter()
        .filter(|alg| !alg.is_symmetric())
}

/// The parameters inside the request object, if there is one: then they alone count (RFC 9101 §6.3).
pub(super) fn open(
    outside: &Params<'_>,
    judged: Circumstances<'_>,
    trail: &mut Trail,
) -> Result<Option<Params<'static>>, Refusal> {
    let client = judged.client;
    let Some(text) = outside.one("request") else {
        if client.require_signed_request_object {
            return Err(Refusal::new(&OBJECT_SENT, "request", "absent"));
        }
        return Ok(None);
    };
    outside.check_once()?;
    let by_reference = outside.one("request_uri").is_some();
    trail.require(&ONE_SOURCE, !by_reference, || {
        Noted::new("request or request_uri", "both")
    })?;
    let unverified = parse(text, client)?;
    let header = unverified.header();
    let typ_fits =
        header.typ.is_none() || header.typ_is("JWT") || header.typ_is("oauth-authz-req+jwt");
    trail.require(&OBJECT_TYP, typ_fits, || {
        Noted::new("JWT or oauth-authz-req+jwt", "another typ")
    })?;
    let claims = verify(&unverified, (client, judged.elsewhere), trail)?;
    let issuer = &judged.tenant.issuer;
    check_claims(&claims, client, (issuer, judged.now), trail)?;
    let inside = Params::from_object(claims.members());
    let differs = match (outside.one("response_type"), inside.one("response_type")) {
        (Some(outer), Some(inner)) => outer != inner,
        (None, _) | (_, None) => false,
    };
    trail.require(&OBJECT_TYPE_AGREES, !differs, || {
        Noted::new("the response_type inside", "another one outside")
    })?;
    Ok(Some(inside))
}

/// Room for encrypted objects is here: what is unwrapped has to be a signed one again (SEC-025).
fn parse<'a>(text: &'a str, client: &Client) -> Result<Unverified<'a>, Refusal> {
    Jws::parse(text).map_err(|error| {
        let unsigned = matches!(error, JwsError::Unsigned | JwsError::NoSignature);
        let signs = client.require_signed_request_object;
        match client.request_object_signing_alg {
            Some(alg) if unsigned => Refusal::new(&OBJECT_ALG, alg.name(), "no signature"),
            None if unsigned && signs => Refusal::new(&OBJECT_ALG, "a signature", "none"),
            None if unsigned => Refusal::new(&OBJECT_SIGNED, "a signature", "none"),
            Some(_) | None => {
                Refusal::new(&OBJECT_PARSES, "a compact signed JWT", error.to_string())
            }
        }
    })
}

fn verify(
    unverified: &Unverified<'_>,
    (client, elsewhere): (&Client, &KeysElsewhere),
    trail: &mut Trail,
) -> Result<Claims, Refusal> {
    let alg = unverified.header().alg;
    let registered = client.request_object_signing_alg;
    let allowed = !alg.is_symmetric() && registered.is_none_or(|only| only == alg);
    trail.require(&OBJECT_ALG, allowed, || {
        let wanted = registered.map_or("an algorithm with a public key", |only| only.name());
        Noted::new(wanted, alg.name())
    })?;
    let wanted = "a signature by a key of the client";
    let keys = match elsewhere {
        KeysElsewhere::None => client.jwks.as_ref(),
        KeysElsewhere::Fetched(keys) => Some(&**keys),
        KeysElsewhere::Unavailable(why) => {
            let found = format!("the keys at its jwks_uri could not be had: {why}");
            return Err(Refusal::new(&OBJECT_VERIFIES, wanted, found));
        }
    };
    let verified = keys.and_then(|keys| keys.verify(unverified));
    let verified = trail.demand(&OBJECT_VERIFIES, verified, || {
        Noted::new(wanted, "none of its keys fits")
    })?;
    let claims = verified.claims().map_err(|error| {
        Refusal::new(&OBJECT_PARSES, "claims read in one way", error.to_string())
    })?;
    trail.pass(&OBJECT_PARSES);
    Ok(claims)
}

fn check_claims(
    claims: &Claims,
    client: &Client,
    (issuer, now): (&Issuer, Timestamp),
    trail: &mut Trail,
) -> Result<(), Refusal> {
    let nested = ["request", "request_uri"].map(|name| claims.contains(name));
    trail.require(&OBJECT_PLAIN, nested == [false, false], || {
        Noted::new("neither request nor request_uri", "one of them")
    })?;
    trail.require(&OBJECT_NO_SUBJECT, !claims.contains("sub"), || {
        Noted::new("no sub", "sub")
    })?;
    let has_nul = claims
        .members()
        .values()
        .any(|value| value.as_str().is_some_and(|text| text.contains('\0')));
    trail.require(&OBJECT_CLAIMS, !has_nul, || {
        Noted::new("text without NUL", "a NUL")
    })?;
    let id = client.id.as_str();
    let named = text(claims, "client_id")?;
    let iss = text(claims, "iss")?;
    let of_client = named == Some(id) && iss.is_none_or(|iss| iss == id);
    trail.require(&OBJECT_OF_CLIENT, of_client, || {
        let found = if named == Some(id) {
            "iss"
        } else {
            "client_id"
        };
        Noted::new(id.to_owned(), format!("another {found}, or none"))
    })?;
    let audience = claims.audience().map_err(|_| wrong_type("aud"))?;
    let meant = !claims.contains("aud") || audience.contains(&issuer.as_str());
    trail.require(&OBJECT_AUDIENCE, meant, || {
        Noted::new(issuer.as_str().to_owned(), clipped(&audience.join(" and ")))
    })?;
    check_times(claims, now, trail)
}

fn check_times(claims: &Claims, now: Timestamp, trail: &mut Trail) -> Result<(), Refusal> {
    let times = Times::read(claims, wrong_type)?;
    trail.require(&OBJECT_TIMES, times.fit(now, MOST_AHEAD), || {
        times.noted(now, "an hour")
    })
}

fn text<'a>(claims: &'a Claims, name: &'static str) -> Result<Option<&'a str>, Refusal> {
    claims.text(name).map_err(|_| wrong_type(name))
}

fn wrong_type(name: &'static str) -> Refusal {
    Refusal::new(
        &OBJECT_CLAIMS,
        format!("{name} of its JSON type"),
        "another type",
    )
}
