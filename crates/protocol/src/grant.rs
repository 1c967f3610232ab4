//! A grant: what a user allowed a client. The one record behind a code, its refresh tokens and its access tokens.

use crate::claims::ClaimsRequest;
use crate::client::ClientId;
use crate::scope::Scope;
use crate::session::SessionId;
use crate::user::UserId;
use jeton_token::confirmation::Confirmation;
use jeton_token::row_id::RowId;
use jeton_token::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

pub type GrantId = RowId;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Grant {
    pub id: GrantId,
    pub client: ClientId,
    pub user: UserId,
    pub session: SessionId,
    pub subject: String,
    pub scope: Scope,
    /// The `aud` of its access tokens.
    pub audience: Vec<String>,
    pub auth_time: Timestamp,
    pub acr: String,
    pub amr: Vec<String>,
    /// Refresh tokens outlive the session (`offline_access`, Core §11).
    pub offline: bool,
    /// The key a public client's refresh token is bound to: that of the request which redeemed the code (RFC 9449 §5).
    pub binding: Option<Confirmation>,
    pub claims: Option<ClaimsRequest>,
    /// What the code was bound to. Kept after redemption, so that a second one can be judged like the first.
    pub code: CodeBinding,
    pub created_at: Timestamp,
    /// The absolute end of the whole grant (SEC-163).
    pub expires_at: Timestamp,
}

/// What the redeemer of a code has to prove (RFC 6749 §4.1.3, RFC 7636 §4.6).
/// Empty for a grant that was made for a device, which has no code of this kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CodeBinding {
    pub redirect_uri: String,
    /// Whether the authorization request named it, so that the token request must too.
    pub redirect_uri_sent: bool,
    pub code_challenge: Option<String>,
    pub nonce: Option<String>,
    /// The key named by `dpop_jkt` (RFC 9449 §10).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Confirmation>,
}

/// What the store knows about whether a grant may still be used, read together with it in one statement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GrantState {
    pub revoked_at: Option<Timestamp>,
    pub user_disabled_at: Option<Timestamp>,
    /// The user no longer exists.
    pub user_gone: bool,
    pub session_ended_at: Option<Timestamp>,
}

/// A grant whose code waits, or waited, to be redeemed. A spent one is returned too: spent is a state.
#[derive(Clone, Debug, PartialEq)]
pub struct PendingGrant {
    pub grant: Grant,
    pub state: GrantState,
    pub code_expires_at: Timestamp,
    pub redeemed_at: Option<Timestamp>,
}

/// A grant as a refresh token finds it.
#[derive(Clone, Debug, PartialEq)]
pub struct RefreshableGrant {
    pub grant: Grant,
    pub state: GrantState,
    /// The generation of the one live refresh token; 0 before any was issued.
    pub generation: u32,
    pub rotated_at: Option<Timestamp>,
    /// The idle end; moves with rotation.
    pub refresh_expires_at: Option<Timestamp>,
}
