//! Grants, users, clients, sessions and cuts on SQLite or PostgreSQL. A verb is one transaction.
//!
//! What lives here: every SQL text, and every pair of changes that must become true together. What must not: rules of the
//! protocol, HTTP, clocks and luck (both are arguments). One file of verbs a noun; `sql`, `sqlite`, `postgres`, `migrate`
//! and `seal` are the thin floor under them.

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)
)]

pub mod audit;
pub mod audit_chain;
pub mod audit_checkpoints;
pub mod audit_erase;
pub mod audit_verify;
pub mod clients;
pub mod consents;
pub mod credentials;
mod cut_index;
pub mod cuts;
pub mod devices;
mod error;
pub mod grant_list;
pub mod grants;
pub mod interactions;
mod job;
pub mod keys;
pub mod leases;
pub mod links;
mod migrate;
mod postgres;
mod postgres_link;
mod postgres_tls;
mod postgres_tx;
pub mod pushed_requests;
pub mod refresh;
pub mod replay;
pub mod revocation;
pub mod seal;
pub mod sessions;
mod sql;
mod sqlite;
mod sqlite_file;
pub mod sweep;
pub mod tenants;
pub mod throttle;
pub mod users;
pub mod versions;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jeton_token::timestamp::Timestamp;

use crate::cut_index::CutIndex;
pub use crate::cut_index::Lineage;
pub use crate::error::StoreError;
pub use crate::job::Fault;
use crate::job::{Job, JobKind, Planned};
use crate::postgres::Postgres;
use crate::postgres_link::Link;
pub use crate::sql::{Row, Tx, Value};
use crate::sqlite::Sqlite;

/// A handle on the database. Clones share it; the last one to go finishes what is queued and closes it.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    database: Database,
    cuts: CutIndex,
    longest_access_token: Duration,
    planned: Mutex<Option<Planned>>,
    lock: Mutex<Option<File>>,
    /// Declared last: the folder goes after the database in it.
    _folder: Option<TemporaryFolder>,
}

enum Database {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    Sqlite {
        path: PathBuf,
    },
    /// A database that ends with the last handle: for `jeton dev` and for tests.
    SqliteMemory,
    /// `postgresql://…`
    Postgres {
        url: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// How many verbs may wait. One more is answered [`StoreError::Busy`].
    pub queue: usize,
    /// Connections to PostgreSQL.
    pub connections: usize,
    /// The ceiling of all access token lifetimes: how long a cut is remembered.
    pub longest_access_token: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            queue: 1024,
            connections: 16,
            longest_access_token: Duration::from_secs(24 * 60 * 60),
        }
    }
}

/// A part of a list: at most `limit` entries behind `after`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<K> {
    pub after: Option<K>,
    pub limit: u32,
}

/// What came of making something that has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    Inserted,
    /// The name is in use; nothing was changed.
    Taken,
}

/// What came of changing something that may not be there, or not be in the state the change needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    Changed,
    NotFound,
    /// The new name is in use; nothing was changed.
    Taken,
}

/// A record as it was read for a change. `changed_at` moves with every change, never twice to the same instant.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen<T> {
    pub record: T,
    pub changed_at: Timestamp,
}

/// What came of changing a record that was read before (SEC-244).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replaced {
    Replaced,
    NotFound,
    /// The new name is in use; nothing was changed.
    Taken,
    /// Somebody else changed it since it was read; nothing was changed now.
    Stale,
}

/// How far the schema of a database is, of the steps this program knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schema {
    pub done: usize,
    pub known: usize,
}

impl Schema {
    pub const fn is_current(self) -> bool {
        self.done == self.known
    }
}

/// How long an outcome is waited for. What is queued is done all the same, so the answer is "unknown" (SEC-309, SEC-339).
const PATIENCE: Duration = Duration::from_secs(20);

impl Store {
    /// Opens the database and brings its schema up to date. Blocks; done once, at start.
    ///
    /// A database that is damaged, belongs to another program or was written by a newer version is refused and left as it
    /// is (SEC-314).
    pub fn open(location: &Location, options: Options, now: Timestamp) -> Result<Self, StoreError> {
        let (database, folder) = match location {
            Location::Sqlite { path } => (open_sqlite(path.clone(), true, options, now)?, None),
            Location::SqliteMemory => {
                let folder = TemporaryFolder(sqlite_file::temporary_folder()?);
                let path = folder.0.join("jeton.db");
                (open_sqlite(path, false, options, now)?, Some(folder))
            }
            Location::Postgres { url } => {
                let link = Link::parse(url)?;
                migrate::migrate_postgres(&link, now).map_err(not_opened)?;
                (
                    Database::Postgres(Postgres::start(&link, options.connections, options.queue)?),
                    None,
                )
            }
        };
        Ok(Self::over(database, options, folder))
    }

    /// Opens an existing database to look at it: nothing is made and nothing brought up to date, and writing fails. What
    /// later steps of the schema bring cannot be read before they are done.
    pub fn look(location: &Location, options: Options) -> Result<(Self, Schema), StoreError> {
        let (database, done) = match location {
            Location::SqliteMemory => {
                return Err(StoreError::Refused(
                    "a database in memory ends with its process".into(),
                ));
            }
            Location::Sqlite { path } => {
                let (connection, done) = sqlite_file::look(path)?;
                let sqlite = Sqlite::start(path.clone(), connection, options.queue)?;
                (Database::Sqlite(sqlite), done)
            }
            Location::Postgres { url } => {
                let link = Link::parse(url)?;
                let done = migrate::inspect_postgres(&link).map_err(not_opened)?;
                let postgres = Postgres::start(&link, options.connections, options.queue)?;
                (Database::Postgres(postgres), done)
            }
        };
        let schema = Schema {
            done,
            known: migrate::known(),
        };
        Ok((Self::over(database, options, None), schema))
    }

