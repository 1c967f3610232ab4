//! Opening: what is empty becomes ours, what is ours is brought up to date, everything else is refused and left alone.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use crate::support::{Kind, Place, open, try_open};
use jeton_store::{Location, StoreError};
use postgres::NoTls;
use rusqlite::Connection;

fn path_of(place: &Place) -> PathBuf {
    match place.location() {
        Location::Sqlite { path } => path,
        other @ (Location::SqliteMemory | Location::Postgres { .. }) => {
            panic!("not a file: {other:?}")
        }
    }
}

fn run(place: &Place, sql: &str) {
    match place.location() {
        Location::Sqlite { path } => {
            let connection = Connection::open(path).unwrap();
            connection.execute_batch(sql).unwrap();
            connection
                .execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
                .unwrap();
        }
        Location::Postgres { url } => postgres::Client::connect(&url, NoTls)
            .unwrap()
            .batch_execute(sql)
            .unwrap(),
        Location::SqliteMemory => panic!("nothing to change"),
    }
}

fn refusal(place: &Place) -> String {
    match try_open(&place.location()) {
        Err(StoreError::Refused(why)) => why,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it was opened"),
    }
}

fn refused_and_unchanged(place: &Place) -> String {
    let path = path_of(place);
    let before = std::fs::read(&path).unwrap();
    let why = refusal(place);
    assert_eq!(std::fs::read(&path).unwrap(), before);
    why
}

fn a_newer_or_edited_database_is_refused(kind: Kind) {
    for (sql, word) in [
        (
            "INSERT INTO migrations VALUES (1000, 'later', 'x', 0)",
            "newer",
        ),
        ("UPDATE migrations SET checksum = 'x'", "migration 1"),
    ] {
        let place = Place::new(kind);
        drop(open(&place.location()));
        run(&place, sql);
        let why = match kind {
            Kind::Sqlite => refused_and_unchanged(&place),
            Kind::Postgres => refusal(&place),
        };
        assert!(why.contains(word), "{why}");
    }
}

// SEC-314
#[test]
fn a_newer_or_edited_database_is_refused_on_sqlite() {
    a_newer_or_edited_database_is_refused(Kind::Sqlite);
}

// SEC-314
#[test]
fn a_newer_or_edited_database_is_refused_on_postgres() {
    a_newer_or_edited_database_is_refused(Kind::Postgres);
}

// SEC-314
#[test]
fn the_file_of_another_program_is_left_alone() {
    for sql in [
        "CREATE TABLE songs (id INTEGER)",
        "CREATE TABLE migrations (version TEXT)",
    ] {
        let place = Place::new(Kind::Sqlite);
        let path = path_of(&place);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        run(&place, sql);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let why = refused_and_unchanged(&place);
        assert!(why.contains("another program"), "{why}");
    }
}

// SEC-314
#[test]
fn the_schema_of_another_program_is_left_alone() {
    let place = Place::new(Kind::Postgres);
    run(&place, "CREATE TABLE migrations (version TEXT)");
    let why = refusal(&place);
    assert!(why.contains("another program"), "{why}");
    let place = Place::new(Kind::Postgres);
    run(&place, "CREATE TABLE users (name TEXT)");
    assert!(try_open(&place.location()).is_err());
    run(&place, "DROP TABLE users");
    drop(open(&place.location()));
}

// SEC-314
#[test]
fn a_damaged_file_is_refused() {
    let garbage = Place::new(Kind::Sqlite);
    let path = path_of(&garbage);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, vec![b'x'; 8192]).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    refused_and_unchanged(&garbage);

    let torn = Place::new(Kind::Sqlite);
    drop(open(&torn.location()));
    let path = path_of(&torn);
    let mut bytes = std::fs::read(&path).unwrap();
    let (start, end) = (bytes.len() / 3, bytes.len() / 2);
    bytes[start..end].fill(0xee);
    std::fs::write(&path, bytes).unwrap();
    refused_and_unchanged(&torn);
}

// SEC-334
fn five_first_starts_at_once(kind: Kind) {
    for _ in 0..5 {
        let place = Place::new(kind);
        let opened = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..5)
                .map(|_| scope.spawn(|| try_open(&place.location())))
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect::<Vec<_>>()
        });
        for store in &opened {
            assert!(store.is_ok(), "{:?}", store.as_ref().err());
        }
    }
}

#[test]
fn five_first_starts_at_once_are_one_migration_on_sqlite() {
    five_first_starts_at_once(Kind::Sqlite);
}

#[test]
fn five_first_starts_at_once_are_one_migration_on_postgres() {
    five_first_starts_at_once(Kind::Postgres);
}

