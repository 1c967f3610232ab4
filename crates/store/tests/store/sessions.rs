//! Sessions: opened, seen, renewed, ended.

use std::time::Duration;

use crate::support::{DAY, MINUTE, World};
use jeton_store::grants::Redeemed;
use jeton_store::sessions::{Renewed, SessionEnd};
use jeton_store::{Lineage, Page};

both! {
    async fn a_session_is_found_as_it_was_opened(world: World) {
        let id = world.id();
        let opened = world.open_session(id).await;
        let found = world.store.session(&world.tenant, id).await.unwrap().unwrap();
        assert_eq!((found.session, found.generation), (opened, 0));
    }

    async fn a_session_is_touched_at_most_once_a_minute(world: World) {
        let found = world.store.session(&world.tenant, world.session).await.unwrap().unwrap().session;
        world.later(Duration::from_secs(59));
        world.store.touch_session(&world.tenant, &found, world.now).await.unwrap();
        let same = world.store.session(&world.tenant, world.session).await.unwrap().unwrap().session;
        assert_eq!(same.last_seen_at, found.last_seen_at);
        world.later(Duration::from_secs(1));
        world.store.touch_session(&world.tenant, &found, world.now).await.unwrap();
        let touched = world.store.session(&world.tenant, world.session).await.unwrap().unwrap().session;
        assert_eq!(touched.last_seen_at, world.now);
    }

    // SEC-040: a step-up gives the session a new name, once
    async fn a_step_up_moves_the_generation_on(world: World) {
        let mut session = world.store.session(&world.tenant, world.session).await.unwrap().unwrap().session;
        world.later(MINUTE);
        session.auth_time = world.now;
        let occasion = world.occasion();
        let renewed = world.store.renew_session(&world.tenant, session.clone(), 0, occasion).await.unwrap();
        assert_eq!(renewed, Renewed::Renewed(1));
        let occasion = world.occasion();
        let again = world.store.renew_session(&world.tenant, session.clone(), 0, occasion).await.unwrap();
        assert_eq!(again, Renewed::Gone);
        let found = world.store.session(&world.tenant, world.session).await.unwrap().unwrap();
        assert_eq!((found.generation, found.session.auth_time), (1, world.now));
    }

    // SEC-162, SEC-302
    async fn the_end_of_a_session_ends_what_is_tied_to_it(world: World) {
        let tied = world.refreshable(false).await;
        let offline = world.refreshable(true).await;
        let occasion = world.occasion();
        let end = world.store.end_session(&world.tenant, world.session, occasion).await.unwrap();
        assert_eq!(end, SessionEnd::Ended { clients: vec![world.client.clone()] });
        let occasion = world.occasion();
        let end = world.store.end_session(&world.tenant, world.session, occasion).await.unwrap();
        assert_eq!(end, SessionEnd::AlreadyEnded);
        let tied_state = world.store.refreshable_grant(&world.tenant, tied).await.unwrap().unwrap().state;
        assert_eq!((tied_state.revoked_at, tied_state.session_ended_at), (Some(world.now), Some(world.now)));
        let offline_state = world.store.refreshable_grant(&world.tenant, offline).await.unwrap().unwrap().state;
        assert_eq!(offline_state.revoked_at, None);
        let lineage = Lineage {
            tenant: "default",
            token: None,
            grant: Some(tied),
            session: Some(world.session),
            user: Some(world.user),
            client: "app",
            issued_at: world.now,
        };
        assert!(world.store.is_cut(&lineage, world.now).await.unwrap());
        assert!(!world.store.is_cut(&Lineage { session: None, ..lineage }, world.now).await.unwrap());
        let session = world.store.session(&world.tenant, world.session).await.unwrap().unwrap();
        assert_eq!(session.session.ended_at, Some(world.now));
    }

    async fn signing_out_everywhere_else_keeps_this_session(world: World) {
        let here = world.session;
        let mut others = Vec::new();
        for _ in 0..5 {
            world.session = world.id();
            let id = world.session;
            world.open_session(id).await;
            others.push((id, world.refreshable(false).await));
        }
        world.session = here;
        let kept = world.refreshable(false).await;
        let occasion = world.occasion();
        let mut ended =
            world.store.end_sessions_of_user(&world.tenant, world.user, Some(here), occasion).await.unwrap();
        ended.sort();
        others.sort();
        assert_eq!(ended, others.iter().map(|(id, _)| *id).collect::<Vec<_>>());
        for (_, grant) in others {
            let state = world.store.refreshable_grant(&world.tenant, grant).await.unwrap().unwrap().state;
            assert_eq!(state.revoked_at, Some(world.now));
        }
        let state = world.store.refreshable_grant(&world.tenant, kept).await.unwrap().unwrap().state;
        assert_eq!((state.revoked_at, state.session_ended_at), (None, None));
        let live = world.store.sessions_of_user(&world.tenant, world.user, Page { after: None, limit: 100 }, world.now).await.unwrap();
        assert_eq!(live.len(), 1);
        let occasion = world.occasion();
        let all = world.store.end_sessions_of_user(&world.tenant, world.user, None, occasion).await.unwrap();
        assert_eq!(all, vec![here]);
    }

    // SEC-307
    async fn a_session_ends_with_its_user_being_disabled_deleted_or_cut(world: World) {
        let ended = async |world: &World| {
            let found = world.store.session(&world.tenant, world.session).await.unwrap();
            found.unwrap().session.ended_at
        };
        assert_eq!(ended(&world).await, None);
        let occasion = world.occasion();
        world.store.disable_user(&world.tenant, world.user, occasion).await.unwrap();
        assert!(ended(&world).await.is_some());
        let occasion = world.occasion();
        world.store.enable_user(&world.tenant, world.user, occasion).await.unwrap();
        assert!(ended(&world).await.is_some());
        world.later(MINUTE);
        world.session = world.id();
        let id = world.session;
        world.open_session(id).await;
        assert_eq!(ended(&world).await, None);
        let occasion = world.occasion();
        world.store.delete_user(&world.tenant, world.user, occasion).await.unwrap();
        assert!(ended(&world).await.is_some());
    }

    async fn sessions_end_at_their_absolute_end(world: World) {
        let mut session = world.store.session(&world.tenant, world.session).await.unwrap().unwrap().session;
        world.later(DAY);
        assert!(world.store.sessions_of_user(&world.tenant, world.user, Page { after: None, limit: 100 }, world.now).await.unwrap().is_empty());
        session.auth_time = world.now;
        let occasion = world.occasion();
        let renewed = world.store.renew_session(&world.tenant, session, 0, occasion).await.unwrap();
        assert_eq!(renewed, Renewed::Gone);
    }

    async fn grants_survive_the_sweep_of_a_session_that_only_expired(world: World) {
        let grant = world.refreshable(false).await;
        world.later(2 * DAY);
        world.store.sweep(Default::default(), world.now).await.unwrap();
        assert!(world.store.session(&world.tenant, world.session).await.unwrap().is_none());
        let state = world.store.refreshable_grant(&world.tenant, grant).await.unwrap().unwrap().state;
        assert_eq!((state.revoked_at, state.session_ended_at), (None, None));
        assert_eq!(world.redeem(grant).await, Redeemed::Replayed);
    }
}
