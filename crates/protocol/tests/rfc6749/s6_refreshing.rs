//! Refreshing: whose token it is, what may be asked, which generation counts (§6, RFC 9700 §4.14).

use crate::common::{
    NOW, caller_of, client, form, id, key_ring, millis, params, public_client, refreshable, scope,
    seconds, tenant,
};
use jeton_protocol::client::{Client, Rotation};
use jeton_protocol::grant::RefreshableGrant;
use jeton_protocol::grants::refresh_token::{self as rules, RefreshRequest};
use jeton_protocol::grants::{self, GrantRequest};
use jeton_protocol::issue::{self, Issuance};
use jeton_protocol::refusal::{ErrorCode, Refusal, Trail};
use jeton_protocol::standing;
use jeton_token::entropy::Entropy;
use jeton_token::handle::HandleKind;
use jeton_token::timestamp::Timestamp;

fn parse(asked: &str) -> Result<RefreshRequest, Refusal> {
    let body = form(&[
        ("grant_type", "refresh_token"),
        ("refresh_token", "jtr_x"),
        ("scope", asked),
    ]);
    let request = GrantRequest::parse(&params(&body), &caller_of(client()), &mut Trail::off())?;
    let GrantRequest::RefreshToken(request) = request else {
        panic!("{request:?}");
    };
    Ok(request)
}

struct Attempt {
    refreshable: RefreshableGrant,
    presented: u32,
    is_cut: bool,
    caller: Client,
    asked: &'static str,
    now: Timestamp,
}

/// The owner, with the newest token, for the whole scope, now.
fn attempt() -> Attempt {
    Attempt {
        refreshable: refreshable(),
        presented: 3,
        is_cut: false,
        caller: client(),
        asked: "",
        now: NOW,
    }
}

fn rotating() -> Client {
    Client {
        refresh_token_rotation: Some(Rotation::Each),
        ..client()
    }
}

impl Attempt {
    fn decide(&self) -> Result<Issuance, Refusal> {
        rules::decide(
            (&self.refreshable, self.presented, self.is_cut),
            &parse(self.asked)?,
            (&caller_of(self.caller.clone()), &tenant()),
            self.now,
            &mut Trail::off(),
        )
    }

    fn issued(&self) -> issue::TokenResponse {
        let issuance = self.decide().unwrap();
        issue::mint(
            &issuance,
            &tenant(),
            &key_ring(),
            &mut Entropy::seeded(7),
            NOW,
        )
        .unwrap()
    }
}

#[test]
fn the_refresh_token_is_needed() {
    let body = form(&[("grant_type", "refresh_token"), ("refresh_token", "")]);
    let refusal =
        GrantRequest::parse(&params(&body), &caller_of(client()), &mut Trail::off()).unwrap_err();
    assert_eq!(*refusal.rule, rules::REFRESH_TOKEN_SENT);
}

#[test]
fn without_scope_or_with_the_same_the_granted_scope_is_issued() {
    // P-177
    for asked in ["", "openid email read write", "write read email openid"] {
        let response = Attempt { asked, ..attempt() }.issued();
        assert_eq!(scope(&response.scope), refreshable().grant.scope);
        assert!(response.id_token.is_some());
    }
}

#[test]
fn a_narrower_scope_is_issued_as_asked() {
    // S45, SEC-141
    let response = Attempt {
        asked: "read",
        ..attempt()
    }
    .issued();
    assert_eq!(response.scope, "read");
    assert_eq!(response.id_token, None, "openid was left out");
}

#[test]
fn a_wider_scope_is_refused_though_registered() {
    // P-177, SEC-141
    for asked in [
        "profile",
        "read profile",
        "offline_access",
        "secret.admin",
        "Read",
    ] {
        let refusal = Attempt { asked, ..attempt() }.decide().unwrap_err();
        assert_eq!(*refusal.rule, rules::REFRESH_SCOPE_WITHIN, "{asked}");
        assert_eq!(refusal.code(), ErrorCode::InvalidScope);
    }
    assert_eq!(*parse("a\\b").unwrap_err().rule, grants::SCOPE_PARSES);
}

#[test]
fn scope_taken_from_the_client_no_longer_comes_out_of_its_grants() {
    // SEC-024, SEC-R02: issued ⊆ granted ⊆ client scope.
    let mut narrowed = client();
    narrowed.scope = scope("openid read");
    let attempt = Attempt {
        caller: narrowed.clone(),
        ..attempt()
    };
    let issued = scope(&attempt.issued().scope);
    assert!(issued.is_subset_of(&narrowed.scope), "{issued}");
}

