//! Each claim missing, of the wrong type, of the wrong value: one at a time (§3).

use crate::assertion::{
    claims_with, client_of, client_of_secret, good_claims, hs256, jwt, key, sign, verify, verify_at,
};
use crate::common::{ISSUER, NOW, SECRET, millis, seconds};
use jeton_protocol::client_auth::{OpenedSecret, assertion as rules};
use jeton_protocol::refusal::{ErrorCode, Rule};
use jeton_token::secret::Secret;
use serde_json::{Value, json};

fn refused(name: &str, value: Value) -> &'static Rule {
    let key = key();
    let claims = claims_with(name, &value);
    let refusal = verify(&client_of(&[&key]), &jwt(&key, &claims)).unwrap_err();
    assert_eq!(refusal.code(), ErrorCode::InvalidClient);
    refusal.rule
}

fn accepted(name: &str, value: Value) -> bool {
    let key = key();
    verify(&client_of(&[&key]), &jwt(&key, &claims_with(name, &value))).is_ok()
}

#[test]
fn the_good_assertion_is_accepted() {
    let key = key();
    assert!(verify(&client_of(&[&key]), &jwt(&key, &good_claims())).is_ok());
}

#[test]
fn each_required_claim_is_required() {
    // P-192, SEC-124
    for name in ["iss", "sub", "aud", "exp", "jti"] {
        assert_eq!(
            *refused(name, Value::Null),
            rules::ASSERTION_CLAIMS,
            "{name}"
        );
    }
    for name in ["iat", "nbf"] {
        assert!(accepted(name, Value::Null), "{name}");
    }
}

#[test]
fn a_claim_of_another_type_is_an_error_and_never_an_absence() {
    // SEC-076, RFC 8725 §3.10
    let texts = [
        json!(1),
        json!(1.5),
        json!(true),
        json!(["app"]),
        json!({"app": 1}),
        json!(-1),
    ];
    for name in ["iss", "sub", "jti"] {
        for value in &texts {
            assert_eq!(
                *refused(name, value.clone()),
                rules::ASSERTION_CLAIMS,
                "{name} {value}"
            );
        }
    }
    for value in [
        json!(1),
        json!(true),
        json!({"a": 1}),
        json!([ISSUER, 1]),
        json!([[ISSUER]]),
    ] {
        assert_eq!(
            *refused("aud", value.clone()),
            rules::ASSERTION_CLAIMS,
            "{value}"
        );
    }
    let soon = NOW.seconds() + 60;
    for name in ["exp", "iat", "nbf"] {
        for value in [
            json!(soon.to_string()),
            json!([soon]),
            json!({"s": soon}),
            json!(true),
            json!(-1),
            json!(u64::MAX),
            json!(1e300),
        ] {
            assert_eq!(
                *refused(name, value.clone()),
                rules::ASSERTION_CLAIMS,
                "{name} {value}"
            );
        }
    }
}

#[test]
fn an_explicit_null_is_not_an_absence() {
    // SEC-076
    let key = key();
    for name in ["iss", "sub", "aud", "exp", "jti", "iat", "nbf"] {
        let mut claims = good_claims();
        claims[name] = Value::Null;
        let refusal = verify(&client_of(&[&key]), &jwt(&key, &claims)).unwrap_err();
        assert_eq!(*refusal.rule, rules::ASSERTION_CLAIMS, "{name}");
    }
}

#[test]
fn iss_and_sub_are_both_the_client() {
    // P-192, SEC-124
    for wrong in ["other", "App", "app ", "", ISSUER] {
        assert_eq!(
            *refused("iss", json!(wrong)),
            rules::ASSERTION_NAMES_CLIENT,
            "{wrong}"
        );
        assert_eq!(
            *refused("sub", json!(wrong)),
            rules::ASSERTION_NAMES_CLIENT,
            "{wrong}"
        );
    }
}

#[test]
fn the_audience_is_the_issuer_and_nothing_else() {
    // SEC-021, SEC-121, P-200 (the issuer; RFC 10070 leaves no other)
    assert!(accepted("aud", json!(ISSUER)));
    assert!(
        accepted("aud", json!([ISSUER])),
        "an array of one is the same"
    );
    for wrong in [
        json!(format!("{ISSUER}/")),
        json!(format!("{ISSUER}/token")),
        json!(format!("{ISSUER}/par")),
        json!("https://ID.example"),
        json!("http://id.example"),
        json!("https://other.example"),
        json!("https://id.example/tenant"),
        json!([ISSUER, "https://other.example"]),
        json!(["https://other.example", ISSUER]),
        json!([ISSUER, ISSUER]),
        json!([ISSUER, format!("{ISSUER}/token")]),
        json!(""),
        json!("app"),
    ] {
        assert_eq!(
            *refused("aud", wrong.clone()),
            rules::ASSERTION_AUDIENCE,
            "{wrong}"
        );
    }
    assert_eq!(*refused("aud", json!([])), rules::ASSERTION_CLAIMS);
}

