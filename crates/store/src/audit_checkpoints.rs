//! Checkpoints (SEC-431) and what they allow to be forgotten (SEC-434): a signed statement of where the chain stands, and
//! where what is kept of it begins. Records go only once a checkpoint says that they are gone.

use jeton_protocol::tenant::TenantId;
use jeton_token::base64url;
use jeton_token::signing_key::{JwtType, SigningKey};
use jeton_token::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Store;
use crate::audit_chain::{self, Head, head};
use crate::error::StoreError;
use crate::sql::{Row, Tx, values};

/// How many rows one step deletes.
const BATCH: u32 = 500;

/// How many tenants one look finds.
const TENANTS: u32 = 100;

const DAY_MILLIS: i64 = 24 * 60 * 60 * 1000;

/// What a checkpoint says. Hashes are base64url, times seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    pub tenant: String,
    /// The place of the last record it covers.
    pub sequence: i64,
    pub hash: String,
    /// The place of the first record that is kept.
    pub first: i64,
    /// The hash of the record before that one.
    pub before_first: String,
    pub iat: i64,
}

/// A checkpoint as stored: a JWT of type `audit-checkpoint+jwt`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    pub sequence: i64,
    pub jws: String,
}

/// Which records and checkpoints are too old to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Records before this go; none when it is absent.
    pub records_before: Option<Timestamp>,
    /// Of the checkpoints before this one a day stays.
    pub checkpoints_before: Timestamp,
}

impl Store {
    /// Some of the tenants behind `after` whose newest checkpoint does not say where the chain stands.
    pub async fn unsigned_audit_tenants(&self, after: &str) -> Result<Vec<TenantId>, StoreError> {
        let after = after.to_owned();
        self.read(move |tx| {
            let rows = tx.all(
                "SELECT tenant_id FROM audit_heads WHERE tenant_id > $1 \
                 AND (signed_sequence <> sequence OR signed_first <> first_kept) ORDER BY tenant_id LIMIT $2",
                values![after.as_str(), TENANTS],
            )?;
            rows.iter().map(|row| audit_chain::tenant(row, 0)).collect()
        })
        .await
    }

    /// Some of the tenants behind `after` that have a chain.
    pub async fn audited_tenants(&self, after: &str) -> Result<Vec<TenantId>, StoreError> {
        let after = after.to_owned();
        self.read(move |tx| {
            let rows = tx.all(
                "SELECT tenant_id FROM audit_heads WHERE tenant_id > $1 ORDER BY tenant_id LIMIT $2",
                values![after.as_str(), TENANTS],
            )?;
            rows.iter().map(|row| audit_chain::tenant(row, 0)).collect()
        })
        .await
    }

    /// Signs where the chain stands now. The key is one for this alone.
    pub async fn sign_audit(
        &self,
        tenant: &TenantId,
        key: &SigningKey,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let owner = tenant.clone();
        let Some(head) = self.read(move |tx| head(tx, &owner)).await? else {
            return Ok(());
        };
        let jws = key.sign_jwt(JwtType::AuditCheckpoint, &statement(tenant, &head, now));
        let jws = jws.map_err(StoreError::failed)?;
        let owner = tenant.clone();
        self.write(move |tx| {
            tx.run(
                "INSERT INTO audit_checkpoints (tenant_id, sequence, at, jws) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (tenant_id, sequence) DO UPDATE SET at = excluded.at, jws = excluded.jws",
                values![owner.as_str(), head.sequence, now, jws.as_str()],
            )?;
            tx.run(
                "UPDATE audit_heads SET signed_sequence = $2, signed_first = $3 WHERE tenant_id = $1 \
                 AND signed_sequence <= $2 AND signed_first <= $3",
                values![owner.as_str(), head.sequence, head.first_kept],
            )
            .map(drop)
        })
        .await
    }

    /// The checkpoints from `sequence` on, in order.
    pub async fn audit_checkpoints(
        &self,
        tenant: &TenantId,
        sequence: i64,
        limit: u32,
    ) -> Result<Vec<Checkpoint>, StoreError> {
        let tenant = tenant.clone();
        self.read(move |tx| {
            let rows = tx.all(
                "SELECT sequence, jws FROM audit_checkpoints WHERE tenant_id = $1 AND sequence >= $2 \
                 ORDER BY sequence LIMIT $3",
                values![tenant.as_str(), sequence, limit],
            )?;
            rows.iter().map(read).collect()
        })
        .await
    }

