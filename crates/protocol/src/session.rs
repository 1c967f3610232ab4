//! A session: a browser signed in as one user (OpenID Connect `sid`).

use crate::user::UserId;
use jeton_token::row_id::RowId;
use jeton_token::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

pub type SessionId = RowId;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Session {
    pub id: SessionId,
    pub user: UserId,
    /// When the user really proved who they are; silent requests leave it alone (P-98).
    pub auth_time: Timestamp,
    /// What was done, in the words of RFC 8176.
    pub amr: Vec<String>,
    pub acr: String,
    pub created_at: Timestamp,
    pub last_seen_at: Timestamp,
    /// The absolute end.
    pub expires_at: Timestamp,
    pub ended_at: Option<Timestamp>,
}

/// The authentication context of a password alone.
pub const ACR_PASSWORD: &str = "urn:jeton:acr:password";
