//! Pushed requests: kept as they were understood, answered once.

use crate::support::{DAY, MINUTE, World};
use jeton_protocol::tenant::TenantId;
use jeton_store::Fault;
use jeton_store::grants::{Approval, Approved};
use jeton_store::interactions::{Closed, Trimmed};
use jeton_store::sweep::SweepCursor;
use std::time::Duration;

both! {
    async fn a_request_is_found_as_it_was_pushed_and_only_in_its_tenant(world: World) {
        let id = world.pushed().await;
        let found = world.store.pushed_request(&world.tenant, id).await.unwrap().unwrap();
        assert_eq!((found.id, found.used_at, found.expires_at), (id, None, world.now.plus(MINUTE)));
        assert_eq!(found.request.target.redirect_uri(), "https://app.example/cb");
        let other = TenantId::parse("other").unwrap();
        assert_eq!(world.store.pushed_request(&other, id).await.unwrap(), None);
        let nobody = world.id();
        assert_eq!(world.store.pushed_request(&world.tenant, nobody).await.unwrap(), None);
    }

    // P-143, P-144, SEC-012, SEC-136: opening it as often as one likes spends nothing, an approval does, however late
    async fn an_approval_spends_it_and_a_second_one_makes_nothing(world: World) {
        let id = world.pushed().await;
        let pushed = Some(id);
        world.later(20 * MINUTE);
        let first = Approval { pushed, ..world.approval(true).await };
        let second = Approval { pushed, ..world.approval(true).await };
        let (made, not_made, late) = (first.grant.id, second.grant.id, second.interaction);
        assert_eq!(world.store.approve(&world.tenant, first).await.unwrap(), Approved::Approved);
        assert_eq!(world.store.approve(&world.tenant, second).await.unwrap(), Approved::PushedRequestUsed);
        assert!(world.store.pending_grant(&world.tenant, made).await.unwrap().is_some());
        assert!(world.store.pending_grant(&world.tenant, not_made).await.unwrap().is_none());
        let late = world.store.interaction(&world.tenant, late.unwrap()).await.unwrap().unwrap();
        assert_eq!(late.closed_at, Some(world.now), "it can come to nothing any more");
        let found = world.store.pushed_request(&world.tenant, id).await.unwrap().unwrap();
        assert_eq!(found.used_at, Some(world.now));
    }

    // SEC-012: the silent way stores no interaction, and spends all the same
    async fn a_silent_approval_and_a_silent_refusal_spend_it(world: World) {
        let approved = Some(world.pushed().await);
        let silent = Approval { interaction: None, pushed: approved, ..world.approval(true).await };
        let again = Approval { grant: world.grant(true), occasion: world.occasion(), ..silent.clone() };
        assert_eq!(world.store.approve(&world.tenant, silent).await.unwrap(), Approved::Approved);
        assert_eq!(world.store.approve(&world.tenant, again).await.unwrap(), Approved::PushedRequestUsed);

        let refused = Some(world.pushed().await);
        for expected in [Closed::Closed, Closed::PushedRequestUsed] {
            let closed = world.store.close_interaction(&world.tenant, None, refused, world.now).await.unwrap();
            assert_eq!(closed, expected);
        }
        let late = Approval { pushed: refused, ..world.approval(true).await };
        assert_eq!(world.store.approve(&world.tenant, late).await.unwrap(), Approved::PushedRequestUsed);
    }

    async fn a_refusal_of_a_stored_interaction_spends_it_once(world: World) {
        let pushed = Some(world.pushed().await);
        let mut outcomes = Vec::new();
        for _ in 0..2 {
            let interaction = world.interaction();
            let id = interaction.id;
            world.store.open_interaction(&world.tenant, interaction).await.unwrap();
            outcomes.push(world.store.close_interaction(&world.tenant, Some(id), pushed, world.now).await.unwrap());
        }
        assert_eq!(outcomes, [Closed::Closed, Closed::PushedRequestUsed]);
    }

    // An approval that fails for another reason leaves the request to be answered
    async fn what_does_not_happen_spends_nothing(world: World) {
        let id = world.pushed().await;
        let pushed = Some(id);
        let moved = Approval { pushed, version: 7, ..world.approval(true).await };
        assert_eq!(world.store.approve(&world.tenant, moved).await.unwrap(), Approved::AlreadyClosed);
        let approval = Approval { pushed, ..world.approval(true).await };
        world.store.fail_next(Fault::BeforeCommit);
        assert!(world.store.approve(&world.tenant, approval.clone()).await.is_err());
        let found = world.store.pushed_request(&world.tenant, id).await.unwrap().unwrap();
        assert_eq!(found.used_at, None);
        assert_eq!(world.store.approve(&world.tenant, approval).await.unwrap(), Approved::Approved);
    }

    // SEC-313: it stays as long as a sign-in that it began may be answered
    async fn a_request_is_swept_when_nothing_can_come_of_it(world: World) {
        let id = world.pushed().await;
        world.later(32 * MINUTE);
        world.store.sweep(SweepCursor::default(), world.now).await.unwrap();
        assert!(world.store.pushed_request(&world.tenant, id).await.unwrap().is_some());
        world.later(2 * MINUTE);
        assert_eq!(world.store.sweep(SweepCursor::default(), world.now).await.unwrap().deleted, 1);
        assert!(world.store.pushed_request(&world.tenant, id).await.unwrap().is_none());
        let late = Approval { pushed: Some(id), ..world.approval(true).await };
        assert_eq!(world.store.approve(&world.tenant, late).await.unwrap(), Approved::PushedRequestUsed);
        world.later(DAY);
    }

    // SEC-083, SEC-R11, SEC-313: whoever fills a tenant with requests loses the oldest of them, and nobody else's
    async fn a_crowded_tenant_loses_the_oldest_unused_requests(world: World) {
        let mut ids = Vec::new();
        for number in 0..20 {
            let id = world.pushed().await;
            if number % 4 == 0 {
                world.store.close_interaction(&world.tenant, None, Some(id), world.now).await.unwrap();
            }
            ids.push(id);
            world.later(Duration::from_millis(1));
        }
        let mut other = World::new(&world.location, "other", 2).await;
        let elsewhere = other.pushed().await;
        let left = async |world: &World| {
            let mut left = Vec::new();
            for (number, id) in ids.iter().enumerate() {
                if world.store.pushed_request(&world.tenant, *id).await.unwrap().is_some() {
                    left.push(number);
                }
            }
            left
        };
        let none = world.store.trim_pushed_requests(20).await.unwrap();
        assert_eq!(none, Trimmed { deleted: 0, more: false });
        let trimmed = world.store.trim_pushed_requests(14).await.unwrap();
        assert_eq!(trimmed, Trimmed { deleted: 6, more: false });
        let expected: Vec<usize> = (0..20).filter(|number| *number >= 8 || number % 4 == 0).collect();
        assert_eq!(left(&world).await, expected);
        let trimmed = world.store.trim_pushed_requests(3).await.unwrap();
        assert_eq!(trimmed, Trimmed { deleted: 11, more: false });
        assert_eq!(left(&world).await, [8, 12, 16]);
        assert!(other.store.pushed_request(&other.tenant, elsewhere).await.unwrap().is_some());
    }
}
