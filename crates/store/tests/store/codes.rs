//! Authorization codes are a state of the grant, spent once.

use crate::support::{DAY, MINUTE, World};
use jeton_protocol::grant::Grant;
use jeton_store::grants::{Redeemed, Redemption};
use jeton_store::{Fault, Lineage, StoreError};
use jeton_token::Confirmation;

fn lineage<'a>(world: &'a World, grant: jeton_token::row_id::RowId) -> Lineage<'a> {
    Lineage {
        tenant: world.tenant.as_str(),
        token: None,
        grant: Some(grant),
        session: None,
        user: Some(world.user),
        client: "app",
        issued_at: world.now,
    }
}

both! {
    // SEC-300
    async fn a_code_is_redeemed_once(world: World) {
        let grant = world.approved(true).await;
        let pending = world.store.pending_grant(&world.tenant, grant).await.unwrap().unwrap();
        assert_eq!(pending.grant.id, grant);
        assert_eq!(pending.redeemed_at, None);
        assert_eq!(pending.code_expires_at, world.now.plus(MINUTE));
        assert_eq!(world.redeem(grant).await, Redeemed::Issued);
        let pending = world.store.pending_grant(&world.tenant, grant).await.unwrap().unwrap();
        assert_eq!(pending.redeemed_at, Some(world.now));
    }

    // SEC-300, SEC-302, SEC-310: RFC 6749 §4.1.2
    async fn a_code_spent_twice_takes_the_tokens_of_the_first_use_with_it(world: World) {
        let grant = world.approved(true).await;
        assert_eq!(world.redeem(grant).await, Redeemed::Issued);
        world.later(MINUTE / 2);
        assert!(!world.store.is_cut(&lineage(&world, grant), world.now).await.unwrap());
        assert_eq!(world.redeem(grant).await, Redeemed::Replayed);
        let found = world.store.refreshable_grant(&world.tenant, grant).await.unwrap().unwrap();
        assert_eq!(found.state.revoked_at, Some(world.now));
        assert!(world.store.is_cut(&lineage(&world, grant), world.now).await.unwrap());
        let trail = world.store.audit_records(&world.tenant, jeton_store::Page { after: None, limit: 50 });
        let trail = trail.await.unwrap();
        let replays = trail.iter().filter(|entry| entry.event == "code.replayed").count();
        assert_eq!(replays, 1);
        assert_eq!(world.redeem(grant).await, Redeemed::Replayed);
    }

    // P-231, SEC-181
    async fn redeeming_binds_the_grant_to_a_key_once_and_a_replay_changes_nothing(world: World) {
        let id = world.approved(true).await;
        let bound = async |world: &mut World, key: [u8; 32]| {
            let found = world.store.refreshable_grant(&world.tenant, id).await.unwrap().unwrap();
            let binding = Some(Confirmation::DpopKey(key));
            let bound = Some(Grant { binding, ..found.grant });
            let redemption = Redemption { bound, ..world.redemption(id) };
            world.store.redeem_code(&world.tenant, redemption).await.unwrap()
        };
        let before = world.store.pending_grant(&world.tenant, id).await.unwrap().unwrap().grant;
        assert_eq!(bound(&mut world, [1; 32]).await, Redeemed::Issued);
        assert_eq!(bound(&mut world, [2; 32]).await, Redeemed::Replayed);
        let after = world.store.refreshable_grant(&world.tenant, id).await.unwrap().unwrap().grant;
        assert_eq!(after, Grant { binding: Some(Confirmation::DpopKey([1; 32])), ..before });
    }

    async fn an_expired_code_is_gone(world: World) {
        let grant = world.approved(true).await;
        world.later(MINUTE);
        assert_eq!(world.redeem(grant).await, Redeemed::Gone);
        let found = world.store.pending_grant(&world.tenant, grant).await.unwrap().unwrap();
        assert_eq!((found.redeemed_at, found.state.revoked_at), (None, None));
    }

    // SEC-R06: an id of another tenant is not found
    async fn a_code_means_nothing_to_another_tenant(world: World) {
        let grant = world.approved(true).await;
        let other = jeton_protocol::tenant::TenantId::parse("other").unwrap();
        assert!(world.store.pending_grant(&other, grant).await.unwrap().is_none());
        let redemption = world.redemption(grant);
        assert_eq!(world.store.redeem_code(&other, redemption).await.unwrap(), Redeemed::Gone);
        assert_eq!(world.redeem(grant).await, Redeemed::Issued);
    }

    // SEC-307: what was true when the grant was read is asked again by the write
    async fn a_code_of_a_disabled_user_cannot_be_redeemed(world: World) {
        let grant = world.approved(true).await;
        let occasion = world.occasion();
        world.store.disable_user(&world.tenant, world.user, occasion).await.unwrap();
        assert_eq!(world.redeem(grant).await, Redeemed::Gone);
        let state = world.store.pending_grant(&world.tenant, grant).await.unwrap().unwrap().state;
        assert_eq!(state.user_disabled_at, Some(world.now));
    }

    // SEC-307
    async fn a_code_of_a_deleted_user_cannot_be_redeemed(world: World) {
        let grant = world.approved(true).await;
        let occasion = world.occasion();
        world.store.delete_user(&world.tenant, world.user, occasion).await.unwrap();
        assert_eq!(world.redeem(grant).await, Redeemed::Gone);
        let state = world.store.pending_grant(&world.tenant, grant).await.unwrap().unwrap().state;
        assert!(state.user_gone);
    }

    // SEC-307
    async fn a_code_of_a_disabled_client_cannot_be_redeemed_even_after_it_is_enabled_again(world: World) {
        let grant = world.approved(true).await;
        let occasion = world.occasion();
        world.store.disable_client(&world.tenant, &world.client, occasion).await.unwrap();
        assert_eq!(world.redeem(grant).await, Redeemed::Gone);
        let occasion = world.occasion();
        world.store.enable_client(&world.tenant, &world.client, occasion).await.unwrap();
        assert_eq!(world.redeem(grant).await, Redeemed::Gone);
        world.later(MINUTE / 60);
        let grant = world.approved(true).await;
        assert_eq!(world.redeem(grant).await, Redeemed::Issued);
    }

    // SEC-162
    async fn a_code_dies_with_the_session_unless_the_grant_is_for_offline_access(world: World) {
        let tied = world.approved(false).await;
        let offline = world.approved(true).await;
        let occasion = world.occasion();
        world.store.end_session(&world.tenant, world.session, occasion).await.unwrap();
        assert_eq!(world.redeem(tied).await, Redeemed::Gone);
        assert_eq!(world.redeem(offline).await, Redeemed::Issued);
    }

    async fn a_revoked_grant_gives_nothing_for_its_code(world: World) {
        let grant = world.approved(true).await;
        let occasion = world.occasion();
        world.store.revoke_grant(&world.tenant, grant, "grant.revoked", occasion).await.unwrap();
        assert_eq!(world.redeem(grant).await, Redeemed::Gone);
    }

    // SEC-309: an outcome nobody knows is not success, and never a second effect
    async fn a_fault_around_the_commit_never_looks_like_success(world: World) {
        let grant = world.approved(true).await;
        world.store.fail_next(Fault::BeforeCommit);
        let redemption = world.redemption(grant);
        let result = world.store.redeem_code(&world.tenant, redemption).await;
        assert!(matches!(result, Err(StoreError::Failed(_))), "{result:?}");
        world.store.fail_next(Fault::AfterCommit);
        let redemption = world.redemption(grant);
        let result = world.store.redeem_code(&world.tenant, redemption).await;
        assert!(matches!(result, Err(StoreError::Unknown(_))), "{result:?}");
        assert_eq!(world.redeem(grant).await, Redeemed::Replayed);
    }

    // SEC-163
    async fn nothing_comes_of_a_grant_after_its_absolute_end(world: World) {
        let mut approval = world.approval(true).await;
        approval.grant.expires_at = world.now.plus(MINUTE / 2);
        let grant = approval.grant.id;
        world.store.approve(&world.tenant, approval).await.unwrap();
        world.later(MINUTE / 2);
        assert_eq!(world.redeem(grant).await, Redeemed::Gone);
        world.later(DAY);
        assert_eq!(world.redeem(grant).await, Redeemed::Gone);
    }
}
