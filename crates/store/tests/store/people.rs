//! Users, passwords, clients and tenants.

use crate::support::{MINUTE, World, tenant_named, user_named};
use jeton_protocol::client::{Client, ClientId};
use jeton_protocol::tenant::TenantId;
use jeton_store::links::{Link, LinkUse};
use jeton_store::replay::{Claimed, OneTime, ReplayKind};
use jeton_store::{Changed, Inserted, Page};

both! {
    async fn a_user_is_found_by_id_and_by_name(world: World) {
        let found = world.store.user(&world.tenant, world.user).await.unwrap().unwrap();
        assert_eq!(found, user_named(world.user, "ada"));
        assert_eq!(world.store.user_by_name(&world.tenant, "ada").await.unwrap(), Some(found));
        assert_eq!(world.store.user_by_name(&world.tenant, "Ada").await.unwrap(), None);
        let other = TenantId::parse("other").unwrap();
        assert_eq!(world.store.user(&other, world.user).await.unwrap(), None);
        assert_eq!(world.store.user_by_name(&other, "ada").await.unwrap(), None);
    }

    async fn a_name_belongs_to_one_user_of_a_tenant(world: World) {
        let second = world.id();
        let occasion = world.occasion();
        let taken = world.store.insert_user(&world.tenant, user_named(second, "ada"), occasion).await.unwrap();
        assert_eq!(taken, Inserted::Taken);
        let occasion = world.occasion();
        let made = world.store.insert_user(&world.tenant, user_named(second, "bob"), occasion).await.unwrap();
        assert_eq!(made, Inserted::Inserted);
        let occasion = world.occasion();
        let renamed = world.store.replace_user(&world.tenant, user_named(second, "ada"), occasion).await.unwrap();
        assert_eq!(renamed, Changed::Taken);
        let occasion = world.occasion();
        let renamed = world.store.replace_user(&world.tenant, user_named(second, "eve"), occasion).await.unwrap();
        assert_eq!(renamed, Changed::Changed);
        let occasion = world.occasion();
        let nobody = user_named(world.id(), "zoe");
        assert_eq!(world.store.replace_user(&world.tenant, nobody, occasion).await.unwrap(), Changed::NotFound);
        let occasion = world.occasion();
        world.store.insert_tenant(tenant_named("other"), occasion).await.unwrap();
        let other = TenantId::parse("other").unwrap();
        let occasion = world.occasion();
        let elsewhere = world.store.insert_user(&other, user_named(second, "ada"), occasion).await.unwrap();
        assert_eq!(elsewhere, Inserted::Inserted);
    }

    async fn lists_are_paged(world: World) {
        for number in 0..25 {
            world.later(MINUTE);
            let user = user_named(world.id(), &format!("user{number}"));
            let occasion = world.occasion();
            world.store.insert_user(&world.tenant, user, occasion).await.unwrap();
            let client = Client::new(ClientId::parse(&format!("client{number:02}")).unwrap(), world.now);
            let occasion = world.occasion();
            world.store.insert_client(&world.tenant, client, occasion).await.unwrap();
        }
        let mut users = Vec::new();
        let mut after = None;
        loop {
            let page = world.store.users(&world.tenant, Page { after, limit: 10 }).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            users.extend(page.into_iter().map(|user| user.username));
        }
        assert_eq!(users.len(), 26);
        assert_eq!((users[0].as_str(), users[25].as_str()), ("ada", "user24"));
        let mut clients = Vec::new();
        let mut after = None;
        loop {
            let page = world.store.clients(&world.tenant, Page { after, limit: 7 }).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.id.clone());
            clients.extend(page.into_iter().map(|client| client.id));
        }
        assert_eq!(clients.len(), 26);
        assert!(clients.is_sorted());
        let trail = world.store.audit_records(&world.tenant, Page { after: None, limit: 3 }).await.unwrap();
        let rest = Page { after: Some(trail[2].id), limit: 500 };
        let rest = world.store.audit_records(&world.tenant, rest).await.unwrap();
        assert_eq!(trail.len() + rest.len(), 4 + 50);
        assert!(trail[2].id > rest[0].id);
    }

    async fn disabling_is_shown_and_undone(world: World) {
        let occasion = world.occasion();
        world.store.disable_user(&world.tenant, world.user, occasion).await.unwrap();
        let user = world.store.user(&world.tenant, world.user).await.unwrap().unwrap();
        assert_eq!(user.disabled_at, Some(world.now));
        let occasion = world.occasion();
        let changed = world.store.replace_user(&world.tenant, user_named(world.user, "ada"), occasion).await.unwrap();
        assert_eq!(changed, Changed::Changed);
        let user = world.store.user(&world.tenant, world.user).await.unwrap().unwrap();
        assert_eq!(user.disabled_at, Some(world.now), "a new record does not enable");
        let occasion = world.occasion();
        world.store.enable_user(&world.tenant, world.user, occasion).await.unwrap();
        let user = world.store.user(&world.tenant, world.user).await.unwrap().unwrap();
        assert_eq!(user.disabled_at, None);
        let occasion = world.occasion();
        world.store.disable_client(&world.tenant, &world.client, occasion).await.unwrap();
        let client = world.store.client(&world.tenant, &world.client).await.unwrap().unwrap();
        assert_eq!(client.disabled_at, Some(world.now));
        let occasion = world.occasion();
        world.store.disable_tenant(&world.tenant, occasion).await.unwrap();
        let tenant = world.store.tenant(&world.tenant).await.unwrap().unwrap();
        assert_eq!(tenant.disabled_at, Some(world.now));
        let found = world.store.tenant_by_issuer("https://default.example").await.unwrap().unwrap();
        assert_eq!(found, tenant);
        let occasion = world.occasion();
        world.store.enable_tenant(&world.tenant, occasion).await.unwrap();
        assert_eq!(world.store.tenants(Page { after: None, limit: 9 }).await.unwrap()[0].disabled_at, None);
    }

    async fn an_issuer_belongs_to_one_tenant(world: World) {
        let mut twin = tenant_named("twin");
        twin.issuer = tenant_named("default").issuer;
        let occasion = world.occasion();
        assert_eq!(world.store.insert_tenant(twin.clone(), occasion).await.unwrap(), Inserted::Taken);
        let occasion = world.occasion();
        world.store.insert_tenant(tenant_named("twin"), occasion).await.unwrap();
        let occasion = world.occasion();
        assert_eq!(world.store.replace_tenant(twin, occasion).await.unwrap(), Changed::Taken);
    }

    // SEC-162
    async fn a_changed_password_ends_everything_and_a_first_one_nothing(world: World) {
        let before = world.refreshable(true).await;
        let occasion = world.occasion();
        world.store.set_password(&world.tenant, world.user, "$argon2id$1".into(), occasion).await.unwrap();
        let state = world.store.refreshable_grant(&world.tenant, before).await.unwrap().unwrap().state;
        assert_eq!(state.revoked_at, None);
        let old = "$argon2id$1".to_owned();
        let rehashed =
            world.store.rehash_password(&world.tenant, world.user, old.clone(), "$argon2id$2".into()).await.unwrap();
        assert_eq!(rehashed, Changed::Changed);
        let stale = world.store.rehash_password(&world.tenant, world.user, old, "$argon2id$3".into()).await.unwrap();
        assert_eq!(stale, Changed::NotFound);
        assert_eq!(world.store.password(&world.tenant, world.user).await.unwrap().as_deref(), Some("$argon2id$2"));
        let state = world.store.refreshable_grant(&world.tenant, before).await.unwrap().unwrap().state;
        assert_eq!(state.revoked_at, None);
        let occasion = world.occasion();
        world.store.set_password(&world.tenant, world.user, "$argon2id$4".into(), occasion).await.unwrap();
        let state = world.store.refreshable_grant(&world.tenant, before).await.unwrap().unwrap().state;
        assert!(state.revoked_at.is_some());
        let session = world.store.session(&world.tenant, world.session).await.unwrap().unwrap();
        assert!(session.session.ended_at.is_some());
        let occasion = world.occasion();
        let nobody = world.id();
        let missing = world.store.set_password(&world.tenant, nobody, "$argon2id$5".into(), occasion).await;
        assert_eq!(missing.unwrap(), Changed::NotFound);
        let occasion = world.occasion();
        world.store.delete_user(&world.tenant, world.user, occasion).await.unwrap();
        assert_eq!(world.store.password(&world.tenant, world.user).await.unwrap(), None);
    }

    // SEC-120, SEC-306
    async fn a_value_is_accepted_once_until_it_expires(world: World) {
        let value = OneTime {
            kind: ReplayKind::ClientAssertion,
            client: Some(world.client.clone()),
            value: "jti-1".into(),
            expires_at: world.now.plus(MINUTE),
        };
        let claim = async |world: &World, tenant: &TenantId, value: &OneTime| {
            world.store.claim_once(tenant, value, world.now).await.unwrap()
        };
        let here = world.tenant.clone();
        assert_eq!(claim(&world, &here, &value).await, Claimed::Claimed);
        assert_eq!(claim(&world, &here, &value).await, Claimed::AlreadyUsed);
        // SEC-011: each kind, client and tenant is a namespace of its own
        let other = TenantId::parse("other").unwrap();
        assert_eq!(claim(&world, &other, &value).await, Claimed::Claimed);
        let kind = OneTime { kind: ReplayKind::DpopProof, ..value.clone() };
        assert_eq!(claim(&world, &here, &kind).await, Claimed::Claimed);
        let client = OneTime { client: Some(ClientId::parse("app2").unwrap()), ..value.clone() };
        assert_eq!(claim(&world, &here, &client).await, Claimed::Claimed);
        world.later(MINUTE);
        let again = OneTime { expires_at: world.now.plus(MINUTE), ..value.clone() };
        assert_eq!(claim(&world, &here, &again).await, Claimed::Claimed);
        assert_eq!(claim(&world, &here, &again).await, Claimed::AlreadyUsed);
    }

    // SEC-042, SEC-300
    async fn a_link_works_once_and_for_its_purpose_alone(world: World) {
        let link = Link {
            id: world.id(),
            purpose: "password".into(),
            expires_at: world.now.plus(MINUTE),
            facts: serde_json::Map::from_iter([("user".to_owned(), "ada".into())]),
        };
        let occasion = world.occasion();
        world.store.make_link(&world.tenant, link.clone(), occasion).await.unwrap();
        let seen = world.store.link(&world.tenant, link.id, world.now).await.unwrap();
        assert_eq!(seen.as_ref(), Some(&link));
        let occasion = world.occasion();
        let wrong = world.store.use_link(&world.tenant, link.id, "admin", occasion).await.unwrap();
        assert_eq!(wrong, LinkUse::Gone);
        let occasion = world.occasion();
        let used = world.store.use_link(&world.tenant, link.id, "password", occasion).await.unwrap();
        assert_eq!(used, LinkUse::Used(link.clone()));
        let occasion = world.occasion();
        let again = world.store.use_link(&world.tenant, link.id, "password", occasion).await.unwrap();
        assert_eq!(again, LinkUse::Gone);
        assert_eq!(world.store.link(&world.tenant, link.id, world.now).await.unwrap(), None);
        let late = Link { id: world.id(), ..link };
        let occasion = world.occasion();
        world.store.make_link(&world.tenant, late.clone(), occasion).await.unwrap();
        world.later(MINUTE);
        let occasion = world.occasion();
        let used = world.store.use_link(&world.tenant, late.id, "password", occasion).await.unwrap();
        assert_eq!(used, LinkUse::Gone);
    }
}
