//! An interaction goes forward one version at a time.

use std::time::Duration;

use crate::support::{MINUTE, World};
use jeton_protocol::interaction::SignedIn;
use jeton_store::interactions::{Closed, Stepped, Trimmed};

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

    // SEC-083, SEC-R11, SEC-313: whoever fills a tenant loses what they began, and nobody else's
    async fn a_crowded_tenant_loses_the_oldest_nobody_has_signed_in_with(world: World) {
        let mut begun = Vec::new();
        for number in 0..40_u32 {
            let mut interaction = world.interaction();
            if number % 4 == 0 {
                interaction.progress.signed_in = Some(SignedIn { session: world.session, at: world.now });
            }
            begun.push(interaction.id);
            world.store.open_interaction(&world.tenant, interaction).await.unwrap();
            world.later(Duration::from_millis(1));
        }
        let mut other = World::new(&world.location, "other", 2).await;
        for _ in 0..20 {
            let interaction = other.interaction();
            other.store.open_interaction(&other.tenant, interaction).await.unwrap();
        }
        let none = world.store.trim_interactions(40).await.unwrap();
        assert_eq!(none, Trimmed { deleted: 0, more: false });
        let trimmed = world.store.trim_interactions(25).await.unwrap();
        assert_eq!(trimmed, Trimmed { deleted: 15, more: false });
        let mut left = Vec::new();
        for (number, id) in begun.iter().enumerate() {
            if world.store.interaction(&world.tenant, *id).await.unwrap().is_some() {
                left.push(number);
            }
        }
        // Of the first twenty, the fifteen without a session are gone; all later ones are there.
        let expected: Vec<usize> = (0..40).filter(|number| *number >= 20 || number % 4 == 0).collect();
        assert_eq!(left, expected);
        let trimmed = world.store.trim_interactions(5).await.unwrap();
        assert_eq!(trimmed, Trimmed { deleted: 20 + 15, more: false });
        for (number, id) in begun.iter().enumerate() {
            let there = world.store.interaction(&world.tenant, *id).await.unwrap().is_some();
            assert_eq!(there, [20, 24, 28, 32, 36].contains(&number), "{number}");
        }
    }

    // SEC-358: in batches, a bounded number at a time
    async fn a_flood_is_trimmed_in_batches(world: World) {
        for round in 0..3_u32 {
            let (tenant, template) = (world.tenant.clone(), world.interaction());
            world.store.write(move |tx| {
                for number in 0..4000_u32 {
                    let mut id = template.id.bytes().to_vec();
                    id.truncate(8);
                    id.extend((round * 4000 + number).to_be_bytes());
                    id.extend([0; 4]);
                    tx.run(
                        "INSERT INTO interactions (tenant_id, id, browser, version, expires_at, record) VALUES ($1, $2, $3, 0, $4, '{}')",
                        &[tenant.as_str().into(), id.as_slice().into(), (&template.browser[..]).into(), template.expires_at.millis().into()],
                    )?;
                }
                Ok(())
            }).await.unwrap();
        }
        let first = world.store.trim_interactions(1000).await.unwrap();
        assert_eq!(first, Trimmed { deleted: 10_000, more: true });
        let second = world.store.trim_interactions(1000).await.unwrap();
        assert_eq!(second, Trimmed { deleted: 1000, more: false });
    }
}
