//! A device waits, is claimed by whoever enters its code, and is answered once.

use std::time::Duration;

use crate::support::{DAY, MINUTE};
use jeton_protocol::device::{Device, INTERVAL};
use jeton_store::devices::{Denial, Denied, Opened};
use jeton_store::grants::{Approved, Redeemed};
use jeton_store::{Fault, Page};
use jeton_token::secret::sha256;

both! {
    async fn a_device_is_found_as_it_was_stored(world: World) {
        let (device, _) = world.device().await;
        let found = world.store.device(&world.tenant, device.id).await.unwrap().unwrap();
        assert!(found.waits(world.now) && !found.waits(device.expires_at));
        assert_eq!((found.interval, found.approved_at, found.denied_at), (INTERVAL, None, None));
        assert_eq!(found.device, device);
        let unknown = world.id();
        assert!(world.store.device(&world.tenant, unknown).await.unwrap().is_none());
    }

    // SEC-153: unique among those that are there, whichever key their code is kept under
    async fn no_two_devices_share_a_user_code(world: World) {
        let (first, digest) = world.device().await;
        let second = Device { id: world.id(), ..first };
        let new = sha256(b"under the next key");
        for digests in [vec![digest], vec![new, digest]] {
            let opened = world.store.open_device(&world.tenant, second.clone(), digests).await.unwrap();
            assert_eq!(opened, Opened::CodeTaken);
        }
        assert!(world.store.device(&world.tenant, second.id).await.unwrap().is_none());
        let opened = world.store.open_device(&world.tenant, second, vec![new]).await.unwrap();
        assert_eq!(opened, Opened::Opened);
    }

    // SEC-039, SEC-155: the session that entered the code answers, and no other
    async fn only_the_session_that_entered_the_code_may_answer(world: World) {
        let approval = world.device_approval().await;
        let (id, own) = (approval.grant.id, world.session);
        let elsewhere = world.id();
        world.open_session(elsewhere).await;
        let mut stolen = approval.clone();
        stolen.grant.session = elsewhere;
        assert_eq!(world.store.approve_device(&world.tenant, stolen).await.unwrap(), Approved::AlreadyClosed);
        let denial = Denial {
            session: elsewhere,
            interaction: approval.interaction.unwrap(),
            version: 0,
            occasion: world.occasion(),
        };
        let denied = world.store.deny_device(&world.tenant, id, denial).await.unwrap();
        assert_eq!(denied, Denied::AlreadyAnswered);
        let claimed = |session| world.store.claimed_device(&world.tenant, (id, session), world.now);
        assert!(claimed(elsewhere).await.unwrap().is_none());
        assert_eq!(claimed(own).await.unwrap().map(|device| device.id), Some(id));
        assert_eq!(world.store.approve_device(&world.tenant, approval).await.unwrap(), Approved::Approved);
    }

    // SEC-039: a code that one user has entered is unknown to every other; the same user may go on in another browser
    async fn a_claim_moves_with_its_user_and_to_nobody_else(world: World) {
        let (device, digest) = world.device().await;
        let (first, second, stranger) = (world.id(), world.id(), world.id());
        let (store, tenant, user, now) = (&world.store, &world.tenant, world.user, world.now);
        let claim = |session, user| store.claim_device(tenant, vec![sha256(b"newer"), digest], (session, user), now);
        assert_eq!(claim(first, user).await.unwrap(), Some(device.id));
        assert_eq!(claim(first, stranger).await.unwrap(), None);
        assert_eq!(claim(second, user).await.unwrap(), Some(device.id));
        assert!(store.claimed_device(tenant, (device.id, first), now).await.unwrap().is_none());
        assert!(store.claimed_device(tenant, (device.id, second), now).await.unwrap().is_some());
    }

    // SEC-461
    async fn an_expired_device_is_neither_claimed_nor_answered(world: World) {
        let (_, digest) = world.device().await;
        let mut approval = world.device_approval().await;
        let id = approval.grant.id;
        world.later(10 * MINUTE);
        approval.occasion = world.occasion();
        let who = (world.session, world.user);
        assert_eq!(world.store.claim_device(&world.tenant, vec![digest], who, world.now).await.unwrap(), None);
        assert!(world.store.claimed_device(&world.tenant, (id, world.session), world.now).await.unwrap().is_none());
        assert_eq!(world.store.approve_device(&world.tenant, approval).await.unwrap(), Approved::AlreadyClosed);
        assert!(world.store.pending_grant(&world.tenant, id).await.unwrap().is_none());
    }

    // SEC-310, SEC-321: device, interaction, grant, consent and trace, together or not at all
    async fn an_approval_of_a_device_is_all_or_nothing(world: World) {
        let approval = world.device_approval().await;
        let id = approval.grant.id;
        world.store.fail_next(Fault::BeforeCommit);
        assert!(world.store.approve_device(&world.tenant, approval.clone()).await.is_err());
        let waits = world.store.device(&world.tenant, id).await.unwrap().unwrap();
        assert!(waits.waits(world.now));
        assert!(world.store.pending_grant(&world.tenant, id).await.unwrap().is_none());
        assert_eq!(world.store.approve_device(&world.tenant, approval.clone()).await.unwrap(), Approved::Approved);
        let interaction = world.store.interaction(&world.tenant, approval.interaction.unwrap()).await.unwrap();
        assert_eq!(interaction.unwrap().closed_at, Some(world.now));
        let consent = world.store.consent(&world.tenant, world.user, &world.client).await.unwrap();
        assert_eq!(consent, approval.consent);
        let trail = world.store.audit_records(&world.tenant, Page { after: None, limit: 50 }).await.unwrap();
        let approvals = trail.iter().filter(|entry| entry.event == "grant.approved");
        assert_eq!(approvals.map(|entry| entry.object.clone()).collect::<Vec<_>>(), [id.to_string()]);
        assert_eq!(world.redeem(id).await, Redeemed::Issued);
        assert_eq!(world.redeem(id).await, Redeemed::Replayed);
    }

    // SEC-302, SEC-347: a page that was answered already, or whose session ended, leaves the device waiting
    async fn an_approval_that_comes_to_nothing_leaves_the_device_waiting(world: World) {
        let closed = world.device_approval().await;
        world.store.close_interaction(&world.tenant, closed.interaction, None, world.now).await.unwrap();
        let ended = world.device_approval().await;
        let occasion = world.occasion();
        let answers = [closed, ended];
        for (number, approval) in answers.into_iter().enumerate() {
            let id = approval.grant.id;
            if number == 1 {
                world.store.end_session(&world.tenant, world.session, occasion.clone()).await.unwrap();
            }
            assert_eq!(world.store.approve_device(&world.tenant, approval).await.unwrap(), Approved::AlreadyClosed);
            assert!(world.store.device(&world.tenant, id).await.unwrap().unwrap().waits(world.now));
            assert!(world.store.pending_grant(&world.tenant, id).await.unwrap().is_none());
        }
    }

    // SEC-310
    async fn a_refusal_closes_the_page_and_leaves_a_trace(world: World) {
        let approval = world.device_approval().await;
        let id = approval.grant.id;
        let denial = Denial {
            session: world.session,
            interaction: approval.interaction.unwrap(),
            version: 0,
            occasion: world.occasion(),
        };
        let mut again = denial.clone();
        again.occasion = world.occasion();
        assert_eq!(world.store.deny_device(&world.tenant, id, denial).await.unwrap(), Denied::Denied);
        assert_eq!(world.store.deny_device(&world.tenant, id, again).await.unwrap(), Denied::AlreadyAnswered);
        let found = world.store.device(&world.tenant, id).await.unwrap().unwrap();
        assert_eq!(found.denied_at, Some(world.now));
        let interaction = world.store.interaction(&world.tenant, approval.interaction.unwrap()).await.unwrap();
        assert_eq!(interaction.unwrap().closed_at, Some(world.now));
        let trail = world.store.audit_records(&world.tenant, Page { after: None, limit: 50 }).await.unwrap();
        let denials = trail.iter().filter(|entry| entry.event == "device.denied");
        assert_eq!(denials.map(|entry| entry.object.clone()).collect::<Vec<_>>(), [id.to_string()]);
    }

    // SEC-154: kept in the store, and bounded, so that a hasty device does not write for ever
    async fn each_poll_that_comes_too_soon_makes_the_interval_longer_up_to_a_minute(world: World) {
        let (device, _) = world.device().await;
        let mut expected = INTERVAL;
        while expected < Duration::from_secs(60) {
            let found = world.store.device(&world.tenant, device.id).await.unwrap().unwrap();
            assert_eq!(found.slowed(), expected + Duration::from_secs(5));
            world.store.slow_device(&world.tenant, device.id).await.unwrap();
            expected += Duration::from_secs(5);
            let found = world.store.device(&world.tenant, device.id).await.unwrap().unwrap();
            assert_eq!(found.interval, expected);
        }
        world.store.slow_device(&world.tenant, device.id).await.unwrap();
        let found = world.store.device(&world.tenant, device.id).await.unwrap().unwrap();
        assert_eq!((found.interval, found.slowed()), (expected, expected));
    }

    // SEC-300: the second use is known as long as tokens of the first may live
    async fn a_device_code_is_spent_for_good(world: World) {
        let approval = world.device_approval().await;
        let id = approval.grant.id;
        world.store.approve_device(&world.tenant, approval).await.unwrap();
        assert_eq!(world.redeem(id).await, Redeemed::Issued);
        world.later(DAY);
        assert_eq!(world.redeem(id).await, Redeemed::Replayed);
        let found = world.store.refreshable_grant(&world.tenant, id).await.unwrap().unwrap();
        assert_eq!(found.state.revoked_at, Some(world.now));
    }
}