    fn over(database: Database, options: Options, folder: Option<TemporaryFolder>) -> Self {
        Self(Arc::new(Inner {
            database,
            cuts: CutIndex::new(),
            longest_access_token: options.longest_access_token,
            planned: Mutex::new(None),
            lock: Mutex::new(None),
            _folder: folder,
        }))
    }

    /// Makes this process the one server of a SQLite file, until the store is closed. A second server is refused; tools of
    /// the command line do not ask. PostgreSQL serves many, so there is nothing to take.
    pub fn lock_exclusive(&self) -> Result<(), StoreError> {
        let Database::Sqlite(sqlite) = &self.0.database else {
            return Ok(());
        };
        let mut held = self.0.lock.lock().unwrap_or_else(PoisonError::into_inner);
        if held.is_none() {
            *held = Some(sqlite_file::lock(sqlite.path())?);
        }
        Ok(())
    }

    /// Writes a copy of a SQLite database, as one moment had it, to a new file only its owner can read. Blocks for as long as
    /// copying takes; the store goes on meanwhile. PostgreSQL has its own tools.
    pub fn back_up(&self, to: &Path) -> Result<(), StoreError> {
        match &self.0.database {
            Database::Sqlite(sqlite) => sqlite_file::back_up(sqlite.path(), to),
            Database::Postgres(_) => Err(StoreError::Refused(
                "back PostgreSQL up with pg_dump or pg_basebackup".into(),
            )),
        }
    }

    /// Runs `verb` as one transaction and answers once it is durable. Giving up the wait does not stop it.
    ///
    /// The closure may run more than once, each time on a database without its earlier tries.
    pub async fn write<T: Send + 'static>(
        &self,
        verb: impl Fn(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (mut job, answer) = Job::new(JobKind::Write, verb);
        job.fault = Planned::come(&mut self.planned());
        self.submit(job)?;
        wait(answer).await
    }

    /// Runs `verb` without changing anything. Each of its statements stands alone: what belongs together is one statement.
    pub async fn read<T: Send + 'static>(
        &self,
        verb: impl Fn(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        if let Database::Sqlite(sqlite) = &self.0.database {
            return sqlite.read(verb);
        }
        let (job, answer) = Job::new(JobKind::Read, verb);
        self.submit(job)?;
        wait(answer).await
    }

    /// Makes the next `write` fail, so that tests can see what its caller does then.
    #[doc(hidden)]
    pub fn fail_next(&self, fault: Fault) {
        self.fail_nth(0, fault);
    }

    /// Makes one `write` fail, after `before` others went well.
    #[doc(hidden)]
    pub fn fail_nth(&self, before: u32, fault: Fault) {
        *self.planned() = Some(Planned { before, fault });
    }

    /// Takes a planned failure back.
    #[doc(hidden)]
    pub fn fail_never(&self) {
        *self.planned() = None;
    }

    /// Whether a planned failure has still to come.
    #[doc(hidden)]
    pub fn fails_later(&self) -> bool {
        self.fails_after().is_some()
    }

    /// How many writes go well before the planned failure.
    #[doc(hidden)]
    pub fn fails_after(&self) -> Option<u32> {
        self.planned().map(|planned| planned.before)
    }

    fn planned(&self) -> MutexGuard<'_, Option<Planned>> {
        self.0
            .planned
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn longest_access_token(&self) -> Duration {
        self.0.longest_access_token
    }

    fn submit(&self, job: Job) -> Result<(), StoreError> {
        match &self.0.database {
            Database::Sqlite(sqlite) => sqlite.submit(job),
            Database::Postgres(postgres) => postgres.submit(job),
        }
    }
}

async fn wait<T>(
    answer: tokio::sync::oneshot::Receiver<Result<T, StoreError>>,
) -> Result<T, StoreError> {
    match tokio::time::timeout(PATIENCE, answer).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => Err(StoreError::Unknown(
            "the store ended before it answered".into(),
        )),
        Err(_) => Err(StoreError::Unknown(
            "the store did not answer in time".into(),
        )),
    }
}

/// A database that could not be reached was not opened either.
fn not_opened(error: StoreError) -> StoreError {
    match error {
        StoreError::Failed(reason) => StoreError::Refused(reason),
        StoreError::Busy
        | StoreError::Unknown(_)
        | StoreError::Damaged(_)
        | StoreError::Refused(_) => error,
    }
}

fn open_sqlite(
    path: PathBuf,
    durable: bool,
    options: Options,
    now: Timestamp,
) -> Result<Database, StoreError> {
    let connection = sqlite_file::writer(&path, durable)?;
    migrate::migrate_sqlite(&connection, now)?;
    Ok(Database::Sqlite(Sqlite::start(
        path,
        connection,
        options.queue,
    )?))
}

struct TemporaryFolder(PathBuf);

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(%error, "a temporary folder could not be removed");
        }
    }
}
