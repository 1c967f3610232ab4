//! Every verb that changes something writes exactly one record, in the transaction of the change, or is one of those that
//! decision 0007 lets write none (SEC-310).

use std::collections::BTreeSet;
use std::path::Path;

use crate::support::{MINUTE, World, tenant_named, user_named};
use jeton_protocol::client::{Client, ClientId};
use jeton_protocol::cut::CutTarget;
use jeton_protocol::grant::GrantId;
use jeton_protocol::session::Session;
use jeton_protocol::tenant::TenantId;
use jeton_store::credentials::Welcome;
use jeton_store::devices::Denial;
use jeton_store::keys::{Ends, KeyPurpose, Replacement, StoredKey};
use jeton_store::links::Link;
use jeton_store::refresh::Rotation;
use jeton_store::{Fault, Page, Seen};
use jeton_token::row_id::RowId;

const AUDITED: [&str; 40] = [
    "approve",
    "approve_device",
    "audit",
    "change_client",
    "change_user",
    "cut",
    "delete_client",
    "delete_user",
    "deny_device",
    "disable_client",
    "disable_tenant",
    "disable_user",
    "enable_client",
    "enable_tenant",
    "enable_user",
    "end_session",
    "end_sessions_of_user",
    "forget_consent",
    "insert_client",
    "insert_first_keys",
    "insert_key",
    "insert_tenant",
    "insert_user",
    "make_link",
    "open_session",
    "redeem_code",
    "renew_session",
    "replace_client",
    "replace_tenant",
    "replace_user",
    "revoke_grant",
    "revoke_grants_of_client",
    "revoke_grants_of_user",
    "revoke_key",
    "rotate_refresh_token",
    "schedule_key",
    "set_password",
    "set_password_by_link",
    "succeed_key",
    "use_link",
];

/// Decision 0007, "not audited".
const UNAUDITED: [&str; 24] = [
    "charge",
    "charge_both",
    "claim_device",
    "claim_once",
    "close_interaction",
    "erase_audit",
    "forget_audit",
    "forgive",
    "link_audit",
    "open_device",
    "open_interaction",
    "push_request",
    "refund",
    "rehash_password",
    "reseal_client_secrets",
    "reseal_keys",
    "sign_audit",
    "slow_device",
    "step_interaction",
    "sweep",
    "take_lease",
    "touch_session",
    "trim_interactions",
    "try_to_write",
];

// SEC-310
#[test]
fn every_verb_that_writes_is_on_one_of_the_lists() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let text = std::fs::read_to_string(entry.path()).unwrap();
        for item in text.split("\n    pub ").skip(1) {
            let Some(verb) = item.strip_prefix("async fn ") else {
                continue;
            };
            if [".write(", ".write_cutting("]
                .iter()
                .any(|call| item.contains(call))
            {
                found.insert(verb.split(['(', '<']).next().unwrap().to_owned());
            }
        }
    }
    found.retain(|verb| verb != "refresh_cuts");
    let listed: BTreeSet<_> = AUDITED
        .iter()
        .chain(&UNAUDITED)
        .map(|verb| (*verb).to_owned())
        .collect();
    assert_eq!(found, listed);
}

/// What is recorded of the tenant, and of the one it makes.
async fn records(world: &World) -> usize {
    let mut count = 0;
    for tenant in [world.tenant.clone(), made_by(world)] {
        let page = Page {
            after: None,
            limit: 100,
        };
        count += world
            .store
            .audit_records(&tenant, page)
            .await
            .unwrap()
            .len();
    }
    count
}

fn made_by(world: &World) -> TenantId {
    TenantId::parse(&format!("{}x", world.tenant)).unwrap()
}

/// Runs a verb with the planned fault and tells how many records it left, and whether it said that it went well.
macro_rules! tried {
    ($world:ident, $fault:ident, $verb:ident($($argument:expr),*)) => {{
        let before = records($world).await;
        if let Some(fault) = $fault {
            $world.store.fail_next(fault);
        }
        let well = $world.store.$verb($($argument),*).await.is_ok();
        (records($world).await - before, well)
    }};
}

type Tried = (usize, bool);

