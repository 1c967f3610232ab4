//! An interaction goes forward one version at a time.

use crate::support::MINUTE;
use jeton_protocol::interaction::SignedIn;
use jeton_store::interactions::{Closed, Stepped};

both! {
    // SEC-R05, SEC-040
    async fn a_step_is_taken_once(world: World) {
        let mut interaction = world.interaction();
        let id = interaction.id;
        world.store.open_interaction(&world.tenant, interaction.clone()).await.unwrap();
        let found = world.store.interaction(&world.tenant, id).await.unwrap().unwrap();
        assert_eq!(found, interaction);
        interaction.progress.signed_in = Some(SignedIn { session: world.session, at: world.now });
        let first = world.store.step_interaction(&world.tenant, interaction.clone(), world.now).await.unwrap();
        assert_eq!(first, Stepped::Stepped(1));
        let second = world.store.step_interaction(&world.tenant, interaction.clone(), world.now).await.unwrap();
        assert_eq!(second, Stepped::Stale);
        let found = world.store.interaction(&world.tenant, id).await.unwrap().unwrap();
        assert_eq!(found.progress.version, 1);
        assert_eq!(found.progress.signed_in.as_ref().map(|signed_in| signed_in.session), Some(world.session));
        let third = world.store.step_interaction(&world.tenant, found, world.now).await.unwrap();
        assert_eq!(third, Stepped::Stepped(2));
    }

    async fn nothing_happens_to_a_closed_or_expired_interaction(world: World) {
        let closed = world.interaction();
        let expired = world.interaction();
        for interaction in [&closed, &expired] {
            world.store.open_interaction(&world.tenant, interaction.clone()).await.unwrap();
        }
        let close = world.store.close_interaction(&world.tenant, Some(closed.id), None, world.now).await.unwrap();
        assert_eq!(close, Closed::Closed);
        let step = world.store.step_interaction(&world.tenant, closed.clone(), world.now).await.unwrap();
        assert_eq!(step, Stepped::Stale);
        world.later(30 * MINUTE);
        let step = world.store.step_interaction(&world.tenant, expired, world.now).await.unwrap();
        assert_eq!(step, Stepped::Stale);
        let close = world.store.close_interaction(&world.tenant, Some(closed.id), None, world.now).await.unwrap();
        assert_eq!(close, Closed::AlreadyClosed);
    }

    // SEC-016: the browser an interaction belongs to never changes
    async fn a_step_cannot_move_an_interaction_to_another_browser(world: World) {
        let mut interaction = world.interaction();
        world.store.open_interaction(&world.tenant, interaction.clone()).await.unwrap();
        interaction.browser = [9; 32];
        world.store.step_interaction(&world.tenant, interaction.clone(), world.now).await.unwrap();
        let found = world.store.interaction(&world.tenant, interaction.id).await.unwrap().unwrap();
        assert_eq!(found.browser, [7; 32]);
    }
}
