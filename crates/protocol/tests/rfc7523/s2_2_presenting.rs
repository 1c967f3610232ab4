//! How an assertion is presented, and that it is spent once (§2.2, RFC 7521 §4.2).

use crate::assertion::{TYPE, client_of, good_claims, jwt, key, verify};
use crate::common::{NOW, form, params, seconds};
use jeton_protocol::client_auth::assertion as rules;
use jeton_protocol::client_auth::{ONE_METHOD, Presented, Replay};
use jeton_protocol::refusal::{ErrorCode, Rule, Trail};

fn refused(pairs: &[(&str, &str)]) -> &'static Rule {
    let body = form(pairs);
    Presented::read(None, &params(&body), &mut Trail::off())
        .unwrap_err()
        .rule
}

#[test]
fn the_type_and_the_assertion_come_together() {
    // P-195
    let jwt = jwt(&key(), &good_claims());
    assert_eq!(
        *refused(&[("client_assertion", &jwt)]),
        rules::ASSERTION_TYPE
    );
    assert_eq!(
        *refused(&[("client_assertion_type", TYPE)]),
        rules::ASSERTION_SENT
    );
    for other in [
        "urn:ietf:params:oauth:client-assertion-type:saml2-bearer",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "jwt",
        &TYPE.to_uppercase(),
        &format!("{TYPE} "),
    ] {
        let rule = refused(&[("client_assertion_type", other), ("client_assertion", &jwt)]);
        assert_eq!(*rule, rules::ASSERTION_TYPE, "{other}");
        assert_eq!(rule.code, ErrorCode::InvalidClient);
    }
    let with_secret = [
        ("client_assertion_type", TYPE),
        ("client_assertion", &jwt),
        ("client_secret", "s"),
    ];
    assert_eq!(*refused(&with_secret), ONE_METHOD);
}

#[test]
fn the_client_is_named_by_sub_and_client_id_is_not_needed() {
    // P-196, RFC 7521 §4.2
    let jwt = jwt(&key(), &good_claims());
    let body = form(&[("client_assertion_type", TYPE), ("client_assertion", &jwt)]);
    let params = params(&body);
    let presented = Presented::read(None, &params, &mut Trail::off()).unwrap();
    assert_eq!(presented.client_id(), "app");
    assert!(presented.secret().is_none() && !presented.used_header());
}

#[test]
fn a_verified_assertion_still_has_to_be_spent() {
    // SEC-020, SEC-120, SEC-306: the jti is remembered as long as the assertion could be believed.
    let key = key();
    let verified = verify(&client_of(&[&key]), &jwt(&key, &good_claims())).unwrap();
    let until = NOW.plus(seconds(60 + 10));
    assert_eq!(
        verified.replay,
        Some(Replay {
            jti: "a-jti".to_owned(),
            until
        })
    );
    let authenticated = verified.spent(true, &mut Trail::off()).unwrap();
    assert!(!authenticated.is_public());
}

#[test]
fn an_assertion_seen_before_authenticates_nobody() {
    // SEC-120
    let key = key();
    let verified = verify(&client_of(&[&key]), &jwt(&key, &good_claims())).unwrap();
    let refusal = verified.spent(false, &mut Trail::off()).unwrap_err();
    assert_eq!(*refusal.rule, rules::ASSERTION_FRESH);
    assert_eq!(refusal.code(), ErrorCode::InvalidClient);
    assert!(!refusal.noted.found.contains("a-jti"));
}

#[test]
fn only_one_compact_jws_is_read() {
    // SEC-070, SEC-075, SEC-170, SEC-177, SEC-179
    let good = jwt(&key(), &good_claims());
    let (signed, _) = good.rsplit_once('.').unwrap();
    let none = "eyJhbGciOiJub25lIn0.e30.";
    let long = format!("{good}{}", "A".repeat(16 * 1024));
    for bad in [
        "x",
        "a.b",
        signed,
        &format!("{signed}."),
        none,
        &format!("{none}AAAA"),
        "eyJhbGciOiJub05FIn0.e30.AAAA",
        &format!("{good}="),
        &format!("{good} "),
        &format!("{good}.x"),
        &format!("{{\"payload\":\"{good}\"}}"),
        &"a.".repeat(8000),
        &long,
    ] {
        let rule = refused(&[("client_assertion_type", TYPE), ("client_assertion", bad)]);
        assert_eq!(*rule, rules::ASSERTION_PARSES, "{bad:.60}");
        assert_eq!(rule.code, ErrorCode::InvalidClient);
    }
}
