//! Sweeping: rows nothing could misuse any more are deleted, oldest first, a bounded batch at a time.

use std::time::Duration;

use jeton_protocol::grant::GrantId;
use jeton_token::row_id::RowId;
use jeton_token::timestamp::Timestamp;

use crate::Store;
use crate::error::StoreError;
use crate::sql::{Row, Tx, values};

/// Rows stay this long after their end, for nodes whose clocks differ.
const MARGIN: Duration = Duration::from_secs(120);

/// How many rows of a table one verb deletes. What waits behind it waits no longer than for any other verb.
const BATCH: u32 = 500;

/// How many rows one step of a walk looks at.
const WALK: u32 = 2000;

/// Where the walks over grants and counters have come to. Losing it only means to begin again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SweepCursor {
    grants: Option<(String, GrantId)>,
    counters: Option<(String, String)>,
}

/// What one step did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Swept {
    pub deleted: u64,
    /// Whether another step at once would find more.
    pub more: bool,
    pub cursor: SweepCursor,
}

type Verb = fn(&mut Tx<'_>, Timestamp) -> Result<u64, StoreError>;

/// Tables whose rows carry their own end, and have an index of it.
const EXPIRED: [Verb; 7] = [
    |tx, before| {
        tx.run(
            "DELETE FROM interactions WHERE (tenant_id, id) IN \
             (SELECT tenant_id, id FROM interactions WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)",
            values![before, BATCH],
        )
    },
    |tx, before| {
        bury_sessions(tx, before)?;
        tx.run(
            "DELETE FROM sessions WHERE (tenant_id, id) IN \
             (SELECT tenant_id, id FROM sessions WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)",
            values![before, BATCH],
        )
    },
    |tx, before| {
        tx.run(
            "DELETE FROM pushed_requests WHERE (tenant_id, id) IN \
             (SELECT tenant_id, id FROM pushed_requests WHERE keep_until < $1 ORDER BY keep_until LIMIT $2)",
            values![before, BATCH],
        )
    },
    |tx, before| {
        tx.run(
            "DELETE FROM devices WHERE (tenant_id, id) IN \
             (SELECT tenant_id, id FROM devices WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)",
            values![before, BATCH],
        )
    },
    |tx, before| {
        tx.run(
            "DELETE FROM links WHERE (tenant_id, id) IN \
             (SELECT tenant_id, id FROM links WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)",
            values![before, BATCH],
        )
    },
    |tx, before| {
        tx.run(
            "DELETE FROM replay WHERE (tenant_id, kind, client_id, value) IN \
             (SELECT tenant_id, kind, client_id, value FROM replay WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)",
            values![before, BATCH],
        )
    },
    |tx, before| {
        tx.run(
            "DELETE FROM cuts WHERE (tenant_id, kind, target) IN \
             (SELECT tenant_id, kind, target FROM cuts WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)",
            values![before, BATCH],
        )
    },
];

impl Store {
    /// Does one step: of each table at most one batch, each a verb of its own. Repeat while there is `more`: at once while
    /// something was deleted, else after a rest, because then it only walks.
    pub async fn sweep(&self, cursor: SweepCursor, now: Timestamp) -> Result<Swept, StoreError> {
        let before = now.minus(MARGIN);
        let (mut deleted, mut more) = (0, false);
        for verb in EXPIRED {
            let count = self.write(move |tx| verb(tx, before)).await?;
            deleted += count;
            more |= count == u64::from(BATCH);
        }
        let (count, grants) = self.sweep_grants(cursor.grants, before).await?;
        deleted += count;
        let (count, counters) = self.sweep_counters(cursor.counters, before).await?;
        deleted += count;
        Ok(Swept {
            deleted,
            more: more || grants.is_some() || counters.is_some(),
            cursor: SweepCursor { grants, counters },
        })
    }

    /// Walks the grants in the order of their key instead of keeping an index of their ends, which every rotation would move.
    async fn sweep_grants(
        &self,
        after: Option<(String, GrantId)>,
        before: Timestamp,
    ) -> Result<(u64, Option<(String, GrantId)>), StoreError> {
        let start = || (String::new(), RowId::from_bytes([0; 16]));
        let (tenant, id) = after.unwrap_or_else(start);
        let rows = self
            .read(move |tx| {
                tx.all(
                    "SELECT tenant_id, id, keep_until FROM grants WHERE (tenant_id, id) > ($1, $2) \
                     ORDER BY tenant_id, id LIMIT $3",
                    values![tenant.as_str(), id, WALK],
                )
            })
            .await?;
        let place = |row: &Row| Ok::<_, StoreError>((row.text(0)?.to_owned(), row.id(1)?));
        let (over, next) = over(&rows, (2, before), place)?;
        let mut deleted = 0;
        for batch in over.chunks(BATCH as usize) {
            let batch = batch.to_vec();
            deleted += self
                .write(move |tx| {
                    let mut deleted = 0;
                    for (tenant, id) in &batch {
                        deleted += tx.run(
                            "DELETE FROM grants WHERE tenant_id = $1 AND id = $2 AND keep_until < $3",
                            values![tenant.as_str(), *id, before],
                        )?;
                    }
                    Ok(deleted)
                })
                .await?;
        }
        Ok((deleted, next))
    }

    /// As the grants: a counter's end moves with each charge.
    async fn sweep_counters(
        &self,
        after: Option<(String, String)>,
        before: Timestamp,
    ) -> Result<(u64, Option<(String, String)>), StoreError> {
        let (tenant, bucket) = after.unwrap_or_default();
        let rows = self
            .read(move |tx| {
                tx.all(
                    "SELECT tenant_id, bucket, full_at FROM throttle WHERE (tenant_id, bucket) > ($1, $2) \
                     ORDER BY tenant_id, bucket LIMIT $3",
                    values![tenant.as_str(), bucket.as_str(), WALK],
                )
            })
            .await?;
        let place =
            |row: &Row| Ok::<_, StoreError>((row.text(0)?.to_owned(), row.text(1)?.to_owned()));
        let (over, next) = over(&rows, (2, before), place)?;
        let mut deleted = 0;
        for batch in over.chunks(BATCH as usize) {
            let batch = batch.to_vec();
            deleted += self
                .write(move |tx| {
                    let mut deleted = 0;
                    for (tenant, bucket) in &batch {
                        deleted += tx.run(
                            "DELETE FROM throttle WHERE tenant_id = $1 AND bucket = $2 AND full_at < $3",
                            values![tenant.as_str(), bucket.as_str(), before],
                        )?;
                    }
                    Ok(deleted)
                })
                .await?;
        }
        Ok((deleted, next))
    }
}

/// The keys of the rows whose end is over, and the last key when there may be more rows.
fn over<K: Clone>(
    rows: &[Row],
    (end, before): (usize, Timestamp),
    key: impl Fn(&Row) -> Result<K, StoreError>,
) -> Result<(Vec<K>, Option<K>), StoreError> {
    let mut over = Vec::new();
    for row in rows {
        if row.time(end)? < before {
            over.push(key(row)?);
        }
    }
    let more = rows.len() == WALK as usize;
    let last = rows.last().filter(|_| more);
    Ok((over, last.map(key).transpose()?))
}

/// Marks the grants of ended sessions before the sessions go: one may have been approved in the moment its session ended,
/// and has been held back by the row of the session alone.
fn bury_sessions(tx: &mut Tx<'_>, before: Timestamp) -> Result<(), StoreError> {
    let rows = tx.all(
        "SELECT tenant_id, id, ended_at FROM sessions WHERE expires_at < $1 ORDER BY expires_at LIMIT $2",
        values![before, BATCH],
    )?;
    for row in &rows {
        if let Some(ended_at) = row.maybe_time(2)? {
            tx.run(
                "UPDATE grants SET revoked_at = $3 WHERE tenant_id = $1 AND session_id = $2 AND offline = 0 \
                 AND revoked_at IS NULL",
                values![row.text(0)?, row.id(1)?, ended_at],
            )?;
        }
    }
    Ok(())
}
