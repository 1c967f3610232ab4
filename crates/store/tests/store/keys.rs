//! Keys: made once, scheduled, sealed.

use crate::support::{DAY, MINUTE, World, open};
use jeton_protocol::tenant::TenantId;
use jeton_store::keys::{FirstKeys, KeyPurpose, StoredKey};
use jeton_store::seal::{self, Place};
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
