//! The chain of the trail: linked after the commit, signed, forgotten and emptied of persons without breaking.

use std::time::Duration;

use crate::support::{DAY, MINUTE, World, open, tenant_named, user_named};
use jeton_protocol::client::Client;
use jeton_protocol::tenant::TenantId;
use jeton_store::audit::AuditSearch;
use jeton_store::audit_checkpoints::Retention;
use jeton_store::audit_verify::{Broken, Verified};
use jeton_store::{Fault, Page};
use jeton_token::algorithm::SignatureAlgorithm;
use jeton_token::signing_key::SigningKey;

pub fn key() -> SigningKey {
    SigningKey::generate(SignatureAlgorithm::EdDsa, None).unwrap()
}

pub async fn link(world: &World) {
    while world
        .store
        .link_audit(&world.tenant, [7; 32])
        .await
        .unwrap()
    {}
}

/// Links what is there and signs it.
pub async fn sign(world: &World, key: &SigningKey) {
    link(world).await;
    world
        .store
        .sign_audit(&world.tenant, key, world.now)
        .await
        .unwrap();
}

pub async fn verify(world: &World, key: &SigningKey) -> Result<Verified, Broken> {
    let keys = [key.public_jwk().clone()];
    world
        .store
        .verify_audit(&world.tenant, &keys, None)
        .await
        .unwrap()
}

/// Writes this many more records, a minute apart.
pub async fn write(world: &mut World, count: u32) {
    for _ in 0..count {
        world.later(MINUTE);
        let occasion = world.occasion();
        world
            .store
            .audit(&world.tenant, "sign_in.failed", "account:x", occasion)
            .await
            .unwrap();
    }
}

async fn forget(world: &World, keep: Duration) {
    let retention = Retention {
        records_before: Some(world.now.minus(keep)),
        checkpoints_before: world.now.minus(2 * DAY),
    };
    while world
        .store
        .forget_audit(&world.tenant, retention)
        .await
        .unwrap()
    {}
}

