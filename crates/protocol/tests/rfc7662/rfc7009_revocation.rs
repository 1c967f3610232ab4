//! Who may revoke, and what a revoked access token takes with it (RFC 7009 §2.1).

use crate::common::{authenticated, client, id, public_client};
use crate::s2_introspection::facts;
use jeton_protocol::cut::CutTarget;
use jeton_protocol::refusal::{ErrorCode, Trail};
use jeton_protocol::revocation::{TOKEN_OF_CALLER, admit, cut_of};

#[test]
fn the_client_it_was_issued_to_may_revoke_public_or_not() {
    for client in [client(), public_client()] {
        assert!(admit("app", &authenticated(client), &mut Trail::off()).is_ok());
    }
}

#[test]
fn another_client_is_refused_and_told_so() {
    // SEC-164
    for mut other in [client(), public_client()] {
        other.id = id("other");
        other.introspects = vec!["https://api.example".to_owned()];
        let refusal = admit("app", &authenticated(other), &mut Trail::off()).unwrap_err();
        assert_eq!(*refusal.rule, TOKEN_OF_CALLER);
        assert_eq!(refusal.code(), ErrorCode::InvalidRequest);
        assert!(!refusal.rule.told.contains("app"));
    }
}

#[test]
fn an_access_token_is_cut_alone() {
    // SEC-165
    let facts = facts();
    assert_eq!(cut_of(&facts), CutTarget::Token(facts.token));
}
