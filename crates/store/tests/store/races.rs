//! Sixty-four at once, for everything that may happen once. Two handles stand for two processes.

use std::sync::Arc;
use std::time::Duration;

use crate::refresh::rotation;
use crate::support::{MINUTE, World, open};
use jeton_protocol::device::Device;
use jeton_store::Store;
use jeton_store::devices::{Denial, Denied, Opened};
use jeton_store::grants::{Approval, Approved, Redeemed};
use jeton_store::interactions::{Closed, Stepped};
use jeton_store::leases::Leased;
use jeton_store::links::{Link, LinkUse};
use jeton_store::refresh::Rotated;
use jeton_store::replay::{Claimed, OneTime, ReplayKind};
use jeton_store::revocation::Revoked;
use jeton_store::sessions::Renewed;
use jeton_token::secret::sha256;
use tokio::sync::Barrier;

const CROWD: usize = 64;
const ROUNDS: usize = 12;

/// Runs the verbs of a crowd at the same moment, in turns on two handles.
async fn race<T, F>(world: &World, other: &Store, crowd: Vec<impl FnOnce(Store) -> F>) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = Result<T, jeton_store::StoreError>> + Send + 'static,
{
    let barrier = Arc::new(Barrier::new(crowd.len()));
    let mut running = Vec::new();
    for (number, verb) in crowd.into_iter().enumerate() {
        let store = if number % 2 == 0 {
            world.store.clone()
        } else {
            other.clone()
        };
        let (verb, barrier) = (verb(store), Arc::clone(&barrier));
        running.push(tokio::spawn(async move {
            barrier.wait().await;
            verb.await.unwrap()
        }));
    }
    let mut outcomes = Vec::new();
    for one in running {
        outcomes.push(one.await.unwrap());
    }
    outcomes
}

fn count<T: PartialEq>(outcomes: &[T], wanted: &T) -> usize {
    outcomes.iter().filter(|outcome| *outcome == wanted).count()
}