    /// The checkpoint that covers the most.
    pub async fn newest_audit_checkpoint(
        &self,
        tenant: &TenantId,
    ) -> Result<Option<Checkpoint>, StoreError> {
        let tenant = tenant.clone();
        self.read(move |tx| {
            let row = tx.one(
                "SELECT sequence, jws FROM audit_checkpoints WHERE tenant_id = $1 ORDER BY sequence DESC LIMIT 1",
                values![tenant.as_str()],
            )?;
            row.as_ref().map(read).transpose()
        })
        .await
    }

    /// Does one bounded step of forgetting; tells whether another one at once would find more.
    ///
    /// What a step moves the beginning over goes only after the next checkpoint has said so.
    pub async fn forget_audit(
        &self,
        tenant: &TenantId,
        retention: Retention,
    ) -> Result<bool, StoreError> {
        let tenant = tenant.clone();
        self.write(move |tx| {
            if let Some(before) = retention.records_before {
                move_beginning(tx, &tenant, before)?;
            }
            thin(tx, &tenant, retention.checkpoints_before)?;
            delete_forgotten(tx, &tenant)
        })
        .await
    }
}

fn read(row: &Row) -> Result<Checkpoint, StoreError> {
    Ok(Checkpoint {
        sequence: row.int(0)?,
        jws: row.text(1)?.to_owned(),
    })
}

fn statement(tenant: &TenantId, head: &Head, now: Timestamp) -> Statement {
    Statement {
        tenant: tenant.as_str().to_owned(),
        sequence: head.sequence,
        hash: base64url::encode(&head.hash),
        first: head.first_kept,
        before_first: base64url::encode(&head.before_first),
        iat: now.seconds(),
    }
}

/// Everything up to a checkpoint is at least as old as the checkpoint.
fn move_beginning(tx: &mut Tx<'_>, tenant: &TenantId, before: Timestamp) -> Result<(), StoreError> {
    tx.run(
        "UPDATE audit_heads SET first_kept = a.sequence + 1, before_first = a.hash FROM audit a \
         WHERE audit_heads.tenant_id = $1 AND a.tenant_id = $1 AND a.sequence >= audit_heads.first_kept \
         AND a.sequence = (SELECT MAX(c.sequence) FROM audit_checkpoints c WHERE c.tenant_id = $1 AND c.at < $2)",
        values![tenant.as_str(), before],
    )
    .map(drop)
}

fn thin(tx: &mut Tx<'_>, tenant: &TenantId, before: Timestamp) -> Result<(), StoreError> {
    tx.run(
        "DELETE FROM audit_checkpoints WHERE tenant_id = $1 AND sequence IN (SELECT c.sequence FROM audit_checkpoints c \
         WHERE c.tenant_id = $1 AND c.at < $2 AND EXISTS (SELECT 1 FROM audit_checkpoints l WHERE l.tenant_id = $1 \
         AND l.sequence > c.sequence AND l.at < $2 AND l.at / $3 = c.at / $3) ORDER BY c.sequence LIMIT $4)",
        values![tenant.as_str(), before, DAY_MILLIS, BATCH],
    )
    .map(drop)
}

fn delete_forgotten(tx: &mut Tx<'_>, tenant: &TenantId) -> Result<bool, StoreError> {
    let mut more = false;
    for sql in [
        "DELETE FROM audit WHERE tenant_id = $1 AND sequence IN (SELECT a.sequence FROM audit a, audit_heads h \
         WHERE a.tenant_id = $1 AND h.tenant_id = $1 AND a.sequence < h.signed_first ORDER BY a.sequence LIMIT $2)",
        "DELETE FROM audit_checkpoints WHERE tenant_id = $1 AND sequence IN (SELECT c.sequence FROM audit_checkpoints c, \
         audit_heads h WHERE c.tenant_id = $1 AND h.tenant_id = $1 AND c.sequence < h.signed_first \
         AND c.sequence < h.signed_sequence ORDER BY c.sequence LIMIT $2)",
    ] {
        more |= tx.run(sql, values![tenant.as_str(), BATCH])? == u64::from(BATCH);
    }
    Ok(more)
}
