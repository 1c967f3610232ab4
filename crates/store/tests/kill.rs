//! Killed at any moment, the store forgets nothing it acknowledged and does nothing twice (SEC-300…303, 306, 309, 310, 321).
//!
//! The parent starts this program again as a child that works and prints a line for every acknowledged write, kills it
//! after 1 to 500 ms, opens the database again and checks every line. `JETON_TEST_KILLS` says how often. Meanwhile two
//! workers link and sign the audit trail, whose chain has to hold afterwards (SEC-431).

#[allow(dead_code, unused_macros)]
#[path = "store/support/mod.rs"]
mod support;

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use jeton_protocol::client::ClientId;
use jeton_protocol::tenant::TenantId;
use jeton_store::grants::{Approved, Redeemed, Redemption};
use jeton_store::interactions::Closed;
use jeton_store::refresh::{Rotated, Rotation};
use jeton_store::replay::{Claimed, OneTime, ReplayKind};
use jeton_store::{Lineage, Location, Page, Store};
use jeton_token::algorithm::SignatureAlgorithm;
use jeton_token::base64url;
use jeton_token::entropy::Entropy;
use jeton_token::row_id::RowId;
use jeton_token::signing_key::SigningKey;
use support::{DAY, Kind, MINUTE, Place, START, World, cluster, runtime};

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.get(1).map(String::as_str) {
        Some("work") => {
            let key = base64url::decode(&arguments[4]).unwrap();
            runtime().block_on(work(&arguments[2], &arguments[3], &audit_key(&key)));
        }
        _ => {
            let kills = kills();
            kill_clients(Kind::Sqlite, kills);
            kill_clients(Kind::Postgres, kills);
            crash_server(3);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "tests have no configuration")]
fn kills() -> u32 {
    std::env::var("JETON_TEST_KILLS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(25)
}

fn kill_clients(kind: Kind, kills: u32) {
    let place = Place::new(kind);
    let location = place.location();
    let mut entropy = Entropy::from_os();
    let mut total = 0;
    let key = SigningKey::generate(SignatureAlgorithm::EdDsa, None).unwrap();
    for round in 0..kills {
        let mut child = start(&location, &format!("r{round}"), &key);
        let luck = u64::from_be_bytes(entropy.bytes());
        let (reader, _) = follow(&mut child);
        std::thread::sleep(Duration::from_millis(1 + luck % 500));
        child.kill().unwrap();
        child.wait().unwrap();
        let lines = reader.join().unwrap();
        total += lines.len();
        runtime().block_on(check(&location, &format!("r{round}"), &lines));
        runtime().block_on(check_chain(&location, &format!("r{round}"), &key));
    }
    assert!(
        total > kills as usize * 5,
        "the children did too little: {total}"
    );
    println!("{kind:?}: killed {kills} times, {total} acknowledged writes, all kept");
}

/// The server loses its power while the child goes on.
fn crash_server(crashes: u32) {
    let (server, private) = cluster::private("crash", &[]);
    let location = Location::Postgres {
        url: private.url.clone(),
    };
    let mut total = 0;
    let key = SigningKey::generate(SignatureAlgorithm::EdDsa, None).unwrap();
    for round in 0..crashes {
        let mut child = start(&location, &format!("c{round}"), &key);
        let (reader, seen) = follow(&mut child);
        while seen.load(Ordering::Relaxed) == 0 {
            assert!(child.try_wait().unwrap().is_none(), "the child works");
            std::thread::sleep(Duration::from_millis(20));
        }
        server.crash(&private);
        std::thread::sleep(Duration::from_millis(300));
        child.kill().unwrap();
        child.wait().unwrap();
        let lines = reader.join().unwrap();
        total += lines.len();
        runtime().block_on(check(&location, &format!("c{round}"), &lines));
        runtime().block_on(check_chain(&location, &format!("c{round}"), &key));
    }
    assert!(total > 0);
    println!("PostgreSQL crashed {crashes} times, {total} acknowledged writes, all kept");
}

fn audit_key(pkcs8: &[u8]) -> SigningKey {
    SigningKey::from_pkcs8(SignatureAlgorithm::EdDsa, None, pkcs8).unwrap()
}

fn start(location: &Location, round: &str, key: &SigningKey) -> Child {
    let key = base64url::encode(key.to_pkcs8().unwrap().expose());
    let place = match location {
        Location::Sqlite { path } => path.to_str().unwrap().to_owned(),
        Location::Postgres { url } => url.clone(),
        Location::SqliteMemory => panic!("nothing to kill"),
    };
    Command::new(std::env::current_exe().unwrap())
        .args(["work", &place, round, &key])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Waits until the child works, then collects what it acknowledges, and counts it.
fn follow(child: &mut Child) -> (JoinHandle<Vec<String>>, Arc<AtomicUsize>) {
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "ready");
    let seen = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&seen);
    let reader = std::thread::spawn(move || {
        let count = |_: &String| _ = counter.fetch_add(1, Ordering::Relaxed);
        let mut kept: Vec<String> = lines.map_while(Result::ok).inspect(count).collect();
        // The last line may be torn by the kill.
        if kept.last().is_some_and(|line| !line.ends_with('.')) {
            kept.pop();
        }
        kept
    });
    (reader, seen)
}

