//! What a proof must be, and which rule says so (§4.3, §11.1).

use crate::common::{NOW, seconds};
use crate::prover::{ONE, OTHER, claims, key_of, proof, signed, token_url, verify};
use jeton_protocol::dpop as rules;
use jeton_protocol::refusal::{ErrorCode, Trail};
use jeton_token::dpop::{Request, TOLERANCE};
use serde_json::{Value, json};

fn refused(text: &str) -> (&'static str, String) {
    let refusal = verify(text).unwrap_err();
    assert_eq!(refusal.code(), ErrorCode::InvalidDpopProof);
    (refusal.rule.cause, refusal.noted.found.to_string())
}

// P-205, P-206, P-207
#[test]
fn one_header_at_most_and_it_is_text() {
    let mut trail = Trail::watched();
    let mut sent = |values: &[&'static [u8]]| rules::sent(values.iter().copied(), &mut trail);
    assert_eq!(sent(&[]), Ok(None));
    assert_eq!(sent(&[b"a.b.c"]), Ok(Some("a.b.c")));
    assert_eq!(sent(&[b"a", b"a"]).unwrap_err().rule, &rules::ONE_PROOF);
    assert_eq!(sent(&[b"\xff"]).unwrap_err().rule, &rules::PROOF_PARSES);
}

// P-207…214, SEC-180
#[test]
fn each_flaw_is_refused_by_the_rule_about_it() {
    let with = |changes: Value| refused(&signed(&ONE, &claims(&changes))).0;
    assert_eq!(with(json!({ "htm": "GET" })), "dpop_proof_htm");
    assert_eq!(
        with(json!({ "htu": "https://id.example/userinfo" })),
        "dpop_proof_htu"
    );
    assert_eq!(with(json!({ "jti": "" })), "dpop_proof_claims");
    assert_eq!(with(json!({ "iat": "now" })), "dpop_proof_claims");
    assert_eq!(refused("no proof").0, "dpop_proof_malformed");
    let (mut stolen, other) = (proof(&ONE), proof(&OTHER));
    stolen.truncate(stolen.rfind('.').unwrap());
    stolen.push_str(&other[other.rfind('.').unwrap()..]);
    assert_eq!(refused(&stolen).0, "dpop_proof_signature");
}

#[test]
fn the_operator_sees_both_values_shortened_and_without_control_characters() {
    let long = format!("https://evil.example/\n{}", "x".repeat(500));
    let refusal = verify(&signed(&ONE, &claims(&json!({ "htu": long })))).unwrap_err();
    assert_eq!(refusal.noted.expected, token_url());
    assert!(refusal.noted.found.starts_with("https://evil.example/·xxx"));
    assert!(refusal.noted.found.len() < 250);
}

// P-217, SEC-180
#[test]
fn without_nonces_a_proof_counts_for_a_minute_either_way() {
    for (offset, accepted) in [(0, true), (-10, true), (10, true), (-60, true), (60, true)]
        .into_iter()
        .chain([(-61, false), (61, false), (-3600, false), (3600, false)])
    {
        let made = claims(&json!({ "iat": NOW.seconds() + offset }));
        assert_eq!(verify(&signed(&ONE, &made)).is_ok(), accepted, "{offset} s");
    }
    let late = verify(&signed(
        &ONE,
        &claims(&json!({ "iat": NOW.seconds() - 3600 })),
    ));
    let late = late.unwrap_err();
    assert_eq!(late.rule, &rules::PROOF_TIMELY);
    assert_eq!(late.noted.found, "-3600 s from now");
}

// P-223, SEC-306
#[test]
fn a_proof_is_remembered_for_longer_than_it_would_be_accepted() {
    for offset in [-60, 0, 60] {
        let made = signed(&ONE, &claims(&json!({ "iat": NOW.seconds() + offset })));
        let until = verify(&made).unwrap().until;
        let url = token_url();
        let request = Request {
            method: "POST",
            url: &url,
            access_token: None,
        };
        let again = rules::verify(&made, &request, None, until, &mut Trail::off());
        assert_eq!(again.unwrap_err().rule, &rules::PROOF_TIMELY);
        assert!(until.since(NOW) <= TOLERANCE * 3, "kept too long");
    }
}

// P-223
#[test]
fn what_may_be_used_once_is_the_jti_of_a_key() {
    let one_time = |text: &str| verify(text).unwrap().one_time();
    let again = signed(&ONE, &claims(&json!({ "iat": NOW.seconds() - 1 })));
    assert_eq!(one_time(&proof(&ONE)), one_time(&again));
    assert_ne!(one_time(&proof(&ONE)), one_time(&proof(&OTHER)));
    let other_jti = signed(&ONE, &claims(&json!({ "jti": "jti-2" })));
    assert_ne!(one_time(&proof(&ONE)), one_time(&other_jti));
}

// P-223, SEC-348
#[test]
fn a_proof_used_before_binds_nothing() {
    let mut trail = Trail::watched();
    let bound = verify(&proof(&ONE))
        .unwrap()
        .spent(true, &mut trail)
        .unwrap();
    assert_eq!(bound.confirmation(), key_of(&ONE));
    let refusal = verify(&proof(&ONE))
        .unwrap()
        .spent(false, &mut trail)
        .unwrap_err();
    assert_eq!(refusal.rule, &rules::PROOF_FRESH);
}

// S36
#[test]
fn a_refused_proof_leaves_a_trail_of_what_was_right_about_it() {
    let url = token_url();
    let request = Request {
        method: "POST",
        url: &url,
        access_token: None,
    };
    let mut trail = Trail::watched();
    let wrong = signed(&ONE, &claims(&json!({ "htm": "GET" })));
    rules::verify(&wrong, &request, None, NOW, &mut trail).unwrap_err();
    let last = trail.passed().last().map(|rule| rule.cause);
    assert_eq!((last, trail.passed().len()), (Some("dpop_proof_claims"), 6));
}

// S36: what was checked is shown
#[test]
fn the_trail_names_every_check_of_a_proof() {
    let url = token_url();
    let request = Request {
        method: "POST",
        url: &url,
        access_token: None,
    };
    let mut trail = Trail::watched();
    rules::verify(
        &proof(&ONE),
        &request,
        None,
        NOW.plus(seconds(5)),
        &mut trail,
    )
    .unwrap();
    let passed: Vec<_> = trail.passed().iter().map(|rule| rule.cause).collect();
    assert_eq!(
        passed,
        [
            "dpop_proof_malformed",
            "dpop_proof_typ",
            "dpop_proof_alg",
            "dpop_proof_key",
            "dpop_proof_signature",
            "dpop_proof_claims",
            "dpop_proof_htm",
            "dpop_proof_htu",
            "dpop_proof_iat",
        ]
    );
}
