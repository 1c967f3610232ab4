//! Cuts: what was issued before is dead, on every node that asks.

use std::time::Duration;

use crate::support::{DAY, MINUTE, World, open};
use jeton_protocol::cut::CutTarget;
use jeton_protocol::tenant::TenantId;
use jeton_store::{Fault, Lineage};
use jeton_token::row_id::RowId;
use jeton_token::timestamp::Timestamp;

const MS: Duration = Duration::from_millis(1);

struct Token {
    tenant: &'static str,
    id: RowId,
    grant: RowId,
    session: RowId,
    user: RowId,
    client: &'static str,
    issued_at: Timestamp,
}

impl Token {
    fn new(world: &mut World) -> Self {
        Self {
            tenant: "default",
            id: world.id(),
            grant: world.id(),
            session: world.id(),
            user: world.user,
            client: "app",
            issued_at: world.now,
        }
    }

    fn lineage(&self) -> Lineage<'_> {
        Lineage {
            tenant: self.tenant,
            token: Some(self.id),
            grant: Some(self.grant),
            session: Some(self.session),
            user: Some(self.user),
            client: self.client,
            issued_at: self.issued_at,
        }
    }
}

fn targets(world: &World, token: &Token) -> Vec<CutTarget> {
    vec![
        CutTarget::Token(token.id),
        CutTarget::Grant(token.grant),
        CutTarget::Session(token.session),
        CutTarget::User(token.user),
        CutTarget::Client(world.client.clone()),
        CutTarget::Tenant,
    ]
}

both! {
    // SEC-301
    async fn each_kind_of_cut_kills_what_is_under_it_and_nothing_else(world: World) {
        let token = Token::new(&mut world);
        for target in targets(&world, &token) {
            world.later(MINUTE);
            let token = Token { issued_at: world.now, ..Token::new(&mut world) };
            let target = match target {
                CutTarget::Token(_) => CutTarget::Token(token.id),
                CutTarget::Grant(_) => CutTarget::Grant(token.grant),
                CutTarget::Session(_) => CutTarget::Session(token.session),
                other @ (CutTarget::User(_) | CutTarget::Client(_) | CutTarget::Tenant) => other,
            };
            assert!(!world.store.is_cut(&token.lineage(), world.now).await.unwrap());
            let occasion = world.occasion();
            world.store.cut(&world.tenant, target.clone(), occasion).await.unwrap();
            assert!(world.store.is_cut(&token.lineage(), world.now).await.unwrap(), "{target:?}");
            let elsewhere = Lineage { tenant: "elsewhere", ..token.lineage() };
            assert!(!world.store.is_cut(&elsewhere, world.now).await.unwrap());
            let mut stranger = Token::new(&mut world);
            stranger.user = world.id();
            stranger.client = "another";
            let spared = !matches!(target, CutTarget::Tenant);
            assert_eq!(!world.store.is_cut(&stranger.lineage(), world.now).await.unwrap(), spared);
            world.later(MS);
            let later = Token::new(&mut world);
            assert!(!world.store.is_cut(&later.lineage(), world.now).await.unwrap(), "{target:?}");
        }
    }

    // SEC-302: what is being minted while its grant is revoked is dead too
    async fn nothing_of_a_cut_grant_is_ever_young_enough(world: World) {
        let token = Token::new(&mut world);
        let occasion = world.occasion();
        world.store.cut(&world.tenant, CutTarget::Grant(token.grant), occasion).await.unwrap();
        let minted_late = Lineage { issued_at: world.now.plus(5 * MINUTE), ..token.lineage() };
        assert!(world.store.is_cut(&minted_late, world.now.plus(5 * MINUTE)).await.unwrap());
    }

    // SEC-305, SEC-333: another process, and one that restarts, knows every cut at once or asks
    async fn another_process_sees_a_cut_within_a_second(world: World) {
        let token = Token::new(&mut world);
        let other = open(&world.location);
        assert!(!other.is_cut(&token.lineage(), world.now).await.unwrap());
        let occasion = world.occasion();
        world.store.cut(&world.tenant, CutTarget::Grant(token.grant), occasion).await.unwrap();
        let second = world.now.plus(Duration::from_millis(1001));
        assert!(other.is_cut(&token.lineage(), second).await.unwrap());
        let restarted = open(&world.location);
        assert!(restarted.is_cut(&token.lineage(), world.now).await.unwrap());
    }

    async fn a_background_look_finds_thousands_of_cuts(world: World) {
        let other = open(&world.location);
        other.refresh_cuts(world.now).await.unwrap();
        let mut tokens = Vec::new();
        for _ in 0..25 {
            let mut work = Vec::new();
            for _ in 0..100 {
                let token = Token::new(&mut world);
                let occasion = world.occasion();
                let (store, tenant, id) = (world.store.clone(), world.tenant.clone(), token.id);
                work.push(tokio::spawn(async move { store.cut(&tenant, CutTarget::Token(id), occasion).await }));
                tokens.push(token);
            }
            for one in work {
                one.await.unwrap().unwrap();
            }
        }
        world.later(MS);
        other.refresh_cuts(world.now).await.unwrap();
        for token in &tokens {
            assert!(other.is_cut(&token.lineage(), world.now).await.unwrap());
        }
    }

    // SEC-R08, SEC-164
    async fn a_cut_that_failed_is_not_acknowledged(world: World) {
        let token = Token::new(&mut world);
        world.store.fail_next(Fault::BeforeCommit);
        let occasion = world.occasion();
        let cut = world.store.cut(&world.tenant, CutTarget::Token(token.id), occasion).await;
        assert!(cut.is_err());
        assert!(!world.store.is_cut(&token.lineage(), world.now).await.unwrap());
    }

    async fn a_second_cut_never_brings_anything_back(world: World) {
        let token = Token::new(&mut world);
        world.later(MINUTE);
        let occasion = world.occasion();
        world.store.cut(&world.tenant, CutTarget::User(world.user), occasion).await.unwrap();
        let mut earlier = world.occasion();
        earlier.now = token.issued_at.minus(DAY);
        world.store.cut(&world.tenant, CutTarget::User(world.user), earlier).await.unwrap();
        assert!(world.store.is_cut(&token.lineage(), world.now).await.unwrap());
        let restarted = open(&world.location);
        assert!(restarted.is_cut(&token.lineage(), world.now).await.unwrap());
    }

    async fn a_counter_moves_with_every_change_others_must_see(world: World) {
        let before = world.store.versions().await.unwrap();
        let occasion = world.occasion();
        world.store.disable_client(&world.tenant, &world.client, occasion).await.unwrap();
        let occasion = world.occasion();
        world.store.disable_user(&world.tenant, world.user, occasion).await.unwrap();
        let after = world.store.versions().await.unwrap();
        assert!(after.clients > before.clients);
        assert!(after.users > before.users);
        assert_eq!(after.cuts, before.cuts + 2);
        let nobody = TenantId::parse("nobody").unwrap();
        let occasion = world.occasion();
        let changed = world.store.disable_client(&nobody, &world.client, occasion).await.unwrap();
        assert_eq!(changed, jeton_store::Changed::NotFound);
        assert_eq!(world.store.versions().await.unwrap(), after);
    }
}