async fn of_grants(world: &mut World, verb: &str, fault: Option<Fault>) -> Tried {
    let (tenant, now) = (world.tenant.clone(), world.now);
    let grant = world.refreshable(true).await;
    match verb {
        "approve" => {
            let approval = world.approval(true).await;
            tried!(world, fault, approve(&tenant, approval.clone()))
        }
        "approve_device" => {
            let approval = world.device_approval().await;
            tried!(world, fault, approve_device(&tenant, approval.clone()))
        }
        "deny_device" => {
            let asked = world.device_approval().await;
            let denial = Denial {
                session: asked.grant.session,
                interaction: asked.interaction.unwrap(),
                version: asked.version,
                occasion: world.occasion(),
            };
            tried!(
                world,
                fault,
                deny_device(&tenant, asked.grant.id, denial.clone())
            )
        }
        "redeem_code" => {
            let again = world.redemption(grant);
            tried!(world, fault, redeem_code(&tenant, again.clone()))
        }
        "rotate_refresh_token" => {
            let rotation = |world: &mut World| Rotation {
                grant,
                presented: 1,
                grace: std::time::Duration::ZERO,
                refresh_expires_at: now.plus(MINUTE),
                bound: None,
                occasion: world.occasion(),
            };
            let first = rotation(world);
            world
                .store
                .rotate_refresh_token(&tenant, first)
                .await
                .unwrap();
            let reused = rotation(world);
            tried!(world, fault, rotate_refresh_token(&tenant, reused.clone()))
        }
        "forget_consent" => {
            let (user, client, occasion) = (world.user, world.client.clone(), world.occasion());
            tried!(
                world,
                fault,
                forget_consent(&tenant, user, &client, occasion.clone())
            )
        }
        other => of_revocations(world, (other, grant), fault).await,
    }
}

async fn of_revocations(
    world: &mut World,
    (verb, grant): (&str, GrantId),
    fault: Option<Fault>,
) -> Tried {
    let (tenant, user, client) = (world.tenant.clone(), world.user, world.client.clone());
    let occasion = world.occasion();
    match verb {
        "revoke_grant" => tried!(
            world,
            fault,
            revoke_grant(&tenant, grant, "grant.revoked", occasion)
        ),
        "revoke_grants_of_client" => tried!(
            world,
            fault,
            revoke_grants_of_client(&tenant, &client, occasion)
        ),
        "revoke_grants_of_user" => {
            tried!(world, fault, revoke_grants_of_user(&tenant, user, occasion))
        }
        "cut" => tried!(
            world,
            fault,
            cut(&tenant, CutTarget::Grant(grant), occasion)
        ),
        other => panic!("{other} is not tried"),
    }
}

async fn of_sessions(world: &mut World, verb: &str, fault: Option<Fault>) -> Tried {
    let (tenant, id, user) = (world.tenant.clone(), world.session, world.user);
    let mut session = world
        .store
        .session(&tenant, id)
        .await
        .unwrap()
        .unwrap()
        .session;
    let occasion = world.occasion();
    match verb {
        "open_session" => {
            session.id = world.id();
            tried!(world, fault, open_session(&tenant, session, occasion))
        }
        "renew_session" => tried!(world, fault, renew_session(&tenant, session, 0, occasion)),
        "end_session" => tried!(world, fault, end_session(&tenant, id, occasion)),
        "end_sessions_of_user" => tried!(
            world,
            fault,
            end_sessions_of_user(&tenant, user, None, occasion)
        ),
        other => of_users(world, other, fault).await,
    }
}

async fn of_users(world: &mut World, verb: &str, fault: Option<Fault>) -> Tried {
    let (tenant, user, other) = (world.tenant.clone(), world.user, world.id());
    let occasion = world.occasion();
    match verb {
        "audit" => tried!(
            world,
            fault,
            audit(&tenant, "sign_in.failed", "account:x", occasion)
        ),
        "insert_user" => tried!(
            world,
            fault,
            insert_user(&tenant, user_named(other, "bob"), occasion)
        ),
        "replace_user" => tried!(
            world,
            fault,
            replace_user(&tenant, user_named(user, "eve"), occasion)
        ),
        "change_user" => {
            let seen = Seen {
                record: user_named(user, "eve"),
                ..world
                    .store
                    .seen_user(&tenant, "ada")
                    .await
                    .unwrap()
                    .unwrap()
            };
            tried!(world, fault, change_user(&tenant, seen, occasion))
        }
        "disable_user" => tried!(world, fault, disable_user(&tenant, user, occasion)),
        "enable_user" => {
            let before = world.occasion();
            world
                .store
                .disable_user(&tenant, user, before)
                .await
                .unwrap();
            tried!(world, fault, enable_user(&tenant, user, occasion))
        }
        "delete_user" => tried!(world, fault, delete_user(&tenant, user, occasion)),
        "set_password" => {
            let before = world.occasion();
            world
                .store
                .set_password(&tenant, user, "a".into(), before)
                .await
                .unwrap();
            tried!(
                world,
                fault,
                set_password(&tenant, user, "b".into(), occasion)
            )
        }
        other => of_links(world, other, fault).await,
    }
}

async fn of_links(world: &mut World, verb: &str, fault: Option<Fault>) -> Tried {
    let (tenant, user) = (world.tenant.clone(), world.user);
    let link = Link {
        id: world.id(),
        purpose: "p".into(),
        expires_at: world.now.plus(MINUTE),
        facts: serde_json::Map::new(),
    };
    let (id, occasion) = (link.id, world.occasion());
    if verb != "make_link" {
        let before = world.occasion();
        world
            .store
            .make_link(&tenant, link.clone(), before)
            .await
            .unwrap();
    }
    match verb {
        "make_link" => tried!(world, fault, make_link(&tenant, link, occasion)),
        "use_link" => tried!(world, fault, use_link(&tenant, id, "p", occasion)),
        "set_password_by_link" => {
            let found = world.store.session(&tenant, world.session).await;
            let session = Session {
                id: world.id(),
                user,
                ..found.unwrap().unwrap().session
            };
            let welcome = Welcome {
                link: id,
                purpose: "p",
                phc: "c".into(),
                occasion,
                session,
                opened: world.occasion(),
            };
            tried!(world, fault, set_password_by_link(&tenant, welcome))
        }
        other => of_keys(world, other, fault).await,
    }
}

