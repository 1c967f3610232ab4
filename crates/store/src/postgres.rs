//! PostgreSQL: connection threads that take verbs from one queue, and the rules for trying one again.
//! How a connection is made is in `postgres_link.rs`.

use std::collections::HashMap;
use std::error::Error as _;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::BytesMut;
use postgres::error::SqlState;
use postgres::types::{IsNull, ToSql, Type};
use postgres::{Client, Statement, Transaction};

use crate::error::StoreError;
use crate::job::{Job, JobKind};
use crate::postgres_link::Link;
use crate::sql::{Row, Tx, Value};

/// How often a verb is tried when the database asks for it to be tried again (SEC-425).
const ATTEMPTS: u32 = 8;

/// The connection threads. Dropping it finishes what is queued.
pub(crate) struct Postgres {
    jobs: Option<SyncSender<Job>>,
    threads: Vec<JoinHandle<()>>,
}

impl Postgres {
    pub(crate) fn start(link: &Link, connections: usize, queue: usize) -> Result<Self, StoreError> {
        let (jobs, waiting) = sync_channel(queue);
        let waiting = Arc::new(Mutex::new(waiting));
        let mut threads = Vec::with_capacity(connections);
        for number in 0..connections.max(1) {
            let mut worker = Worker { link: link.clone(), open: None };
            let waiting = Arc::clone(&waiting);
            let thread = std::thread::Builder::new()
                .name(format!("store-{number}"))
                .spawn(move || worker.serve(&waiting))
                .map_err(StoreError::failed)?;
            threads.push(thread);
        }
        Ok(Self { jobs: Some(jobs), threads })
    }

    pub(crate) fn submit(&self, job: Job) -> Result<(), StoreError> {
        let Some(jobs) = &self.jobs else { return Err(StoreError::failed("the store is closed")) };
        jobs.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => StoreError::Busy,
            TrySendError::Disconnected(_) => StoreError::failed("the store's threads have ended"),
        })
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.jobs.take());
        for thread in self.threads.drain(..) {
            if thread.thread().id() != std::thread::current().id() && thread.join().is_err() {
                tracing::error!("a store thread panicked");
            }
        }
    }
}

