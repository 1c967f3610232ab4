//! A model of a user who signs in and approves: every request ends, and a silent one never shows a page (SEC-R05).

use crate::common::{NOW, authorize, client, row, scope, seconds, session};
use jeton_protocol::authorize::request::{AuthorizationRequest, Prompt};
use jeton_protocol::authorize::step::{Situation, Step, next_step};
use jeton_protocol::client::Client;
use jeton_protocol::consent::Consent;
use jeton_protocol::interaction::{Approval, Progress, SignedIn};
use jeton_protocol::refusal::Trail;
use jeton_protocol::scope::Scope;
use jeton_protocol::session::Session;
use jeton_token::row_id::RowId;
use jeton_token::timestamp::Timestamp;
use proptest::prelude::*;

#[derive(Clone, Debug)]
struct Start {
    request: AuthorizationRequest,
    client: Client,
    session: Option<Session>,
    consent: Option<Consent>,
    progress: Progress,
    /// Whether the user who signs in is the one the session, if any, belongs to.
    same_user: bool,
    keeps: Scope,
}

fn prompts() -> impl Strategy<Value = Vec<Prompt>> {
    let all = [Prompt::Login, Prompt::Consent, Prompt::SelectAccount];
    prop_oneof![
        Just(vec![Prompt::None]),
        proptest::sample::subsequence(all.to_vec(), 0..=3),
    ]
}

fn scopes() -> impl Strategy<Value = Scope> {
    let all = vec!["openid", "email", "read", "write"];
    proptest::sample::subsequence(all, 1..=4).prop_map(|values| scope(&values.join(" ")))
}

fn sessions() -> impl Strategy<Value = Option<Session>> {
    let some = (0_u64..100_000, 2_u8..4).prop_map(|(age, user)| Session {
        auth_time: NOW.minus(seconds(age)),
        user: row(user),
        ..session()
    });
    proptest::option::of(some)
}

fn progress() -> impl Strategy<Value = Progress> {
    let approval = (3_u8..5, scopes()).prop_map(|(by, scope)| Approval {
        session: row(by),
        scope,
    });
    let sign_in = (3_u8..5).prop_map(|by| SignedIn {
        session: row(by),
        at: NOW,
    });
    (
        proptest::option::of(sign_in),
        proptest::option::weighted(0.2, approval),
        proptest::bool::weighted(0.05),
    )
        .prop_map(|(signed_in, approved, denied)| Progress {
            signed_in,
            approved,
            denied,
            version: 0,
        })
}

fn starts() -> impl Strategy<Value = Start> {
    let request = (
        prompts(),
        proptest::option::of(prop_oneof![Just(0_u64), 1_u64..100_000]),
        proptest::option::of(2_u8..4),
        scopes(),
    )
        .prop_map(|(prompt, max_age, hint, scope)| AuthorizationRequest {
            prompt,
            max_age,
            hinted_subject: hint.map(|user| row(user).to_string()),
            scope,
            ..authorize(&[]).unwrap()
        });
    let consent = proptest::option::of(scopes().prop_map(|scope| Consent {
        scope,
        given_at: NOW,
    }));
    (
        request,
        sessions(),
        consent,
        progress(),
        any::<(bool, bool)>(),
        scopes(),
    )
        .prop_map(
            |(request, session, consent, progress, (first_party, same_user), keeps)| Start {
                request,
                client: Client {
                    first_party,
                    ..client()
                },
                session,
                consent,
                progress,
                same_user,
                keeps,
            },
        )
}

impl Start {
    fn step(&self, now: Timestamp) -> Step {
        let situation = Situation {
            request: &self.request,
            client: &self.client,
            session: self.session.as_ref(),
            consent: self.consent.as_ref(),
            progress: &self.progress,
        };
        next_step(situation, now, &mut Trail::off())
    }

    /// A sign-in makes a new session and says so in the progress.
    fn signs_in(&mut self, new: RowId, now: Timestamp) {
        let user = if self.same_user { row(2) } else { row(3) };
        self.session = Some(Session {
            id: new,
            user,
            auth_time: now,
            ..session()
        });
        self.progress.signed_in = Some(SignedIn {
            session: new,
            at: now,
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn every_request_ends_within_four_steps(start in starts()) {
        let mut now = NOW;
        let (requested, mut state) = (start.request.scope.clone(), start);
        for count in 1..=4_u8 {
            match state.step(now) {
                Step::LogIn => state.signs_in(row(100 + count), now),
                Step::AskConsent(asked) => {
                    prop_assert_eq!(&asked, &requested);
                    let by = state.session.as_ref().unwrap().id;
                    state.progress.approved = Some(Approval { session: by, scope: state.keeps.clone() });
                }
                Step::Finish(granted) => {
                    prop_assert!(granted.is_subset_of(&requested));
                    let user = state.session.as_ref().unwrap().user.to_string();
                    prop_assert!(state.request.hinted_subject.as_ref().is_none_or(|hinted| *hinted == user));
                    return Ok(());
                }
                Step::Refuse(_) => return Ok(()),
            }
            now = now.plus(seconds(20));
        }
        prop_assert!(false, "four steps were not enough: {:?}", state);
    }

    #[test]
    fn a_silent_request_never_shows_a_page(mut start in starts()) {
        start.request.prompt = vec![Prompt::None];
        let step = start.step(NOW);
        prop_assert!(matches!(step, Step::Finish(_) | Step::Refuse(_)), "{step:?}");
    }

    #[test]
    fn nothing_is_granted_without_a_session_or_against_a_denial(mut start in starts()) {
        start.session = None;
        prop_assert!(!matches!(start.step(NOW), Step::Finish(_)));
        start.session = Some(session());
        start.progress.denied = true;
        prop_assert!(matches!(start.step(NOW), Step::Refuse(_)));
    }

    #[test]
    fn what_was_not_approved_nor_remembered_is_granted_to_nobody(mut start in starts()) {
        start.client.first_party = false;
        start.consent = None;
        if let Step::Finish(granted) = start.step(NOW) {
            let approval = start.progress.approved.unwrap();
            prop_assert_eq!(approval.session, start.session.unwrap().id);
            prop_assert!(granted.is_subset_of(&approval.scope));
        }
    }
}
