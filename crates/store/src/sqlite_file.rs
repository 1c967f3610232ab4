//! A SQLite file: where it lies, who may read it, whether it is sound and ours, and how connections to it are set.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::error::StoreError;
use crate::migrate;

/// How long a connection waits for another process that is writing.
const BUSY: Duration = Duration::from_secs(5);

/// Opens the file for writing; makes it when it is not there. A file that is damaged, not ours or newer than this program
/// is left as it was (SEC-314, SEC-423, SEC-424).
pub(crate) fn writer(path: &Path, durable: bool) -> Result<Connection, StoreError> {
    if is_new(path)? {
        create(path)?;
    } else {
        refuse_loose_permissions(path)?;
        inspect(path).map(drop)?;
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection =
        Connection::open_with_flags(path, flags).map_err(|error| unusable(path, &error))?;
    patiently(|| prepare(&connection, durable)).map_err(|error| unusable(path, &error))?;
    Ok(connection)
}

/// Tries again while another process that starts at the same moment holds the file: changing its journal does not wait by
/// itself, as everything else does.
fn patiently<T>(attempt: impl Fn() -> rusqlite::Result<T>) -> rusqlite::Result<T> {
    const STEP: Duration = Duration::from_millis(20);
    let mut waited = Duration::ZERO;
    loop {
        match attempt() {
            Err(error) if is_busy(&error) && waited < BUSY => {
                std::thread::sleep(STEP);
                waited += STEP;
            }
            done => return done,
        }
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(
        code,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

/// Opens the file for reading alone.
pub(crate) fn reader(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(StoreError::failed)?;
    connection.busy_timeout(BUSY).map_err(StoreError::failed)?;
    keep_plans(&connection).map_err(StoreError::failed)?;
    connection
        .execute_batch("PRAGMA query_only = ON; PRAGMA trusted_schema = OFF")
        .map_err(StoreError::failed)?;
    Ok(connection)
}

/// Keeps statements prepared, and their plans whatever values are bound: without that, a join is compiled anew for each use.
fn keep_plans(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(256);
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
        .map(drop)
}

fn prepare(connection: &Connection, durable: bool) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY)?;
    keep_plans(connection)?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; \
         PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON; PRAGMA temp_store = MEMORY; \
         PRAGMA journal_size_limit = 67108864; PRAGMA wal_autocheckpoint = 4000",
    )?;
    connection.execute_batch(if durable {
        "PRAGMA synchronous = FULL"
    } else {
        "PRAGMA synchronous = OFF"
    })
}

/// Opens an existing file, if it may be used, for looking alone; tells how many steps its schema has seen.
pub(crate) fn look(path: &Path) -> Result<(Connection, usize), StoreError> {
    refuse_loose_permissions(path)?;
    inspect(path)
}

/// Looks at an existing file through a connection that cannot change it.
fn inspect(path: &Path) -> Result<(Connection, usize), StoreError> {
    let connection = reader(path).map_err(|error| unusable(path, &error))?;
    let check = || connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0));
    let verdict: String = patiently(check).map_err(|error| unusable(path, &error))?;
    if verdict != "ok" {
        return Err(unusable(path, &verdict));
    }
    let done = migrate::inspect_sqlite(&connection).map_err(|error| unusable(path, &error))?;
    Ok((connection, done))
}

fn unusable(path: &Path, why: &dyn std::fmt::Display) -> StoreError {
    StoreError::Refused(format!(
        "the database {} cannot be used: {why}",
        path.display()
    ))
}

fn is_new(path: &Path) -> Result<bool, StoreError> {
    match std::fs::metadata(path) {
        Ok(found) if !found.is_file() => Err(unusable(path, &"it is not a file")),
        Ok(found) => Ok(found.len() == 0),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(true),
        Err(error) => Err(unusable(path, &error)),
    }
}

fn create(path: &Path) -> Result<(), StoreError> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder
        && !folder.exists()
    {
        private_folder(true)
            .create(folder)
            .map_err(|error| unusable(path, &error))?;
    }
    private_file(path)
        .map(drop)
        .map_err(|error| unusable(path, &error))
}

fn private_folder(parents: bool) -> DirBuilder {
    let mut builder = DirBuilder::new();
    builder.recursive(parents);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

/// Opens or makes a file only its owner can read; SQLite gives its companions the same permissions.
fn private_file(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(unix)]
fn refuse_loose_permissions(path: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(path)
        .map_err(|error| unusable(path, &error))?
        .permissions()
        .mode();
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(unusable(
        path,
        &format!(
            "others may read it (mode {:03o}); run: chmod 600 {}",
            mode & 0o777,
            path.display()
        ),
    ))
}

#[cfg(not(unix))]
fn refuse_loose_permissions(_: &Path) -> Result<(), StoreError> {
    Ok(())
}

/// Takes the lock of the one server that may work on this file (SEC-335, SEC-424). It is held until dropped.
pub(crate) fn lock(path: &Path) -> Result<File, StoreError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let lock = PathBuf::from(name);
    let file = private_file(&lock).map_err(|error| unusable(&lock, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(unusable(path, &"another server is running on it")),
        Err(TryLockError::Error(error)) => Err(unusable(&lock, &error)),
    }
}

/// Copies the database as one moment had it to a new file, while it is written to (SEC-424). Never over an existing file.
pub(crate) fn back_up(from: &Path, to: &Path) -> Result<(), StoreError> {
    if to.exists() {
        return Err(unusable(to, &"it exists; a backup never replaces a file"));
    }
    private_file(to).map_err(|error| unusable(to, &error))?;
    let source = reader(from)?;
    let copied = Connection::open(to).and_then(|mut target| {
        let backup = rusqlite::backup::Backup::new(&source, &mut target)?;
        // All pages in one step: what is read belongs to one moment, and writers are not kept waiting.
        backup.step(-1).map(drop)
    });
    copied.map_err(|error| {
        let _ = std::fs::remove_file(to);
        unusable(to, &error)
    })
}

/// A folder for a database that ends with the process. The caller removes it.
pub(crate) fn temporary_folder() -> Result<PathBuf, StoreError> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let root = std::env::temp_dir();
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = root.join(format!("jeton-{}-{number}", std::process::id()));
        match private_folder(false).create(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(unusable(&folder, &error)),
        }
    }
}
