//! An interaction: one authorization request on its way through sign-in and consent (from `interaction_required`).

use crate::authorize::pushed::PushedRequestId;
use crate::authorize::request::AuthorizationRequest;
use crate::device::DeviceVisit;
use crate::scope::Scope;
use crate::session::SessionId;
use jeton_token::row_id::RowId;
use jeton_token::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

pub type InteractionId = RowId;

/// The server keeps the request; the browser only ever holds a handle to it (SEC-R05, SEC-016).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interaction {
    pub id: InteractionId,
    pub request: InteractionRequest,
    /// SHA-256 of the browser cookie it was opened with; another browser cannot go on with it.
    pub browser: [u8; 32],
    pub progress: Progress,
    /// The pushed request it came from, which its answer spends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pushed: Option<PushedRequestId>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub closed_at: Option<Timestamp>,
}

/// What an interaction is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum InteractionRequest {
    Authorization(Box<AuthorizationRequest>),
    /// Somebody came to our own page to connect a device (RFC 8628 §3.3).
    Device(DeviceVisit),
}

impl Interaction {
    /// The authorization request, if it is about one.
    pub fn authorization(&self) -> Option<&AuthorizationRequest> {
        match &self.request {
            InteractionRequest::Authorization(request) => Some(request),
            InteractionRequest::Device(_) => None,
        }
    }

    pub fn ui_locales(&self) -> Option<&str> {
        self.authorization()?.ui_locales.as_deref()
    }
}

/// How far the user has come. Only the steps themselves move it, each by a conditional write.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// The session that signed in during this interaction, which is what `prompt=login` asks for.
    pub signed_in: Option<SignedIn>,
    pub approved: Option<Approval>,
    pub denied: bool,
    /// Counts writes; each write repeats the one it saw.
    pub version: u32,
}

/// The user was asked and approved. Another user's session does not inherit it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Approval {
    pub session: SessionId,
    /// What they left standing of what was asked, by scope and by claims.
    pub scope: Scope,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SignedIn {
    pub session: SessionId,
    pub at: Timestamp,
}
