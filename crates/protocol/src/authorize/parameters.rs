//! The parameters of an authorization request behind its redirection URI, one function each.

use super::request::{Prompt, clipped};
use crate::claims::ClaimsRequest;
use crate::client::Client;
use crate::params::Params;
use crate::pkce;
use crate::refusal::{Noted, Refusal, Trail};
use crate::rules;
use crate::scope::{OPENID_CONNECT, Scope};
use crate::tenant::Tenant;

rules! {
    SCOPE_WELL_FORMED = InvalidScope, "scope_malformed", "RFC 6749 §3.3", {
        promise: "scope is a list of scope values in legal characters, at most 64 of at most 128 characters",
        told: "scope is not a list of well-formed scope values",
        fix: "Separate scope values by single spaces; quotation marks and backslashes are not legal"
    };
    SCOPE_ALLOWED = InvalidScope, "scope_not_allowed", "RFC 6749 §3.3, §4.1.2.1", {
        promise: "Every scope value that this server knows is one the client may ask for",
        told: "The client may not ask for this scope",
        fix: "Add the scope value to the client's scope, or leave it out of the request"
    };
    SCOPE_LEFT = InvalidScope, "scope_empty", "RFC 6749 §3.3", {
        promise: "Something is asked for: the request or the client's registration names a scope",
        told: "No scope remains that could be granted",
        fix: "Ask for at least one scope value that the client is registered for"
    };
    CHALLENGE_SENT = InvalidRequest, "code_challenge_missing", "RFC 9700 §2.1.1, RFC 7636 §4.4.1", {
        promise: "The request carries a code challenge",
        told: "code_challenge is missing; PKCE with S256 is required",
        fix: "Send code_challenge and code_challenge_method=S256, and code_verifier at the token endpoint"
    };
    CHALLENGE_METHOD_S256 = InvalidRequest, "code_challenge_method", "RFC 7636 §4.3, RFC 9700 §2.1.1", {
        promise: "The code challenge method is S256",
        told: "code_challenge_method must be S256",
        fix: "Send code_challenge_method=S256; plain protects nothing, and leaving it out means plain"
    };
    CHALLENGE_WELL_FORMED = InvalidRequest, "code_challenge_malformed", "RFC 7636 §4.2", {
        promise: "The code challenge is an unpadded base64url SHA-256",
        told: "code_challenge is not a base64url encoded SHA-256",
        fix: "Send BASE64URL(SHA256(code_verifier)) without padding: 43 characters"
    };
    NONCE_FITS = InvalidRequest, "nonce_too_long", "Core §3.1.2.1", {
        promise: "nonce has at most 2048 bytes",
        told: "nonce is longer than 2048 bytes",
        fix: "Send a random value of 16 to 64 characters"
    };
    PROMPT_KNOWN = InvalidRequest, "prompt_unknown", "Core §3.1.2.1", {
        promise: "Each prompt value is none, login, consent or select_account",
        told: "prompt has a value that is not supported",
        fix: "Use none, login, consent or select_account, separated by spaces"
    };
    PROMPT_NONE_ALONE = InvalidRequest, "prompt_none_combined", "Core §3.1.2.1", {
        promise: "prompt=none stands alone",
        told: "prompt=none cannot be combined with another value",
        fix: "Send none alone, or leave it out"
    };
    MAX_AGE_NUMBER = InvalidRequest, "max_age_malformed", "Core §3.1.2.1", {
        promise: "max_age is a number of seconds",
        told: "max_age is not a number of seconds",
        fix: "Send max_age as a non-negative whole number"
    };
    CLAIMS_OBJECT = InvalidRequest, "claims_malformed", "Core §5.5", {
        promise: "claims is a JSON object whose userinfo and id_token are objects",
        told: "claims is not a JSON object of the right shape",
        fix: "Send claims as JSON, such as {\"userinfo\":{\"email\":null}}"
    };
    SUBJECTS_AGREE = InvalidRequest, "subjects_differ", "Core §3.1.2.2, §5.5.1", {
        promise: "id_token_hint and claims ask for the same user",
        told: "id_token_hint and claims ask for different users",
        fix: "Ask for one user: leave id_token_hint out, or the value of sub in claims"
    };
    HINT_VERIFIES = InvalidRequest, "id_token_hint_invalid", "Core §3.1.2.2", {
        promise: "id_token_hint is an ID token this issuer signed for the client",
        told: "id_token_hint is not an ID token of this issuer",
        fix: "Send an ID token that this issuer gave to this client; expired ones are fine"
    };
}

