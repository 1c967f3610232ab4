//! The authorization code grant at the token endpoint (RFC 6749 §4.1.3, RFC 7636 §4.6).

use crate::caller::Caller;
use crate::dpop;
use crate::grant::PendingGrant;
use crate::issue::Issuance;
use crate::params::Params;
use crate::pkce;
use crate::refusal::{Noted, Refusal, Trail};
use crate::rules;
use crate::standing;
use crate::tenant::Tenant;
use jeton_token::secret::constant_time_eq;
use jeton_token::timestamp::Timestamp;

rules! {
    CODE_SENT = InvalidRequest, "code_missing", "RFC 6749 §4.1.3", {
        promise: "The request carries the code",
        told: "code is missing",
        fix: "Send the code from the authorization response"
    };
    CODE_KNOWN = InvalidGrant, "code_unknown", "RFC 6749 §5.2", {
        promise: "The code is one this issuer gave out and still knows",
        told: "The authorization code is not valid",
        fix: "Send the code unchanged, to the issuer it came from, within its lifetime"
    };
    CODE_OF_CLIENT = InvalidGrant, "code_of_another_client", "RFC 6749 §4.1.3", {
        promise: "The code belongs to the client that presents it",
        told: "The authorization code is not valid",
        fix: "Redeem the code as the client that asked for it; if you did, somebody substituted the code"
    };
    REDIRECT_URI_REPEATED = InvalidGrant, "code_redirect_uri", "RFC 6749 §4.1.3", {
        promise: "redirect_uri is the one of the authorization request",
        told: "redirect_uri is not the one of the authorization request",
        fix: "Send the same redirect_uri as in the authorization request, byte for byte"
    };
    VERIFIER_WELL_FORMED = InvalidRequest, "code_verifier_malformed", "RFC 7636 §4.1", {
        promise: "code_verifier has 43 to 128 unreserved characters",
        told: "code_verifier must have 43 to 128 characters out of A-Z a-z 0-9 - . _ ~",
        fix: "Make the verifier from 32 random bytes, base64url encoded"
    };
    VERIFIER_SENT = InvalidGrant, "code_verifier_missing", "RFC 7636 §4.6", {
        promise: "The verifier of the code's challenge is sent",
        told: "code_verifier is missing",
        fix: "Send the code_verifier whose SHA-256 was the code_challenge"
    };
    VERIFIER_UNASKED = InvalidGrant, "code_verifier_unasked", "RFC 9700 §4.8.2", {
        promise: "No verifier is sent for a code that has no challenge",
        told: "The authorization request had no code_challenge",
        fix: "Send code_challenge in the authorization request; if you did, somebody removed it"
    };
    VERIFIER_MATCHES = InvalidGrant, "code_verifier_mismatch", "RFC 7636 §4.6", {
        promise: "The SHA-256 of code_verifier is the code challenge",
        told: "code_verifier does not match the code_challenge",
        fix: "Keep the verifier of each authorization request with its state, and send that one"
    };
    CODE_FRESH = InvalidGrant, "code_expired", "RFC 6749 §4.1.2", {
        promise: "The code has not expired",
        told: "The authorization code has expired",
        fix: "Redeem the code at once; lifetimes.code says how long it lives"
    };
    CODE_UNSPENT = InvalidGrant, "code_spent", "RFC 6749 §4.1.2, RFC 9700 §4.5", {
        promise: "The code has not been redeemed before",
        told: "The authorization code has been used before",
        fix: "Redeem a code once. Its second use ended every token of the first; if you did not send both, somebody else has the code"
    };
}

#[derive(Debug)]
pub struct CodeRequest {
    pub code: String,
    redirect_uri: Option<String>,
    code_verifier: Option<String>,
}

impl CodeRequest {
    pub(super) fn parse(params: &Params<'_>, trail: &mut Trail) -> Result<Self, Refusal> {
        let code = trail.demand(&CODE_SENT, params.one("code"), || {
            Noted::new("code", "absent")
        })?;
        let code_verifier = params.one("code_verifier");
        trail.require(
            &VERIFIER_WELL_FORMED,
            code_verifier.is_none_or(pkce::is_verifier),
            || {
                Noted::new(
                    "43 to 128 unreserved characters",
                    format!("{} characters", code_verifier.map_or(0, str::len)),
                )
            },
        )?;
        Ok(Self {
            code: code.to_owned(),
            redirect_uri: params.one("redirect_uri").map(str::to_owned),
            code_verifier: code_verifier.map(str::to_owned),
        })
    }
}

/// What becomes of a code whose possession has been proven.
#[derive(Debug)]
pub enum CodeDecision {
    Issue(Box<Issuance>),
    /// The row was already spent when it was read: the write that revokes is next, and nothing is minted.
    Replayed,
}

/// Decides whether `caller` may have tokens for the code of `pending`.
///
/// Possession is proven before anything else is looked at: a stranger who merely saw the code must not be able to learn its
/// state, nor to burn it for its owner. That the code is unspent is promised by the write that spends it, not by this read.
/// (RFC 6749 §4.1.3, RFC 7636 §4.6)
pub fn decide(
    (pending, is_cut): (&PendingGrant, bool),
    request: &CodeRequest,
    (caller, tenant): (&Caller, &Tenant),
    now: Timestamp,
    trail: &mut Trail,
) -> Result<CodeDecision, Refusal> {
    prove_possession(pending, request, caller, trail)?;
    if pending.redeemed_at.is_some() {
        return Ok(CodeDecision::Replayed);
    }
    trail.require(&CODE_FRESH, now < pending.code_expires_at, || {
        let late = now.since(pending.code_expires_at);
        Noted::new(
            "before the code's end",
            format!("{} ms after it", late.as_millis()),
        )
    })?;
    let standing = standing::of_grant(&pending.grant, &pending.state, is_cut, now, trail)?;
    let issuance = Issuance::of_code(&pending.grant, caller, tenant, standing);
    Ok(CodeDecision::Issue(Box::new(issuance)))
}

fn prove_possession(
    pending: &PendingGrant,
    request: &CodeRequest,
    caller: &Caller,
    trail: &mut Trail,
) -> Result<(), Refusal> {
    let grant = &pending.grant;
    let code = &grant.code;
    trail.require(&CODE_OF_CLIENT, grant.client == caller.client().id, || {
        Noted::new(grant.client.to_string(), caller.client().id.to_string())
    })?;
    let sent = request.redirect_uri.as_deref();
    let agrees = match sent {
        Some(sent) => constant_time_eq(sent.as_bytes(), code.redirect_uri.as_bytes()),
        None => !code.redirect_uri_sent,
    };
    trail.require(&REDIRECT_URI_REPEATED, agrees, || {
        Noted::new(
            code.redirect_uri.clone(),
            sent.map_or("absent".to_owned(), crate::authorize::request::clipped),
        )
    })?;
    match (&code.code_challenge, request.code_verifier.as_deref()) {
        (Some(_), None) => Err(Refusal::new(&VERIFIER_SENT, "code_verifier", "absent")),
        (None, Some(_)) => Err(Refusal::new(
            &VERIFIER_UNASKED,
            "no code_verifier",
            "code_verifier",
        )),
        (None, None) => Ok(()),
        (Some(challenge), Some(verifier)) => trail.require(
            &VERIFIER_MATCHES,
            pkce::matches(challenge, verifier),
            || {
                Noted::new(
                    format!("a verifier of {challenge}"),
                    "a verifier of another challenge",
                )
            },
        ),
    }?;
    dpop::prove_code_key(code.key, caller, trail)
}
