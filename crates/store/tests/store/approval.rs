//! Approval closes the interaction and makes the grant, together or not at all.

use crate::support::{DAY, MINUTE};
use jeton_protocol::client::Client;
use std::time::Duration;

use jeton_store::grants::{Approval, Approved};
use jeton_store::interactions::{Closed, Stepped};
use jeton_store::{Fault, Lineage, Page};

both! {
    async fn an_approval_is_all_or_nothing(world: World) {
        let approval = world.approval(true).await;
        world.store.fail_next(Fault::BeforeCommit);
        assert!(world.store.approve(&world.tenant, approval.clone()).await.is_err());
        let grant = approval.grant.id;
        assert!(world.store.pending_grant(&world.tenant, grant).await.unwrap().is_none());
        let interaction = world.store.interaction(&world.tenant, approval.interaction.unwrap()).await.unwrap();
        assert_eq!(interaction.unwrap().closed_at, None);
        assert_eq!(world.store.consent(&world.tenant, world.user, &world.client).await.unwrap(), None);

        assert_eq!(world.store.approve(&world.tenant, approval.clone()).await.unwrap(), Approved::Approved);
        let interaction = world.store.interaction(&world.tenant, approval.interaction.unwrap()).await.unwrap();
        assert_eq!(interaction.unwrap().closed_at, Some(world.now));
        let consent = world.store.consent(&world.tenant, world.user, &world.client).await.unwrap();
        assert_eq!(consent, approval.consent);
        let trail = world.store.audit_records(&world.tenant, Page { after: None, limit: 50 }).await.unwrap();
        let approvals: Vec<_> = trail.iter().filter(|entry| entry.event == "grant.approved").collect();
        assert_eq!(approvals.len(), 1, "exactly one trace of each change, none of the failed one (SEC-310)");
        assert_eq!(approvals[0].object, grant.to_string());
        assert_eq!(approvals[0].details.get("request"), Some(&"r1".into()));
    }

    // SEC-041: one request, one answer
    async fn an_interaction_is_answered_once(world: World) {
        let approval = world.approval(true).await;
        let mut again = approval.clone();
        again.grant.id = world.id();
        again.occasion = world.occasion();
        assert_eq!(world.store.approve(&world.tenant, approval).await.unwrap(), Approved::Approved);
        let second = again.grant.id;
        let (interaction, tenant) = (again.interaction, world.tenant.clone());
        assert_eq!(world.store.approve(&world.tenant, again).await.unwrap(), Approved::AlreadyClosed);
        assert!(world.store.pending_grant(&tenant, second).await.unwrap().is_none());
        let closed = world.store.close_interaction(&tenant, interaction, None, world.now).await.unwrap();
        assert_eq!(closed, Closed::AlreadyClosed);
    }

    async fn an_approval_of_a_version_that_moved_on_changes_nothing(world: World) {
        let approval = world.approval(true).await;
        let interaction = world.store.interaction(&world.tenant, approval.interaction.unwrap()).await.unwrap().unwrap();
        let stepped = world.store.step_interaction(&world.tenant, interaction, world.now).await.unwrap();
        assert_eq!(stepped, Stepped::Stepped(1));
        assert_eq!(world.store.approve(&world.tenant, approval).await.unwrap(), Approved::AlreadyClosed);
    }

    async fn an_expired_interaction_cannot_be_approved(world: World) {
        let mut approval = world.approval(true).await;
        world.later(30 * MINUTE);
        approval.occasion = world.occasion();
        assert_eq!(world.store.approve(&world.tenant, approval).await.unwrap(), Approved::AlreadyClosed);
    }

    async fn a_consent_is_remembered_listed_and_forgotten(world: World) {
        world.approved(true).await;
        let page = Page { after: None, limit: 10 };
        let listed = world.store.consents_of_user(&world.tenant, world.user, page).await.unwrap();
        assert_eq!(listed.len(), 1);
        assert_eq!(listed[0].0, world.client);
        world.later(DAY);
        let approval = world.approval(true).await;
        world.store.approve(&world.tenant, approval.clone()).await.unwrap();
        let consent = world.store.consent(&world.tenant, world.user, &world.client).await.unwrap();
        assert_eq!(consent, approval.consent);
        let occasion = world.occasion();
        world.store.forget_consent(&world.tenant, world.user, &world.client, occasion).await.unwrap();
        assert_eq!(world.store.consent(&world.tenant, world.user, &world.client).await.unwrap(), None);
    }
}

both! {
    // Core §3.1.2.4: who gets an id that was in use before inherits nothing
    async fn a_client_made_anew_under_an_old_name_has_nobodys_consent(world: World) {
        world.approved(true).await;
        let consent = world.store.consent(&world.tenant, world.user, &world.client).await.unwrap();
        assert!(consent.is_some());
        let occasion = world.occasion();
        world.store.delete_client(&world.tenant, &world.client, occasion).await.unwrap();
        world.later(MINUTE);
        let anew = Client::new(world.client.clone(), world.now);
        let occasion = world.occasion();
        world.store.insert_client(&world.tenant, anew, occasion).await.unwrap();
        let consent = world.store.consent(&world.tenant, world.user, &world.client).await.unwrap();
        assert_eq!(consent, None);
    }

    // SEC-301, SEC-307: a process that still has the client in memory gives out what is dead
    async fn what_is_made_for_a_client_in_the_second_of_its_deletion_is_dead(world: World) {
        let occasion = world.occasion();
        world.store.delete_client(&world.tenant, &world.client, occasion).await.unwrap();
        for (after, dead) in [(900, true), (1100, false)] {
            let lineage = Lineage {
                tenant: world.tenant.as_str(),
                token: None,
                grant: None,
                session: None,
                user: None,
                client: world.client.as_str(),
                issued_at: world.now.plus(Duration::from_millis(after)),
            };
            assert_eq!(world.store.is_cut(&lineage, world.now).await.unwrap(), dead, "{after} ms");
        }
    }
}

both! {
    /// An authorization request that asked nobody never stored an interaction: its approval is one insert.
    async fn an_approval_without_an_interaction_makes_the_grant_alone(world: World) {
        let approval = world.approval(false).await;
        let interaction = approval.interaction.unwrap();
        let silent = Approval { interaction: None, ..approval };
        let id = silent.grant.id;
        assert_eq!(world.store.approve(&world.tenant, silent).await.unwrap(), Approved::Approved);
        assert!(world.store.pending_grant(&world.tenant, id).await.unwrap().is_some());
        let untouched = world.store.interaction(&world.tenant, interaction).await.unwrap().unwrap();
        assert_eq!(untouched.closed_at, None);
    }
}
