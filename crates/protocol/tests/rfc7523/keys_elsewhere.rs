//! Keys of a client that are not in its record (Core §10.1.1, RFC 7591 §2).

use crate::assertion::{client_of, good_claims, jwt, key, verify_at};
use crate::common::{NOW, SECRET};
use jeton_protocol::client::Client;
use jeton_protocol::client_auth::{OpenedSecret, assertion as rules};
use jeton_protocol::refusal::{ErrorCode, Trail};
use jeton_token::key_set::KeySet;
use jeton_token::secret::Secret;
use jeton_token::signing_key::SigningKey;
use std::sync::Arc;

fn elsewhere() -> Client {
    Client {
        jwks: None,
        jwks_uri: Some("https://keys.example/jwks".to_owned()),
        ..client_of(&[])
    }
}

fn fetched(keys: &[&SigningKey]) -> OpenedSecret<'static> {
    let keys = keys.iter().map(|key| key.public_jwk().clone()).collect();
    OpenedSecret::Keys(Arc::new(KeySet::new(keys)))
}

// P-186, SEC-129
#[test]
fn fetched_keys_prove_the_client_they_were_fetched_for_and_no_other() {
    let own = &key();
    let signed = jwt(own, &good_claims());
    assert!(verify_at(NOW, &elsewhere(), &fetched(&[own]), &signed).is_ok());
    let refusal = verify_at(NOW, &elsewhere(), &fetched(&[]), &signed).unwrap_err();
    assert_eq!(*refusal.rule, rules::ASSERTION_VERIFIES);
    // A client with keys in its record is not proven by others, whatever the shell brings.
    let refusal = verify_at(NOW, &client_of(&[]), &fetched(&[own]), &signed).unwrap_err();
    assert_eq!(*refusal.rule, rules::ASSERTION_VERIFIES);
    let both = Client {
        jwks: client_of(&[own]).jwks,
        ..elsewhere()
    };
    let refusal = verify_at(NOW, &both, &fetched(&[]), &signed).unwrap_err();
    assert_eq!(*refusal.rule, rules::ASSERTION_VERIFIES);
}

// P-281, SEC-225
#[test]
fn keys_that_could_not_be_had_refuse_the_client_and_say_why() {
    let signed = jwt(&key(), &good_claims());
    for (opened, found) in [
        (OpenedSecret::NoKeys("status 500".to_owned()), "status 500"),
        (OpenedSecret::None, "not asked for"),
        (
            OpenedSecret::Plain(Secret::from_text(SECRET.to_owned())),
            "not asked for",
        ),
    ] {
        let refusal = verify_at(NOW, &elsewhere(), &opened, &signed).unwrap_err();
        assert_eq!(*refusal.rule, rules::CLIENT_KEYS);
        assert_eq!(refusal.code(), ErrorCode::InvalidClient);
        assert!(refusal.noted.expected.contains("https://keys.example/jwks"));
        assert_eq!(refusal.noted.found, found);
    }
    assert_eq!(rules::CLIENT_KEYS.told, rules::ASSERTION_VERIFIES.told);
}

// P-198
#[test]
fn what_was_passed_since_the_mark_can_be_forgotten() {
    let mut trail = Trail::watched();
    trail.pass(&rules::ASSERTION_SENT);
    let mark = trail.mark();
    trail.pass(&rules::ASSERTION_PARSES);
    trail.rewind(mark);
    assert_eq!(trail.passed(), [&rules::ASSERTION_SENT]);
}
