//! PostgreSQL: connection threads that take verbs from one queue, and the rules for trying one again.
//! How a connection is made is in `postgres_link.rs`.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use postgres::{Client, Transaction};

use crate::error::StoreError;
use crate::job::{Job, JobKind};
use crate::postgres_link::Link;
use crate::postgres_tx::{Failure, PostgresTx, Statements, describe};
use crate::sql::Tx;

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
            let mut worker = Worker {
                link: link.clone(),
                open: None,
            };
            let waiting = Arc::clone(&waiting);
            let thread = std::thread::Builder::new()
                .name(format!("store-{number}"))
                .spawn(move || worker.serve(&waiting))
                .map_err(StoreError::failed)?;
            threads.push(thread);
        }
        Ok(Self {
            jobs: Some(jobs),
            threads,
        })
    }

    pub(crate) fn submit(&self, job: Job) -> Result<(), StoreError> {
        let Some(jobs) = &self.jobs else {
            return Err(StoreError::failed("the store is closed"));
        };
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
    let transaction = client
        .build_transaction()
        .read_only(false)
        .start()
        .map_err(failed)?;
    let mut tx = PostgresTx::within(transaction, &mut statements);
    // Migrations may take their time; their lock is waited for as long as it takes.
    tx.batch("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0")?;
    let mut tx = Tx::Postgres(tx);
    let outcome = verb(&mut tx)?;
    transaction_of(tx)?.commit().map_err(failed)?;
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
            let next = waiting
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .recv();
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
                self.open.insert(Open {
                    client,
                    statements: Statements::new(),
                })
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
    let mut tx = Tx::Postgres(PostgresTx::outside(&mut open.client, &mut open.statements));
    let result = job.run(&mut tx);
    result.map_err(|error| setback(error, &tx))
}

fn write(open: &mut Open, job: &mut Job) -> Result<(), Setback> {
    let lost = |error: postgres::Error| match Failure::of(&error) {
        Failure::Gone => Setback::Reconnect(StoreError::Failed(describe(&error))),
        Failure::Again | Failure::Stale | Failure::Other => {
            Setback::Final(StoreError::Failed(describe(&error)))
        }
    };
    let transaction = open
        .client
        .build_transaction()
        .read_only(false)
        .start()
        .map_err(lost)?;
    let mut tx = Tx::Postgres(PostgresTx::within(transaction, &mut open.statements));
    let result = job.run(&mut tx).and_then(|()| job.fault_before_commit());
    if let Err(error) = result {
        return Err(setback(error, &tx));
    }
    commit(transaction_of(tx).map_err(Setback::Final)?, job)
}

fn transaction_of(tx: Tx<'_>) -> Result<Transaction<'_>, StoreError> {
    let transaction = match tx {
        Tx::Postgres(tx) => tx.into_transaction(),
        Tx::Sqlite(_) => None,
    };
    transaction.ok_or_else(|| StoreError::failed("there is no transaction"))
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
