//! The one gate: may tokens of this user, client, grant and session still be given out or believed, now? (SEC-R02)
//!
//! Every grant type, introspection, userinfo and the admin API ask here. `Standing` is the proof of having asked.

use crate::grant::{Grant, GrantState};
use crate::refusal::{Noted, Refusal, Trail};
use crate::rules;
use crate::user::User;
use jeton_token::timestamp::Timestamp;

rules! {
    GRANT_STANDS = InvalidGrant, "grant_revoked", "RFC 6749 §5.2, RFC 7009 §2.1", {
        promise: "The grant has not been revoked",
        told: "The grant has been revoked",
        fix: "Send the user through the authorization endpoint again; the audit log says who revoked the grant and why"
    };
    GRANT_ALIVE = InvalidGrant, "grant_expired", "RFC 6749 §5.2", {
        promise: "The grant has not reached its absolute end",
        told: "The grant has expired",
        fix: "Send the user through the authorization endpoint again; lifetimes.refresh_absolute sets the limit"
    };
    USER_ENABLED = InvalidGrant, "user_disabled", "RFC 6749 §5.2", {
        promise: "The user exists and is enabled",
        told: "The grant is no longer valid",
        fix: "Enable the user with `jeton user enable`, or accept that they have no access"
    };
    SESSION_LIVES = InvalidGrant, "session_ended", "OpenID Connect RP-Initiated Logout §2", {
        promise: "The session the grant belongs to has not ended, or the grant is for offline access",
        told: "The session of this grant has ended",
        fix: "Have the user sign in again, or ask for offline_access if the client works while the user is away"
    };
    NOT_CUT = InvalidGrant, "cut", "RFC 7009 §2.1", {
        promise: "No revocation covers the token, its grant, session, user, client or tenant",
        told: "The grant has been revoked",
        fix: "Send the user through the authorization endpoint again; the audit log says what was revoked"
    };
    TOKEN_STANDS = InvalidToken, "token_revoked", "RFC 6750 §3.1, RFC 7009 §2.1", {
        promise: "No revocation covers the token, its grant, session, user, client or tenant",
        told: "The access token has been revoked",
        fix: "Ask for a new token; the audit log says what was revoked and why"
    };
}

/// Made only by this module: whoever holds one has passed the gate.
#[derive(Clone, Copy, Debug)]
pub struct Standing(());

/// The gate for what is derived from a grant row.
pub fn of_grant(
    grant: &Grant,
    state: &GrantState,
    is_cut: bool,
    now: Timestamp,
    trail: &mut Trail,
) -> Result<Standing, Refusal> {
    trail.require(
        &USER_ENABLED,
        state.user_disabled_at.is_none() && !state.user_gone,
        || {
            Noted::new(
                "an enabled user",
                if state.user_gone {
                    "a deleted user"
                } else {
                    "a disabled user"
                },
            )
        },
    )?;
    let tied = !grant.offline && state.session_ended_at.is_some_and(|ended| ended <= now);
    trail.require(&SESSION_LIVES, !tied, || {
        Noted::new("a live session or offline_access", "an ended session")
    })?;
    trail.require(&GRANT_STANDS, state.revoked_at.is_none(), || {
        Noted::new(
            "not revoked",
            format!(
                "revoked at {} ms",
                state.revoked_at.map_or(0, Timestamp::millis)
            ),
        )
    })?;
    trail.require(&GRANT_ALIVE, now < grant.expires_at, || {
        Noted::new(
            format!("before {} ms", grant.expires_at.millis()),
            format!("{} ms", now.millis()),
        )
    })?;
    trail.require(&NOT_CUT, !is_cut, || {
        Noted::new("nothing revoked above the grant", "a revocation")
    })?;
    Ok(Standing(()))
}

/// The gate for an access token; whether a cut covers it has been asked of the index.
pub fn of_token(is_cut: bool, trail: &mut Trail) -> Result<Standing, Refusal> {
    trail.require(&TOKEN_STANDS, !is_cut, || {
        Noted::new("nothing revoked above it", "a revocation")
    })?;
    Ok(Standing(()))
}

/// The gate for a client that acts for itself; a disabled one never gets as far as being authenticated.
pub fn of_client(is_cut: bool, trail: &mut Trail) -> Result<Standing, Refusal> {
    trail.require(&NOT_CUT, !is_cut, || {
        Noted::new("nothing revoked above the client", "a revocation")
    })?;
    Ok(Standing(()))
}

/// The gate for what a trusted issuer vouches for: the client itself, or the user its rule names.
pub fn of_mapped(
    names_user: bool,
    user: Option<&User>,
    is_cut: bool,
    trail: &mut Trail,
) -> Result<Standing, Refusal> {
    if names_user {
        let enabled = user.filter(|user| user.disabled_at.is_none());
        trail.demand(&USER_ENABLED, enabled, || {
            let found = user.map_or("no such user", |_| "a disabled user");
            Noted::new("an enabled user", found)
        })?;
    }
    of_client(is_cut, trail)
}
