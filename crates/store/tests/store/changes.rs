//! Changing and looking: nothing is overwritten that was not seen, and looking leaves everything as it is.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use crate::support::{Kind, Place, World, open, runtime, user_named};
use jeton_store::grant_list::GrantsOf;
use jeton_store::{Options, Page, Replaced, Seen, Store};
use jeton_token::timestamp::Timestamp;

both! {
    // SEC-244
    async fn of_two_who_change_what_both_have_seen_one_is_told(world: World) {
        let seen = world.store.seen_client(&world.tenant, &world.client).await.unwrap().unwrap();
        let mut mine = seen.clone();
        mine.record.name = Some("Mine".into());
        let occasion = world.occasion();
        let first = world.store.change_client(&world.tenant, mine, occasion).await.unwrap();
        let mut late = seen.clone();
        late.record.name = Some("Late".into());
        let occasion = world.occasion();
        let second = world.store.change_client(&world.tenant, late, occasion).await.unwrap();
        assert_eq!((first, second), (Replaced::Replaced, Replaced::Stale));
        let kept = world.store.seen_client(&world.tenant, &world.client).await.unwrap().unwrap();
        assert_eq!(kept.record.name.as_deref(), Some("Mine"));
        assert!(kept.changed_at > seen.changed_at, "even within one millisecond");
    }

    // SEC-244
    async fn disabling_in_the_same_moment_makes_what_was_seen_stale(world: World) {
        let seen = world.store.seen_client(&world.tenant, &world.client).await.unwrap().unwrap();
        let occasion = world.occasion();
        world.store.disable_client(&world.tenant, &world.client, occasion).await.unwrap();
        let occasion = world.occasion();
        world.store.enable_client(&world.tenant, &world.client, occasion).await.unwrap();
        let occasion = world.occasion();
        let late = world.store.change_client(&world.tenant, seen.clone(), occasion).await.unwrap();
        assert_eq!(late, Replaced::Stale);
        let occasion = world.occasion();
        world.store.delete_client(&world.tenant, &world.client, occasion).await.unwrap();
        let occasion = world.occasion();
        let gone = world.store.change_client(&world.tenant, seen, occasion).await.unwrap();
        assert_eq!(gone, Replaced::NotFound);
    }

    // SEC-244
    async fn a_user_is_changed_once_for_each_time_they_were_seen(world: World) {
        let seen = world.store.seen_user(&world.tenant, "ada").await.unwrap().unwrap();
        let other = world.id();
        let occasion = world.occasion();
        world.store.insert_user(&world.tenant, user_named(other, "bob"), occasion).await.unwrap();
        let named = |name: &str, changed_at: Timestamp| Seen { record: user_named(world.user, name), changed_at };
        let (bob, eve, nobody) = (named("bob", seen.changed_at), named("eve", seen.changed_at), user_named(other, "x"));
        let occasion = world.occasion();
        assert_eq!(world.store.change_user(&world.tenant, bob, occasion).await.unwrap(), Replaced::Taken);
        let occasion = world.occasion();
        assert_eq!(world.store.change_user(&world.tenant, eve.clone(), occasion).await.unwrap(), Replaced::Replaced);
        let occasion = world.occasion();
        assert_eq!(world.store.change_user(&world.tenant, eve, occasion).await.unwrap(), Replaced::Stale);
        let occasion = world.occasion();
        world.store.delete_user(&world.tenant, other, occasion).await.unwrap();
        let gone = Seen { record: nobody, changed_at: seen.changed_at };
        let occasion = world.occasion();
        assert_eq!(world.store.change_user(&world.tenant, gone, occasion).await.unwrap(), Replaced::NotFound);
        assert!(world.store.user_by_name(&world.tenant, "eve").await.unwrap().is_some());
    }

    // SEC-R06
    async fn grants_are_listed_in_pages_by_user_and_by_client_and_not_to_other_tenants(world: World) {
        let mut ids = Vec::new();
        for _ in 0..5 {
            world.later(Duration::from_millis(1));
            ids.push(world.refreshable(true).await);
        }
        let own = GrantsOf { user: Some(world.user), client: Some(world.client.clone()) };
        let page = |after, limit| Page { after, limit };
        let first = world.store.grants(&world.tenant, own.clone(), page(None, 3)).await.unwrap();
        let found: Vec<_> = first.grants.iter().map(|stored| stored.grant.id).collect();
        assert_eq!((found, first.next), (ids[..3].to_vec(), Some(ids[2])));
        let rest = world.store.grants(&world.tenant, own, page(first.next, 3)).await.unwrap();
        let found: Vec<_> = rest.grants.iter().map(|stored| stored.grant.id).collect();
        assert_eq!((found, rest.next), (ids[3..].to_vec(), None));
        let strangers = GrantsOf { user: Some(world.session), client: None };
        let none = world.store.grants(&world.tenant, strangers, page(None, 9)).await.unwrap();
        assert_eq!((none.grants.len(), none.next), (0, None));
        let all = world.store.grants(&world.tenant, GrantsOf::default(), page(None, 9)).await.unwrap();
        assert_eq!(all.grants.len(), 5);
        let other = jeton_protocol::tenant::TenantId::parse("other").unwrap();
        let theirs = world.store.grants(&other, GrantsOf::default(), page(None, 9)).await.unwrap();
        assert!(theirs.grants.is_empty());
        assert_eq!(world.store.grant(&other, ids[0]).await.unwrap(), None);
        assert!(world.store.grant(&world.tenant, ids[0]).await.unwrap().is_some());
    }
}

fn looking_changes_nothing(kind: Kind) {
    let place = Place::new(kind);
    if let Place::Sqlite { folder } = &place {
        // A file of SQLite with nothing in it yet.
        std::fs::create_dir_all(folder).unwrap();
        let path = folder.join("jeton.db");
        let made = rusqlite::Connection::open(&path).unwrap();
        made.execute_batch("PRAGMA user_version = 1").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    for _ in 0..2 {
        let (_, schema) = Store::look(&place.location(), Options::default()).unwrap();
        assert!(schema.done == 0 && !schema.is_current(), "{schema:?}");
    }
    runtime().block_on(async {
        let mut world = World::new(&place.location(), "default", 1).await;
        let (looking, schema) = Store::look(&place.location(), Options::default()).unwrap();
        assert!(schema.is_current());
        let found = looking.client(&world.tenant, &world.client).await.unwrap();
        assert!(found.is_some());
        drop(open(&place.location()));
        if kind == Kind::Sqlite {
            let occasion = world.occasion();
            let written = looking
                .disable_client(&world.tenant, &world.client, occasion)
                .await;
            assert!(written.is_err(), "{written:?}");
        }
    });
}

#[test]
fn who_looks_at_a_file_sees_it_and_changes_nothing() {
    looking_changes_nothing(Kind::Sqlite);
}

#[test]
fn who_looks_at_postgresql_makes_no_table() {
    looking_changes_nothing(Kind::Postgres);
}
