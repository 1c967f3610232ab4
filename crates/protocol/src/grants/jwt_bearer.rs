//! The JWT bearer grant (RFC 7523 §2.1): an assertion of a trusted issuer for an access token. No refresh token, no row.

use crate::caller::Caller;
use crate::issue::Issuance;
use crate::params::Params;
use crate::refusal::{Noted, Refusal, Trail};
use crate::rules;
use crate::scope::Scope;
use crate::standing;
use crate::tenant::Tenant;
use crate::trusted_issuer::Vouched;
use crate::user::User;

rules! {
    BEARER_ASSERTION_SENT = InvalidRequest, "assertion_missing", "RFC 7521 §4.1", {
        promise: "The request carries the assertion",
        told: "assertion is missing",
        fix: "Send the issuer's token as assertion"
    };
    TOKEN_USE_KNOWN = InvalidRequest, "requested_token_use", "RFC 7521 §4.1", {
        promise: "requested_token_use is absent or on_behalf_of",
        told: "requested_token_use is not supported",
        fix: "Leave requested_token_use out, or send on_behalf_of with an access token of this issuer as assertion"
    };
    BEARER_SCOPE_WITHIN = InvalidScope, "assertion_scope_wider", "RFC 7521 §4.1, RFC 6749 §3.3", {
        promise: "The scope is within what the rule and the client's registration allow",
        told: "The assertion is not good for this scope",
        fix: "Add the scope values to the rule and to the client's scope, or leave them out"
    };
}

#[derive(Debug)]
pub struct JwtBearerRequest {
    pub assertion: String,
    scope: Option<Scope>,
}

impl JwtBearerRequest {
    pub(super) fn parse(params: &Params<'_>, trail: &mut Trail) -> Result<Self, Refusal> {
        Ok(Self {
            assertion: assertion(params, trail)?,
            scope: super::scope(params, trail)?,
        })
    }
}

/// Whether the request is for a token on behalf of the subject of one of ours, which is an exchange.
pub(super) fn is_on_behalf_of(params: &Params<'_>, trail: &mut Trail) -> Result<bool, Refusal> {
    let used = params.one("requested_token_use");
    trail.require(
        &TOKEN_USE_KNOWN,
        used.is_none_or(|used| used == "on_behalf_of"),
        || Noted::new("on_behalf_of", "another use"),
    )?;
    Ok(used.is_some())
}

pub(super) fn assertion(params: &Params<'_>, trail: &mut Trail) -> Result<String, Refusal> {
    let sent = params.one("assertion").map(str::to_owned);
    trail.demand(&BEARER_ASSERTION_SENT, sent, || {
        Noted::new("assertion", "absent")
    })
}

/// Decides what an assertion that is true is worth. That it was not used before is promised by the write that spends it.
pub fn decide(
    request: &JwtBearerRequest,
    (vouched, user): (&Vouched<'_>, Option<&User>),
    (caller, tenant): (&Caller, &Tenant),
    is_cut: bool,
    trail: &mut Trail,
) -> Result<Issuance, Refusal> {
    let standing = standing::of_mapped(vouched.rule.user.is_some(), user, is_cut, trail)?;
    let allowed = vouched.rule.scope_for(user);
    let allowed = allowed.intersection(&caller.client().scope);
    let scope = match &request.scope {
        None => allowed,
        Some(asked) => {
            trail.require(&BEARER_SCOPE_WITHIN, asked.is_subset_of(&allowed), || {
                Noted::new(
                    format!("within: {allowed}"),
                    asked.without(&allowed).to_string(),
                )
            })?;
            asked.clone()
        }
    };
    Ok(Issuance::of_assertion(
        caller, tenant, scope, user, standing,
    ))
}
