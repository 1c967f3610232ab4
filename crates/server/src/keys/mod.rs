//! The keys of tenants: made on first use, opened from the store, rotated by adding the next one (SEC-304, SEC-416, SEC-417).
//!
//! A key's life is a list of instants in its row: published, active, retired, expired. Nothing has to happen at any of them
//! but that the ring is read again.

mod audit;
mod kek;
mod line;
mod made;
mod rewrap;
mod ring;

pub use audit::{audit_signer, audit_verifiers};
pub use kek::{Kek, KekFiles};
pub use line::Line;
pub use made::{Revoked, Turn, revoke, rotate, rotate_due};
pub use rewrap::{Rewrapped, rewrap};

use crate::ambient::Ambient;
use crate::app::App;
use crate::http::denied::Fault;
use jeton_protocol::issue::KeyRing;
use jeton_protocol::tenant::{Tenant, TenantId};
use jeton_store::{Store, StoreError};
use jeton_token::algorithm::SignatureAlgorithm;
use jeton_token::row_id::RowId;
use jeton_token::timestamp::Timestamp;
use thiserror::Error;

/// What clients may have their tokens signed with. Keys of the last one are made when somebody asks for it.
pub const SIGNING_ALGORITHMS: [SignatureAlgorithm; 4] = [
    SignatureAlgorithm::Es256,
    SignatureAlgorithm::Rs256,
    SignatureAlgorithm::EdDsa,
    SignatureAlgorithm::Ps256,
];

/// The most keys that `jwks_uri` shows (SEC-184).
pub const MOST_PUBLISHED: usize = 8;

#[derive(Debug, Error)]
pub enum KeyError {
    #[error("{path}: {problem}")]
    File { path: String, problem: String },
    #[error("key {0}: {1}")]
    Stored(RowId, String),
    #[error("a new key: {0}")]
    New(String),
    #[error(
        "{MOST_PUBLISHED} signing keys are published, the most there may be; wait until an old one expires"
    )]
    TooMany,
    #[error("another process changed the keys in this moment; look, and try again")]
    Raced,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<KeyError> for Fault {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Store(error) => Self::Store(error),
            KeyError::File { .. }
            | KeyError::Stored(..)
            | KeyError::New(_)
            | KeyError::TooMany
            | KeyError::Raced => Self::Keys(error.to_string()),
        }
    }
}

/// The keys of a tenant at one instant.
#[derive(Debug)]
pub struct Opened {
    pub ring: KeyRing,
    /// Every key that is accepted, damaged ones too.
    pub known: Vec<RowId>,
    pub changes_at: Option<Timestamp>,
}

/// Opens the keys of a tenant, making the first ones if it has none, and one of the algorithm its tokens are signed with.
pub async fn open(app: &App, tenant: &Tenant) -> Result<Opened, KeyError> {
    let mut ambient = app.ambient();
    let algorithm = tenant.policy.signing_algorithm;
    let opened = open_for(&app.store, &app.kek, &tenant.id, (algorithm, &mut ambient)).await;
    ambient.end();
    opened
}

/// As [`open`], outside a server.
pub async fn open_for(
    store: &Store,
    kek: &Kek,
    tenant: &TenantId,
    (algorithm, ambient): (SignatureAlgorithm, &mut Ambient),
) -> Result<Opened, KeyError> {
    let mut rows = store.keys(tenant).await?;
    if rows.is_empty() {
        made::make_first(store, kek, tenant, Some(algorithm), ambient).await?;
        rows = store.keys(tenant).await?;
    }
    if made::ensure(store, kek, tenant, (algorithm, &rows), ambient).await? {
        rows = store.keys(tenant).await?;
    }
    ring::ring(kek, tenant, &rows, ambient.now)
}