both! {
    // SEC-431
    async fn a_linked_and_signed_trail_verifies(world: World) {
        let key = key();
        assert_eq!(verify(&world, &key).await.unwrap().waiting, 4, "nothing is linked before the first step");
        sign(&world, &key).await;
        write(&mut world, 600).await;
        sign(&world, &key).await;
        write(&mut world, 3).await;
        link(&world).await;
        write(&mut world, 2).await;
        let found = verify(&world, &key).await.unwrap();
        assert_eq!((found.first, found.last, found.waiting), (1, 607, 2));
        assert_eq!(found.signed.map(|(sequence, _)| sequence), Some(604));
        assert_eq!((found.checkpoints, found.erased), (2, 0));
        let other = TenantId::parse("other").unwrap();
        let empty = world.store.verify_audit(&other, &[], None).await.unwrap().unwrap();
        assert_eq!((empty.first, empty.last, empty.signed), (1, 0, None));
    }

    // SEC-431: ids are in the order of their making, commits are not
    async fn a_record_that_commits_late_is_linked_behind_those_that_were_faster(world: World) {
        let key = key();
        let early = world.occasion();
        write(&mut world, 5).await;
        sign(&world, &key).await;
        world.store.audit(&world.tenant, "sign_in.failed", "late", early.clone()).await.unwrap();
        sign(&world, &key).await;
        let links = world.store.audit_links(&world.tenant, 0, 100).await.unwrap();
        assert_eq!(links.last().map(|link| link.id), Some(early.trace));
        assert!(links[8].id > links[9].id);
        assert_eq!(verify(&world, &key).await.unwrap().last, 10);
    }

    // SEC-431
    async fn processes_that_link_at_once_make_one_chain(world: World) {
        let key = key();
        write(&mut world, 700).await;
        let mut work = tokio::task::JoinSet::new();
        for seed in 0..6_u8 {
            let (store, tenant) = (open(&world.location), world.tenant.clone());
            work.spawn(async move {
                while store.link_audit(&tenant, [seed; 32]).await.unwrap() {}
            });
        }
        work.join_all().await;
        sign(&world, &key).await;
        let found = verify(&world, &key).await.unwrap();
        assert_eq!((found.last, found.waiting), (704, 0));
    }

    // SEC-431: a change is not made to wait for the chain
    async fn the_chains_of_tenants_are_apart(world: World) {
        let occasion = world.occasion();
        world.store.insert_tenant(tenant_named("other"), occasion).await.unwrap();
        let tenants = world.store.unlinked_audit_tenants().await.unwrap();
        assert_eq!(tenants.len(), 2);
        link(&world).await;
        let tenants = world.store.unlinked_audit_tenants().await.unwrap();
        assert_eq!(tenants, [TenantId::parse("other").unwrap()]);
        assert_eq!(world.store.unsigned_audit_tenants("").await.unwrap(), std::slice::from_ref(&world.tenant));
        sign(&world, &key()).await;
        assert!(world.store.unsigned_audit_tenants("").await.unwrap().is_empty());
    }

    // SEC-434
    async fn what_is_too_old_goes_after_a_checkpoint_has_said_so(world: World) {
        let key = key();
        write(&mut world, 600).await;
        sign(&world, &key).await;
        world.later(10 * DAY);
        write(&mut world, 5).await;
        sign(&world, &key).await;
        forget(&world, 20 * DAY).await;
        assert_eq!(verify(&world, &key).await.unwrap().first, 1);
        forget(&world, 5 * DAY).await;
        assert_eq!(verify(&world, &key).await.unwrap().first, 1, "nothing has said so yet");
        sign(&world, &key).await;
        forget(&world, 5 * DAY).await;
        let found = verify(&world, &key).await.unwrap();
        assert_eq!((found.first, found.last, found.checkpoints), (605, 609, 1));
        let links = world.store.audit_links(&world.tenant, 0, 1000).await.unwrap();
        assert_eq!(links.len(), 5);
        world.later(10 * DAY);
        forget(&world, 5 * DAY).await;
        sign(&world, &key).await;
        forget(&world, 5 * DAY).await;
        let found = verify(&world, &key).await.unwrap();
        assert_eq!((found.first, found.last), (610, 609), "all is gone, and the chain goes on");
        write(&mut world, 1).await;
        sign(&world, &key).await;
        assert_eq!(verify(&world, &key).await.unwrap().last, 610);
    }

    // SEC-434
    async fn of_old_checkpoints_the_last_one_of_a_day_stays(world: World) {
        let key = key();
        for _ in 0..40 {
            write(&mut world, 1).await;
            sign(&world, &key).await;
        }
        world.later(3 * DAY);
        forget(&world, 100 * DAY).await;
        let kept = world.store.audit_checkpoints(&world.tenant, 0, 100).await.unwrap();
        assert_eq!(kept.iter().map(|kept| kept.sequence).collect::<Vec<_>>(), [44]);
        assert_eq!(verify(&world, &key).await.unwrap().checkpoints, 1);
    }

    // SEC-434
    async fn a_deleted_user_is_taken_out_and_the_chain_holds(world: World) {
        let key = key();
        let grant = world.refreshable(true).await;
        let failed = world.occasion();
        let account = jeton_store::audit::account("ada");
        world.store.audit(&world.tenant, "sign_in.failed", &account, failed).await.unwrap();
        let mut approval = world.approval(false).await;
        approval.occasion.actor = world.user.to_string();
        world.store.approve(&world.tenant, approval).await.unwrap();
        sign(&world, &key).await;
        let occasion = world.occasion();
        world.store.delete_user(&world.tenant, world.user, occasion).await.unwrap();
        let occasion = world.occasion();
        let event = "grant.revoked";
        world.store.revoke_grant(&world.tenant, grant, event, occasion).await.unwrap();
        sign(&world, &key).await;
        let [erasure] = &world.store.audit_erasures().await.unwrap()[..] else { panic!("one") };
        assert_eq!(world.store.erase_audit(erasure.clone(), world.now).await.unwrap(), None);
        let found = verify(&world, &key).await.unwrap();
        assert_eq!(found.erased, 4, "made, failed to sign in, approved, revoked on behalf of");
        let user = world.user.to_string();
        for link in world.store.audit_links(&world.tenant, 0, 100).await.unwrap() {
            let names = [&link.actor, &link.object, &link.record]
                .iter()
                .any(|text| text.contains(&user) || text.contains(&account));
            assert_eq!(names, link.event == "user.deleted", "{link:?}");
        }
        let trail = world.store.audit_records(&world.tenant, Page { after: None, limit: 50 }).await.unwrap();
        assert_eq!(trail.iter().filter(|record| record.erased).count(), 4);
        world.later(61 * MINUTE);
        let [erasure] = &world.store.audit_erasures().await.unwrap()[..] else { panic!("still there") };
        world.store.erase_audit(erasure.clone(), world.now).await.unwrap();
        assert!(world.store.audit_erasures().await.unwrap().is_empty());
    }

    // SEC-430: which members changed, and no secret of them
    async fn a_changed_client_or_user_says_which_members_changed(world: World) {
        let mut client = Client::new(world.client.clone(), world.now);
        world.later(MINUTE);
        client.first_party = true;
        client.name = Some("New".into());
        let occasion = world.occasion();
        world.store.replace_client(&world.tenant, client, occasion).await.unwrap();
        let mut user = user_named(world.user, "ada");
        user.admin = true;
        user.claims.insert("email".into(), "ada@example.org".into());
        world.later(MINUTE);
        let occasion = world.occasion();
        world.store.replace_user(&world.tenant, user, occasion).await.unwrap();
        let trail = world.store.audit_records(&world.tenant, Page { after: None, limit: 2 }).await.unwrap();
        let change = serde_json::json!({ "old": false, "new": true });
        assert_eq!(trail[1].details["changes"], serde_json::json!({ "first_party": change, "client_name": null }));
        assert_eq!(trail[0].details["changes"], serde_json::json!({ "admin": change, "claims.email": null }));
        assert_eq!((&trail[0].details["result"], &trail[0].details["request"]), (&"done".into(), &"r1".into()));
    }

    // SEC-430
    async fn a_search_finds_what_fits_all_it_names(world: World) {
        write(&mut world, 3).await;
        let mut occasion = world.occasion();
        occasion.request = "0199".into();
        occasion.actor = "eve".into();
        world.store.audit(&world.tenant, "sign_in.failed", "account:y", occasion).await.unwrap();
        let found = async |search: AuditSearch| {
            let page = Page { after: None, limit: 100 };
            world.store.audit_records_like(&world.tenant, search, page).await.unwrap().len()
        };
        let all = AuditSearch::default;
        assert_eq!(found(all()).await, 8);
        assert_eq!(found(AuditSearch { event: "sign_in.failed".into(), ..all() }).await, 4);
        assert_eq!(found(AuditSearch { actor: "eve".into(), ..all() }).await, 1);
        assert_eq!(found(AuditSearch { object: "account:x".into(), ..all() }).await, 3);
        assert_eq!(found(AuditSearch { request: "0199".into(), ..all() }).await, 1);
        assert_eq!(found(AuditSearch { actor: "eve".into(), object: "app".into(), ..all() }).await, 0);
        assert_eq!(found(AuditSearch { since: Some(world.now), ..all() }).await, 2);
        assert_eq!(found(AuditSearch { until: Some(world.now), ..all() }).await, 6);
    }

    // SEC-310, SEC-431: a linking step whose answer was lost has linked, or not, and never half
    async fn a_fault_while_linking_leaves_a_whole_chain(world: World) {
        let key = key();
        link(&world).await;
        write(&mut world, 20).await;
        for fault in [Fault::BeforeCommit, Fault::AfterCommit] {
            world.store.fail_next(fault);
            assert!(world.store.link_audit(&world.tenant, [1; 32]).await.is_err());
            assert!(verify(&world, &key).await.is_ok());
            world.store.fail_next(fault);
            assert!(world.store.sign_audit(&world.tenant, &key, world.now).await.is_err());
            assert!(verify(&world, &key).await.is_ok());
        }
        sign(&world, &key).await;
        assert_eq!(verify(&world, &key).await.unwrap().last, 24);
    }
}
