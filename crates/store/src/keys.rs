//! Keys: signing, handle, seal and audit keys of a tenant, sealed under the key-encryption key before they come here.
//!
//! A key is published before it is active, and stays published until the last token it signed has expired (SEC-304).

use jeton_protocol::tenant::TenantId;
use jeton_token::row_id::RowId;
use jeton_token::timestamp::Timestamp;
use serde_json::{Map, Value as Json};

use crate::audit::{self, Occasion};
use crate::error::StoreError;
use crate::sql::{Row, Tx, values};
use crate::versions::{self, Versioned};
use crate::{Changed, Store};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyPurpose {
    Signing,
    Handle,
    Seal,
    /// Signs checkpoints of the audit trail; never published.
    Audit,
}

impl KeyPurpose {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Signing => "signing",
            Self::Handle => "handle",
            Self::Seal => "seal",
            Self::Audit => "audit",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Self::Signing, Self::Handle, Self::Seal, Self::Audit]
            .into_iter()
            .find(|known| known.name() == name)
    }
}

/// A key as stored. The secret part is sealed; see [`crate::seal`].
#[derive(Clone, Debug, PartialEq)]
pub struct StoredKey {
    pub id: RowId,
    pub purpose: KeyPurpose,
    /// The short id inside handles and sealed tokens; never reused within a purpose.
    pub number: u16,
    /// The registered name for a signing key; a word of ours for the others.
    pub algorithm: String,
    pub sealed: Vec<u8>,
    /// The public JWK of a signing key, as JSON.
    pub public_key: Option<String>,
    pub created_at: Timestamp,
    /// Visible at `jwks_uri` from here on.
    pub published_at: Option<Timestamp>,
    /// Used for new tokens from here on.
    pub active_at: Option<Timestamp>,
    /// Not used for new tokens from here on.
    pub retired_at: Option<Timestamp>,
    /// Not accepted, and not published, from here on.
    pub expires_at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstKeys {
    Inserted,
    /// Another process was first; load its keys.
    AlreadyThere,
}

impl Store {
    /// Stores the first keys of a tenant, unless it has some: of several processes that start at once, one does (SEC-334).
    pub async fn insert_first_keys(
        &self,
        tenant: &TenantId,
        keys: Vec<StoredKey>,
        occasion: Occasion,
    ) -> Result<FirstKeys, StoreError> {
        let tenant = tenant.clone();
        self.write(move |tx| {
            // Counting first takes the lock that makes the others wait for this answer.
            versions::bump(tx, Versioned::Keys)?;
            let there = tx.one(
                "SELECT id FROM keys WHERE tenant_id = $1 LIMIT 1",
                values![tenant.as_str()],
            )?;
            if there.is_some() {
                return Ok(FirstKeys::AlreadyThere);
            }
            for key in &keys {
                insert(tx, &tenant, key)?;
            }
            audit::note(tx, &tenant, "keys.made", tenant.as_str(), &occasion)?;
            Ok(FirstKeys::Inserted)
        })
        .await
    }

    /// Adds a key. `number` must be a new one; a number in use is a failure.
    pub async fn insert_key(
        &self,
        tenant: &TenantId,
        key: StoredKey,
        occasion: Occasion,
    ) -> Result<(), StoreError> {
        let tenant = tenant.clone();
        self.write(move |tx| {
            insert(tx, &tenant, &key)?;
            audit::note_facts(
                tx,
                &tenant,
                ("key.made", &key.id.to_string()),
                facts(&key),
                &occasion,
            )?;
            versions::bump(tx, Versioned::Keys).map(drop)
        })
        .await
    }

    /// All keys of a tenant, oldest first. There are few.
    pub async fn keys(&self, tenant: &TenantId) -> Result<Vec<StoredKey>, StoreError> {
        let tenant = tenant.clone();
        self.read(move |tx| {
            let rows = tx.all(
                "SELECT id, purpose, number, algorithm, sealed, public_key, created_at, published_at, active_at, \
                 retired_at, expires_at FROM keys WHERE tenant_id = $1 ORDER BY id LIMIT 1000",
                values![tenant.as_str()],
            )?;
            rows.iter().map(read).collect()
        })
        .await
    }

