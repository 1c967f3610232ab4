//! Keys: made once, scheduled, sealed.

use crate::support::{DAY, MINUTE, World, open};
use jeton_protocol::client::{Client, KeptSecret};
use jeton_protocol::tenant::TenantId;
use jeton_store::keys::{Ends, FirstKeys, KeyPurpose, Replacement, Resealed, StoredKey};
use jeton_store::seal::{self, Place};
use jeton_store::{Changed, Inserted};
use jeton_token::seal_key::SealKey;
use jeton_token::secret::Secret;

fn key(world: &mut World, purpose: KeyPurpose, number: u16) -> StoredKey {
    StoredKey {
        id: world.id(),
        purpose,
        number,
        algorithm: "ES256".into(),
        sealed: vec![1, 2, 3],
        public_key: Some("{}".into()),
        created_at: world.now,
        published_at: Some(world.now),
        active_at: Some(world.now.plus(MINUTE)),
        retired_at: None,
        expires_at: None,
    }
}

both! {
    // SEC-334
    async fn of_many_first_starts_one_makes_the_keys(world: World) {
        let mut work = Vec::new();
        for _ in 0..8 {
            let keys = vec![key(&mut world, KeyPurpose::Signing, 1), key(&mut world, KeyPurpose::Handle, 1)];
            let (store, tenant, occasion) = (open(&world.location), world.tenant.clone(), world.occasion());
            work.push(tokio::spawn(async move { store.insert_first_keys(&tenant, keys, occasion).await.unwrap() }));
        }
        let mut inserted = 0;
        for one in work {
            inserted += u32::from(one.await.unwrap() == FirstKeys::Inserted);
        }
        assert_eq!(inserted, 1);
        assert_eq!(world.store.keys(&world.tenant).await.unwrap().len(), 2);
    }

    async fn a_key_comes_back_as_it_was_stored(world: World) {
        let stored = key(&mut world, KeyPurpose::Seal, 65535);
        let occasion = world.occasion();
        world.store.insert_key(&world.tenant, stored.clone(), occasion).await.unwrap();
        assert_eq!(world.store.keys(&world.tenant).await.unwrap(), vec![stored.clone()]);
        assert!(world.store.keys(&TenantId::parse("other").unwrap()).await.unwrap().is_empty());
        let twin = StoredKey { id: world.id(), ..stored };
        let occasion = world.occasion();
        assert!(world.store.insert_key(&world.tenant, twin, occasion).await.is_err(), "a number is used once");
    }

    // SEC-304
    async fn a_station_that_was_passed_stays(world: World) {
        let mut stored = key(&mut world, KeyPurpose::Signing, 1);
        let published_at = stored.published_at;
        let occasion = world.occasion();
        world.store.insert_key(&world.tenant, stored.clone(), occasion).await.unwrap();
        stored.published_at = Some(world.now.plus(DAY));
        stored.active_at = Some(world.now.plus(2 * MINUTE));
        stored.retired_at = Some(world.now.plus(DAY));
        let occasion = world.occasion();
        world.store.schedule_key(&world.tenant, stored.clone(), occasion).await.unwrap();
        let found = world.store.keys(&world.tenant).await.unwrap().remove(0);
        assert_eq!(found.published_at, published_at);
        assert_eq!((found.active_at, found.retired_at), (stored.active_at, stored.retired_at));
    }
}