/// The child: sixteen workers that make, spend, rotate and revoke, and say so only after the answer.
async fn work(place: &str, round: &str, key: &SigningKey) {
    let location = if place.starts_with("postgresql:") {
        Location::Postgres {
            url: place.to_owned(),
        }
    } else {
        Location::Sqlite { path: place.into() }
    };
    World::new(&location, round, 1).await;
    println!("ready");
    let mut workers = tokio::task::JoinSet::new();
    let store = support::open(&location);
    for number in 0..16_u64 {
        let mut world = World {
            entropy: Entropy::seeded(number + 1000),
            ..known(&store, &location, round)
        };
        workers.spawn(async move {
            let mut step = 0;
            loop {
                step += 1;
                let _ = cycle(&mut world, &format!("{number}-{step}")).await;
            }
        });
    }
    let world = known(&store, &location, round);
    tokio::join!(keep_chain(&world, key, 1), keep_chain(&world, key, 2));
}

/// Links and signs, with pauses that leave room for the others.
async fn keep_chain(world: &World, key: &SigningKey, seed: u8) {
    loop {
        let _ = world.store.link_audit(&world.tenant, [seed; 32]).await;
        let _ = world.store.sign_audit(&world.tenant, key, world.now).await;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The parent: whatever was linked and signed when the child died is one whole chain, and goes on as one.
async fn check_chain(location: &Location, round: &str, key: &SigningKey) {
    let store = &support::open(location);
    let world = known(store, location, round);
    let keys = [key.public_jwk().clone()];
    let verify = async || {
        store
            .verify_audit(&world.tenant, &keys, None)
            .await
            .unwrap()
    };
    let found = verify().await.expect(round);
    while store.link_audit(&world.tenant, [3; 32]).await.unwrap() {}
    let all = verify().await.expect(round);
    assert_eq!(
        (all.last, all.waiting),
        (found.last + found.waiting, 0),
        "{round}"
    );
}

/// The world of a round as `World::new` made it.
fn known(store: &Store, location: &Location, round: &str) -> World {
    let mut seeded = Entropy::seeded(1 ^ 0x5eed);
    World {
        location: location.clone(),
        store: store.clone(),
        tenant: TenantId::parse(round).unwrap(),
        client: ClientId::parse("app").unwrap(),
        user: RowId::new(START, &mut seeded),
        session: RowId::new(START, &mut seeded),
        now: START,
        entropy: Entropy::from_os(),
    }
}

fn acknowledge(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}.").and_then(|()| out.flush());
}

#[expect(clippy::too_many_lines, reason = "one step of each kind, in order")]
async fn cycle(world: &mut World, name: &str) -> Result<(), jeton_store::StoreError> {
    let interaction = world.interaction();
    let id = interaction.id;
    world
        .store
        .open_interaction(&world.tenant, interaction)
        .await?;
    let grant = world.grant(true);
    let by_device = name.ends_with(['0', '2', '4', '6', '8']);
    let request = world.pushable();
    let (pushed, keep_until) = (request.id, world.now.plus(DAY));
    world
        .store
        .push_request(&world.tenant, request, keep_until)
        .await?;
    let approval = jeton_store::grants::Approval {
        interaction: Some(id),
        pushed: (!by_device).then_some(pushed),
        version: 0,
        code_expires_at: world.now.plus(MINUTE),
        consent: None,
        occasion: world.occasion(),
        grant: grant.clone(),
    };
    if by_device {
        if answer_device(world, approval).await? == Approved::Approved {
            acknowledge(&format!("connected {}", grant.id));
        }
    } else if world.store.approve(&world.tenant, approval).await? == Approved::Approved {
        acknowledge(&format!("answered {pushed}"));
    }
    let redemption = redemption(world, grant.id);
    if world.store.redeem_code(&world.tenant, redemption).await? == Redeemed::Issued {
        acknowledge(&format!("redeemed {}", grant.id));
    }
    for generation in 1..3 {
        let rotation = rotation(world, grant.id, generation);
        if let Rotated::Successor(next) = world
            .store
            .rotate_refresh_token(&world.tenant, rotation)
            .await?
        {
            acknowledge(&format!("rotated {} {next}", grant.id));
        }
    }
    let value = one_time(world, name);
    if world
        .store
        .claim_once(&world.tenant, &value, world.now)
        .await?
        == Claimed::Claimed
    {
        acknowledge(&format!("claimed {name}"));
    }
    let occasion = world.occasion();
    world
        .store
        .revoke_grant(&world.tenant, grant.id, "grant.revoked", occasion)
        .await?;
    acknowledge(&format!("revoked {}", grant.id));
    Ok(())
}

/// The same, for a device: from then on its code is a code like any other.
async fn answer_device(
    world: &mut World,
    approval: jeton_store::grants::Approval,
) -> Result<Approved, jeton_store::StoreError> {
    let (tenant, store) = (&world.tenant, &world.store);
    let device = jeton_protocol::device::Device {
        id: approval.grant.id,
        client: world.client.clone(),
        scope: approval.grant.scope.clone(),
        address: "192.0.2.1".into(),
        created_at: world.now,
        expires_at: approval.code_expires_at,
    };
    let digests = vec![jeton_token::secret::sha256(&device.id.bytes())];
    store.open_device(tenant, device, digests.clone()).await?;
    let who = (world.session, world.user);
    store.claim_device(tenant, digests, who, world.now).await?;
    store.approve_device(tenant, approval).await
}

fn redemption(world: &mut World, grant: RowId) -> Redemption {
    Redemption {
        bound: None,
        grant,
        refresh_expires_at: Some(world.now.plus(DAY)),
        occasion: world.occasion(),
    }
}

fn rotation(world: &mut World, grant: RowId, presented: u32) -> Rotation {
    let end = world.now.plus(DAY);
    Rotation {
        grant,
        presented,
        grace: Duration::ZERO,
        refresh_expires_at: end,
        bound: None,
        occasion: world.occasion(),
    }
}

fn one_time(world: &World, name: &str) -> OneTime {
    OneTime {
        kind: ReplayKind::ClientAssertion,
        client: Some(world.client.clone()),
        value: name.to_owned(),
        expires_at: world.now.plus(MINUTE),
    }
}

/// The parent: every acknowledged write is there, and cannot be had again.
async fn check(location: &Location, round: &str, lines: &[String]) {
    let store = &support::open(location);
    let mut world = known(store, location, round);
    let trail = traces(&world).await;
    let revoked: HashSet<&str> = lines
        .iter()
        .filter_map(|line| line.strip_prefix("revoked "))
        .collect();
    for line in lines {
        let line = line.strip_suffix('.').unwrap();
        let (what, rest) = line.split_once(' ').unwrap();
        let (name, number) = rest.split_once(' ').unwrap_or((rest, "0"));
        if what == "claimed" {
            let value = one_time(&world, name);
            let claimed = store
                .claim_once(&world.tenant, &value, world.now)
                .await
                .unwrap();
            assert_eq!(claimed, Claimed::AlreadyUsed, "{line}");
            continue;
        }
        if what == "answered" {
            check_answered(&world, name).await;
            continue;
        }
        let grant: RowId = name.parse().unwrap();
        let found = store
            .refreshable_grant(&world.tenant, grant)
            .await
            .unwrap()
            .expect(line);
        match what {
            "redeemed" => {
                let known_revoked = revoked.contains(format!("{name}.").as_str());
                check_redeemed(&mut world, grant, known_revoked).await;
            }
            "connected" => {
                let device = store.device(&world.tenant, grant).await.unwrap();
                assert!(device.expect(line).approved_at.is_some(), "{line}");
            }
            "rotated" => assert!(found.generation >= number.parse().unwrap(), "{line}"),
            "revoked" => {
                assert!(found.state.revoked_at.is_some(), "{line}");
                let rotation = rotation(&mut world, grant, found.generation);
                let again = store
                    .rotate_refresh_token(&world.tenant, rotation)
                    .await
                    .unwrap();
                assert_eq!(again, Rotated::Gone, "{line}");
                assert!(is_cut(&world, grant).await, "{line}");
                assert_eq!(
                    trail.iter().filter(|object| *object == name).count(),
                    1,
                    "{line}"
                );
            }
            other => panic!("{other}"),
        }
    }
}

async fn check_answered(world: &World, name: &str) {
    let pushed = Some(name.parse().unwrap());
    let again = world
        .store
        .close_interaction(&world.tenant, None, pushed, world.now)
        .await;
    assert_eq!(again.unwrap(), Closed::PushedRequestUsed, "{name}");
}

async fn check_redeemed(world: &mut World, grant: RowId, known_revoked: bool) {
    let pending = world.store.pending_grant(&world.tenant, grant).await;
    assert!(pending.unwrap().unwrap().redeemed_at.is_some(), "{grant}");
    // A replay would revoke the grant, which the checks still to come may not expect.
    if known_revoked {
        let redemption = redemption(world, grant);
        let again = world.store.redeem_code(&world.tenant, redemption).await;
        assert_eq!(again.unwrap(), Redeemed::Replayed, "{grant}");
    }
}

async fn is_cut(world: &World, grant: RowId) -> bool {
    let lineage = Lineage {
        tenant: world.tenant.as_str(),
        token: None,
        grant: Some(grant),
        session: None,
        user: None,
        client: "app",
        issued_at: world.now,
    };
    world.store.is_cut(&lineage, world.now).await.unwrap()
}

/// The objects of all revocations in the trail.
async fn traces(world: &World) -> Vec<String> {
    let (mut after, mut found) = (None, Vec::new());
    loop {
        let page = world
            .store
            .audit_records(&world.tenant, Page { after, limit: 1000 })
            .await
            .unwrap();
        let Some(last) = page.last() else {
            return found;
        };
        after = Some(last.id);
        found.extend(
            page.into_iter()
                .filter(|entry| entry.event == "grant.revoked")
                .map(|entry| entry.object),
        );
    }
}