/// Runs `verb` in one transaction on a connection of its own; for the time before the threads exist. It blocks, and must
/// not be called on a thread of an async runtime.
pub(crate) fn once<T>(
    link: &Link,
    verb: impl Fn(&mut Tx<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let failed = |error: postgres::Error| StoreError::Failed(describe(&error));
    let mut client = link.connect()?;
    let mut statements = Statements::new();
    let transaction = client.build_transaction().read_only(false).start().map_err(failed)?;
    let channel = Channel::Transaction(transaction);
    let mut tx = PostgresTx { channel, statements: &mut statements, failure: None };
    // Migrations may take their time; their lock is waited for as long as it takes.
    tx.batch("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0")?;
    let mut tx = Tx::Postgres(tx);
    let outcome = verb(&mut tx)?;
    match tx {
        Tx::Postgres(PostgresTx { channel: Channel::Transaction(transaction), .. }) => {
            transaction.commit().map_err(failed)?;
        }
        Tx::Postgres(_) | Tx::Sqlite(_) => {}
    }
    Ok(outcome)
}

struct Worker {
    link: Link,
    open: Option<Open>,
}

struct Open {
    client: Client,
    statements: Statements,
}

type Statements = HashMap<&'static str, Statement>;

/// How one try of a verb ended badly.
enum Setback {
    /// The database gave up on a harmless transaction; the same one may go through next time.
    Again(StoreError),
    /// The connection is of no use any more, and nothing was changed.
    Reconnect(StoreError),
    Final(StoreError),
}

impl Worker {
    fn serve(&mut self, waiting: &Mutex<Receiver<Job>>) {
        loop {
            let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(mut job) = next else { return };
            let result = self.finish(&mut job);
            job.answer(result);
        }
    }

    /// Tries the whole verb until it is done, fails for good, or was tried often enough.
    fn finish(&mut self, job: &mut Job) -> Result<(), StoreError> {
        let mut error = StoreError::failed("not tried");
        for attempt in 1..=ATTEMPTS {
            match self.attempt(job) {
                Ok(()) => return Ok(()),
                Err(Setback::Final(error)) => return Err(error),
                Err(Setback::Again(setback)) => {
                    error = setback;
                    std::thread::sleep(Duration::from_millis(u64::from(attempt * attempt)));
                }
                Err(Setback::Reconnect(setback)) => {
                    self.open = None;
                    error = setback;
                }
            }
        }
        Err(error)
    }

    fn attempt(&mut self, job: &mut Job) -> Result<(), Setback> {
        let open = match &mut self.open {
            Some(open) if !open.client.is_closed() => open,
            Some(_) | None => {
                let client = self.link.connect().map_err(Setback::Final)?;
                self.open.insert(Open { client, statements: Statements::new() })
            }
        };
        match job.kind {
            JobKind::Read => read(open, job),
            JobKind::Write => write(open, job),
        }
    }
}

/// Each statement of a read stands alone; the session refuses changes outside of `write`.
fn read(open: &mut Open, job: &mut Job) -> Result<(), Setback> {
    let channel = Channel::Plain(&mut open.client);
    let mut tx = Tx::Postgres(PostgresTx { channel, statements: &mut open.statements, failure: None });
    let result = job.run(&mut tx);
    result.map_err(|error| setback(error, &tx))
}

fn write(open: &mut Open, job: &mut Job) -> Result<(), Setback> {
    let lost = |error: postgres::Error| match Failure::of(&error) {
        Failure::Gone => Setback::Reconnect(StoreError::Failed(describe(&error))),
        Failure::Again | Failure::Stale | Failure::Other => Setback::Final(StoreError::Failed(describe(&error))),
    };
    let transaction = open.client.build_transaction().read_only(false).start().map_err(lost)?;
    let channel = Channel::Transaction(transaction);
    let mut tx = Tx::Postgres(PostgresTx { channel, statements: &mut open.statements, failure: None });
    let result = job.run(&mut tx).and_then(|()| job.fault_before_commit());
    if let Err(error) = result {
        return Err(setback(error, &tx));
    }
    match tx {
        Tx::Postgres(PostgresTx { channel: Channel::Transaction(transaction), .. }) => commit(transaction, job),
        Tx::Postgres(_) | Tx::Sqlite(_) => Err(Setback::Final(StoreError::failed("no transaction"))),
    }
}

fn commit(transaction: Transaction<'_>, job: &Job) -> Result<(), Setback> {
    match transaction.commit() {
        Ok(()) => job.fault_after_commit().map_err(Setback::Final),
        // Only an answer of the server proves that nothing was committed (SEC-309, SEC-338).
        Err(error) if error.code().is_none() => {
            Err(Setback::Final(StoreError::Unknown(describe(&error))))
        }
        Err(error) => Err(match Failure::of(&error) {
            Failure::Again => Setback::Again(StoreError::Failed(describe(&error))),
            Failure::Gone => Setback::Final(StoreError::Unknown(describe(&error))),
            Failure::Stale | Failure::Other => Setback::Final(StoreError::Failed(describe(&error))),
        }),
    }
}

fn setback(error: StoreError, tx: &Tx<'_>) -> Setback {
    let failure = match tx {
        Tx::Postgres(tx) => tx.failure,
        Tx::Sqlite(_) => None,
    };
    match failure {
        Some(Failure::Again) => Setback::Again(error),
        Some(Failure::Gone | Failure::Stale) => Setback::Reconnect(error),
        Some(Failure::Other) | None => Setback::Final(error),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Serialization failure or deadlock.
    Again,
    /// The connection broke, or the server is going down.
    Gone,
    /// A prepared statement no longer fits the schema.
    Stale,
    Other,
}

impl Failure {
    fn of(error: &postgres::Error) -> Self {
        let Some(code) = error.code() else {
            let broken = |cause: &(dyn std::error::Error + 'static)| cause.is::<std::io::Error>();
            let gone = error.is_closed() || error.source().is_some_and(broken);
            return if gone { Self::Gone } else { Self::Other };
        };
        if *code == SqlState::T_R_SERIALIZATION_FAILURE || *code == SqlState::T_R_DEADLOCK_DETECTED {
            Self::Again
        } else if *code == SqlState::FEATURE_NOT_SUPPORTED || *code == SqlState::INVALID_SQL_STATEMENT_NAME {
            Self::Stale
        } else if code.code().starts_with("08") || code.code().starts_with("57P") {
            Self::Gone
        } else {
            Self::Other
        }
    }
}

/// The chain of causes, without the values of the statement (they are in the detail of the server's message).
pub(crate) fn describe(error: &postgres::Error) -> String {
    if let Some(db) = error.as_db_error() {
        return format!("{} ({})", db.message(), db.code().code());
    }
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

/// The PostgreSQL side of [`Tx`].
pub struct PostgresTx<'a> {
    channel: Channel<'a>,
    statements: &'a mut Statements,
    pub(crate) failure: Option<Failure>,
}

enum Channel<'a> {
    Transaction(Transaction<'a>),
    Plain(&'a mut Client),
}

impl PostgresTx<'_> {
    pub(crate) fn run(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<u64, StoreError> {
        let values = borrowed(values);
        let result = self.prepared(sql).and_then(|statement| match &mut self.channel {
            Channel::Transaction(transaction) => transaction.execute(&statement, &values),
            Channel::Plain(client) => client.execute(&statement, &values),
        });
        self.note(result)
    }

    pub(crate) fn each(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
        take: &mut dyn FnMut(Row),
    ) -> Result<(), StoreError> {
        let values = borrowed(values);
        let result = self.prepared(sql).and_then(|statement| match &mut self.channel {
            Channel::Transaction(transaction) => transaction.query(&statement, &values),
            Channel::Plain(client) => client.query(&statement, &values),
        });
        for row in &self.note(result)? {
            take(read_row(row)?);
        }
        Ok(())
    }

    /// Runs several statements without values, as a migration does.
    pub(crate) fn batch(&mut self, sql: &'static str) -> Result<(), StoreError> {
        let result = match &mut self.channel {
            Channel::Transaction(transaction) => transaction.batch_execute(sql),
            Channel::Plain(client) => client.batch_execute(sql),
        };
        self.note(result)
    }

    fn prepared(&mut self, sql: &'static str) -> Result<Statement, postgres::Error> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = match &mut self.channel {
            Channel::Transaction(transaction) => transaction.prepare(sql)?,
            Channel::Plain(client) => client.prepare(sql)?,
        };
        self.statements.insert(sql, statement.clone());
        Ok(statement)
    }

    fn note<T>(&mut self, result: Result<T, postgres::Error>) -> Result<T, StoreError> {
        result.map_err(|error| {
            self.failure = Some(Failure::of(&error));
            StoreError::Failed(describe(&error))
        })
    }
}

fn borrowed<'v>(values: &'v [Value<'_>]) -> Vec<&'v (dyn ToSql + Sync)> {
    values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

type Encoded = Result<IsNull, Box<dyn std::error::Error + Sync + Send>>;

impl ToSql for Value<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Encoded {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(value) if *ty == Type::INT8 => value.to_sql(ty, out),
            Self::Int(value) if *ty == Type::INT4 => i32::try_from(*value)?.to_sql(ty, out),
            Self::Text(value) if <&str as ToSql>::accepts(ty) => (&**value).to_sql(ty, out),
            Self::Bytes(value) if *ty == Type::BYTEA => (&**value).to_sql(ty, out),
            Self::Id(value) if *ty == Type::BYTEA => value.as_slice().to_sql(ty, out),
            Self::Int(_) | Self::Text(_) | Self::Bytes(_) | Self::Id(_) => {
                Err(format!("the statement wants {ty} here").into())
            }
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn to_sql_checked(&self, ty: &Type, out: &mut BytesMut) -> Encoded {
        self.to_sql(ty, out)
    }
}

fn read_row(row: &postgres::Row) -> Result<Row, StoreError> {
    let mut values = Vec::with_capacity(row.len());
    for (number, column) in row.columns().iter().enumerate() {
        let ty = column.type_();
        let value = if *ty == Type::INT8 {
            row.try_get::<_, Option<i64>>(number).map(|v| v.map(Value::Int))
        } else if *ty == Type::INT4 {
            row.try_get::<_, Option<i32>>(number).map(|v| v.map(|v| Value::Int(v.into())))
        } else if *ty == Type::BYTEA {
            row.try_get::<_, Option<Vec<u8>>>(number).map(|v| v.map(|v| Value::Bytes(v.into())))
        } else {
            row.try_get::<_, Option<String>>(number).map(|v| v.map(|v| Value::Text(v.into())))
        };
        values.push(value.map_err(StoreError::damaged)?.unwrap_or(Value::Null));
    }
    Ok(Row::new(values))
}