async fn of_keys(world: &mut World, verb: &str, fault: Option<Fault>) -> Tried {
    let tenant = world.tenant.clone();
    let key = key(world.id(), world);
    let occasion = world.occasion();
    match verb {
        "insert_first_keys" => tried!(
            world,
            fault,
            insert_first_keys(&tenant, vec![key], occasion)
        ),
        "insert_key" => tried!(world, fault, insert_key(&tenant, key, occasion)),
        "succeed_key" => {
            let ends = Ends {
                retired_at: world.now,
                expires_at: None,
            };
            tried!(world, fault, succeed_key(&tenant, key, ends, occasion))
        }
        "revoke_key" => {
            let before = world.occasion();
            world
                .store
                .insert_key(&tenant, key.clone(), before)
                .await
                .unwrap();
            tried!(
                world,
                fault,
                revoke_key(&tenant, key.id, Replacement::None, occasion)
            )
        }
        "schedule_key" => {
            let before = world.occasion();
            world
                .store
                .insert_key(&tenant, key.clone(), before)
                .await
                .unwrap();
            tried!(world, fault, schedule_key(&tenant, key, occasion))
        }
        other => of_clients(world, other, fault).await,
    }
}

fn key(id: RowId, world: &World) -> StoredKey {
    StoredKey {
        id,
        purpose: KeyPurpose::Audit,
        number: 1,
        algorithm: "EdDSA".into(),
        sealed: vec![1],
        public_key: None,
        created_at: world.now,
        published_at: None,
        active_at: Some(world.now),
        retired_at: None,
        expires_at: None,
    }
}

async fn of_clients(world: &mut World, verb: &str, fault: Option<Fault>) -> Tried {
    let (tenant, id) = (world.tenant.clone(), world.client.clone());
    let client = |id: &str| Client::new(ClientId::parse(id).unwrap(), world.now);
    let (same, other) = (client("app"), client("other"));
    let occasion = world.occasion();
    match verb {
        "insert_client" => tried!(world, fault, insert_client(&tenant, other, occasion)),
        "replace_client" => tried!(world, fault, replace_client(&tenant, same, occasion)),
        "change_client" => {
            let seen = world.store.seen_client(&tenant, &id).await.unwrap();
            tried!(
                world,
                fault,
                change_client(&tenant, seen.unwrap(), occasion)
            )
        }
        "disable_client" => tried!(world, fault, disable_client(&tenant, &id, occasion)),
        "enable_client" => {
            let before = world.occasion();
            world
                .store
                .disable_client(&tenant, &id, before)
                .await
                .unwrap();
            tried!(world, fault, enable_client(&tenant, &id, occasion))
        }
        "delete_client" => tried!(world, fault, delete_client(&tenant, &id, occasion)),
        other => of_tenants(world, other, fault).await,
    }
}

async fn of_tenants(world: &mut World, verb: &str, fault: Option<Fault>) -> Tried {
    let id = world.tenant.clone();
    let (same, made) = (
        tenant_named(id.as_str()),
        tenant_named(made_by(world).as_str()),
    );
    let occasion = world.occasion();
    match verb {
        "insert_tenant" => tried!(world, fault, insert_tenant(made, occasion)),
        "replace_tenant" => tried!(world, fault, replace_tenant(same, occasion)),
        "disable_tenant" => tried!(world, fault, disable_tenant(&id, occasion)),
        "enable_tenant" => {
            let before = world.occasion();
            world.store.disable_tenant(&id, before).await.unwrap();
            tried!(world, fault, enable_tenant(&id, occasion))
        }
        other => of_grants(world, other, fault).await,
    }
}

both! {
    // SEC-310, SEC-430
    async fn every_change_has_one_record_and_none_without_the_other(world: World) {
        let cases = [(None, (1, true)), (Some(Fault::BeforeCommit), (0, false)), (Some(Fault::AfterCommit), (1, false))];
        for (place, verb) in AUDITED.into_iter().enumerate() {
            for (turn, (fault, wanted)) in cases.into_iter().enumerate() {
                let name = format!("v{place}-{turn}");
                let mut of_verb = World::within(world.store.clone(), &world.location, &name, 1).await;
                let found = of_sessions(&mut of_verb, verb, fault).await;
                // Two things happen to somebody who is welcomed: a password is set, and a session opened.
                let each = if verb == "set_password_by_link" { 2 } else { 1 };
                assert_eq!(found, (wanted.0 * each, wanted.1), "{verb} with {fault:?}");
            }
        }
    }
}
