//! Random verbs against a small model of what they mean. Both databases must agree with it at every step.

use std::time::Duration;

use crate::support::{DAY, MINUTE, World};
use jeton_store::grants::{Approved, Redeemed, Redemption};
use jeton_store::refresh::{Rotated, Rotation};
use jeton_store::revocation::Revoked;
use jeton_store::sessions::SessionEnd;
use jeton_store::{Changed, Lineage};
use jeton_token::row_id::RowId;
use jeton_token::timestamp::Timestamp;

const GRACE: Duration = Duration::from_secs(10);
/// Disabling also covers what was minted in the same second.
const IN_FLIGHT: Duration = Duration::from_millis(999);
const SECOND: Duration = Duration::from_secs(1);

struct Model {
    user_disabled: bool,
    user_cut: Timestamp,
    client_disabled: bool,
    client_cut: Timestamp,
    sessions: Vec<(RowId, Option<Timestamp>)>,
    grants: Vec<ModelGrant>,
}

#[derive(Clone, Debug)]
struct ModelGrant {
    id: RowId,
    session: usize,
    offline: bool,
    created_at: Timestamp,
    code_expires_at: Timestamp,
    redeemed: bool,
    generation: u32,
    rotated_at: Option<Timestamp>,
    refresh_expires_at: Option<Timestamp>,
    expires_at: Timestamp,
    revoked: bool,
    /// A cut was made on it, or on its session.
    cut: bool,
}

impl Model {
    fn stands(&self, grant: &ModelGrant, now: Timestamp) -> bool {
        !grant.revoked
            && !self.user_disabled
            && !self.client_disabled
            && self.user_cut <= grant.created_at
            && self.client_cut <= grant.created_at
            && (grant.offline || self.sessions[grant.session].1.is_none())
            && now < grant.expires_at
    }

    fn redeem(&mut self, at: usize, refresh: Option<Timestamp>, now: Timestamp) -> Redeemed {
        let stands = self.stands(&self.grants[at], now);
        let grant = &mut self.grants[at];
        if grant.redeemed {
            grant.cut |= !grant.revoked;
            grant.revoked = true;
            return Redeemed::Replayed;
        }
        if !stands || now >= grant.code_expires_at {
            return Redeemed::Gone;
        }
        grant.redeemed = true;
        grant.generation = u32::from(refresh.is_some());
        grant.refresh_expires_at = refresh;
        Redeemed::Issued
    }

    fn rotate(&mut self, at: usize, presented: u32, end: Timestamp, now: Timestamp) -> Rotated {
        let stands = self.stands(&self.grants[at], now);
        let grant = &mut self.grants[at];
        let fresh = grant.refresh_expires_at.is_some_and(|end| now < end);
        if !stands || presented == 0 || presented > grant.generation {
            return Rotated::Gone;
        }
        if presented == grant.generation {
            if !fresh {
                return Rotated::Gone;
            }
            grant.generation += 1;
            grant.rotated_at = Some(now);
            grant.refresh_expires_at = Some(end);
            return Rotated::Successor(grant.generation);
        }
        let recent = grant.rotated_at.is_some_and(|at| now < at.plus(GRACE));
        if presented + 1 == grant.generation && recent && fresh {
            return Rotated::SameSuccessor(grant.generation);
        }
        grant.revoked = true;
        grant.cut = true;
        Rotated::Reused
    }
}

struct Player {
    world: World,
    model: Model,
    log: Vec<String>,
}

impl Player {
    fn below(&mut self, limit: usize) -> usize {
        let luck = u64::from_be_bytes(self.world.entropy.bytes());
        usize::try_from(luck % limit as u64).unwrap()
    }

    async fn step(&mut self) {
        match self.below(20) {
            0..=3 => self.approve().await,
            4..=7 => self.redeem().await,
            8..=12 => self.rotate().await,
            13 => self.revoke().await,
            14 => self.end_session().await,
            15 => self.switch_user().await,
            16 => self.switch_client().await,
            _ => {
                let steps = [
                    Duration::from_millis(1),
                    SECOND,
                    4 * SECOND,
                    10 * SECOND,
                    MINUTE,
                    2 * MINUTE,
                    DAY,
                ];
                let by = steps[self.below(steps.len())];
                self.world.later(by);
                self.log.push(format!("{by:?} pass"));
            }
        }
    }

