//! The chain of the trail (SEC-431): each record of a tenant has a place, and a hash over itself and the record before it.
//!
//! Records are linked after they were committed, in the order they are found, so that no change waits for another one. One
//! row of `audit_heads` is locked while a batch is linked; the verbs that write records never touch it.

use jeton_protocol::tenant::TenantId;
use jeton_token::row_id::RowId;
use jeton_token::secret::sha256;

use crate::Store;
use crate::error::StoreError;
use crate::sql::{Row, Tx, values};

/// How many records one step links.
const BATCH: u32 = 250;

/// How many tenants one look finds.
const TENANTS: u32 = 100;

/// What stands before the first record of a chain.
pub(crate) const ORIGIN: [u8; 32] = [0; 32];

/// Both ends of what is kept of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) sequence: i64,
    pub(crate) hash: [u8; 32],
    pub(crate) first_kept: i64,
    pub(crate) before_first: [u8; 32],
    pub(crate) signed_sequence: i64,
    pub(crate) signed_first: i64,
}

/// A record as the chain covers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    pub sequence: i64,
    pub id: RowId,
    pub at: i64,
    pub event: String,
    pub actor: String,
    pub object: String,
    /// The details, byte for byte as they were hashed.
    pub record: String,
    /// Gone with the body when a person was erased.
    pub salt: Vec<u8>,
    /// The hash of the erased body.
    pub erased: Option<[u8; 32]>,
    pub hash: [u8; 32],
}

impl Store {
    /// Some of the tenants that have records to link.
    pub async fn unlinked_audit_tenants(&self) -> Result<Vec<TenantId>, StoreError> {
        self.read(|tx| {
            let rows = tx.all(
                "SELECT DISTINCT tenant_id FROM audit WHERE sequence IS NULL LIMIT $1",
                values![TENANTS],
            )?;
            rows.iter().map(|row| tenant(row, 0)).collect()
        })
        .await
    }

    /// Links one batch of committed records; tells whether another step at once would find more.
    ///
    /// `seed` is luck: what nobody knows, so that the hash of an erased body cannot be tried out.
    pub async fn link_audit(&self, tenant: &TenantId, seed: [u8; 32]) -> Result<bool, StoreError> {
        let tenant = tenant.clone();
        self.write(move |tx| link(tx, &tenant, &seed)).await
    }

    /// The linked records behind `after`, in the order of the chain.
    pub async fn audit_links(
        &self,
        tenant: &TenantId,
        after: i64,
        limit: u32,
    ) -> Result<Vec<Link>, StoreError> {
        let tenant = tenant.clone();
        self.read(move |tx| {
            let rows = tx.all(
                "SELECT sequence, id, at, event, actor, object, record, salt, erased, hash FROM audit \
                 WHERE tenant_id = $1 AND sequence > $2 ORDER BY sequence LIMIT $3",
                values![tenant.as_str(), after, limit],
            )?;
            rows.iter().map(Link::read).collect()
        })
        .await
    }
}

fn link(tx: &mut Tx<'_>, tenant: &TenantId, seed: &[u8; 32]) -> Result<bool, StoreError> {
    // Writing the head locks it, so that no other process links at the same time.
    tx.run(
        "INSERT INTO audit_heads (tenant_id, sequence, hash, first_kept, before_first, signed_sequence, signed_first) \
         VALUES ($1, 0, $2, 1, $2, 0, 0) ON CONFLICT (tenant_id) DO UPDATE SET sequence = audit_heads.sequence",
        values![tenant.as_str(), &ORIGIN],
    )?;
    let head = head(tx, tenant)?.ok_or_else(|| StoreError::failed("the head is missing"))?;
    let rows = tx.all(
        "SELECT id, at, event, actor, object, record FROM audit \
         WHERE tenant_id = $1 AND sequence IS NULL ORDER BY id LIMIT $2",
        values![tenant.as_str(), BATCH],
    )?;
    let (mut sequence, mut hash) = (head.sequence, head.hash);
    for row in &rows {
        sequence += 1;
        let mut link = Link {
            sequence,
            id: row.id(0)?,
            at: row.int(1)?,
            event: row.text(2)?.to_owned(),
            actor: row.text(3)?.to_owned(),
            object: row.text(4)?.to_owned(),
            record: row.text(5)?.to_owned(),
            salt: salt(seed, sequence),
            erased: None,
            hash,
        };
        hash = link.hash_after(tenant, &hash, sequence);
        link.hash = hash;
        tx.run(
            "UPDATE audit SET sequence = $3, salt = $4, hash = $5 WHERE tenant_id = $1 AND id = $2",
            values![
                tenant.as_str(),
                link.id,
                sequence,
                link.salt.as_slice(),
                &hash
            ],
        )?;
    }
    tx.run(
        "UPDATE audit_heads SET sequence = $2, hash = $3 WHERE tenant_id = $1",
        values![tenant.as_str(), sequence, &hash],
    )?;
    Ok(rows.len() == BATCH as usize)
}

