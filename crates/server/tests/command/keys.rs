//! Promises about `jeton key`.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use jeton::keys::Kek;
use jeton_protocol::client::{Client, ClientId, KeptSecret};
use jeton_protocol::tenant::TenantId;
use jeton_store::audit::Occasion;
use jeton_store::keys::Resealed;
use jeton_store::{Location, Options, Page, Store};
use jeton_token::entropy::Entropy;
use jeton_token::row_id::RowId;
use jeton_token::secret::Secret;
use jeton_token::timestamp::Timestamp;
use serde_json::Value as Json;

use super::Installation;

/// An installation whose keys have been made.
fn with_keys() -> Installation {
    let at = Installation::new();
    at.good("admin link");
    at
}

fn of(keys: &Json, algorithm: &str) -> Vec<Json> {
    let keys = keys.as_array().expect("a list").iter();
    let mut found: Vec<Json> = keys
        .filter(|key| key["algorithm"] == algorithm)
        .cloned()
        .collect();
    found.sort_by_key(|key| key["number"].as_u64());
    found
}

#[test]
fn key_commands_say_so_when_there_are_no_keys() {
    let at = Installation::new();
    assert_eq!(at.good("key list"), serde_json::json!([]));
    for line in ["", "--algorithm ES256", "--purpose handles"] {
        let told = at.refused(&format!("key rotate {line}"), 1);
        assert!(told.contains("no keys yet"), "{told}");
    }
    let told = at.refused("key rotate --algorithm none", 2);
    assert!(told.contains("ES256"), "{told}");
    let unknown = "key revoke 01997b0e-5c5e-7c3a-a1d4-2f8f3a9c1b77 --yes";
    assert!(at.refused(unknown, 1).contains("no key called"));
}

// SEC-417
#[test]
fn a_rotated_key_is_published_now_and_used_after_the_lead_whatever_it_is_for() {
    let at = with_keys();
    for (options, algorithm) in [
        ("--algorithm ES256", "ES256"),
        ("--purpose handles", "handle"),
        ("--purpose seals", "seal"),
    ] {
        let made = at.good(&format!("key rotate {options}"));
        assert_eq!(made.as_array().map(Vec::len), Some(1), "{made}");
        let keys = of(&at.good("key list"), algorithm);
        assert_eq!(keys.len(), 2, "{algorithm}");
        assert_eq!(keys[0]["state"], "active");
        assert_eq!(keys[1]["state"], "published");
        assert_eq!(keys[0]["retired_at"], keys[1]["active_at"]);
        assert_ne!(keys[1]["published_at"], keys[1]["active_at"]);

        at.good(&format!("key rotate {options} --now"));
        let states: Vec<Json> = of(&at.good("key list"), algorithm)
            .into_iter()
            .map(|key| key["state"].clone())
            .collect();
        assert_eq!(states, ["retired", "retired", "active"], "{algorithm}");
    }
    let mixed = at.refused("key rotate --purpose seals --algorithm ES256", 2);
    assert!(mixed.contains("signing keys only"), "{mixed}");
    let text = at.run("key list").text;
    let head = text.lines().next().expect("a head");
    for column in [
        "PURPOSE",
        "NUMBER",
        "ALGORITHM",
        "STATE",
        "PUBLISHED",
        "ACTIVE",
        "RETIRED",
        "EXPIRES",
    ] {
        assert!(head.contains(column), "{head}");
    }
}

// SEC-417, SEC-351
#[test]
fn a_key_is_revoked_only_when_that_is_meant_and_another_one_is_in_use_at_once() {
    let at = with_keys();
    let key = of(&at.good("key list"), "ES256").remove(0);
    let kid = key["kid"].as_str().expect("a kid");
    let told = at.refused(&format!("key revoke {kid}"), 2);
    assert!(told.contains("--yes"), "{told}");
    assert_eq!(of(&at.good("key list"), "ES256")[0]["state"], "active");

    let done = at.good(&format!("key revoke {kid} --yes"));
    assert_eq!(
        (&done["id"], &done["outcome"]),
        (&key["id"], &"revoked".into())
    );
    let keys = of(&at.good("key list"), "ES256");
    assert_eq!(
        (&keys[0]["state"], &keys[1]["state"]),
        (&"expired".into(), &"active".into())
    );
    assert_eq!(done["replaced_by"], keys[1]["id"]);
    let id = key["id"].as_str().expect("an id");
    let again = at.refused(&format!("key revoke {id} --yes"), 1);
    assert!(again.contains("expired already"), "{again}");
}