    /// Moves the stations of a key's life. A station that was passed stays where it is.
    pub async fn schedule_key(
        &self,
        tenant: &TenantId,
        key: StoredKey,
        occasion: Occasion,
    ) -> Result<Changed, StoreError> {
        let tenant = tenant.clone();
        self.write(move |tx| {
            let count = tx.run(
                "UPDATE keys SET published_at = CASE WHEN published_at <= $3 THEN published_at ELSE $4 END, \
                 active_at = CASE WHEN active_at <= $3 THEN active_at ELSE $5 END, \
                 retired_at = CASE WHEN retired_at <= $3 THEN retired_at ELSE $6 END, \
                 expires_at = CASE WHEN expires_at <= $3 THEN expires_at ELSE $7 END \
                 WHERE tenant_id = $1 AND id = $2",
                values![
                    tenant.as_str(),
                    key.id,
                    occasion.now,
                    key.published_at,
                    key.active_at,
                    key.retired_at,
                    key.expires_at
                ],
            )?;
            if count == 0 {
                return Ok(Changed::NotFound);
            }
            audit::note_facts(tx, &tenant, ("key.scheduled", &key.id.to_string()), facts(&key), &occasion)?;
            versions::bump(tx, Versioned::Keys)?;
            Ok(Changed::Changed)
        })
        .await
    }

    /// Replaces the sealed part, when the key-encryption key changes.
    pub async fn reseal_key(
        &self,
        tenant: &TenantId,
        id: RowId,
        sealed: Vec<u8>,
    ) -> Result<Changed, StoreError> {
        let tenant = tenant.clone();
        self.write(move |tx| {
            let count = tx.run(
                "UPDATE keys SET sealed = $3 WHERE tenant_id = $1 AND id = $2",
                values![tenant.as_str(), id, sealed.as_slice()],
            )?;
            Ok(if count == 1 {
                Changed::Changed
            } else {
                Changed::NotFound
            })
        })
        .await
    }
}

/// What the trail says of a key: what it is for, and the stations it was given.
fn facts(key: &StoredKey) -> Map<String, Json> {
    let stations = [
        ("published_at", key.published_at),
        ("active_at", key.active_at),
        ("retired_at", key.retired_at),
        ("expires_at", key.expires_at),
    ];
    let mut facts = Map::new();
    facts.insert("purpose".into(), key.purpose.name().into());
    facts.insert("algorithm".into(), key.algorithm.as_str().into());
    for (name, at) in stations {
        facts.insert(name.into(), at.map(Timestamp::seconds).into());
    }
    facts
}

fn insert(tx: &mut Tx<'_>, tenant: &TenantId, key: &StoredKey) -> Result<(), StoreError> {
    tx.run(
        "INSERT INTO keys (tenant_id, id, purpose, number, algorithm, sealed, public_key, created_at, published_at, \
         active_at, retired_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        values![
            tenant.as_str(),
            key.id,
            key.purpose.name(),
            u32::from(key.number),
            key.algorithm.as_str(),
            key.sealed.as_slice(),
            key.public_key.as_deref(),
            key.created_at,
            key.published_at,
            key.active_at,
            key.retired_at,
            key.expires_at
        ],
    )
    .map(drop)
}

fn read(row: &Row) -> Result<StoredKey, StoreError> {
    let purpose = KeyPurpose::parse(row.text(1)?);
    Ok(StoredKey {
        id: row.id(0)?,
        purpose: purpose.ok_or_else(|| StoreError::damaged("a key without a purpose"))?,
        number: u16::try_from(row.int(2)?).map_err(StoreError::damaged)?,
        algorithm: row.text(3)?.to_owned(),
        sealed: row.bytes(4)?.to_owned(),
        public_key: row.maybe_text(5)?.map(str::to_owned),
        created_at: row.time(6)?,
        published_at: row.maybe_time(7)?,
        active_at: row.maybe_time(8)?,
        retired_at: row.maybe_time(9)?,
        expires_at: row.maybe_time(10)?,
    })
}
