//! SQLite: one writer thread that commits in groups, and a read-only connection for each thread that reads.
//! How a file is found, checked and prepared is in `sqlite_file.rs`.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, ErrorCode};

use crate::error::StoreError;
use crate::job::Job;
use crate::sql::{Row, Tx, Value};
use crate::sqlite_file;

/// How many verbs share one commit, and so one wait for the disk.
const GROUP: usize = 64;

/// A file with its writer thread. Dropping it finishes what is queued.
pub(crate) struct Sqlite {
    path: PathBuf,
    jobs: Option<SyncSender<Job>>,
    writer: Option<JoinHandle<()>>,
    /// Tells readers of other threads that their connection may go.
    alive: Arc<()>,
}

impl Sqlite {
    pub(crate) fn start(
        path: PathBuf,
        connection: Connection,
        queue: usize,
    ) -> Result<Self, StoreError> {
        let (jobs, waiting) = sync_channel(queue);
        let writer = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || serve(&connection, &waiting))
            .map_err(StoreError::failed)?;
        Ok(Self {
            path,
            jobs: Some(jobs),
            writer: Some(writer),
            alive: Arc::new(()),
        })
    }

    pub(crate) fn submit(&self, job: Job) -> Result<(), StoreError> {
        let Some(jobs) = &self.jobs else {
            return Err(StoreError::failed("the store is closed"));
        };
        jobs.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => StoreError::Busy,
            TrySendError::Disconnected(_) => StoreError::failed("the store's writer has ended"),
        })
    }

    /// Reads on the calling thread: a point read takes less than a change of threads would (design §5).
    pub(crate) fn read<T>(
        &self,
        verb: impl Fn(&mut Tx<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let key = Arc::as_ptr(&self.alive).addr();
        let reader = match READERS.with_borrow_mut(|readers| readers.remove(&key)) {
            Some(reader) if reader.store.upgrade().is_some() => reader,
            Some(_) | None => self.new_reader()?,
        };
        let result = verb(&mut Tx::Sqlite(SqliteTx::new(&reader.connection)));
        READERS.with_borrow_mut(|readers| readers.insert(key, reader));
        result
    }

    fn new_reader(&self) -> Result<Reader, StoreError> {
        READERS
            .with_borrow_mut(|readers| readers.retain(|_, reader| reader.store.strong_count() > 0));
        let connection = sqlite_file::reader(&self.path)?;
        Ok(Reader {
            connection,
            store: Arc::downgrade(&self.alive),
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(writer) = self.writer.take()
            && writer.thread().id() != std::thread::current().id()
            && writer.join().is_err()
        {
            tracing::error!("the store's writer panicked");
        }
    }
}

struct Reader {
    connection: Connection,
    store: Weak<()>,
}

thread_local! {
    static READERS: RefCell<HashMap<usize, Reader>> = RefCell::new(HashMap::new());
}

fn serve(connection: &Connection, waiting: &Receiver<Job>) {
    let mut group = Vec::with_capacity(GROUP);
    while let Ok(first) = waiting.recv() {
        group.push(first);
        group.extend(waiting.try_iter().take(GROUP - 1));
        let results = match run_group(connection, &mut group) {
            Ok(results) => results,
            Err(error) => {
                if !connection.is_autocommit() {
                    let _ = connection.execute_batch("ROLLBACK");
                }
                vec![Err(error); group.len()]
            }
        };
        for (job, result) in group.drain(..).zip(results) {
            job.answer(result);
        }
    }
    // So that the file alone is the whole database when nobody has it open.
    if let Err(error) = connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)") {
        tracing::warn!(%error, "the write-ahead log could not be folded into the database");
    }
}

/// Runs the verbs and commits them together. An `Err` is the fate of all of them.
///
/// A verb fails only when the machinery does, so all of them run in one transaction first; a savepoint copies every page
/// that is touched after it. When one has failed, the transaction is undone and each verb runs once more, in a savepoint of
/// its own.
fn run_group(
    connection: &Connection,
    group: &mut [Job],
) -> Result<Vec<Result<(), StoreError>>, StoreError> {
    begin(connection)?;
    let together = group.iter_mut().try_for_each(|job| run(connection, job));
    let mut results = match together {
        Ok(()) => vec![Ok(()); group.len()],
        Err(_) => run_apart(connection, group)?,
    };
    if results.iter().all(Result::is_err) {
        roll_back(connection)?;
        return Ok(results);
    }
    // Frames may have reached the disk before the error: nobody can say what a restart will find.
    small(connection, "COMMIT").map_err(|error| StoreError::Unknown(error.to_string()))?;
    for (job, result) in group.iter().zip(&mut results) {
        if result.is_ok() {
            *result = job.fault_after_commit();
        }
    }
    Ok(results)
}

fn begin(connection: &Connection) -> Result<(), StoreError> {
    connection
        .execute_batch("BEGIN IMMEDIATE")
        .map_err(|error| match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy) => StoreError::Busy,
            _ => StoreError::failed(error),
        })
}