// P-54
#[test]
fn a_client_registered_for_ps256_has_a_key_made_for_it() {
    let at = Installation::new();
    let add = "client add --id-token-alg PS256 --redirect-uri https://a.example/cb --id";
    at.good(&format!("{add} first"));
    assert_eq!(of(&at.good("key list"), "PS256").len(), 1);
    assert_eq!(of(&at.good("key list"), "RS256").len(), 1);
    at.good(&format!("{add} second"));
    assert_eq!(of(&at.good("key list"), "PS256").len(), 1);

    let at = with_keys();
    at.good(&format!("{add} late"));
    let made = of(&at.good("key list"), "PS256").remove(0);
    assert_ne!(
        made["published_at"], made["active_at"],
        "seen before it signs"
    );
}

/// SEC-352: nothing is written with a key that does not open what the database holds, and no key is made in its place.
#[test]
fn a_key_file_that_is_lost_or_foreign_is_refused_before_anything_is_written() {
    use std::os::unix::fs::PermissionsExt as _;
    let at = Installation::new();
    at.good("admin link");
    let kept = std::fs::read_to_string(at.path("jeton.key")).expect("the key file");
    let keys = at.good("key list");

    std::fs::remove_file(at.path("jeton.key")).expect("removed");
    for command in ["key rotate", "admin link", "check"] {
        let ran = at.run(command);
        assert_eq!(ran.code, 1, "{command}: {}{}", ran.text, ran.error);
        let told = format!("{}{}", ran.text, ran.error);
        assert!(
            told.contains("is missing, but the database holds keys"),
            "{command}: {told}"
        );
        assert!(!at.path("jeton.key").exists(), "{command} made another key");
    }

    std::fs::write(at.path("jeton.key"), "A".repeat(43)).expect("written");
    let owner = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(at.path("jeton.key"), owner).expect("set");
    for command in ["key rotate", "check"] {
        let ran = at.run(command);
        assert_eq!(ran.code, 1, "{command}: {}{}", ran.text, ran.error);
        let told = format!("{}{}", ran.text, ran.error);
        assert!(
            told.contains("does not open the keys of this database"),
            "{command}: {told}"
        );
    }

    std::fs::write(at.path("jeton.key"), kept).expect("written");
    assert_eq!(at.good("key list"), keys);
    assert_eq!(at.run("check").code, 0);
}

/// The store of an installation, and something to wait with.
fn store(at: &Installation) -> (Store, tokio::runtime::Runtime) {
    let location = Location::Sqlite {
        path: at.path("jeton.db"),
    };
    let store = Store::open(&location, Options::default(), NOW).expect("the database");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    (store, runtime.expect("a runtime"))
}

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

// SEC-352
#[test]
fn a_damaged_key_is_named_by_check_and_by_the_list_and_stops_nothing() {
    let at = with_keys();
    let (store, runtime) = store(&at);
    let tenant = TenantId::default_tenant();
    let rows = runtime.block_on(store.keys(&tenant)).expect("keys");
    let row = rows
        .iter()
        .find(|row| row.algorithm == "ES256")
        .expect("a key");
    let broken = Resealed {
        id: row.id,
        before: row.sealed.clone(),
        after: vec![0; 60],
    };
    let damaged = runtime.block_on(store.reseal_keys(&tenant, vec![broken]));
    assert_eq!(damaged, Ok(1));
    drop(store);

    assert_eq!(of(&at.good("key list"), "ES256")[0]["state"], "damaged");
    assert_eq!(of(&at.good("key list"), "RS256")[0]["state"], "active");
    let ran = at.run("check");
    assert_eq!(ran.code, 1, "{}", ran.text);
    assert!(ran.text.contains(&row.id.to_string()), "{}", ran.text);
    at.good("admin link");
    at.good(&format!("key revoke {} --yes", row.id));
    assert_eq!(at.run("check").code, 0);
}