both! {
    // SEC-351, SEC-334: the next key and the ends of those before it are one change, made by one of many.
    async fn of_many_rotations_at_once_one_makes_the_next_key(world: World) {
        let first = key(&mut world, KeyPurpose::Seal, 1);
        let other = StoredKey { algorithm: "EdDSA".into(), ..key(&mut world, KeyPurpose::Signing, 1) };
        for one in [&first, &other] {
            let occasion = world.occasion();
            world.store.insert_key(&world.tenant, one.clone(), occasion).await.unwrap();
        }
        let ends = Ends { retired_at: world.now.plus(DAY), expires_at: Some(world.now.plus(2 * DAY)) };
        let mut work = Vec::new();
        for _ in 0..8 {
            let next = key(&mut world, KeyPurpose::Seal, 2);
            let (store, tenant, occasion) = (open(&world.location), world.tenant.clone(), world.occasion());
            work.push(tokio::spawn(async move { store.succeed_key(&tenant, next, ends, occasion).await.unwrap() }));
        }
        let mut made = 0;
        for one in work {
            made += u32::from(one.await.unwrap() == Inserted::Inserted);
        }
        assert_eq!(made, 1);
        let found = world.store.keys(&world.tenant).await.unwrap();
        assert_eq!(found.len(), 3);
        for row in found {
            let ended = row.id == first.id;
            assert_eq!(row.retired_at, ended.then_some(ends.retired_at));
            assert_eq!(row.expires_at, ends.expires_at.filter(|_| ended));
        }
    }

    // SEC-415: what nothing accepts any more is not kept for ever.
    async fn a_key_that_ended_long_ago_is_destroyed_when_the_next_one_is_made(world: World) {
        let ends = |world: &World| Ends { retired_at: world.now, expires_at: Some(world.now.plus(DAY)) };
        for number in 1..=3 {
            let next = key(&mut world, KeyPurpose::Seal, number);
            let (ends, occasion) = (ends(&world), world.occasion());
            world.store.succeed_key(&world.tenant, next, ends, occasion).await.unwrap();
            world.now = world.now.plus(20 * DAY);
        }
        let numbers = async |world: &World| -> Vec<u16> {
            world.store.keys(&world.tenant).await.unwrap().iter().map(|row| row.number).collect()
        };
        assert_eq!(numbers(&world).await, [1, 2, 3]);
        let next = key(&mut world, KeyPurpose::Seal, 4);
        let (ends, occasion) = (ends(&world), world.occasion());
        world.store.succeed_key(&world.tenant, next, ends, occasion).await.unwrap();
        assert_eq!(numbers(&world).await, [2, 3, 4]);
    }

    // SEC-417, SEC-351
    async fn a_key_is_revoked_once_and_another_takes_its_place_in_the_same_moment(world: World) {
        let first = key(&mut world, KeyPurpose::Seal, 1);
        let occasion = world.occasion();
        world.store.insert_key(&world.tenant, first.clone(), occasion).await.unwrap();
        let next = StoredKey { active_at: Some(world.now.plus(DAY)), ..key(&mut world, KeyPurpose::Seal, 2) };
        for (replacement, outcome) in [
            (Replacement::New(next.clone()), Changed::Changed),
            (Replacement::New(key(&mut world, KeyPurpose::Seal, 3)), Changed::NotFound),
        ] {
            let occasion = world.occasion();
            assert_eq!(world.store.revoke_key(&world.tenant, first.id, replacement, occasion).await, Ok(outcome));
        }
        let found = world.store.keys(&world.tenant).await.unwrap();
        assert_eq!(found.len(), 2);
        let old = found.iter().find(|row| row.id == first.id).unwrap();
        assert_eq!((old.retired_at, old.expires_at), (Some(world.now), Some(world.now)));
        let published = Replacement::Published(next.id);
        let third = key(&mut world, KeyPurpose::Seal, 3);
        let occasion = world.occasion();
        world.store.insert_key(&world.tenant, third.clone(), occasion).await.unwrap();
        let occasion = world.occasion();
        world.store.revoke_key(&world.tenant, third.id, published, occasion).await.unwrap();
        let found = world.store.keys(&world.tenant).await.unwrap();
        let next = found.iter().find(|row| row.id == next.id).unwrap();
        assert_eq!(next.active_at, Some(world.now));
    }

    // SEC-415: whoever sealed anew what has changed meanwhile changes nothing.
    async fn only_what_is_still_as_it_was_read_is_sealed_anew(world: World) {
        let stored = key(&mut world, KeyPurpose::Seal, 1);
        let occasion = world.occasion();
        world.store.insert_key(&world.tenant, stored.clone(), occasion).await.unwrap();
        let resealed = |before: &[u8], after: &[u8]| Resealed { id: stored.id, before: before.to_vec(), after: after.to_vec() };
        assert_eq!(world.store.reseal_keys(&world.tenant, vec![resealed(&[9], &[4])]).await, Ok(0));
        assert_eq!(world.store.reseal_keys(&world.tenant, vec![resealed(&[1, 2, 3], &[4])]).await, Ok(1));
        assert_eq!(world.store.keys(&world.tenant).await.unwrap().remove(0).sealed, [4]);

        let mut client = world.store.client(&world.tenant, &world.client).await.unwrap().unwrap();
        client.secret = Some(KeptSecret::Sealed("before".into()));
        let occasion = world.occasion();
        world.store.replace_client(&world.tenant, client.clone(), occasion).await.unwrap();
        let resealed = |before: &str| Resealed { id: client.id.clone(), before: before.to_owned(), after: "after".to_owned() };
        assert_eq!(world.store.reseal_client_secrets(&world.tenant, vec![resealed("other")]).await, Ok(0));
        assert_eq!(world.store.reseal_client_secrets(&world.tenant, vec![resealed("before")]).await, Ok(1));
        let found = world.store.client(&world.tenant, &world.client).await.unwrap().unwrap();
        assert_eq!(found.secret, Some(KeptSecret::Sealed("after".into())));
        assert_eq!(Client { secret: client.secret.clone(), ..found }, client);
    }
}

// SEC-415
#[test]
fn a_sealed_secret_opens_only_where_it_was_stored() {
    let mut entropy = jeton_token::entropy::Entropy::seeded(1);
    let key = SealKey::new(1, &Secret::random(&mut entropy)).unwrap();
    let (here, there) = (
        TenantId::parse("here").unwrap(),
        TenantId::parse("there").unwrap(),
    );
    let place = Place {
        tenant: &here,
        table: "keys",
        row: "1",
        purpose: "signing",
    };
    let sealed = seal::seal(&key, place, &Secret::new(b"private".to_vec()), &mut entropy).unwrap();
    assert_eq!(
        seal::open(&key, place, &sealed).unwrap().expose(),
        b"private"
    );
    for other in [
        Place {
            tenant: &there,
            ..place
        },
        Place {
            table: "keys1",
            row: "",
            ..place
        },
        Place { row: "2", ..place },
        Place {
            purpose: "handle",
            ..place
        },
    ] {
        assert!(seal::open(&key, other, &sealed).is_err());
    }
}