    async fn approve(&mut self) {
        let session = self.below(self.model.sessions.len());
        let offline = self.below(2) == 0;
        self.world.session = self.model.sessions[session].0;
        if self.model.sessions[session].1.is_some() {
            let late = self.world.approval(offline).await;
            let approved = self
                .world
                .store
                .approve(&self.world.tenant, late)
                .await
                .unwrap();
            assert_eq!(approved, Approved::AlreadyClosed, "{:#?}", self.log);
            self.log.push("an ended session approves nothing".into());
            return;
        }
        let id = self.world.approved(offline).await;
        let now = self.world.now;
        self.log.push(format!("approve {id} offline={offline}"));
        self.model.grants.push(ModelGrant {
            id,
            session,
            offline,
            created_at: now,
            code_expires_at: now.plus(MINUTE),
            redeemed: false,
            generation: 0,
            rotated_at: None,
            refresh_expires_at: None,
            expires_at: now.plus(90 * DAY),
            revoked: false,
            cut: false,
        });
    }

    /// One of the grants, of which the young ones are more interesting.
    fn pick(&mut self) -> Option<usize> {
        let count = self.model.grants.len();
        if count == 0 {
            return None;
        }
        let window = count.min(6);
        Some(count - 1 - self.below(window))
    }

    async fn redeem(&mut self) {
        let Some(at) = self.pick() else { return };
        let now = self.world.now;
        let refresh = (self.below(4) > 0).then(|| now.plus(14 * DAY));
        let grant = self.model.grants[at].id;
        let occasion = self.world.occasion();
        let redemption = Redemption {
            bound: None,
            grant,
            refresh_expires_at: refresh,
            occasion,
        };
        let outcome = self
            .world
            .store
            .redeem_code(&self.world.tenant, redemption)
            .await
            .unwrap();
        self.log.push(format!("redeem {grant}: {outcome:?}"));
        assert_eq!(
            outcome,
            self.model.redeem(at, refresh, now),
            "{:#?}",
            self.log
        );
    }

    async fn rotate(&mut self) {
        let Some(at) = self.pick() else { return };
        let (now, grant) = (self.world.now, self.model.grants[at].id);
        let newest = self.model.grants[at].generation;
        let presented = (newest + 1).saturating_sub(u32::try_from(self.below(4)).unwrap());
        let end = now.plus(14 * DAY);
        let occasion = self.world.occasion();
        let rotation = Rotation {
            grant,
            presented,
            grace: GRACE,
            refresh_expires_at: end,
            bound: None,
            occasion,
        };
        let outcome = self
            .world
            .store
            .rotate_refresh_token(&self.world.tenant, rotation)
            .await
            .unwrap();
        self.log
            .push(format!("rotate {grant} {presented}: {outcome:?}"));
        assert_eq!(
            outcome,
            self.model.rotate(at, presented, end, now),
            "{:#?}",
            self.log
        );
    }

    async fn revoke(&mut self) {
        let Some(at) = self.pick() else { return };
        let id = self.model.grants[at].id;
        let occasion = self.world.occasion();
        let outcome = self
            .world
            .store
            .revoke_grant(&self.world.tenant, id, "grant.revoked", occasion)
            .await
            .unwrap();
        self.log.push(format!("revoke {id}: {outcome:?}"));
        let grant = &mut self.model.grants[at];
        let expected = if grant.revoked {
            Revoked::AlreadyGone
        } else {
            Revoked::Revoked
        };
        assert_eq!(outcome, expected, "{:#?}", self.log);
        grant.cut |= !grant.revoked;
        grant.revoked = true;
    }

    async fn end_session(&mut self) {
        let at = self.below(self.model.sessions.len());
        let id = self.model.sessions[at].0;
        let occasion = self.world.occasion();
        let outcome = self
            .world
            .store
            .end_session(&self.world.tenant, id, occasion)
            .await
            .unwrap();
        self.log.push(format!("end session {id}: {outcome:?}"));
        let already = self.model.sessions[at].1.is_some();
        assert_eq!(
            outcome == SessionEnd::AlreadyEnded,
            already,
            "{:#?}",
            self.log
        );
        if already {
            return;
        }
        self.model.sessions[at].1 = Some(self.world.now);
        for grant in self
            .model
            .grants
            .iter_mut()
            .filter(|grant| grant.session == at)
        {
            if !grant.offline {
                grant.revoked = true;
                grant.cut = true;
            }
        }
        let id = self.world.id();
        self.world.open_session(id).await;
        self.model.sessions.push((id, None));
    }

