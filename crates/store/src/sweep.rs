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

/// How many rows of a table one step deletes.
const BATCH: u32 = 500;

/// Where the walk over the grants has come to. Losing it only means to begin again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SweepCursor(Option<(String, GrantId)>);

/// What one step did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Swept {
    pub deleted: u64,
    /// Whether another step at once would find more.
    pub more: bool,
    pub cursor: SweepCursor,
}

impl Store {
    /// Does one bounded step. Repeat while there is `more`, then rest for a minute.
    pub async fn sweep(&self, cursor: SweepCursor, now: Timestamp) -> Result<Swept, StoreError> {
        let before = now.minus(MARGIN);
        let expired = self.write(move |tx| sweep_expired(tx, before)).await?;
        let walk = self
            .write(move |tx| sweep_grants(tx, &cursor, before))
            .await?;
        Ok(Swept {
            deleted: expired.deleted + walk.deleted,
            more: expired.more || walk.more,
            cursor: walk.cursor,
        })
    }
}

fn sweep_expired(tx: &mut Tx<'_>, before: Timestamp) -> Result<Swept, StoreError> {
    let mut swept = Swept {
        deleted: 0,
        more: false,
        cursor: SweepCursor::default(),
    };
    bury_sessions(tx, before)?;
    for sql in [
        "DELETE FROM interactions WHERE (tenant_id, id) IN \
         (SELECT tenant_id, id FROM interactions WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)",
        "DELETE FROM sessions WHERE (tenant_id, id) IN \
         (SELECT tenant_id, id FROM sessions WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)",
        "DELETE FROM devices WHERE (tenant_id, id) IN \
         (SELECT tenant_id, id FROM devices WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)",
        "DELETE FROM links WHERE (tenant_id, id) IN \
         (SELECT tenant_id, id FROM links WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)",
        "DELETE FROM replay WHERE (tenant_id, kind, client_id, value) IN \
         (SELECT tenant_id, kind, client_id, value FROM replay WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)",
        "DELETE FROM cuts WHERE (tenant_id, kind, target) IN \
         (SELECT tenant_id, kind, target FROM cuts WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)",
        "DELETE FROM throttle WHERE (tenant_id, bucket) IN \
         (SELECT tenant_id, bucket FROM throttle WHERE full_at < $1 LIMIT $2)",
    ] {
        let count = tx.run(sql, values![before, BATCH])?;
        swept.deleted += count;
        swept.more |= count == u64::from(BATCH);
    }
    Ok(swept)
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

/// Walks the grants in the order of their key instead of keeping an index of their ends, which every rotation would move.
fn sweep_grants(
    tx: &mut Tx<'_>,
    cursor: &SweepCursor,
    before: Timestamp,
) -> Result<Swept, StoreError> {
    let start = (String::new(), RowId::from_bytes([0; 16]));
    let (tenant, id) = cursor.0.as_ref().unwrap_or(&start);
    let rows = tx.all(
        "SELECT tenant_id, id, keep_until FROM grants WHERE (tenant_id, id) > ($1, $2) \
         ORDER BY tenant_id, id LIMIT $3",
        values![tenant.as_str(), *id, BATCH],
    )?;
    let mut deleted = 0;
    for row in &rows {
        if row.time(2)? < before {
            deleted += tx.run(
                "DELETE FROM grants WHERE tenant_id = $1 AND id = $2 AND keep_until < $3",
                values![row.text(0)?, row.id(1)?, before],
            )?;
        }
    }
    let place = |row: &Row| Ok::<_, StoreError>((row.text(0)?.to_owned(), row.id(1)?));
    let more = rows.len() == BATCH as usize;
    let cursor = if more {
        rows.last().map(place).transpose()?
    } else {
        None
    };
    Ok(Swept {
        deleted,
        more,
        cursor: SweepCursor(cursor),
    })
}
