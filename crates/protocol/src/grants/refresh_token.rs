//! The refresh token grant (RFC 6749 §6, RFC 9700 §4.14).

use crate::caller::Caller;
use crate::client::Rotation;
use crate::dpop;
use crate::grant::{Grant, RefreshableGrant};
use crate::issue::Issuance;
use crate::params::Params;
use crate::refusal::{Noted, Refusal, Trail};
use crate::rules;
use crate::scope::Scope;
use crate::standing;
use crate::tenant::Tenant;
use jeton_token::timestamp::Timestamp;

rules! {
    REFRESH_TOKEN_SENT = InvalidRequest, "refresh_token_missing", "RFC 6749 §6", {
        promise: "The request carries the refresh token",
        told: "refresh_token is missing",
        fix: "Send the refresh token of the last token response"
    };
    REFRESH_TOKEN_KNOWN = InvalidGrant, "refresh_token_unknown", "RFC 6749 §5.2", {
        promise: "The refresh token is one this issuer gave out and still knows",
        told: "The refresh token is not valid",
        fix: "Send the refresh token unchanged, to the issuer it came from; when it is too old, have the user sign in again"
    };
    REFRESH_TOKEN_OF_CLIENT = InvalidGrant, "refresh_token_of_another_client", "RFC 6749 §6", {
        promise: "The refresh token belongs to the client that presents it",
        told: "The refresh token is not valid",
        fix: "Refresh as the client the token was issued to"
    };
    REFRESH_TOKEN_FRESH = InvalidGrant, "refresh_token_expired", "RFC 6749 §6, RFC 9700 §4.14.2", {
        promise: "The refresh token has been used often enough to stay alive",
        told: "The refresh token has expired",
        fix: "Have the user sign in again; lifetimes.refresh_idle says how long an unused refresh token lives"
    };
    REFRESH_SCOPE_WITHIN = InvalidScope, "refresh_scope_wider", "RFC 6749 §6", {
        promise: "The scope is within what the user granted",
        told: "The scope exceeds what was granted",
        fix: "Ask for the granted scope or less; for more, send the user through the authorization endpoint"
    };
    REFRESH_SCOPE_LEFT = InvalidScope, "refresh_scope_withdrawn", "RFC 6749 §6", {
        promise: "Something of what the user granted is still in the client's registered scope",
        told: "The client may no longer have any of the granted scope",
        fix: "Give the client the scope back, or send the user through the authorization endpoint again"
    };
    REFRESH_TOKEN_NEWEST = InvalidGrant, "refresh_token_reused", "RFC 9700 §4.14.2, SEC-160", {
        promise: "The refresh token is the newest of its grant, or the one before it within the grace time",
        told: "The refresh token has been used before",
        fix: "Store the refresh token of each response before using it. An old one was used again, so the grant has been revoked: if that was not the client, the token was stolen"
    };
}

#[derive(Debug)]
pub struct RefreshRequest {
    pub refresh_token: String,
    scope: Option<Scope>,
}

impl RefreshRequest {
    pub(super) fn parse(params: &Params<'_>, trail: &mut Trail) -> Result<Self, Refusal> {
        let refresh_token =
            trail.demand(&REFRESH_TOKEN_SENT, params.one("refresh_token"), || {
                Noted::new("refresh_token", "absent")
            })?;
        Ok(Self {
            refresh_token: refresh_token.to_owned(),
            scope: super::scope(params, trail)?,
        })
    }
}

/// Whether the refresh token is replaced, which decides between a read and a write. The one that a public client presents with
/// its first proof is, whatever the client's rule: from then on the grant is bound to that key (RFC 9449 §5).
pub fn rotates(caller: &Caller, grant: &Grant) -> bool {
    let is_bound = grant.binding.is_some();
    let binds = !is_bound && caller.refresh_key().is_some();
    binds || caller.client().rotation(is_bound) == Rotation::Each
}

/// Decides whether `caller` may have new tokens for the refresh token of generation `presented`.
///
/// For a client that rotates, whether the generation is the newest is left to the write that spends it. For one that does
/// not, every generation but the present one is a leftover from before, and is refused here.
pub fn decide(
    (refreshable, presented, is_cut): (&RefreshableGrant, u32, bool),
    request: &RefreshRequest,
    (caller, tenant): (&Caller, &Tenant),
    now: Timestamp,
    trail: &mut Trail,
) -> Result<Issuance, Refusal> {
    let grant = &refreshable.grant;
    trail.require(
        &REFRESH_TOKEN_OF_CLIENT,
        grant.client == caller.client().id,
        || Noted::new(grant.client.to_string(), caller.client().id.to_string()),
    )?;
    dpop::prove_refresh_key(grant.binding, caller, trail)?;
    let standing = standing::of_grant(grant, &refreshable.state, is_cut, now, trail)?;
    trail.require(
        &REFRESH_TOKEN_FRESH,
        refreshable.refresh_expires_at.is_some_and(|end| now < end),
        || Noted::new("used within lifetimes.refresh_idle", "used too long ago"),
    )?;
    trail.require(
        &REFRESH_TOKEN_NEWEST,
        rotates(caller, grant) || presented == refreshable.generation,
        || {
            Noted::new(
                format!("generation {}", refreshable.generation),
                format!("generation {presented}"),
            )
        },
    )?;
    // What the client may no longer have is not given out, whatever the user once granted.
    let granted = grant.scope.intersection(&caller.client().scope);
    trail.require(
        &REFRESH_SCOPE_LEFT,
        !granted.is_empty() || grant.scope.is_empty(),
        || {
            Noted::new(
                format!("one of: {}", grant.scope),
                format!("the client may have: {}", caller.client().scope),
            )
        },
    )?;
    let scope = match &request.scope {
        None => granted,
        Some(asked) => {
            trail.require(&REFRESH_SCOPE_WITHIN, asked.is_subset_of(&granted), || {
                Noted::new(
                    format!("within: {granted}"),
                    asked.without(&granted).to_string(),
                )
            })?;
            asked.clone()
        }
    };
    let successor = rotates(caller, grant).then(|| presented.saturating_add(1));
    Ok(Issuance::of_refresh(
        grant,
        caller,
        tenant,
        (scope, successor),
        standing,
    ))
}
