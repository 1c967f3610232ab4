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
        let counted = ("login:ada".to_owned(), ("address".to_owned(), RATE));
        world.store.forgive(&world.tenant, counted, (world.now, world.now)).await.unwrap();
        let charged = world.store.charge(&world.tenant, "login:ada", RATE, world.now).await.unwrap();
        assert_eq!(charged, Throttled::Admitted);
    }

    // SEC-465: one of two buckets is full, and the other is as it was
    async fn two_buckets_are_charged_together_or_not_at_all(world: World) {
        let both = |account: &str| (("address".to_owned(), RATE), (account.to_owned(), Rate { burst: 1, ..RATE }));
        let first = world.store.charge_both(&world.tenant, both("a"), world.now).await.unwrap();
        assert_eq!(first, (Throttled::Admitted, true));
        for _ in 0..10 {
            let again = world.store.charge_both(&world.tenant, both("a"), world.now).await.unwrap();
            assert_eq!(again, (Throttled::Wait(MINUTE), true));
        }
        for account in ["b", "c", "d", "e"] {
            let other = world.store.charge_both(&world.tenant, both(account), world.now).await.unwrap();
            assert_eq!(other, (Throttled::Admitted, true), "only the admitted one was counted for the address");
        }
        let sixth = world.store.charge_both(&world.tenant, both("f"), world.now).await.unwrap();
        assert_eq!(sixth, (Throttled::Wait(MINUTE), false));
        let account = world.store.throttled(&world.tenant, "f", RATE, world.now).await.unwrap();
        assert_eq!(account, Throttled::Admitted);
    }

    // SEC-465, SEC-013: what is given back is what is left of the charge, never what others were charged
    async fn what_is_forgiven_is_one_charge_and_no_more(world: World) {
        let counted = || ("account".to_owned(), ("address".to_owned(), RATE));
        for _ in 0..5 {
            world.store.charge(&world.tenant, "address", RATE, world.now).await.unwrap();
        }
        world.store.forgive(&world.tenant, counted(), (world.now, world.now)).await.unwrap();
        let admitted = world.store.charge(&world.tenant, "address", RATE, world.now).await.unwrap();
        assert_eq!(admitted, Throttled::Admitted);
        let full = world.store.charge(&world.tenant, "address", RATE, world.now).await.unwrap();
        assert_eq!(full, Throttled::Wait(MINUTE));
        // A charge that has run off by itself gives nothing back.
        let since = world.now;
        world.later(2 * MINUTE);
        world.store.forgive(&world.tenant, counted(), (since, world.now)).await.unwrap();
        for left in [Throttled::Admitted, Throttled::Admitted, Throttled::Wait(MINUTE)] {
            assert_eq!(world.store.charge(&world.tenant, "address", RATE, world.now).await.unwrap(), left);
        }
    }

    // SEC-465: one who is right takes nothing from the address, and one who is wrong everything, however they come together
    async fn right_ones_make_no_room_for_wrong_ones(world: World) {
        let mut work = Vec::new();
        for number in 0..64_u32 {
            let (store, tenant, now) = (world.store.clone(), world.tenant.clone(), world.now);
            work.push(tokio::spawn(async move {
                let account = format!("account {number}");
                let both = (("address".to_owned(), RATE), (account.clone(), RATE));
                let (charged, _) = store.charge_both(&tenant, both, now).await.unwrap();
                let is_right = number % 2 == 0;
                if charged == Throttled::Admitted && is_right {
                    let counted = (account, ("address".to_owned(), RATE));
                    store.forgive(&tenant, counted, (now, now)).await.unwrap();
                }
                charged == Throttled::Admitted && !is_right
            }));
        }
        let mut wrong = 0;
        for one in work {
            wrong += u32::from(one.await.unwrap());
        }
        assert!(wrong <= 5, "{wrong}");
        let rest = 5 - wrong;
        for number in 0..=rest {
            let charged = world.store.charge(&world.tenant, "address", RATE, world.now).await.unwrap();
            assert_eq!(charged == Throttled::Admitted, number < rest, "{number} of {rest}");
        }
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
