//! A cut: everything under its target that was issued before its instant is dead (design: "Revocation is a cut").

use jeton_token::row_id::RowId;
use jeton_token::timestamp::Timestamp;

use crate::client::ClientId;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CutTarget {
    /// One access token, by its `jti`.
    Token(RowId),
    Grant(RowId),
    Session(RowId),
    User(RowId),
    Client(ClientId),
    Tenant,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    pub target: CutTarget,
    /// Whatever was issued before this instant is dead.
    pub at: Timestamp,
    /// When the last thing it could concern has expired by itself.
    pub expires_at: Timestamp,
}