/// How many clients have a sealed secret: enough for several transactions.
const CLIENTS: usize = 450;

fn add_clients(at: &Installation, kek: &Kek) {
    let (store, runtime) = store(at);
    let tenant = TenantId::default_tenant();
    let mut entropy = Entropy::seeded(1);
    for number in 0..CLIENTS {
        let id = ClientId::parse(&format!("c{number:03}")).expect("an id");
        let secret = Secret::from_text(format!("the secret of {id}"));
        let sealed = kek.seal_client_secret(&tenant, &id, &secret, &mut entropy);
        let mut client = Client::new(id, NOW);
        client.secret = Some(KeptSecret::Sealed(sealed.expect("sealed")));
        let occasion = Occasion {
            now: NOW,
            trace: RowId::new(NOW, &mut entropy),
            actor: "test".to_owned(),
            request: String::new(),
        };
        let added = runtime.block_on(store.insert_client(&tenant, client, occasion));
        added.expect("added");
    }
}

/// How many client secrets and keys this key opens, each to what was sealed.
fn opened(at: &Installation, kek: &Kek) -> (usize, usize) {
    let (store, runtime) = store(at);
    let tenant = TenantId::default_tenant();
    let page = Page {
        after: None,
        limit: 1000,
    };
    let clients = runtime
        .block_on(store.clients(&tenant, page))
        .expect("clients");
    let opens = |client: &&Client| match &client.secret {
        Some(KeptSecret::Sealed(sealed)) => {
            let name = client.id.as_str();
            let plain = kek.open_client_secret(&tenant, name, sealed);
            plain.is_ok_and(|plain| plain.expose() == format!("the secret of {name}").as_bytes())
        }
        _ => false,
    };
    let keys = runtime.block_on(store.keys(&tenant)).expect("keys");
    let sound = |row: &&jeton_store::keys::StoredKey| kek.open_key(&tenant, row).is_ok();
    (
        clients.iter().filter(opens).count(),
        keys.iter().filter(sound).count(),
    )
}

fn key_file(path: &Path) -> Kek {
    Kek::from_file(path, &mut Entropy::from_os()).expect("a key file")
}

// SEC-415, SEC-352: killed again and again while everything is encrypted anew, nothing is ever unreadable.
#[test]
fn the_key_encryption_key_is_replaced_whenever_the_process_is_killed() {
    let at = with_keys();
    let old = || key_file(&at.path("jeton.key"));
    add_clients(&at, &old());
    let new = || key_file(&at.path("new.key"));
    let both = || new().with_previous(old());
    let rewrap = "key rewrap --set keys.encryption_key_file=new.key \
                  --set keys.encryption_key_previous_file=jeton.key";
    assert_eq!(opened(&at, &old()), (CLIENTS, 5));
    assert!(
        at.refused("key rewrap", 1)
            .contains("encryption_key_previous_file")
    );
    drop(new());
    for killed in 0..15 {
        let mut child = at
            .command(rewrap)
            .stdout(Stdio::null())
            .spawn()
            .expect("jeton runs");
        std::thread::sleep(Duration::from_millis(12 * killed));
        child.kill().expect("killed");
        child.wait().expect("ended");
        assert_eq!(opened(&at, &both()), (CLIENTS, 5), "after {killed} kills");
    }
    assert_eq!(at.good(rewrap)["damaged"], serde_json::json!([]));
    assert_eq!(opened(&at, &new()), (CLIENTS, 5));
    assert_eq!(opened(&at, &old()), (0, 0));
    assert_eq!(at.good(rewrap)["resealed"], 0);
    at.good("check --set keys.encryption_key_file=new.key");
    let told = at.run("check");
    assert!(
        told.text.contains("does not open the keys"),
        "{}",
        told.text
    );
}
