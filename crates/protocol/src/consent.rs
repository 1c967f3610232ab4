//! A consent: the scope a user once approved for a client, remembered (Core §3.1.2.4). It has the values that claims asked for by
//! name belong to as well, which were not granted as a scope.

use crate::scope::Scope;
use jeton_token::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    pub scope: Scope,
    pub given_at: Timestamp,
}
