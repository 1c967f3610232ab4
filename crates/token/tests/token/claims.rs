// SEC-076
use jeton_token::{ClaimError, Claims, Jws, Timestamp};
use serde_json::{Value, json};

use crate::keys::{ED25519, signed};

fn claims(value: &str) -> Claims {
    let token = signed(&ED25519, r#"{"alg":"EdDSA"}"#, value.as_bytes());
    let parsed = Jws::parse(&token).unwrap();
    parsed
        .verify(ED25519.public_jwk())
        .unwrap()
        .claims()
        .unwrap()
}

fn one(name: &str, value: Value) -> Claims {
    claims(&json!({ name: value }).to_string())
}

fn wrong<T>(result: Result<T, ClaimError>) -> bool {
    matches!(result, Err(ClaimError::WrongType { .. }))
}

#[test]
fn a_text_is_a_string_and_nothing_else() {
    assert_eq!(one("iss", json!("a")).text("iss"), Ok(Some("a")));
    assert_eq!(one("iss", json!("a")).text("sub"), Ok(None));
    assert_eq!(
        one("iss", json!("a")).required_text("sub"),
        Err(ClaimError::Missing("sub"))
    );
    for value in [
        json!(null),
        json!(1),
        json!(true),
        json!(["a"]),
        json!({ "a": 1 }),
    ] {
        assert!(wrong(one("iss", value.clone()).text("iss")), "{value}");
        assert!(
            wrong(one("iss", value.clone()).required_text("iss")),
            "{value}"
        );
    }
}

#[test]
fn a_time_is_a_number_between_1970_and_9999() {
    let read = |text: &str| claims(&format!("{{\"exp\":{text}}}")).time("exp");
    for (text, millis) in [
        ("0", 0),
        ("1700000000", 1_700_000_000_000),
        ("1700000000.5", 1_700_000_000_500),
        ("1.7e9", 1_700_000_000_000),
        ("253402300799", 253_402_300_799_000),
    ] {
        assert_eq!(
            read(text),
            Ok(Some(Timestamp::from_millis(millis))),
            "{text}"
        );
    }
    for text in [
        "-1",
        "-0.5",
        "253402300800",
        "253402300799.5",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551615",
        "1e300",
        "-1e300",
        "null",
        "true",
        "\"1700000000\"",
        "[1700000000]",
        "{}",
    ] {
        assert!(wrong(read(text)), "{text}");
    }
    assert_eq!(claims("{}").time("exp"), Ok(None));
    assert_eq!(
        claims("{}").required_time("exp"),
        Err(ClaimError::Missing("exp"))
    );
}

#[test]
fn an_infinite_time_is_not_even_json() {
    let token = signed(&ED25519, r#"{"alg":"EdDSA"}"#, br#"{"exp":1e309}"#);
    let parsed = Jws::parse(&token).unwrap();
    assert!(
        parsed
            .verify(ED25519.public_jwk())
            .unwrap()
            .claims()
            .is_err()
    );
}

#[test]
fn an_audience_is_one_string_or_many() {
    assert_eq!(one("aud", json!("a")).audience(), Ok(vec!["a"]));
    assert_eq!(one("aud", json!(["a", "b"])).audience(), Ok(vec!["a", "b"]));
    assert_eq!(one("aud", json!([])).audience(), Ok(vec![]));
    assert_eq!(claims("{}").audience(), Ok(vec![]));
    for value in [
        json!(null),
        json!(1),
        json!(true),
        json!([1]),
        json!(["a", null]),
        json!([["a"]]),
        json!({}),
    ] {
        assert!(wrong(one("aud", value.clone()).audience()), "{value}");
    }
}

#[test]
fn other_types_fail_closed_too() {
    assert_eq!(one("x", json!(true)).flag("x"), Ok(Some(true)));
    assert!(wrong(one("x", json!("true")).flag("x")));
    assert!(wrong(one("x", json!(1)).flag("x")));
    assert_eq!(one("x", json!(["a"])).texts("x"), Ok(Some(vec!["a"])));
    assert!(wrong(one("x", json!("a")).texts("x")));
    assert!(wrong(one("x", json!([])).object("x")));
    assert!(wrong(one("x", json!({})).array("x")));
    assert_eq!(
        one("x", json!(3)).read::<u8>("x", "a small number"),
        Ok(Some(3))
    );
    assert!(wrong(
        one("x", json!(300)).read::<u8>("x", "a small number")
    ));
}
