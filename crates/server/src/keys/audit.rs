//! The key that signs checkpoints of the audit trail: one of its own, made when it is first needed, never published.

use super::made::{make_first, new, next_number};
use super::{Kek, KeyError, Line};
use crate::ambient::Ambient;
use jeton_protocol::tenant::TenantId;
use jeton_store::Store;
use jeton_store::keys::{KeyPurpose, StoredKey};
use jeton_token::algorithm::SignatureAlgorithm;
use jeton_token::jwk::PublicJwk;
use jeton_token::signing_key::SigningKey;
use jeton_token::timestamp::Timestamp;

pub(super) const ALGORITHM: SignatureAlgorithm = SignatureAlgorithm::EdDsa;

/// The key that signs now. Of several processes that make the first one at once, one does; the others fail and come again.
pub async fn audit_signer(
    store: &Store,
    kek: &Kek,
    tenant: &TenantId,
    ambient: &mut Ambient,
) -> Result<SigningKey, KeyError> {
    // Not before the first keys of the tenant, which are made only where there are none.
    if store.keys(tenant).await?.is_empty() {
        make_first(store, kek, tenant, None, ambient).await?;
    }
    let rows = of_audit(store, tenant).await?;
    let now = ambient.now;
    if let Some(row) = rows.iter().rev().find(|row| signs(row, now)) {
        return open(kek, tenant, row);
    }
    let line = Line::Audit;
    let row = new(kek, tenant, (line, next_number(&rows, line)), ambient)?;
    let key = open(kek, tenant, &row)?;
    let occasion = ambient.occasion("first checkpoint", String::new());
    store.insert_key(tenant, row, occasion).await?;
    Ok(key)
}

/// What proves checkpoints. It is taken from the sealed keys: a public key in the database could be anybody's.
pub async fn audit_verifiers(
    store: &Store,
    kek: &Kek,
    tenant: &TenantId,
    now: Timestamp,
) -> Result<Vec<PublicJwk>, KeyError> {
    let rows = of_audit(store, tenant).await?;
    rows.iter()
        .filter(|row| row.expires_at.is_none_or(|end| now < end))
        .map(|row| Ok(open(kek, tenant, row)?.public_jwk().clone()))
        .collect()
}

async fn of_audit(store: &Store, tenant: &TenantId) -> Result<Vec<StoredKey>, KeyError> {
    let mut rows = store.keys(tenant).await?;
    rows.retain(|row| row.purpose == KeyPurpose::Audit);
    Ok(rows)
}

fn signs(row: &StoredKey, now: Timestamp) -> bool {
    row.active_at.is_some_and(|at| at <= now) && row.retired_at.is_none_or(|at| now < at)
}

fn open(kek: &Kek, tenant: &TenantId, row: &StoredKey) -> Result<SigningKey, KeyError> {
    SigningKey::from_pkcs8(ALGORITHM, None, kek.open_key(tenant, row)?.expose())
        .map_err(|error| KeyError::Stored(row.id, error.to_string()))
}
