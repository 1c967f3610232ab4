//! Sweeping takes what is over, and nothing else.

use crate::support::{DAY, MINUTE, World};
use jeton_protocol::cut::CutTarget;
use jeton_store::grants::{Approved, Redeemed};
use jeton_store::replay::{Claimed, OneTime, ReplayKind};
use jeton_store::sweep::SweepCursor;
use jeton_token::timestamp::Timestamp;

async fn sweep_all(world: &World) -> u64 {
    let (mut cursor, mut deleted) = (SweepCursor::default(), 0);
    loop {
        let swept = world.store.sweep(cursor, world.now).await.unwrap();
        deleted += swept.deleted;
        cursor = swept.cursor;
        if !swept.more {
            return deleted;
        }
    }
}

async fn claim(world: &World, value: &str, expires_at: Timestamp) {
    let value = OneTime {
        kind: ReplayKind::DpopProof,
        client: Some(world.client.clone()),
        value: value.into(),
        expires_at,
    };
    let claimed = world
        .store
        .claim_once(&world.tenant, &value, world.now)
        .await;
    assert_eq!(claimed, Ok(Claimed::Claimed));
}

both! {
    // SEC-313
    async fn what_is_over_goes_and_what_can_be_misused_stays(world: World) {
        let abandoned = world.approved(true).await;
        let live = world.refreshable(true).await;
        let spent = world.approved(true).await;
        let mut redemption = world.redemption(spent);
        redemption.refresh_expires_at = None;
        world.store.redeem_code(&world.tenant, redemption).await.unwrap();
        let occasion = world.occasion();
        world.store.cut(&world.tenant, CutTarget::User(world.user), occasion).await.unwrap();
        let value = OneTime {
            kind: ReplayKind::DpopProof,
            client: Some(world.client.clone()),
            value: "j".into(),
            expires_at: world.now.plus(MINUTE),
        };
        world.store.claim_once(&world.tenant, &value, world.now).await.unwrap();
        assert_eq!(sweep_all(&world).await, 0);
        world.later(10 * MINUTE);
        assert_eq!(sweep_all(&world).await, 2, "the abandoned grant and the value");
        assert!(world.store.pending_grant(&world.tenant, abandoned).await.unwrap().is_none());
        assert!(world.store.pending_grant(&world.tenant, spent).await.unwrap().is_some());
        world.later(DAY);
        assert_eq!(sweep_all(&world).await, 6, "three interactions, the session, the cut, the spent grant");
        assert!(world.store.pending_grant(&world.tenant, spent).await.unwrap().is_none());
        assert!(world.store.refreshable_grant(&world.tenant, live).await.unwrap().is_some());
        world.later(14 * DAY);
        assert_eq!(sweep_all(&world).await, 1);
        assert!(world.store.refreshable_grant(&world.tenant, live).await.unwrap().is_none());
    }

    // SEC-302, SEC-R02: who signs out first leaves nothing to be approved, online or offline, swept or not
    async fn an_ended_session_approves_nothing(world: World) {
        let occasion = world.occasion();
        world.store.end_session(&world.tenant, world.session, occasion).await.unwrap();
        for offline in [true, false] {
            let late = world.approval(offline).await;
            let id = late.grant.id;
            assert_eq!(world.store.approve(&world.tenant, late).await.unwrap(), Approved::AlreadyClosed);
            assert!(world.store.pending_grant(&world.tenant, id).await.unwrap().is_none());
        }
        world.later(2 * DAY);
        sweep_all(&world).await;
        assert!(world.store.session(&world.tenant, world.session).await.unwrap().is_none());
        let swept = world.approval(true).await;
        assert_eq!(world.store.approve(&world.tenant, swept).await.unwrap(), Approved::AlreadyClosed);
    }

    // SEC-313: a device goes after its codes, and its grant lives on
    async fn a_device_is_swept_when_its_codes_are_over(world: World) {
        let approval = world.device_approval().await;
        let id = approval.grant.id;
        assert_eq!(world.store.approve_device(&world.tenant, approval).await.unwrap(), Approved::Approved);
        assert_eq!(world.redeem(id).await, Redeemed::Issued);
        world.later(11 * MINUTE);
        sweep_all(&world).await;
        assert!(world.store.device(&world.tenant, id).await.unwrap().is_some(), "clocks differ");
        world.later(2 * MINUTE);
        sweep_all(&world).await;
        assert!(world.store.device(&world.tenant, id).await.unwrap().is_none());
        assert_eq!(world.redeem(id).await, Redeemed::Replayed, "a second use is known without the row");
    }

    // SEC-358, SEC-313: a backlog goes in small verbs, oldest first, and others write in between
    async fn a_backlog_is_swept_in_batches_and_others_write_meanwhile(world: World) {
        const BACKLOG: u32 = 50_000;
        const KEPT: u32 = 10;
        for tenth in 0..10_i64 {
            let (tenant, now) = (world.tenant.clone(), world.now);
            world.store.write(move |tx| {
                for number in 0..i64::from(BACKLOG / 10) {
                    let place = tenth * 5000 + number;
                    tx.run(
                        "INSERT INTO replay (tenant_id, kind, client_id, value, expires_at) VALUES ($1, 'dpop', 'app', $2, $3)",
                        &[tenant.as_str().into(), (&place.to_be_bytes()[..]).into(), (now.millis() + place).into()],
                    )?;
                }
                Ok(())
            }).await.unwrap();
        }
        for number in 0..KEPT {
            claim(&world, &format!("kept {number}"), world.now.plus(DAY)).await;
        }
        world.later(10 * MINUTE);
        let count = |world: &World| {
            let store = world.store.clone();
            async move {
                let rows = store.read(|tx| tx.one("SELECT COUNT(*), MIN(expires_at) FROM replay", &[])).await.unwrap().unwrap();
                (rows.int(0).unwrap(), rows.int(1).unwrap())
            }
        };
        let (mut cursor, mut steps) = (SweepCursor::default(), 0);
        loop {
            let before = count(&world).await;
            let swept = world.store.sweep(cursor, world.now).await.unwrap();
            let after = count(&world).await;
            assert!(swept.deleted <= 500 && before.0 - after.0 <= 500, "{swept:?}");
            assert!(after.1 > before.1 || swept.deleted == 0, "the oldest went first");
            claim(&world, &format!("between {steps}"), world.now.plus(DAY)).await;
            (cursor, steps) = (swept.cursor, steps + 1);
            if !swept.more {
                break;
            }
        }
        assert_eq!(steps, 101);
        assert_eq!(count(&world).await.0, i64::from(KEPT) + 101);
    }

    // SEC-358: what the walk has to find among what lives is all found, wherever it stands
    async fn counters_and_grants_are_found_wherever_they_stand(world: World) {
        let (tenant, now) = (world.tenant.clone(), world.now);
        world.store.write(move |tx| {
            for number in 0..6000_i64 {
                let lives = number % 3 == 0;
                let full_at = now.millis() + if lives { 86_400_000 } else { number };
                tx.run(
                    "INSERT INTO throttle (tenant_id, bucket, full_at) VALUES ($1, $2, $3)",
                    &[tenant.as_str().into(), format!("{number:05}").as_str().into(), full_at.into()],
                )?;
            }
            Ok(())
        }).await.unwrap();
        world.later(10 * MINUTE);
        assert_eq!(sweep_all(&world).await, 4000);
        assert_eq!(sweep_all(&world).await, 0);
        world.later(2 * DAY);
        assert_eq!(sweep_all(&world).await, 2000 + 1, "and the session");
    }

    async fn a_step_is_bounded(world: World) {
        let mut work = Vec::new();
        for number in 0..1100 {
            let value = OneTime {
                kind: ReplayKind::DpopProof,
                client: Some(world.client.clone()),
                value: format!("{number}"),
                expires_at: world.now,
            };
            let (store, tenant, now) = (world.store.clone(), world.tenant.clone(), world.now);
            work.push(tokio::spawn(async move { store.claim_once(&tenant, &value, now).await }));
            if work.len() == 200 {
                for one in work.drain(..) {
                    one.await.unwrap().unwrap();
                }
            }
        }
        for one in work {
            one.await.unwrap().unwrap();
        }
        world.later(10 * MINUTE);
        let swept = world.store.sweep(SweepCursor::default(), world.now).await.unwrap();
        assert_eq!((swept.deleted, swept.more), (500, true));
        assert_eq!(sweep_all(&world).await, 600);
    }
}