fn salt(seed: &[u8; 32], sequence: i64) -> Vec<u8> {
    let digest = sha256(&[seed.as_slice(), &sequence.to_be_bytes()].concat());
    digest.iter().take(16).copied().collect()
}

impl Link {
    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            sequence: row.int(0)?,
            id: row.id(1)?,
            at: row.int(2)?,
            event: row.text(3)?.to_owned(),
            actor: row.text(4)?.to_owned(),
            object: row.text(5)?.to_owned(),
            record: row.text(6)?.to_owned(),
            salt: row.maybe_bytes(7)?.unwrap_or_default().to_owned(),
            erased: row.maybe_bytes(8)?.map(|_| row.digest(8)).transpose()?,
            hash: row.digest(9)?,
        })
    }

    /// The hash this record has at a place behind the record with the hash `before`.
    #[must_use]
    pub fn hash_after(&self, tenant: &TenantId, before: &[u8; 32], sequence: i64) -> [u8; 32] {
        let sequence = sequence.to_be_bytes();
        let (id, at) = (self.id.bytes(), self.at.to_be_bytes());
        let parts: [&[u8]; 8] = [
            b"jeton audit record 1",
            before,
            &sequence,
            tenant.as_str().as_bytes(),
            &id,
            &at,
            self.event.as_bytes(),
            &self.body(),
        ];
        digest(&parts)
    }

    /// Whether an erased record has nothing left to read, and every other one its salt.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let emptied = [&self.actor, &self.object, &self.record]
            .iter()
            .all(|text| text.is_empty());
        match self.erased {
            Some(_) => emptied && self.salt.is_empty(),
            None => !self.salt.is_empty(),
        }
    }

    /// The hash of what an erasure takes.
    #[must_use]
    pub fn body(&self) -> [u8; 32] {
        let parts = [
            &self.salt,
            self.actor.as_bytes(),
            self.object.as_bytes(),
            self.record.as_bytes(),
        ];
        self.erased.unwrap_or_else(|| digest(&parts))
    }
}

/// A hash over parts with their lengths, so that no two lists of parts read alike.
fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut bytes = Vec::new();
    for part in parts {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part);
    }
    sha256(&bytes)
}

pub(crate) fn head(tx: &mut Tx<'_>, tenant: &TenantId) -> Result<Option<Head>, StoreError> {
    let row = tx.one(
        "SELECT sequence, hash, first_kept, before_first, signed_sequence, signed_first FROM audit_heads \
         WHERE tenant_id = $1",
        values![tenant.as_str()],
    )?;
    let read = |row: &Row| {
        Ok(Head {
            sequence: row.int(0)?,
            hash: row.digest(1)?,
            first_kept: row.int(2)?,
            before_first: row.digest(3)?,
            signed_sequence: row.int(4)?,
            signed_first: row.int(5)?,
        })
    };
    row.as_ref().map(read).transpose()
}

pub(crate) fn tenant(row: &Row, column: usize) -> Result<TenantId, StoreError> {
    TenantId::parse(row.text(column)?).ok_or_else(|| StoreError::damaged("a row names no tenant"))
}
