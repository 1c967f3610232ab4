//! Pushed authorization requests. Opening one changes nothing; the answer to it spends it, in the transaction that makes the
//! answer (`grants.rs:approve`, `interactions.rs:close_interaction`), so that of any number of sign-ins one is answered.

use jeton_protocol::authorize::pushed::{PushedRequest, PushedRequestId};
use jeton_protocol::tenant::TenantId;
use jeton_token::timestamp::Timestamp;

use crate::Store;
use crate::error::StoreError;
use crate::interactions::Trimmed;
use crate::sql::{Row, Tx, record, values};

impl Store {
    /// Keeps a request until nothing that came of it can be answered any more.
    pub async fn push_request(
        &self,
        tenant: &TenantId,
        pushed: PushedRequest,
        keep_until: Timestamp,
    ) -> Result<(), StoreError> {
        let tenant = tenant.clone();
        self.write(move |tx| {
            tx.run(
                "INSERT INTO pushed_requests (tenant_id, id, expires_at, keep_until, record) VALUES ($1, $2, $3, $4, $5)",
                values![tenant.as_str(), pushed.id, pushed.expires_at, keep_until, record(&pushed)?],
            )
            .map(drop)
        })
        .await
    }

    /// An expired or used one is found too: what to say about it is not decided here.
    pub async fn pushed_request(
        &self,
        tenant: &TenantId,
        id: PushedRequestId,
    ) -> Result<Option<PushedRequest>, StoreError> {
        let tenant = tenant.clone();
        self.read(move |tx| {
            let row = tx.one(
                "SELECT record, used_at FROM pushed_requests WHERE tenant_id = $1 AND id = $2",
                values![tenant.as_str(), id],
            )?;
            let Some(row) = row else { return Ok(None) };
            let mut pushed: PushedRequest = row.record(0)?;
            pushed.used_at = row.maybe_time(1)?;
            Ok(Some(pushed))
        })
        .await
    }

    /// Makes room where a tenant has more than `most` requests: the oldest go that were not answered, and when there are none
    /// of those, the oldest. See decision 0016.
    pub async fn trim_pushed_requests(&self, most: u32) -> Result<Trimmed, StoreError> {
        self.trim(most, crowded, make_room).await
    }
}

fn crowded(tx: &mut Tx<'_>, most: u32) -> Result<Vec<Row>, StoreError> {
    tx.all(
        "SELECT tenant_id, COUNT(*) FROM pushed_requests GROUP BY tenant_id HAVING COUNT(*) > $1 \
         ORDER BY tenant_id",
        values![most],
    )
}

fn make_room(tx: &mut Tx<'_>, tenant: &str, count: u32) -> Result<u64, StoreError> {
    tx.run(
        "DELETE FROM pushed_requests WHERE (tenant_id, id) IN (SELECT tenant_id, id FROM pushed_requests \
         WHERE tenant_id = $1 ORDER BY CASE WHEN used_at IS NULL THEN 0 ELSE 1 END, id LIMIT $2)",
        values![tenant, count],
    )
}

/// Marks the request as answered, if it is not yet. Its expiry is no condition: what it began in time may end later.
pub(crate) fn spend(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    id: PushedRequestId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let count = tx.run(
        "UPDATE pushed_requests SET used_at = $3 WHERE tenant_id = $1 AND id = $2 AND used_at IS NULL",
        values![tenant.as_str(), id, now],
    )?;
    Ok(count == 1)
}
