//! One-time values that others made: each is accepted once, by whichever node comes first (SEC-R01, SEC-306).

use jeton_protocol::client::ClientId;
use jeton_protocol::tenant::TenantId;
use jeton_token::secret::sha256;
use jeton_token::timestamp::Timestamp;

use crate::Store;
use crate::error::StoreError;
use crate::sql::values;

/// What the value was: each kind is a namespace of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReplayKind {
    /// `jti` of an assertion that authenticates a client (RFC 7523 §3).
    ClientAssertion,
    /// `jti` of an assertion that is a grant (RFC 7523 §3).
    GrantAssertion,
    /// `jti` of a DPoP proof (RFC 9449 §11.1).
    DpopProof,
    /// `jti` of a signed authorization request (RFC 9101).
    RequestObject,
}

impl ReplayKind {
    const fn name(self) -> &'static str {
        match self {
            Self::ClientAssertion => "client_assertion",
            Self::GrantAssertion => "grant_assertion",
            Self::DpopProof => "dpop_proof",
            Self::RequestObject => "request_object",
        }
    }
}

/// A value that must not come back before it expires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneTime {
    pub kind: ReplayKind,
    /// Who made the value: a client, or a trusted issuer under its identifier; `None` for one that is used up for all clients of
    /// the tenant.
    pub client: Option<ClientId>,
    pub value: String,
    /// When the value would be refused for its age anyway.
    pub expires_at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claimed {
    Claimed,
    AlreadyUsed,
}

impl Store {
    /// Takes the value for good: exactly one of any number of claims is `Claimed` until the value has expired.
    pub async fn claim_once(
        &self,
        tenant: &TenantId,
        one_time: &OneTime,
        now: Timestamp,
    ) -> Result<Claimed, StoreError> {
        let (tenant, one_time) = (tenant.clone(), one_time.clone());
        let digest = sha256(one_time.value.as_bytes());
        self.write(move |tx| {
            let count = tx.run(
                "INSERT INTO replay (tenant_id, kind, client_id, value, expires_at) VALUES ($1, $2, $3, $4, $5) \
                 ON CONFLICT (tenant_id, kind, client_id, value) DO UPDATE SET expires_at = excluded.expires_at \
                 WHERE replay.expires_at <= $6",
                values![
                    tenant.as_str(),
                    one_time.kind.name(),
                    one_time.client.as_ref().map_or("", ClientId::as_str),
                    &digest,
                    one_time.expires_at,
                    now
                ],
            )?;
            Ok(if count == 1 { Claimed::Claimed } else { Claimed::AlreadyUsed })
        })
        .await
    }
}