#[test]
fn exp_counts_to_the_millisecond_with_ten_seconds_of_tolerance() {
    // P-193, SEC-124
    let key = key();
    let client = client_of(&[&key]);
    let jwt = jwt(&key, &claims_with("iat", &Value::Null));
    let at = |now| verify_at(now, &client, &OpenedSecret::None, &jwt);
    let exp = NOW.plus(seconds(60));
    assert!(at(exp.plus(seconds(10)).minus(millis(1))).is_ok());
    let late = at(exp.plus(seconds(10))).unwrap_err();
    assert_eq!(*late.rule, rules::ASSERTION_TIMES);
    let far = at(exp.plus(seconds(300))).unwrap_err();
    assert_eq!(*far.rule, rules::ASSERTION_TIMES);
    assert!(
        at(exp.minus(seconds(310))).is_ok(),
        "five minutes ahead, and the tolerance"
    );
    let early = at(exp.minus(seconds(310)).minus(millis(1))).unwrap_err();
    assert_eq!(*early.rule, rules::ASSERTION_TIMES);
    assert_eq!(*refused("exp", json!(0)), rules::ASSERTION_TIMES);
    assert_eq!(
        *refused("exp", json!(253_402_300_799_i64)),
        rules::ASSERTION_TIMES
    );
}

#[test]
fn an_accepted_assertion_is_remembered_until_it_could_not_be_accepted() {
    // SEC-120, SEC-306
    let key = key();
    let client = client_of(&[&key]);
    let jwt = jwt(&key, &good_claims());
    let last = NOW.plus(seconds(70)).minus(millis(1));
    let replay = verify_at(last, &client, &OpenedSecret::None, &jwt)
        .unwrap()
        .replay
        .unwrap();
    assert!(verify_at(replay.until, &client, &OpenedSecret::None, &jwt).is_err());
}

#[test]
fn iat_and_nbf_are_at_most_ten_seconds_ahead() {
    // SEC-124
    for name in ["iat", "nbf"] {
        assert!(accepted(name, json!(NOW.seconds() + 10)), "{name}");
        assert_eq!(
            *refused(name, json!(NOW.seconds() + 11)),
            rules::ASSERTION_TIMES
        );
        assert_eq!(
            *refused(name, json!(NOW.seconds() + 60)),
            rules::ASSERTION_TIMES
        );
        assert!(accepted(name, json!(NOW.seconds() - 86_400)), "{name}");
    }
    assert!(accepted("iat", json!(NOW.seconds() as f64 + 0.5)));
}

#[test]
fn a_jti_has_1_to_256_bytes() {
    // SEC-083
    assert_eq!(*refused("jti", json!("")), rules::ASSERTION_CLAIMS);
    assert!(accepted("jti", json!("x")));
    assert!(accepted("jti", json!("x".repeat(256))));
    assert_eq!(
        *refused("jti", json!("x".repeat(257))),
        rules::ASSERTION_CLAIMS
    );
    assert_eq!(
        *refused("jti", json!("é".repeat(129))),
        rules::ASSERTION_CLAIMS
    );
}

#[test]
fn a_payload_read_in_two_ways_is_not_read() {
    // SEC-175
    let key = key();
    let good = good_claims().to_string();
    let inner = &good[1..good.len() - 1];
    for payload in [
        format!("{{{inner},\"sub\":\"app\"}}"),
        format!("{{{inner},\"Sub\":\"other\"}}"),
        format!("{good}x"),
        format!("[{good}]"),
        format!("\u{feff}{good}"),
        format!("{{{inner},}}"),
        format!("/*c*/{good}"),
        "1".to_owned(),
        "null".to_owned(),
        String::new(),
        format!("{{{inner},\"x\":{}1{}}}", "[".repeat(40), "]".repeat(40)),
    ] {
        let jwt = sign(&key, &json!({"alg": "ES256", "kid": key.kid()}), &payload);
        let refusal = verify(&client_of(&[&key]), &jwt).unwrap_err();
        assert_eq!(*refusal.rule, rules::ASSERTION_PARSES, "{payload}");
    }
}

#[test]
fn members_nobody_asked_for_are_ignored() {
    assert!(accepted(
        "anything",
        json!({"nested": [1, 2, {"deep": true}]})
    ));
}

#[test]
fn the_claims_of_an_hmac_assertion_are_held_to_the_same() {
    // SEC-R09
    let opened = || OpenedSecret::Plain(Secret::from_text(SECRET.to_owned()));
    let header = json!({"alg": "HS256"});
    let rule = |claims: &Value| {
        let jwt = hs256(SECRET.as_bytes(), &header, claims);
        verify_at(NOW, &client_of_secret(), &opened(), &jwt)
            .unwrap_err()
            .rule
    };
    assert_eq!(
        *rule(&claims_with("aud", &json!("https://x.example"))),
        rules::ASSERTION_AUDIENCE
    );
    assert_eq!(
        *rule(&claims_with("exp", &json!(1))),
        rules::ASSERTION_TIMES
    );
    assert_eq!(
        *rule(&claims_with("iss", &json!("x"))),
        rules::ASSERTION_NAMES_CLIENT
    );
    assert_eq!(
        *rule(&claims_with("jti", &Value::Null)),
        rules::ASSERTION_CLAIMS
    );
}
