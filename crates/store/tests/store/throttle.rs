//! Buckets: a burst, then one charge at a time.

use std::time::Duration;

use crate::support::{MINUTE, open};
use jeton_store::throttle::{Rate, Throttled};

const RATE: Rate = Rate {
    burst: 5,
    per_charge: MINUTE,
};

both! {
    // SEC-153: what is taken back is one charge, and never more than was charged
    async fn a_refund_takes_back_one_charge(world: World) {
        for _ in 0..5 {
            world.store.charge(&world.tenant, "code", RATE, world.now).await.unwrap();
        }
        world.store.refund(&world.tenant, "code", RATE).await.unwrap();
        let again = world.store.charge(&world.tenant, "code", RATE, world.now).await.unwrap();
        assert_eq!(again, Throttled::Admitted);
        let beyond = world.store.charge(&world.tenant, "code", RATE, world.now).await.unwrap();
        assert_eq!(beyond, Throttled::Wait(MINUTE));
        for _ in 0..20 {
            world.store.refund(&world.tenant, "code", RATE).await.unwrap();
        }
        for _ in 0..5 {
            world.store.charge(&world.tenant, "code", RATE, world.now).await.unwrap();
        }
        let beyond = world.store.charge(&world.tenant, "code", RATE, world.now).await.unwrap();
        assert_eq!(beyond, Throttled::Wait(MINUTE), "the past holds no charges");
    }

    // SEC-308, SEC-465
    async fn a_bucket_admits_a_burst_and_then_one_a_minute(world: World) {
        for _ in 0..5 {
            let charged = world.store.charge(&world.tenant, "login:ada", RATE, world.now).await.unwrap();
            assert_eq!(charged, Throttled::Admitted);
        }
        let seen = world.store.throttled(&world.tenant, "login:ada", RATE, world.now).await.unwrap();
        assert_eq!(seen, Throttled::Wait(MINUTE));
        let elsewhere = open(&world.location);
        let charged = elsewhere.charge(&world.tenant, "login:ada", RATE, world.now).await.unwrap();
        assert_eq!(charged, Throttled::Wait(MINUTE));
        world.later(Duration::from_secs(20));
        let charged = world.store.charge(&world.tenant, "login:ada", RATE, world.now).await.unwrap();
        assert_eq!(charged, Throttled::Wait(Duration::from_secs(40)));
        world.later(Duration::from_secs(40));
        let charged = world.store.charge(&world.tenant, "login:ada", RATE, world.now).await.unwrap();
        assert_eq!(charged, Throttled::Admitted);
        let other = world.store.charge(&world.tenant, "login:bob", RATE, world.now).await.unwrap();
        assert_eq!(other, Throttled::Admitted);
        world.store.forgive(&world.tenant, "login:ada").await.unwrap();
        let charged = world.store.charge(&world.tenant, "login:ada", RATE, world.now).await.unwrap();
        assert_eq!(charged, Throttled::Admitted);
    }

    async fn parallel_charges_never_get_more_than_the_burst(world: World) {
        let mut work = Vec::new();
        for _ in 0..64 {
            let (store, tenant, now) = (world.store.clone(), world.tenant.clone(), world.now);
            work.push(tokio::spawn(async move { store.charge(&tenant, "b", RATE, now).await.unwrap() }));
        }
        let mut admitted = 0;
        for one in work {
            admitted += u32::from(one.await.unwrap() == Throttled::Admitted);
        }
        assert_eq!(admitted, 5);
    }
}
