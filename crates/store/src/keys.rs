//! Keys: signing, handle, seal and audit keys of a tenant, sealed under the key-encryption key before they come here.
//!
//! A key is published before it is active, and stays published until the last token it signed has expired (SEC-304).

use std::time::Duration;

use jeton_protocol::tenant::TenantId;
use jeton_token::row_id::RowId;
use jeton_token::timestamp::Timestamp;
use serde_json::{Map, Value as Json};

use crate::audit::{self, Occasion};
use crate::error::StoreError;
use crate::sql::{Row, Tx, values};
use crate::versions::{self, Versioned};
use crate::{Changed, Inserted, Store};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyPurpose {
    Signing,
    Handle,
    Seal,
    /// Signs checkpoints of the audit trail; never published.
    Audit,
}

impl KeyPurpose {
    pub const ALL: [Self; 4] = [Self::Signing, Self::Handle, Self::Seal, Self::Audit];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Signing => "signing",
            Self::Handle => "handle",
            Self::Seal => "seal",
            Self::Audit => "audit",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
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

/// A key that nothing accepts any more is still shown for so long, then destroyed when the next one is made.
const KEPT_AFTER_END: Duration = Duration::from_secs(30 * 24 * 60 * 60);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstKeys {
    Inserted,
    /// Another process was first; load its keys.
    AlreadyThere,
}

/// When the keys before a new one stop being used, and being accepted; `None`: that is decided later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    pub retired_at: Timestamp,
    pub expires_at: Option<Timestamp>,
}

/// What takes the place of a key that ends at once.
#[derive(Clone, Debug, PartialEq)]
pub enum Replacement {
    /// Another key is in use already, or was.
    None,
    /// This one, which is published already and becomes active now.
    Published(RowId),
    New(StoredKey),
}

/// A sealed secret before and after it was sealed anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resealed<Id, Sealed> {
    pub id: Id,
    pub before: Sealed,
    pub after: Sealed,
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

    /// Adds the next key of a purpose and algorithm, and ends those before it, all or nothing: however many processes do that
    /// at once, one adds the key of this number. The others find it `Taken`.
    pub async fn succeed_key(
        &self,
        tenant: &TenantId,
        next: StoredKey,
        ends: Ends,
        occasion: Occasion,
    ) -> Result<Inserted, StoreError> {
        let tenant = tenant.clone();
        self.write(move |tx| {
            // Counting first takes the lock that makes the others wait for this answer.
            versions::bump(tx, Versioned::Keys)?;
            let there = tx.one(
                "SELECT id FROM keys WHERE tenant_id = $1 AND purpose = $2 AND number = $3",
                values![tenant.as_str(), next.purpose.name(), u32::from(next.number)],
            )?;
            if there.is_some() {
                return Ok(Inserted::Taken);
            }
            insert(tx, &tenant, &next)?;
            tx.run(
                "UPDATE keys SET retired_at = $5, expires_at = $6 \
                 WHERE tenant_id = $1 AND purpose = $2 AND algorithm = $3 AND id <> $4 \
                 AND (retired_at IS NULL OR retired_at > $5)",
                values![
                    tenant.as_str(),
                    next.purpose.name(),
                    next.algorithm.as_str(),
                    next.id,
                    ends.retired_at,
                    ends.expires_at
                ],
            )?;
            tx.run(
                "DELETE FROM keys WHERE tenant_id = $1 AND purpose = $2 AND expires_at < $3",
                values![
                    tenant.as_str(),
                    next.purpose.name(),
                    occasion.now.minus(KEPT_AFTER_END)
                ],
            )?;
            let made = ("key.made", next.id.to_string());
            audit::note_facts(tx, &tenant, (made.0, &made.1), facts(&next), &occasion)?;
            Ok(Inserted::Inserted)
        })
        .await
    }

    /// Ends a key at once, whatever was made with it, and puts another in its place in the same moment.
    pub async fn revoke_key(
        &self,
        tenant: &TenantId,
        id: RowId,
        replacement: Replacement,
        occasion: Occasion,
    ) -> Result<Changed, StoreError> {
        let tenant = tenant.clone();
        self.write(move |tx| {
            versions::bump(tx, Versioned::Keys)?;
            let count = tx.run(
                "UPDATE keys SET retired_at = CASE WHEN retired_at <= $3 THEN retired_at ELSE $3 END, expires_at = $3 \
                 WHERE tenant_id = $1 AND id = $2 AND (expires_at IS NULL OR expires_at > $3)",
                values![tenant.as_str(), id, occasion.now],
            )?;
            if count == 0 {
                return Ok(Changed::NotFound);
            }
            match &replacement {
                Replacement::None => {}
                Replacement::New(next) => insert(tx, &tenant, next)?,
                Replacement::Published(next) => {
                    tx.run(
                        "UPDATE keys SET active_at = $3 WHERE tenant_id = $1 AND id = $2 AND active_at > $3",
                        values![tenant.as_str(), *next, occasion.now],
                    )?;
                }
            }
            audit::note(tx, &tenant, "key.revoked", &id.to_string(), &occasion)?;
            Ok(Changed::Changed)
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
                 retired_at, expires_at FROM keys WHERE tenant_id = $1 ORDER BY id LIMIT 4000",
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

    /// Replaces sealed parts, when the key-encryption key changes. One that is no longer what it was before stays; how many
    /// were replaced is the answer. Nothing is counted as changed: what a key is, is the same.
    pub async fn reseal_keys(
        &self,
        tenant: &TenantId,
        resealed: Vec<Resealed<RowId, Vec<u8>>>,
    ) -> Result<u64, StoreError> {
        let tenant = tenant.clone();
        self.write(move |tx| {
            let mut count = 0;
            for one in &resealed {
                count += tx.run(
                    "UPDATE keys SET sealed = $3 WHERE tenant_id = $1 AND id = $2 AND sealed = $4",
                    values![
                        tenant.as_str(),
                        one.id,
                        one.after.as_slice(),
                        one.before.as_slice()
                    ],
                )?;
            }
            Ok(count)
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
