//! Numbered steps from an empty database to the schema of this program. One text for both databases, applied under a lock,
//! remembered with its checksum.

use jeton_token::secret::sha256;
use jeton_token::timestamp::Timestamp;
use rusqlite::Connection;

use crate::error::StoreError;
use crate::postgres;
use crate::postgres_link::Link;
use crate::sql::{Tx, values};
use crate::sqlite::SqliteTx;

/// A step is never edited once released: a database remembers its checksum.
struct Migration {
    number: i64,
    name: &'static str,
    sql: &'static str,
}

const MIGRATIONS: &[Migration] = &[
    Migration {
        number: 1,
        name: "base",
        sql: include_str!("../migrations/0001_base.sql"),
    },
    Migration {
        number: 2,
        name: "audit",
        sql: include_str!("../migrations/0002_audit.sql"),
    },
    Migration {
        number: 7,
        name: "pushed_requests",
        sql: include_str!("../migrations/0007_pushed_requests.sql"),
    },
    Migration {
        number: 8,
        name: "devices",
        sql: include_str!("../migrations/0008_devices.sql"),
    },
];

const LEDGER: &str = "CREATE TABLE migrations (number BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, \
                      checksum BYTEA NOT NULL, applied_at BIGINT NOT NULL)";

/// Brings a SQLite database up to date; a second process waits and finds nothing left to do (SEC-334).
pub(crate) fn migrate_sqlite(connection: &Connection, now: Timestamp) -> Result<(), StoreError> {
    connection
        .execute_batch("BEGIN IMMEDIATE")
        .map_err(StoreError::failed)?;
    let applied = apply(&mut Tx::Sqlite(SqliteTx::new(connection)), now);
    let end = if applied.is_ok() {
        "COMMIT"
    } else {
        "ROLLBACK"
    };
    connection.execute_batch(end).map_err(StoreError::failed)?;
    applied
}

/// Brings a PostgreSQL database up to date under an advisory lock.
pub(crate) fn migrate_postgres(link: &Link, now: Timestamp) -> Result<(), StoreError> {
    const LOCK: &str = "SELECT pg_advisory_xact_lock(7163098743217)";
    let migrate = |tx: &mut Tx<'_>| {
        tx.batch(LOCK)?;
        apply(tx, now)
    };
    apart(|| postgres::once(link, migrate))
}

/// Runs `work` on a thread of its own, because the client of PostgreSQL brings its own runtime.
fn apart<T: Send>(work: impl FnOnce() -> Result<T, StoreError> + Send) -> Result<T, StoreError> {
    let ended = std::thread::scope(|scope| scope.spawn(work).join());
    ended.unwrap_or_else(|_| Err(StoreError::failed("the migration panicked")))
}

/// How many steps this program knows.
pub(crate) const fn known() -> usize {
    MIGRATIONS.len()
}

/// How many steps a PostgreSQL database has seen, without changing it.
pub(crate) fn inspect_postgres(link: &Link) -> Result<usize, StoreError> {
    let inspect = |tx: &mut Tx<'_>| {
        if has_ledger(tx)? { applied(tx) } else { Ok(0) }
    };
    apart(|| postgres::once(link, inspect))
}

/// Whether an existing SQLite file may be used at all, and how many steps it has seen, without changing it (SEC-314).
pub(crate) fn inspect_sqlite(connection: &Connection) -> Result<usize, StoreError> {
    let mut tx = Tx::Sqlite(SqliteTx::new(connection));
    if has_ledger(&mut tx)? {
        return applied(&mut tx);
    }
    match tx.one(
        "SELECT name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' LIMIT 1",
        &[],
    )? {
        None => Ok(0),
        Some(_) => Err(StoreError::Refused("it belongs to another program".into())),
    }
}

fn apply(tx: &mut Tx<'_>, now: Timestamp) -> Result<(), StoreError> {
    if !has_ledger(tx)? {
        tx.batch(LEDGER)?;
    }
    let done = applied(tx)?;
    for step in MIGRATIONS.iter().skip(done) {
        tx.batch(step.sql)?;
        tx.run(
            "INSERT INTO migrations (number, name, checksum, applied_at) VALUES ($1, $2, $3, $4)",
            values![step.number, step.name, &sha256(step.sql.as_bytes()), now],
        )?;
        tracing::info!(
            number = step.number,
            name = step.name,
            "applied a migration"
        );
    }
    Ok(())
}

fn has_ledger(tx: &mut Tx<'_>) -> Result<bool, StoreError> {
    let sql = match tx {
        Tx::Sqlite(_) => {
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name = 'migrations'"
        }
        Tx::Postgres(_) => "SELECT 'migrations' WHERE to_regclass('migrations') IS NOT NULL",
    };
    Ok(tx.one(sql, &[])?.is_some())
}

/// How many steps the database has seen, after proof that they are exactly the first steps of this program.
fn applied(tx: &mut Tx<'_>) -> Result<usize, StoreError> {
    let rows = tx
        .all(
            "SELECT number, checksum FROM migrations ORDER BY number",
            &[],
        )
        .map_err(|_| {
            StoreError::Refused("its table `migrations` belongs to another program".into())
        })?;
    for (place, row) in rows.iter().enumerate() {
        let number = row.int(0)?;
        let Some(step) = MIGRATIONS.get(place) else {
            return Err(StoreError::Refused(format!(
                "it was written by a newer version (migration {number}; this program knows {})",
                MIGRATIONS.len()
            )));
        };
        if step.number != number || row.bytes(1).ok() != Some(&sha256(step.sql.as_bytes())[..]) {
            return Err(StoreError::Refused(format!(
                "its migration {number} is not the one of this program"
            )));
        }
    }
    Ok(rows.len())
}
