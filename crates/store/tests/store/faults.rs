//! PostgreSQL misbehaving: connections that end, commits nobody answers, verbs that must be tried again.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use crate::support::{Kind, Place, START, World, runtime};
use jeton_store::replay::{Claimed, OneTime, ReplayKind};
use jeton_store::{Location, Options, Store, StoreError};
use postgres::NoTls;

fn url_of(place: &Place) -> String {
    match place.location() {
        Location::Postgres { url } => url,
        other @ (Location::Sqlite { .. } | Location::SqliteMemory) => {
            panic!("not an address: {other:?}")
        }
    }
}

fn value(world: &World, value: &str) -> OneTime {
    OneTime {
        kind: ReplayKind::DpopProof,
        client: Some(world.client.clone()),
        value: value.into(),
        expires_at: world.now.plus(Duration::from_secs(60)),
    }
}

// SEC-312, SEC-336
#[test]
fn a_store_whose_connections_were_cut_goes_on_by_itself() {
    runtime().block_on(async {
        let place = Place::new(Kind::Postgres);
        let url = format!("{}&application_name=victim", url_of(&place));
        let world = World::new(&Location::Postgres { url: url.clone() }, "default", 1).await;
        for round in 0..3 {
            let url = url.clone();
            std::thread::spawn(move || {
                let mut client = postgres::Client::connect(&url, NoTls).unwrap();
                let own = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                           WHERE application_name = 'victim' AND pid <> pg_backend_pid()";
                let ended: i64 = client.query_one(own, &[]).unwrap().get(0);
                assert!(ended > 0);
            })
            .join()
            .unwrap();
            for number in 0..40 {
                let value = value(&world, &format!("{round} {number}"));
                let claimed = world
                    .store
                    .claim_once(&world.tenant, &value, world.now)
                    .await;
                assert!(matches!(claimed, Ok(Claimed::Claimed)), "{claimed:?}");
                world.store.versions().await.unwrap();
            }
        }
    });
}

// SEC-425: SQLSTATE 40P01 is not an outcome
#[test]
fn a_verb_that_was_the_victim_of_a_deadlock_is_tried_again() {
    runtime().block_on(async {
        let place = Place::new(Kind::Postgres);
        let world = World::new(&place.location(), "default", 1).await;
        let tries = Arc::new(AtomicU32::new(0));
        let both_hold_one = Arc::new(std::sync::Barrier::new(2));
        let mut verbs = Vec::new();
        for (first, second) in [("clients", "users"), ("users", "clients")] {
            let (store, tries, barrier) = (
                world.store.clone(),
                Arc::clone(&tries),
                Arc::clone(&both_hold_one),
            );
            let met = AtomicBool::new(false);
            verbs.push(tokio::spawn(async move {
                store
                    .write(move |tx| {
                        const ADD: &str =
                            "UPDATE versions SET version = version + 10 WHERE name = $1";
                        tries.fetch_add(1, Ordering::SeqCst);
                        tx.run(ADD, &[first.into()])?;
                        if !met.swap(true, Ordering::SeqCst) {
                            barrier.wait();
                        }
                        tx.run(ADD, &[second.into()])
                    })
                    .await
            }));
        }
        let before = world.store.versions().await.unwrap();
        for verb in verbs {
            assert_eq!(verb.await.unwrap(), Ok(1));
        }
        assert!(
            tries.load(Ordering::SeqCst) >= 3,
            "one of them was tried again"
        );
        let after = world.store.versions().await.unwrap();
        assert_eq!(
            (after.clients - before.clients, after.users - before.users),
            (20, 20)
        );
    });
}

// SEC-309, SEC-338
#[test]
fn a_commit_nobody_answers_is_unknown_and_happens_at_most_once() {
    let place = Place::new(Kind::Postgres);
    let world = runtime().block_on(World::new(&place.location(), "default", 1));
    for delivered in [true, false] {
        let cut = Arc::new(AtomicBool::new(false));
        let url = through_a_wire_cutter(&url_of(&place), &cut, delivered);
        let options = Options {
            connections: 1,
            ..Options::default()
        };
        let store = Store::open(&Location::Postgres { url }, options, START).unwrap();
        runtime().block_on(async {
            let value = value(&world, &format!("delivered {delivered}"));
            cut.store(true, Ordering::SeqCst);
            let claimed = store.claim_once(&world.tenant, &value, world.now).await;
            assert!(
                matches!(claimed, Err(StoreError::Unknown(_))),
                "{claimed:?}"
            );
            cut.store(false, Ordering::SeqCst);
            let again = store
                .claim_once(&world.tenant, &value, world.now)
                .await
                .unwrap();
            assert_eq!(
                again,
                if delivered {
                    Claimed::AlreadyUsed
                } else {
                    Claimed::Claimed
                }
            );
        });
    }
}

/// A proxy in front of the server that, while `cut` is set, ends the connection at the first `COMMIT`, before or after
/// delivering it.
fn through_a_wire_cutter(url: &str, cut: &Arc<AtomicBool>, deliver: bool) -> String {
    let (before, rest) = url.split_once('@').unwrap();
    let (host, path) = rest.split_once('/').unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let host = host.replace("%2F", "/");
    let cut = Arc::clone(cut);
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let (host, cut) = (host.clone(), Arc::clone(&cut));
            std::thread::spawn(move || carry(client, &host, &cut, deliver));
        }
    });
    format!("{before}@127.0.0.1:{port}/{path}")
}

fn carry(mut client: TcpStream, host: &str, cut: &AtomicBool, deliver: bool) {
    let mut server = Wire::open(host);
    let (mut back, mut answers) = (client.try_clone().unwrap(), server.clone());
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = answers.read(&mut buffer) {
            if back.write_all(&buffer[..count]).is_err() {
                return;
            }
        }
        let _ = back.shutdown(std::net::Shutdown::Both);
    });
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = client.read(&mut buffer) {
        let sent = &buffer[..count];
        if cut.load(Ordering::SeqCst) && sent.windows(6).any(|window| window == b"COMMIT") {
            let _ = client.shutdown(std::net::Shutdown::Both);
            if deliver {
                server.write(sent);
                std::thread::sleep(Duration::from_millis(300));
            }
            break;
        }
        server.write(sent);
    }
    server.close();
}

enum Wire {
    Unix(UnixStream),
    Tcp(TcpStream),
}

impl Wire {
    fn open(host: &str) -> Self {
        if host.starts_with('/') {
            let (folder, port) = host.rsplit_once(':').unwrap_or((host, "5432"));
            return Self::Unix(UnixStream::connect(format!("{folder}/.s.PGSQL.{port}")).unwrap());
        }
        let address = if host.contains(':') {
            host.to_owned()
        } else {
            format!("{host}:5432")
        };
        Self::Tcp(TcpStream::connect(address).unwrap())
    }

    fn clone(&self) -> Self {
        match self {
            Self::Unix(stream) => Self::Unix(stream.try_clone().unwrap()),
            Self::Tcp(stream) => Self::Tcp(stream.try_clone().unwrap()),
        }
    }

    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Self::Unix(stream) => stream.read(buffer),
            Self::Tcp(stream) => stream.read(buffer),
        }
    }

    fn write(&mut self, bytes: &[u8]) {
        let _ = match self {
            Self::Unix(stream) => stream.write_all(bytes),
            Self::Tcp(stream) => stream.write_all(bytes),
        };
    }

    fn close(&self) {
        let _ = match self {
            Self::Unix(stream) => stream.shutdown(std::net::Shutdown::Both),
            Self::Tcp(stream) => stream.shutdown(std::net::Shutdown::Both),
        };
    }
}