#[test]
fn another_client_learns_nothing_not_even_that_the_token_exists() {
    // P-179, SEC-162
    let mut dead = refreshable();
    dead.state.revoked_at = Some(NOW);
    dead.refresh_expires_at = Some(NOW.minus(seconds(1)));
    for refreshable in [refreshable(), dead] {
        for mut caller in [client(), public_client()] {
            caller.id = id("stranger");
            for presented in [1, 3, 4] {
                let refusal = Attempt {
                    refreshable: refreshable.clone(),
                    presented,
                    caller: caller.clone(),
                    is_cut: true,
                    asked: "secret.admin",
                    ..attempt()
                }
                .decide()
                .unwrap_err();
                assert_eq!(*refusal.rule, rules::REFRESH_TOKEN_OF_CLIENT);
                assert_eq!(refusal.rule.told, rules::REFRESH_TOKEN_KNOWN.told);
                assert_eq!(refusal.rule.code, rules::REFRESH_TOKEN_KNOWN.code);
            }
        }
    }
}

#[test]
fn a_client_that_does_not_rotate_presents_the_one_generation() {
    // P-181
    assert!(!rules::rotates(&caller_of(client()), &refreshable().grant));
    assert_eq!(
        attempt().issued().refresh_token,
        None,
        "nothing new is handed out"
    );
    for presented in [0, 1, 2, 4, u32::MAX] {
        let refusal = Attempt {
            presented,
            ..attempt()
        }
        .decide()
        .unwrap_err();
        assert_eq!(*refusal.rule, rules::REFRESH_TOKEN_NEWEST, "{presented}");
        assert_eq!(refusal.code(), ErrorCode::InvalidGrant);
    }
}

#[test]
fn a_client_that_rotates_gets_the_successor_of_what_it_presents() {
    // SEC-160, SEC-161: equal presentations derive the very same successor.
    for caller in [rotating(), public_client()] {
        assert!(rules::rotates(
            &caller_of(caller.clone()),
            &refreshable().grant
        ));
        for presented in [2, 3] {
            let attempt = Attempt {
                caller: caller.clone(),
                presented,
                ..attempt()
            };
            let token = attempt.issued().refresh_token.unwrap();
            let ring = key_ring();
            let handle = ring
                .handles
                .open("default", HandleKind::RefreshToken, &token)
                .unwrap();
            assert_eq!(handle.row, refreshable().grant.id);
            assert_eq!(handle.generation, presented + 1);
            assert_eq!(attempt.issued().refresh_token, Some(token));
        }
    }
}

#[test]
fn the_last_generation_does_not_wrap() {
    let last = Attempt {
        caller: rotating(),
        presented: u32::MAX,
        ..attempt()
    };
    assert!(last.decide().is_ok());
}

#[test]
fn rotation_follows_the_registration_before_the_kind_of_client() {
    // P-181
    let never = Client {
        refresh_token_rotation: Some(Rotation::Never),
        ..public_client()
    };
    for (client, expected) in [
        (client(), Rotation::Never),
        (rotating(), Rotation::Each),
        (public_client(), Rotation::Each),
        (never, Rotation::Never),
    ] {
        assert_eq!(client.rotation(false), expected);
    }
}

#[test]
fn an_unused_token_dies_at_its_exact_end() {
    let end = refreshable().refresh_expires_at.unwrap();
    let at = |now| Attempt { now, ..attempt() }.decide();
    assert!(at(end.minus(millis(1))).is_ok());
    for late in [end, end.plus(seconds(1))] {
        assert_eq!(*at(late).unwrap_err().rule, rules::REFRESH_TOKEN_FRESH);
    }
    let mut never_issued = refreshable();
    never_issued.refresh_expires_at = None;
    let refusal = Attempt {
        refreshable: never_issued,
        ..attempt()
    }
    .decide()
    .unwrap_err();
    assert_eq!(*refusal.rule, rules::REFRESH_TOKEN_FRESH);
}

#[test]
fn the_absolute_end_of_the_grant_holds_however_often_it_is_used() {
    // SEC-163
    let mut sliding = refreshable();
    sliding.refresh_expires_at = Some(sliding.grant.expires_at.plus(seconds(3600)));
    let end = sliding.grant.expires_at;
    let at = |now| {
        Attempt {
            refreshable: sliding.clone(),
            now,
            ..attempt()
        }
        .decide()
    };
    assert!(at(end.minus(millis(1))).is_ok());
    assert_eq!(*at(end).unwrap_err().rule, standing::GRANT_ALIVE);
}

#[test]
fn the_gate_is_asked_before_generation_and_scope() {
    // SEC-R02, SEC-030, SEC-162
    let refusal = Attempt {
        is_cut: true,
        presented: 1,
        asked: "profile",
        ..attempt()
    }
    .decide()
    .unwrap_err();
    assert_eq!(*refusal.rule, standing::NOT_CUT);
    let mut ended = refreshable();
    ended.state.session_ended_at = Some(NOW.minus(seconds(1)));
    let refusal = Attempt {
        refreshable: ended.clone(),
        ..attempt()
    }
    .decide()
    .unwrap_err();
    assert_eq!(*refusal.rule, standing::SESSION_LIVES);
    ended.grant.offline = true;
    assert!(
        Attempt {
            refreshable: ended,
            ..attempt()
        }
        .decide()
        .is_ok()
    );
}