// SEC-423
#[test]
fn only_the_owner_can_read_what_is_made() {
    let place = Place::new(Kind::Sqlite);
    let store = open(&place.location());
    store.lock_exclusive().unwrap();
    let path = path_of(&place);
    let folder = path.parent().unwrap();
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(folder), 0o700);
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        assert_eq!(mode(&entry.path()), 0o600, "{:?}", entry.path());
        files += 1;
    }
    assert_eq!(files, 4, "database, log, index of the log, lock");
}

// SEC-423
#[test]
fn a_file_others_can_read_is_refused() {
    let place = Place::new(Kind::Sqlite);
    drop(open(&place.location()));
    let path = path_of(&place);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    let why = refused_and_unchanged(&place);
    assert!(why.contains("chmod 600"), "{why}");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    drop(open(&place.location()));
}

// SEC-335, SEC-424
#[test]
fn a_second_server_on_one_file_is_refused_and_a_tool_is_not() {
    let place = Place::new(Kind::Sqlite);
    let server = open(&place.location());
    server.lock_exclusive().unwrap();
    server.lock_exclusive().unwrap();
    let second = open(&place.location());
    let why = second.lock_exclusive().unwrap_err().to_string();
    assert!(why.contains("another server is running"), "{why}");
    drop(server);
    second.lock_exclusive().unwrap();
}

// SEC-424
#[test]
fn a_file_says_how_it_is_written() {
    let place = Place::new(Kind::Sqlite);
    let store = open(&place.location());
    let runtime = crate::support::runtime();
    let ask = |sql: &'static str| {
        runtime
            .block_on(store.write(move |tx| Ok(tx.one(sql, &[])?.map(|row| format!("{row:?}")))))
            .unwrap()
            .unwrap()
    };
    assert!(ask("PRAGMA journal_mode").contains("wal"));
    assert!(ask("PRAGMA synchronous").contains("Int(2)"));
    assert!(ask("PRAGMA foreign_keys").contains("Int(1)"));
}

#[test]
fn an_address_that_is_not_one_is_refused_without_repeating_it() {
    let location = Location::Postgres {
        url: "postgresql://u:secret@h:not-a-port/x".into(),
    };
    let why = try_open(&location).err().unwrap().to_string();
    assert!(!why.contains("secret"), "{why}");
}

// SEC-355: nothing of a migration that was killed remains
#[test]
fn a_migration_that_was_killed_is_run_again() {
    let text = include_str!("../../migrations/0001_base.sql");
    let statements: Vec<&str> = text.split(";\n").collect();
    for killed_after in (0..statements.len()).step_by(5) {
        let place = Place::new(Kind::Sqlite);
        let path = path_of(&place);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let half = statements[..killed_after].join(";\n");
        let script = format!("PRAGMA journal_mode = WAL; BEGIN IMMEDIATE; {half};");
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch(&script).unwrap();
        let copy = path.with_file_name("copy.db");
        for suffix in ["", "-wal"] {
            let from = format!("{}{suffix}", path.display());
            let to = format!("{}{suffix}", copy.display());
            assert!(
                Command::new("install")
                    .args(["-m", "600", &from, &to])
                    .status()
                    .unwrap()
                    .success()
            );
        }
        drop(open(&Location::Sqlite { path: copy }));
    }
}

// SEC-356, SEC-424
#[test]
fn a_backup_made_under_load_is_whole_and_private() {
    let place = Place::new(Kind::Sqlite);
    let copy = path_of(&place).with_file_name("copy.db");
    crate::support::runtime().block_on(async {
        let mut world = crate::support::World::new(&place.location(), "default", 1).await;
        let mut kept = Vec::new();
        for _ in 0..50 {
            kept.push(world.refreshable(true).await);
        }
        let (store, tenant, id) = (
            world.store.clone(),
            world.tenant.clone(),
            world.client.clone(),
        );
        let load = tokio::spawn(async move {
            for number in 0..2000_u32 {
                let value = jeton_store::replay::OneTime {
                    kind: jeton_store::replay::ReplayKind::DpopProof,
                    client: Some(id.clone()),
                    value: number.to_string(),
                    expires_at: crate::support::START.plus(crate::support::DAY),
                };
                let _ = store
                    .claim_once(&tenant, &value, crate::support::START)
                    .await;
            }
        });
        let (store, to) = (world.store.clone(), copy.clone());
        tokio::task::spawn_blocking(move || store.back_up(&to))
            .await
            .unwrap()
            .unwrap();
        load.abort();
        assert!(world.store.back_up(&copy).is_err(), "never over a file");
        assert_eq!(
            std::fs::metadata(&copy).unwrap().permissions().mode() & 0o777,
            0o600
        );
        let restored = open(&Location::Sqlite { path: copy.clone() });
        for grant in kept {
            assert!(
                restored
                    .refreshable_grant(&world.tenant, grant)
                    .await
                    .unwrap()
                    .is_some()
            );
        }
    });
}