both! {
    // RACE-64, SEC-300
    async fn a_code_has_one_winner_and_the_others_take_it_back(world: World) {
        let other = open(&world.location);
        for _ in 0..ROUNDS {
            let grant = world.approved(true).await;
            let mut crowd = Vec::new();
            for _ in 0..CROWD {
                let (tenant, redemption) = (world.tenant.clone(), world.redemption(grant));
                crowd.push(move |store: Store| async move { store.redeem_code(&tenant, redemption).await });
            }
            let outcomes = race(&world, &other, crowd).await;
            assert_eq!(count(&outcomes, &Redeemed::Issued), 1);
            assert_eq!(count(&outcomes, &Redeemed::Replayed), CROWD - 1);
            let found = world.store.refreshable_grant(&world.tenant, grant).await.unwrap().unwrap();
            assert_eq!((found.state.revoked_at, found.generation), (Some(world.now), 1));
        }
    }

    // RACE-64, SEC-161, SEC-303
    async fn a_family_has_one_live_successor_however_many_refresh(world: World) {
        let other = open(&world.location);
        let grant = world.refreshable(true).await;
        for generation in 1..=u32::try_from(ROUNDS).unwrap() {
            let mut crowd = Vec::new();
            for _ in 0..CROWD {
                let (tenant, rotation) = (world.tenant.clone(), rotation(&mut world, grant, generation));
                crowd.push(move |store: Store| async move { store.rotate_refresh_token(&tenant, rotation).await });
            }
            let outcomes = race(&world, &other, crowd).await;
            assert_eq!(count(&outcomes, &Rotated::Successor(generation + 1)), 1);
            assert_eq!(count(&outcomes, &Rotated::SameSuccessor(generation + 1)), CROWD - 1);
            let found = world.store.refreshable_grant(&world.tenant, grant).await.unwrap().unwrap();
            assert_eq!((found.generation, found.state.revoked_at), (generation + 1, None));
        }
    }

    // RACE-64, SEC-160: without a grace the crowd is a thief
    async fn without_a_grace_a_crowd_ends_the_family(world: World) {
        let other = open(&world.location);
        for _ in 0..ROUNDS {
            let grant = world.refreshable(true).await;
            let mut crowd = Vec::new();
            for _ in 0..CROWD {
                let mut rotation = rotation(&mut world, grant, 1);
                rotation.grace = Duration::ZERO;
                let tenant = world.tenant.clone();
                crowd.push(move |store: Store| async move { store.rotate_refresh_token(&tenant, rotation).await });
            }
            let outcomes = race(&world, &other, crowd).await;
            assert_eq!(count(&outcomes, &Rotated::Successor(2)), 1);
            assert!(count(&outcomes, &Rotated::Reused) >= 1);
            assert_eq!(count(&outcomes, &Rotated::Reused) + count(&outcomes, &Rotated::Gone), CROWD - 1);
            let found = world.store.refreshable_grant(&world.tenant, grant).await.unwrap().unwrap();
            assert_eq!(found.state.revoked_at, Some(world.now));
        }
    }

    // RACE-64, SEC-120, SEC-306, SEC-R01
    async fn a_value_is_claimed_by_one(world: World) {
        let other = open(&world.location);
        for round in 0..ROUNDS {
            let mut crowd = Vec::new();
            for _ in 0..CROWD {
                let (tenant, now) = (world.tenant.clone(), world.now);
                let value = OneTime {
                    kind: ReplayKind::ClientAssertion,
                    client: Some(world.client.clone()),
                    value: format!("round {}", round / 2),
                    expires_at: now.plus(MINUTE),
                };
                crowd.push(move |store: Store| async move { store.claim_once(&tenant, &value, now).await });
            }
            let outcomes = race(&world, &other, crowd).await;
            // Every second round meets an expired row.
            assert_eq!(count(&outcomes, &Claimed::Claimed), 1);
            world.later(MINUTE);
        }
    }

    // RACE-64, SEC-041
    async fn an_interaction_is_approved_once(world: World) {
        let other = open(&world.location);
        for _ in 0..ROUNDS {
            let approval = world.approval(true).await;
            let mut crowd = Vec::new();
            let mut grants = Vec::new();
            for _ in 0..CROWD {
                let (tenant, mut approval) = (world.tenant.clone(), approval.clone());
                approval.grant.id = world.id();
                approval.occasion = world.occasion();
                grants.push(approval.grant.id);
                crowd.push(move |store: Store| async move { store.approve(&tenant, approval).await });
            }
            let outcomes = race(&world, &other, crowd).await;
            assert_eq!(count(&outcomes, &Approved::Approved), 1);
            let mut made = 0;
            for grant in grants {
                made += usize::from(world.store.pending_grant(&world.tenant, grant).await.unwrap().is_some());
            }
            assert_eq!(made, 1);
        }
    }

    // RACE-64, SEC-013, SEC-300: in 64 browsers, signed in or silent, approved or refused, one is answered
    async fn a_pushed_request_is_answered_once(world: World) {
        let other = open(&world.location);
        for _ in 0..ROUNDS {
            let pushed = Some(world.pushed().await);
            let mut crowd: Vec<Box<dyn FnOnce(Store) -> Answering>> = Vec::new();
            let mut grants = Vec::new();
            for number in 0..CROWD {
                let (tenant, now) = (world.tenant.clone(), world.now);
                if number % 8 == 7 {
                    crowd.push(Box::new(move |store: Store| Box::pin(async move {
                        let closed = store.close_interaction(&tenant, None, pushed, now).await?;
                        Ok(closed == Closed::Closed)
                    })));
                    continue;
                }
                let approval = Approval { pushed, ..world.approval(true).await };
                let interaction = approval.interaction.filter(|_| number % 2 == 0);
                let approval = Approval { interaction, ..approval };
                grants.push(approval.grant.id);
                crowd.push(Box::new(move |store: Store| Box::pin(async move {
                    Ok(store.approve(&tenant, approval).await? == Approved::Approved)
                })));
            }
            let outcomes = race(&world, &other, crowd).await;
            assert_eq!(count(&outcomes, &true), 1);
            let mut made = 0;
            for grant in grants {
                made += usize::from(world.store.pending_grant(&world.tenant, grant).await.unwrap().is_some());
            }
            assert!(made <= 1, "{made} grants of one request");
        }
    }

    // RACE-64, SEC-R05
    async fn a_step_and_a_step_up_have_one_winner(world: World) {
        let other = open(&world.location);
        let session = world.store.session(&world.tenant, world.session).await.unwrap().unwrap().session;
        for round in 0..u32::try_from(ROUNDS).unwrap() {
            let interaction = world.interaction();
            world.store.open_interaction(&world.tenant, interaction.clone()).await.unwrap();
            let mut crowd = Vec::new();
            for _ in 0..CROWD {
                let (tenant, interaction, now) = (world.tenant.clone(), interaction.clone(), world.now);
                crowd.push(move |store: Store| async move { store.step_interaction(&tenant, interaction, now).await });
            }
            let outcomes = race(&world, &other, crowd).await;
            assert_eq!(count(&outcomes, &Stepped::Stepped(1)), 1);
            let mut crowd = Vec::new();
            for _ in 0..CROWD {
                let (tenant, session, occasion) = (world.tenant.clone(), session.clone(), world.occasion());
                crowd.push(move |store: Store| async move {
                    store.renew_session(&tenant, session, round, occasion).await
                });
            }
            let outcomes = race(&world, &other, crowd).await;
            assert_eq!(count(&outcomes, &Renewed::Renewed(round + 1)), 1);
        }
    }

    // RACE-64, SEC-042
    async fn a_link_is_used_by_one(world: World) {
        let other = open(&world.location);
        for _ in 0..ROUNDS {
            let link = Link {
                id: world.id(),
                purpose: "reset".into(),
                expires_at: world.now.plus(MINUTE),
                facts: serde_json::Map::new(),
            };
            let occasion = world.occasion();
            world.store.make_link(&world.tenant, link.clone(), occasion).await.unwrap();
            let mut crowd = Vec::new();
            for _ in 0..CROWD {
                let (tenant, id, occasion) = (world.tenant.clone(), link.id, world.occasion());
                crowd.push(move |store: Store| async move { store.use_link(&tenant, id, "reset", occasion).await });
            }
            let outcomes = race(&world, &other, crowd).await;
            assert_eq!(count(&outcomes, &LinkUse::Used(link)), 1);
        }
    }

    // SEC-013, SEC-300: the polls of a device that has just been approved
    async fn an_approved_device_has_one_winner(world: World) {
        let other = open(&world.location);
        for _ in 0..ROUNDS {
            let approval = world.device_approval().await;
            let id = approval.grant.id;
            let approved = world.store.approve_device(&world.tenant, approval).await.unwrap();
            assert_eq!(approved, Approved::Approved);
            let mut crowd = Vec::new();
            for _ in 0..CROWD {
                let (tenant, redemption) = (world.tenant.clone(), world.redemption(id));
                crowd.push(move |store: Store| async move { store.redeem_code(&tenant, redemption).await });
            }
            let outcomes = race(&world, &other, crowd).await;
            assert_eq!(count(&outcomes, &Redeemed::Issued), 1);
            assert_eq!(count(&outcomes, &Redeemed::Replayed), CROWD - 1);
        }
    }

    // SEC-347: many who say yes and many who say no are one answer, and what the row says is what was answered
    async fn a_device_is_answered_once_by_whoever_is_first(world: World) {
        let other = open(&world.location);
        for _ in 0..ROUNDS {
            let approval = world.device_approval().await;
            let id = approval.grant.id;
            let mut crowd: Vec<Box<dyn FnOnce(Store) -> Deciding>> = Vec::new();
            for number in 0..CROWD {
                let tenant = world.tenant.clone();
                if number % 4 < 2 {
                    let mut approval = approval.clone();
                    approval.occasion = world.occasion();
                    crowd.push(Box::new(move |store: Store| {
                        Box::pin(async move {
                            let answer = store.approve_device(&tenant, approval).await?;
                            Ok((answer == Approved::Approved).then_some("yes"))
                        })
                    }));
                } else {
                    let denial = Denial {
                        session: world.session,
                        interaction: approval.interaction.unwrap(),
                        version: 0,
                        occasion: world.occasion(),
                    };
                    crowd.push(Box::new(move |store: Store| {
                        Box::pin(async move {
                            let answer = store.deny_device(&tenant, id, denial).await?;
                            Ok((answer == Denied::Denied).then_some("no"))
                        })
                    }));
                }
            }
            let answers: Vec<_> = race(&world, &other, crowd).await.into_iter().flatten().collect();
            assert_eq!(answers.len(), 1, "{answers:?}");
            let device = world.store.device(&world.tenant, id).await.unwrap().unwrap();
            let grant = world.store.pending_grant(&world.tenant, id).await.unwrap();
            let said_yes = answers[0] == "yes";
            assert_eq!(
                (device.approved_at.is_some(), device.denied_at.is_none(), grant.is_some()),
                (said_yes, said_yes, said_yes)
            );
        }
    }

    // SEC-039, SEC-155: a code that many enter at once belongs to one user
    async fn a_user_code_is_claimed_by_one_user(world: World) {
        let other = open(&world.location);
        for _ in 0..ROUNDS {
            let (_, digest) = world.device().await;
            let mut crowd = Vec::new();
            for _ in 0..CROWD {
                let (tenant, who, now) = (world.tenant.clone(), (world.id(), world.id()), world.now);
                crowd.push(move |store: Store| async move {
                    store.claim_device(&tenant, vec![digest], who, now).await
                });
            }
            let outcomes = race(&world, &other, crowd).await;
            assert_eq!(outcomes.iter().flatten().count(), 1);
        }
    }

    // SEC-153: one code, one device, however many draw it at once
    async fn a_user_code_is_given_to_one_device(world: World) {
        let other = open(&world.location);
        for _ in 0..ROUNDS {
            let (known, _) = world.device().await;
            let digest = sha256(&world.id().bytes());
            let mut crowd = Vec::new();
            for _ in 0..CROWD {
                let device = Device { id: world.id(), ..known.clone() };
                let tenant = world.tenant.clone();
                crowd.push(move |store: Store| async move {
                    store.open_device(&tenant, device, vec![digest]).await
                });
            }
            let outcomes = race(&world, &other, crowd).await;
            assert_eq!(count(&outcomes, &Opened::Opened), 1);
        }
    }

    // RACE-64
    async fn a_lease_has_one_holder(world: World) {
        let other = open(&world.location);
        for _ in 0..ROUNDS {
            let mut crowd = Vec::new();
            for number in 0..CROWD {
                let now = world.now;
                crowd.push(move |store: Store| async move {
                    store.take_lease("sweep", &format!("node {number}"), now.plus(MINUTE), now).await
                });
            }
            let outcomes = race(&world, &other, crowd).await;
            assert_eq!(count(&outcomes, &Leased::Taken), 1);
            world.later(MINUTE);
        }
    }

    // SEC-301, SEC-302: whoever wins, what was answered "revoked" stays revoked
    async fn a_revocation_among_refreshes_wins_in_the_end(world: World) {
        let other = open(&world.location);
        for _ in 0..ROUNDS {
            let grant = world.refreshable(true).await;
            let mut crowd: Vec<Box<dyn FnOnce(Store) -> Work>> = Vec::new();
            for number in 0..CROWD {
                let tenant = world.tenant.clone();
                if number == CROWD / 2 {
                    let occasion = world.occasion();
                    crowd.push(Box::new(move |store: Store| {
                        Box::pin(async move {
                            let revoked = store.revoke_grant(&tenant, grant, "grant.revoked", occasion).await?;
                            assert_eq!(revoked, Revoked::Revoked);
                            Ok(Rotated::Gone)
                        })
                    }));
                } else {
                    let rotation = rotation(&mut world, grant, 1);
                    crowd.push(Box::new(move |store: Store| {
                        Box::pin(async move { store.rotate_refresh_token(&tenant, rotation).await })
                    }));
                }
            }
            race(&world, &other, crowd).await;
            for presented in 1..4 {
                let rotation = rotation(&mut world, grant, presented);
                let rotated = world.store.rotate_refresh_token(&world.tenant, rotation).await.unwrap();
                assert_eq!(rotated, Rotated::Gone);
            }
        }
    }
}

type Deciding = std::pin::Pin<
    Box<dyn Future<Output = Result<Option<&'static str>, jeton_store::StoreError>> + Send>,
>;

type Answering =
    std::pin::Pin<Box<dyn Future<Output = Result<bool, jeton_store::StoreError>> + Send>>;

type Work =
    std::pin::Pin<Box<dyn Future<Output = Result<Rotated, jeton_store::StoreError>> + Send>>;
