//! The one gate before every token: each way to stop a grant stops it (§4.14, RFC 7009 §2.1).

use crate::common::{NOW, grant, millis, seconds};
use jeton_protocol::grant::{Grant, GrantState};
use jeton_protocol::refusal::{ErrorCode, Rule, Trail};
use jeton_protocol::standing::{self as rules, of_client, of_grant, of_token};

fn state() -> GrantState {
    GrantState::default()
}

fn refused(grant: &Grant, state: &GrantState, is_cut: bool) -> &'static Rule {
    of_grant(grant, state, is_cut, NOW, &mut Trail::off())
        .unwrap_err()
        .rule
}

#[test]
fn a_grant_that_nothing_stopped_stands() {
    assert!(of_grant(&grant(), &state(), false, NOW, &mut Trail::off()).is_ok());
}

#[test]
fn each_stop_event_is_refused_by_its_own_rule() {
    // SEC-030, SEC-162, SEC-307
    let past = Some(NOW.minus(seconds(1)));
    let ended = Grant {
        expires_at: NOW,
        ..grant()
    };
    for (grant, state, is_cut, rule) in [
        (grant(), state(), true, &rules::NOT_CUT),
        (
            grant(),
            GrantState {
                revoked_at: past,
                ..state()
            },
            false,
            &rules::GRANT_STANDS,
        ),
        (
            grant(),
            GrantState {
                user_disabled_at: past,
                ..state()
            },
            false,
            &rules::USER_ENABLED,
        ),
        (
            grant(),
            GrantState {
                user_gone: true,
                ..state()
            },
            false,
            &rules::USER_ENABLED,
        ),
        (
            grant(),
            GrantState {
                session_ended_at: past,
                ..state()
            },
            false,
            &rules::SESSION_LIVES,
        ),
        (ended, state(), false, &rules::GRANT_ALIVE),
    ] {
        let found = refused(&grant, &state, is_cut);
        assert_eq!(found, rule);
        assert_eq!(found.code, ErrorCode::InvalidGrant);
    }
}

#[test]
fn offline_access_outlives_the_session_and_nothing_else() {
    // Core §11
    let offline = Grant {
        offline: true,
        ..grant()
    };
    let ended = GrantState {
        session_ended_at: Some(NOW),
        ..state()
    };
    assert!(of_grant(&offline, &ended, false, NOW, &mut Trail::off()).is_ok());
    for (state, is_cut) in [
        (
            GrantState {
                revoked_at: Some(NOW),
                ..ended
            },
            false,
        ),
        (
            GrantState {
                user_disabled_at: Some(NOW),
                ..ended
            },
            false,
        ),
        (
            GrantState {
                user_gone: true,
                ..ended
            },
            false,
        ),
        (ended, true),
    ] {
        assert!(of_grant(&offline, &state, is_cut, NOW, &mut Trail::off()).is_err());
    }
}

#[test]
fn times_count_to_the_millisecond() {
    let ends = Grant {
        expires_at: NOW.plus(millis(1)),
        ..grant()
    };
    assert!(of_grant(&ends, &state(), false, NOW, &mut Trail::off()).is_ok());
    let ending = GrantState {
        session_ended_at: Some(NOW.plus(millis(1))),
        ..state()
    };
    assert!(of_grant(&grant(), &ending, false, NOW, &mut Trail::off()).is_ok());
    let ended = GrantState {
        session_ended_at: Some(NOW),
        ..state()
    };
    assert_eq!(*refused(&grant(), &ended, false), rules::SESSION_LIVES);
}

#[test]
fn a_stop_that_was_noted_counts_though_its_time_is_ahead() {
    // A node with a slow clock must not keep a revoked grant alive (SEC-331).
    for state in [
        GrantState {
            revoked_at: Some(NOW.plus(seconds(5))),
            ..state()
        },
        GrantState {
            user_disabled_at: Some(NOW.plus(seconds(5))),
            ..state()
        },
    ] {
        assert!(of_grant(&grant(), &state, false, NOW, &mut Trail::off()).is_err());
    }
}

#[test]
fn every_combination_of_stops_is_refused() {
    for bits in 1_u8..32 {
        let has = |bit: u8| bits & (1 << bit) != 0;
        let at = |bit| has(bit).then_some(NOW);
        let state = GrantState {
            revoked_at: at(0),
            user_disabled_at: at(1),
            user_gone: has(2),
            session_ended_at: at(3),
        };
        assert!(
            of_grant(&grant(), &state, has(4), NOW, &mut Trail::off()).is_err(),
            "{bits:b}"
        );
    }
}

#[test]
fn tokens_and_clients_fall_with_their_cut() {
    assert!(of_token(false, &mut Trail::off()).is_ok());
    assert!(of_client(false, &mut Trail::off()).is_ok());
    let token = of_token(true, &mut Trail::off()).unwrap_err();
    assert_eq!(*token.rule, rules::TOKEN_STANDS);
    assert_eq!(token.code(), ErrorCode::InvalidToken);
    let client = of_client(true, &mut Trail::off()).unwrap_err();
    assert_eq!(*client.rule, rules::NOT_CUT);
    assert_eq!(client.code(), ErrorCode::InvalidGrant);
}
