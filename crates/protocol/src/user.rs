//! A user, and the claims a client may learn of one.

use jeton_token::row_id::RowId;
use jeton_token::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

pub type UserId = RowId;

/// What a client sees as `sub`: printable ASCII, at most 255 characters (Core §2).
pub type Subject = String;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct User {
    pub id: UserId,
    /// As the user types it, after spellings were made equal (SEC-044).
    pub username: String,
    /// Standard claims of Core §5.1 beside `sub`, already of the right types; absent rather than empty (P-259).
    #[serde(default)]
    pub claims: serde_json::Map<String, serde_json::Value>,
    #[serde(default)]
    pub admin: bool,
    pub created_at: Timestamp,
    #[serde(skip)]
    pub disabled_at: Option<Timestamp>,
}

impl User {
    /// The same for every client of the tenant, and never reassigned (Core §2, §8).
    pub fn subject(&self) -> Subject {
        self.id.to_string()
    }
}
