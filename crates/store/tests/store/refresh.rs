//! The refresh token of a grant is a counter.

use std::time::Duration;

use crate::support::{DAY, MINUTE, World};
use jeton_store::refresh::{Rotated, Rotation};
use jeton_token::row_id::RowId;

pub const GRACE: Duration = Duration::from_secs(10);

pub fn rotation(world: &mut World, grant: RowId, presented: u32) -> Rotation {
    Rotation {
        grant,
        presented,
        grace: GRACE,
        refresh_expires_at: world.now.plus(14 * DAY),
        bound: None,
        occasion: world.occasion(),
    }
}

async fn rotate(world: &mut World, grant: RowId, presented: u32) -> Rotated {
    let rotation = rotation(world, grant, presented);
    world
        .store
        .rotate_refresh_token(&world.tenant, rotation)
        .await
        .unwrap()
}

both! {
    async fn a_refresh_token_is_replaced_by_its_successor(world: World) {
        let grant = world.refreshable(true).await;
        assert_eq!(rotate(&mut world, grant, 1).await, Rotated::Successor(2));
        world.later(DAY);
        assert_eq!(rotate(&mut world, grant, 2).await, Rotated::Successor(3));
        let found = world.store.refreshable_grant(&world.tenant, grant).await.unwrap().unwrap();
        assert_eq!((found.generation, found.rotated_at), (3, Some(world.now)));
        assert_eq!(found.refresh_expires_at, Some(world.now.plus(14 * DAY)));
    }

    // SEC-161, SEC-303
    async fn a_repeated_refresh_within_the_grace_gets_the_same_successor(world: World) {
        let grant = world.refreshable(true).await;
        assert_eq!(rotate(&mut world, grant, 1).await, Rotated::Successor(2));
        world.later(GRACE - Duration::from_millis(1));
        assert_eq!(rotate(&mut world, grant, 1).await, Rotated::SameSuccessor(2));
        assert_eq!(rotate(&mut world, grant, 2).await, Rotated::Successor(3));
    }

    // SEC-160, SEC-302
    async fn a_refresh_token_used_after_the_grace_revokes_the_grant(world: World) {
        let grant = world.refreshable(true).await;
        assert_eq!(rotate(&mut world, grant, 1).await, Rotated::Successor(2));
        world.later(GRACE);
        assert_eq!(rotate(&mut world, grant, 1).await, Rotated::Reused);
        assert_eq!(rotate(&mut world, grant, 2).await, Rotated::Gone);
        let found = world.store.refreshable_grant(&world.tenant, grant).await.unwrap().unwrap();
        assert_eq!(found.state.revoked_at, Some(world.now));
    }

    // SEC-160: older than the one before is reuse even within the grace
    async fn a_refresh_token_two_generations_old_revokes_the_grant_at_once(world: World) {
        let grant = world.refreshable(true).await;
        rotate(&mut world, grant, 1).await;
        rotate(&mut world, grant, 2).await;
        assert_eq!(rotate(&mut world, grant, 1).await, Rotated::Reused);
        assert_eq!(rotate(&mut world, grant, 3).await, Rotated::Gone);
    }

    // SEC-481: without a grace every repetition is reuse
    async fn a_grace_of_nothing_forgives_nothing(world: World) {
        let grant = world.refreshable(true).await;
        rotate(&mut world, grant, 1).await;
        let mut strict = rotation(&mut world, grant, 1);
        strict.grace = Duration::ZERO;
        let rotated = world.store.rotate_refresh_token(&world.tenant, strict).await.unwrap();
        assert_eq!(rotated, Rotated::Reused);
    }

    async fn a_generation_that_was_never_given_out_is_gone_and_harms_nobody(world: World) {
        let grant = world.refreshable(true).await;
        assert_eq!(rotate(&mut world, grant, 2).await, Rotated::Gone);
        assert_eq!(rotate(&mut world, grant, 0).await, Rotated::Gone);
        assert_eq!(rotate(&mut world, grant, 1).await, Rotated::Successor(2));
    }

    async fn a_grant_that_gave_no_refresh_token_has_none_to_rotate(world: World) {
        let grant = world.approved(true).await;
        let mut redemption = world.redemption(grant);
        redemption.refresh_expires_at = None;
        world.store.redeem_code(&world.tenant, redemption).await.unwrap();
        for presented in 0..3 {
            assert_eq!(rotate(&mut world, grant, presented).await, Rotated::Gone);
        }
    }

    async fn an_idle_refresh_token_expires(world: World) {
        let grant = world.refreshable(true).await;
        world.later(14 * DAY);
        assert_eq!(rotate(&mut world, grant, 1).await, Rotated::Gone);
    }

    // SEC-163
    async fn rotation_never_moves_the_absolute_end(world: World) {
        let grant = world.refreshable(true).await;
        for generation in 1..9 {
            assert_eq!(rotate(&mut world, grant, generation).await, Rotated::Successor(generation + 1));
            world.later(10 * DAY);
        }
        world.later(10 * DAY);
        assert_eq!(rotate(&mut world, grant, 9).await, Rotated::Gone);
    }

    // SEC-162, SEC-307
    async fn a_refresh_token_dies_with_user_session_and_client(world: World) {
        let grant = world.refreshable(false).await;
        let occasion = world.occasion();
        world.store.end_session(&world.tenant, world.session, occasion).await.unwrap();
        assert_eq!(rotate(&mut world, grant, 1).await, Rotated::Gone);

        world.sign_in_again().await;
        let grant = world.refreshable(true).await;
        let occasion = world.occasion();
        world.store.disable_user(&world.tenant, world.user, occasion).await.unwrap();
        assert_eq!(rotate(&mut world, grant, 1).await, Rotated::Gone);
        let occasion = world.occasion();
        world.store.enable_user(&world.tenant, world.user, occasion).await.unwrap();
        assert_eq!(rotate(&mut world, grant, 1).await, Rotated::Gone);

        world.later(MINUTE);
        world.sign_in_again().await;
        let grant = world.refreshable(true).await;
        let occasion = world.occasion();
        world.store.delete_client(&world.tenant, &world.client, occasion).await.unwrap();
        assert_eq!(rotate(&mut world, grant, 1).await, Rotated::Gone);
        world.later(MINUTE);
        let again = jeton_protocol::client::Client::new(world.client.clone(), world.now);
        let occasion = world.occasion();
        world.store.insert_client(&world.tenant, again, occasion).await.unwrap();
        assert_eq!(rotate(&mut world, grant, 1).await, Rotated::Gone);
    }
}