fn roll_back(connection: &Connection) -> Result<(), StoreError> {
    if connection.is_autocommit() {
        return Ok(());
    }
    small(connection, "ROLLBACK")
}

/// Starts the transaction anew, and keeps the failure of one verb from its neighbours.
fn run_apart(
    connection: &Connection,
    group: &mut [Job],
) -> Result<Vec<Result<(), StoreError>>, StoreError> {
    roll_back(connection)?;
    begin(connection)?;
    group
        .iter_mut()
        .map(|job| run_in_savepoint(connection, job))
        .collect()
}

fn run(connection: &Connection, job: &mut Job) -> Result<(), StoreError> {
    job.run(&mut Tx::Sqlite(SqliteTx::new(connection)))?;
    job.fault_before_commit()
}

fn run_in_savepoint(
    connection: &Connection,
    job: &mut Job,
) -> Result<Result<(), StoreError>, StoreError> {
    small(connection, "SAVEPOINT verb")?;
    let result = run(connection, job);
    if connection.is_autocommit() {
        // A full disk or a failing one ends the whole transaction, and the verbs before this one with it.
        return Err(StoreError::failed("the database rolled the group back"));
    }
    if result.is_err() {
        small(connection, "ROLLBACK TO verb")?;
    }
    small(connection, "RELEASE verb")?;
    Ok(result)
}

fn small(connection: &Connection, sql: &'static str) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(sql).map_err(StoreError::failed)?;
    statement.execute([]).map(drop).map_err(StoreError::failed)
}

/// The SQLite side of [`Tx`].
pub struct SqliteTx<'a> {
    connection: &'a Connection,
    pub(crate) broken: bool,
}

impl<'a> SqliteTx<'a> {
    pub(crate) fn new(connection: &'a Connection) -> Self {
        Self {
            connection,
            broken: false,
        }
    }

    pub(crate) fn run(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> Result<u64, StoreError> {
        let result = bound(self.connection, sql, values)
            .and_then(|mut statement| statement.raw_execute().map_err(StoreError::failed));
        self.note(result)
            .map(|count| u64::try_from(count).unwrap_or(0))
    }

    pub(crate) fn each(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
        take: &mut dyn FnMut(Row),
    ) -> Result<(), StoreError> {
        let result = bound(self.connection, sql, values).and_then(|mut statement| {
            let columns = statement.column_count();
            let mut rows = statement.raw_query();
            while let Some(row) = rows.next().map_err(StoreError::failed)? {
                take(read_row(row, columns)?);
            }
            Ok(())
        });
        self.note(result)
    }

    /// Runs several statements without values, as a migration does.
    pub(crate) fn batch(&mut self, sql: &'static str) -> Result<(), StoreError> {
        let result = self
            .connection
            .execute_batch(sql)
            .map_err(StoreError::failed);
        self.note(result)
    }

    fn note<T>(&mut self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        self.broken |= result.is_err();
        result
    }
}

/// SQLite numbers `$2 … $1` by first appearance, so every placeholder is bound by the number in its name.
fn bound<'c>(
    connection: &'c Connection,
    sql: &'static str,
    values: &[Value<'_>],
) -> Result<CachedStatement<'c>, StoreError> {
    let mut statement = connection.prepare_cached(sql).map_err(StoreError::failed)?;
    let count = statement.parameter_count();
    if count != values.len() {
        return Err(StoreError::failed(format!(
            "{count} placeholders, {} values: {sql}",
            values.len()
        )));
    }
    for place in 1..=count {
        let value = statement
            .parameter_name(place)
            .and_then(|name| {
                name.strip_prefix('$')?
                    .parse::<usize>()
                    .ok()?
                    .checked_sub(1)
            })
            .and_then(|number| values.get(number))
            .ok_or_else(|| StoreError::failed(format!("placeholders are $1 to ${count}: {sql}")))?;
        statement
            .raw_bind_parameter(place, value)
            .map_err(StoreError::failed)?;
    }
    Ok(statement)
}

impl rusqlite::ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(value) => ValueRef::Integer(*value),
            Self::Text(value) => ValueRef::Text(value.as_bytes()),
            Self::Bytes(value) => ValueRef::Blob(value),
            Self::Id(value) => ValueRef::Blob(value),
        }))
    }
}

fn read_row(row: &rusqlite::Row<'_>, columns: usize) -> Result<Row, StoreError> {
    let mut values = Vec::with_capacity(columns);
    for column in 0..columns {
        values.push(match row.get_ref(column).map_err(StoreError::failed)? {
            ValueRef::Null => Value::Null,
            ValueRef::Integer(value) => Value::Int(value),
            ValueRef::Text(value) => {
                let text = std::str::from_utf8(value).map_err(StoreError::damaged)?;
                Value::Text(text.to_owned().into())
            }
            ValueRef::Blob(value) => Value::Bytes(value.to_owned().into()),
            ValueRef::Real(_) => {
                return Err(StoreError::damaged(format!(
                    "column {column} is a fraction"
                )));
            }
        });
    }
    Ok(Row::new(values))
}