/// The one user the answer may be about, if the request names one (Core §3.1.2.2).
pub(super) fn hinted_subject(
    params: &Params<'_>,
    claims: Option<&ClaimsRequest>,
    hint: impl FnOnce(&str) -> Option<String>,
    trail: &mut Trail,
) -> Result<Option<String>, Refusal> {
    let by_claims = claims.and_then(|claims| claims.subject.clone());
    let Some(text) = params.one("id_token_hint") else {
        return Ok(by_claims);
    };
    let by_hint = trail.demand(&HINT_VERIFIES, hint(text), || {
        Noted::new(
            "an ID token signed by this issuer for this client",
            "something else",
        )
    })?;
    trail.require(
        &SUBJECTS_AGREE,
        by_claims.as_ref().is_none_or(|subject| *subject == by_hint),
        || Noted::new("one user", "a user in id_token_hint and another in claims"),
    )?;
    Ok(Some(by_hint))
}

pub(crate) fn requested_scope(
    params: &Params<'_>,
    client: &Client,
    tenant: &Tenant,
    trail: &mut Trail,
) -> Result<Scope, Refusal> {
    let asked = match params.one("scope") {
        None => client.scope.clone(),
        Some(text) => trail.demand(&SCOPE_WELL_FORMED, Scope::parse(text).ok(), || {
            Noted::new("scope values in legal characters", "something else")
        })?,
    };
    let known =
        |value: &&str| OPENID_CONNECT.contains(value) || tenant.policy.scopes.contains_key(*value);
    let beyond = asked.without(&client.scope);
    let refused: Vec<&str> = beyond.iter().filter(known).collect();
    trail.require(&SCOPE_ALLOWED, refused.is_empty(), || {
        Noted::new(format!("within: {}", client.scope), refused.join(" "))
    })?;
    let scope = asked.intersection(&client.scope);
    trail.require(&SCOPE_LEFT, !scope.is_empty(), || {
        Noted::new(format!("one of: {}", client.scope), "none of them")
    })?;
    Ok(scope)
}

pub(super) fn code_challenge(params: &Params<'_>, trail: &mut Trail) -> Result<String, Refusal> {
    let challenge = trail.demand(&CHALLENGE_SENT, params.one("code_challenge"), || {
        Noted::new("code_challenge", "absent")
    })?;
    let method = params
        .one("code_challenge_method")
        .unwrap_or("plain (by default)");
    trail.require(&CHALLENGE_METHOD_S256, method == "S256", || {
        Noted::new("S256", clipped(method))
    })?;
    trail.require(
        &CHALLENGE_WELL_FORMED,
        pkce::is_challenge(challenge),
        || {
            Noted::new(
                "43 characters of base64url",
                format!("{} characters", challenge.len()),
            )
        },
    )?;
    Ok(challenge.to_owned())
}

pub(super) fn prompt(params: &Params<'_>, trail: &mut Trail) -> Result<Vec<Prompt>, Refusal> {
    let mut prompts = Vec::new();
    for word in params
        .one("prompt")
        .unwrap_or_default()
        .split(' ')
        .filter(|word| !word.is_empty())
    {
        let prompt = match word {
            "none" => Some(Prompt::None),
            "login" => Some(Prompt::Login),
            "consent" => Some(Prompt::Consent),
            "select_account" => Some(Prompt::SelectAccount),
            _ => None,
        };
        let prompt = trail.demand(&PROMPT_KNOWN, prompt, || {
            Noted::new("none, login, consent, select_account", clipped(word))
        })?;
        if !prompts.contains(&prompt) {
            prompts.push(prompt);
        }
    }
    let alone = !prompts.contains(&Prompt::None) || prompts.len() == 1;
    trail.require(&PROMPT_NONE_ALONE, alone, || {
        Noted::new("none alone", "none with others")
    })?;
    Ok(prompts)
}

pub(super) fn max_age(params: &Params<'_>, trail: &mut Trail) -> Result<Option<u64>, Refusal> {
    let Some(text) = params.one("max_age") else {
        return Ok(None);
    };
    let digits = !text.is_empty() && text.len() <= 10 && text.bytes().all(|b| b.is_ascii_digit());
    let seconds = digits.then(|| text.parse().ok()).flatten();
    trail
        .demand(&MAX_AGE_NUMBER, seconds, || {
            Noted::new("whole seconds", clipped(text))
        })
        .map(Some)
}

pub(super) fn claims(
    params: &Params<'_>,
    trail: &mut Trail,
) -> Result<Option<ClaimsRequest>, Refusal> {
    let Some(text) = params.one("claims") else {
        return Ok(None);
    };
    trail
        .demand(&CLAIMS_OBJECT, ClaimsRequest::parse(text), || {
            Noted::new("a JSON object of objects", "something else")
        })
        .map(Some)
}
