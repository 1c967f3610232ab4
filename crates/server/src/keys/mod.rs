//! The keys of tenants: made on first use, opened from the store, rotated by adding the next one (SEC-304, SEC-416, SEC-417).
//!
//! A key's life is a list of instants in its row: published, active, retired, expired. Nothing has to happen at any of them
//! but that the ring is read again.

mod audit;
mod kek;
mod made;
mod ring;

pub use audit::{audit_signer, audit_verifiers};
pub use kek::Kek;
pub use made::{rotate, rotate_due};

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

/// What a new tenant signs with: RS256 because every OpenID client must be able to verify it (Core §15.1), the others
/// because they are faster.
pub const SIGNING_ALGORITHMS: [SignatureAlgorithm; 3] = [
    SignatureAlgorithm::Es256,
    SignatureAlgorithm::Rs256,
    SignatureAlgorithm::EdDsa,
];

#[derive(Debug, Error)]
pub enum KeyError {
    #[error("{path}: {problem}")]
    File { path: String, problem: String },
    #[error("key {0}: {1}")]
    Stored(RowId, String),
    #[error("a new key: {0}")]
    New(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<KeyError> for Fault {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Store(error) => Self::Store(error),
            KeyError::File { .. } | KeyError::Stored(..) | KeyError::New(_) => {
                Self::Keys(error.to_string())
            }
        }
    }
}

/// The keys of a tenant at one instant.
#[derive(Debug)]
pub struct Opened {
    pub ring: KeyRing,
    pub changes_at: Option<Timestamp>,
}

/// Opens the keys of a tenant, making the first ones if it has none.
pub async fn open(app: &App, tenant: &Tenant) -> Result<Opened, KeyError> {
    let mut ambient = app.ambient();
    let opened = open_for(&app.store, &app.kek, &tenant.id, &mut ambient).await;
    ambient.end();
    opened
}

/// As [`open`], outside a server.
pub async fn open_for(
    store: &Store,
    kek: &Kek,
    tenant: &TenantId,
    ambient: &mut Ambient,
) -> Result<Opened, KeyError> {
    let mut rows = store.keys(tenant).await?;
    if rows.is_empty() {
        made::make_first(store, kek, tenant, ambient).await?;
        rows = store.keys(tenant).await?;
    }
    ring::ring(kek, tenant, &rows, ambient.now)
}
