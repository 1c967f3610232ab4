//! Sweeping takes what is over, and nothing else.

use crate::support::{DAY, MINUTE, World};
use jeton_protocol::cut::CutTarget;
use jeton_store::grants::{Approved, Redeemed};
use jeton_store::replay::{OneTime, ReplayKind};
use jeton_store::sweep::SweepCursor;

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
            client: world.client.clone(),
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

    async fn a_step_is_bounded(world: World) {
        let mut work = Vec::new();
        for number in 0..1100 {
            let value = OneTime {
                kind: ReplayKind::DpopProof,
                client: world.client.clone(),
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