    async fn switch_user(&mut self) {
        let (id, occasion) = (self.world.user, self.world.occasion());
        let off = self.model.user_disabled;
        let changed = if off {
            self.world
                .store
                .enable_user(&self.world.tenant, id, occasion)
                .await
        } else {
            self.model.user_cut = self.world.now.plus(Duration::from_millis(1));
            self.world
                .store
                .disable_user(&self.world.tenant, id, occasion)
                .await
        };
        self.model.user_disabled = !off;
        self.log.push(format!("user disabled: {}", !off));
        assert_eq!(changed.unwrap(), Changed::Changed);
    }

    async fn switch_client(&mut self) {
        let (id, occasion) = (self.world.client.clone(), self.world.occasion());
        let off = self.model.client_disabled;
        let changed = if off {
            self.world
                .store
                .enable_client(&self.world.tenant, &id, occasion)
                .await
        } else {
            self.model.client_cut = self.world.now.plus(Duration::from_millis(1));
            self.world
                .store
                .disable_client(&self.world.tenant, &id, occasion)
                .await
        };
        self.model.client_disabled = !off;
        self.log.push(format!("client disabled: {}", !off));
        assert_eq!(changed.unwrap(), Changed::Changed);
    }

    /// What can be read agrees with the model, for the grants that may still change.
    async fn compare(&self) {
        let from = self.model.grants.len().saturating_sub(8);
        let (store, tenant, now) = (&self.world.store, &self.world.tenant, self.world.now);
        for grant in &self.model.grants[from..] {
            let found = store
                .refreshable_grant(tenant, grant.id)
                .await
                .unwrap()
                .unwrap();
            let pending = store
                .pending_grant(tenant, grant.id)
                .await
                .unwrap()
                .unwrap();
            assert_eq!(
                pending.redeemed_at.is_some(),
                grant.redeemed,
                "{:#?}",
                self.log
            );
            assert_eq!(found.generation, grant.generation, "{:#?}", self.log);
            assert_eq!(found.rotated_at, grant.rotated_at, "{:#?}", self.log);
            assert_eq!(
                found.refresh_expires_at, grant.refresh_expires_at,
                "{:#?}",
                self.log
            );
            assert_eq!(
                found.state.user_disabled_at.is_some(),
                self.model.user_disabled,
                "{:#?}",
                self.log
            );
            let standing = jeton_protocol::standing::of_grant(
                &found.grant,
                &found.state,
                false,
                now,
                &mut jeton_protocol::refusal::Trail::default(),
            );
            let stands = self.model.stands(grant, now);
            assert_eq!(standing.is_ok(), stands, "{grant:?} {:#?}", self.log);
            self.compare_cuts(grant).await;
        }
    }

    /// A cut is remembered for a day, the longest life of an access token here.
    async fn compare_cuts(&self, grant: &ModelGrant) {
        let now = self.world.now;
        let session = self.model.sessions[grant.session];
        let ended = session.1.filter(|_| !grant.offline);
        if now.since(grant.created_at) >= DAY || ended.is_some_and(|at| now.since(at) >= DAY) {
            return;
        }
        let lineage = Lineage {
            tenant: self.world.tenant.as_str(),
            token: None,
            grant: Some(grant.id),
            session: (!grant.offline).then_some(session.0),
            user: Some(self.world.user),
            client: "app",
            issued_at: grant.created_at,
        };
        let cut = grant.cut
            || ended.is_some()
            || self.model.user_cut.plus(IN_FLIGHT) > grant.created_at
            || self.model.client_cut.plus(IN_FLIGHT) > grant.created_at;
        let found = self.world.store.is_cut(&lineage, now).await.unwrap();
        assert_eq!(found, cut, "{grant:?} {:#?}", self.log);
    }
}

async fn play(world: World, seed: u64, steps: usize) {
    let model = Model {
        user_disabled: false,
        user_cut: Timestamp::from_millis(0),
        client_disabled: false,
        client_cut: Timestamp::from_millis(0),
        sessions: vec![(world.session, None)],
        grants: Vec::new(),
    };
    let mut player = Player {
        world,
        model,
        log: vec![format!("seed {seed}")],
    };
    for _ in 0..steps {
        player.step().await;
        player.compare().await;
    }
}

both! {
    // SEC-300, SEC-301, SEC-302, SEC-303, SEC-307
    async fn random_verbs_do_what_the_model_says(world: World) {
        let luck = jeton_token::entropy::Entropy::from_os().bytes();
        let fresh = u64::from_be_bytes(luck);
        let location = world.location.clone();
        for seed in [1, 2, 3, fresh] {
            let world = World::new(&location, &format!("t{seed}"), seed).await;
            play(world, seed, 250).await;
        }
    }
}
