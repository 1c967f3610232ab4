//! The floor: group commit, queues, faults, panics, and what a caller who hangs up changes.

use std::time::Duration;

use crate::support::{Kind, Place, START, runtime, tenant_named};
use jeton_protocol::cut::CutTarget;
use jeton_store::leases::Leased;
use jeton_store::{Fault, Location, Options, Store, StoreError};

both! {
    // SEC-445
    async fn a_verb_that_fails_or_panics_harms_no_other(world: World) {
        let mut work = Vec::new();
        for number in 0..200_u32 {
            let store = world.store.clone();
            work.push(tokio::spawn(async move {
                store
                    .write(move |tx| {
                        tx.run(
                            "INSERT INTO leases (name, holder, until) VALUES ($1, $2, $3)",
                            &[format!("lease {number}").into(), "me".into(), i64::from(number).into()],
                        )?;
                        match number % 4 {
                            0 => panic!("planned"),
                            1 => Err(StoreError::Failed("planned".into())),
                            2 => {
                                // A statement that fails and is not heard must not be committed around.
                                let _ = tx.run("INSERT INTO leases (name) VALUES ($1)", &["half".into()]);
                                Ok(())
                            }
                            _ => Ok(()),
                        }
                    })
                    .await
            }));
        }
        for (number, one) in work.into_iter().enumerate() {
            assert_eq!(one.await.unwrap().is_ok(), number % 4 == 3, "{number}");
        }
        let kept = world.store.read(|tx| tx.all("SELECT until FROM leases ORDER BY until", &[])).await.unwrap();
        let kept: Vec<i64> = kept.iter().map(|row| row.int(0).unwrap()).collect();
        assert_eq!(kept, (0..200).filter(|number| number % 4 == 3).collect::<Vec<i64>>());
    }

    async fn a_caller_that_hangs_up_does_not_stop_the_verb(world: World) {
        let token = world.id();
        let occasion = world.occasion();
        let (store, tenant) = (world.store.clone(), world.tenant.clone());
        let mut verb = Box::pin(async move { store.cut(&tenant, CutTarget::Token(token), occasion).await });
        let first = futures_poll(&mut verb);
        assert!(first, "the verb waits for its answer");
        drop(verb);
        for _ in 0..200 {
            if world.store.versions().await.unwrap().cuts == 1 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the cut was never made");
    }

    async fn a_planned_fault_hits_the_next_write_and_only_that(world: World) {
        world.store.fail_next(Fault::AfterCommit);
        let taken = world.store.take_lease("job", "a", world.now.plus(Duration::from_secs(9)), world.now).await;
        assert!(matches!(taken, Err(StoreError::Unknown(_))));
        let taken = world.store.take_lease("job", "b", world.now.plus(Duration::from_secs(9)), world.now).await;
        assert_eq!(taken.unwrap(), Leased::Held);
        world.later(Duration::from_secs(9));
        let taken = world.store.take_lease("job", "b", world.now.plus(Duration::from_secs(9)), world.now).await;
        assert_eq!(taken.unwrap(), Leased::Taken);
    }

    async fn a_read_cannot_change_anything(world: World) {
        let result = world.store.read(|tx| tx.run("DELETE FROM clients", &[])).await;
        assert!(result.is_err());
        assert!(world.store.client(&world.tenant, &world.client).await.unwrap().is_some());
        let result = world
            .store
            .read(|tx| tx.one("UPDATE versions SET version = 9 RETURNING version", &[]).map(drop))
            .await;
        assert!(result.is_err());
        assert!(world.store.versions().await.unwrap().clients < 9);
    }

    async fn a_column_of_another_type_is_damage(world: World) {
        let row = world.store.read(|tx| tx.one("SELECT id, record, changed_at, disabled_at FROM tenants", &[])).await;
        let row = row.unwrap().unwrap();
        assert!(row.text(0).is_ok() && row.int(2).is_ok());
        for wrong in [row.int(0).is_ok(), row.text(2).is_ok(), row.id(0).is_ok(), row.int(3).is_ok(), row.int(9).is_ok()] {
            assert!(!wrong);
        }
        assert_eq!(row.maybe_time(3).unwrap(), None);
    }

    async fn placeholders_are_bound_by_their_number(world: World) {
        let row = world
            .store
            .write(|tx| {
                tx.run(
                    "UPDATE leases SET until = $2 WHERE name = $1 AND until < $2",
                    &["none".into(), 5_i64.into()],
                )?;
                tx.run(
                    "INSERT INTO leases (until, holder, name) VALUES ($3, $2, $1)",
                    &["n".into(), "h".into(), 7_i64.into()],
                )?;
                tx.one("SELECT holder, until FROM leases WHERE name = $1", &["n".into()])
            })
            .await
            .unwrap()
            .unwrap();
        assert_eq!((row.text(0).unwrap(), row.int(1).unwrap()), ("h", 7));
        let short = world.store.read(|tx| tx.one("SELECT name FROM leases WHERE name = $1", &[]).map(drop)).await;
        assert!(short.is_err());
    }

    // SEC-315, SEC-R08: a record this version cannot read is an error, not an absence
    async fn a_record_of_a_newer_version_denies(world: World) {
        world
            .store
            .write(|tx| tx.run("UPDATE clients SET record = $1", &[r#"{"v":2,"r":{"new":"shape"}}"#.into()]))
            .await
            .unwrap();
        let result = world.store.client(&world.tenant, &world.client).await;
        assert_eq!(result, Err(StoreError::Damaged("record version 2".into())));
    }
}

/// Whether one poll leaves it waiting.
fn futures_poll<F: Future + Unpin>(future: &mut F) -> bool {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    std::pin::Pin::new(future).poll(&mut context).is_pending()
}

fn a_full_queue_answers_busy_at_once(kind: Kind) {
    runtime().block_on(async {
        let place = Place::new(kind);
        let options = Options {
            queue: 2,
            connections: 1,
            ..Options::default()
        };
        let store = Store::open(&place.location(), options, START).unwrap();
        let (held, hold) = (std::sync::Arc::new(std::sync::Barrier::new(2)), 1);
        let first = {
            let (store, held) = (store.clone(), std::sync::Arc::clone(&held));
            tokio::spawn(async move {
                store
                    .write(move |_| {
                        held.wait();
                        held.wait();
                        Ok(hold)
                    })
                    .await
            })
        };
        tokio::task::block_in_place(|| held.wait());
        let mut waiting = Vec::new();
        for _ in 0..2 {
            let store = store.clone();
            waiting.push(tokio::spawn(async move { store.write(|_| Ok(2)).await }));
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(store.write(|_| Ok(3)).await, Err(StoreError::Busy));
        tokio::task::block_in_place(|| held.wait());
        assert_eq!(first.await.unwrap(), Ok(1));
        for one in waiting {
            assert_eq!(one.await.unwrap(), Ok(2));
        }
        assert_eq!(store.write(|_| Ok(4)).await, Ok(4));
    });
}

// SEC-339: no pile-up
#[test]
fn a_full_queue_answers_busy_at_once_on_sqlite() {
    a_full_queue_answers_busy_at_once(Kind::Sqlite);
}

#[test]
fn a_full_queue_answers_busy_at_once_on_postgres() {
    a_full_queue_answers_busy_at_once(Kind::Postgres);
}

#[test]
fn a_memory_database_leaves_nothing_behind() {
    runtime().block_on(async {
        let store = Store::open(&Location::SqliteMemory, Options::default(), START).unwrap();
        let occasion = jeton_store::audit::Occasion {
            now: START,
            trace: jeton_token::row_id::RowId::from_bytes([1; 16]),
            actor: "test".into(),
            request: String::new(),
        };
        store
            .insert_tenant(tenant_named("default"), occasion)
            .await
            .unwrap();
        let files = || {
            let found = std::fs::read_dir(std::env::temp_dir()).unwrap().flatten();
            let own = format!("jeton-{}-", std::process::id());
            found
                .filter(|entry| entry.file_name().to_string_lossy().starts_with(&own))
                .count()
        };
        assert!(files() > 0);
        drop(store);
        assert_eq!(files(), 0);
    });
}
