use jeton_token::key_set::MAX_KEYS;
use jeton_token::{JwkError, KeySet, KeySetError, SignatureAlgorithm};
use serde_json::{Value, json};

use crate::keys::{self, ED25519, P256, P384, RSA};

fn public(key: &jeton_token::SigningKey) -> Value {
    Value::Object(key.public_jwk().to_json())
}

fn parse(value: &Value) -> Result<KeySet, KeySetError> {
    KeySet::parse(value.to_string().as_bytes())
}

fn without_kid(mut key: Value) -> Value {
    key.as_object_mut().unwrap().remove("kid");
    key
}

#[test]
fn keys_of_unknown_kinds_are_left_out() {
    let set = parse(&json!({ "keys": [
        { "kty": "AKP", "alg": "ML-DSA-44", "pub": "AA" },
        { "kty": "OKP", "crv": "X25519", "x": "AA" },
        { "kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA" },
        public(&P256),
    ] }));
    assert_eq!(set.unwrap().keys(), [P256.public_jwk().clone()]);
}

// SEC-178
#[test]
fn a_bad_key_refuses_a_registered_set_and_says_which() {
    let bad = json!({ "kty": "RSA", "n": "AQAB", "e": "AQAB" });
    let set = json!({ "keys": [public(&P256), bad] });
    assert_eq!(
        parse(&set),
        Err(KeySetError::Key {
            index: 1,
            problem: JwkError::RsaSize
        })
    );
    let secret = json!({ "keys": [{ "kty": "oct", "k": "AAAA" }] });
    assert_eq!(
        parse(&secret),
        Err(KeySetError::Key {
            index: 0,
            problem: JwkError::Symmetric
        })
    );
}

#[test]
fn a_bad_key_of_somebody_else_leaves_the_good_ones() {
    let bad = json!({ "kty": "RSA", "n": "AQAB", "e": "AQAB" });
    let set = json!({ "keys": [bad, 1, public(&P256), { "kty": "oct", "k": "AAAA" }] });
    let read = KeySet::parse_foreign(set.to_string().as_bytes()).unwrap();
    assert_eq!(read.keys(), [P256.public_jwk().clone()]);
    assert_eq!(KeySet::parse_foreign(b"{}"), Err(KeySetError::Keys));
}

#[test]
fn a_set_is_a_strict_object_with_keys() {
    for set in [
        json!({}),
        json!({ "keys": {} }),
        json!({ "keys": [1] }),
        json!({ "keys": null }),
    ] {
        assert_eq!(parse(&set), Err(KeySetError::Keys), "{set}");
    }
    assert!(matches!(
        KeySet::parse(br#"{"keys":[],"keys":[]}"#),
        Err(KeySetError::Json(_))
    ));
    assert!(matches!(KeySet::parse(b"[]"), Err(KeySetError::Json(_))));
    assert!(parse(&json!({ "keys": [] })).unwrap().is_empty());
}

#[test]
fn sixty_four_keys_are_kept() {
    let set = json!({ "keys": vec![public(&ED25519); MAX_KEYS + 10] });
    assert_eq!(parse(&set).unwrap().keys().len(), MAX_KEYS);
}

// P-197, SEC-129
#[test]
fn a_signature_without_kid_may_come_from_any_fitting_key() {
    let set =
        json!({ "keys": [public(&P256), public(&P384), public(&RSA), without_kid(public(&P256))] });
    let set = parse(&set).unwrap();
    assert_eq!(set.candidates(None, SignatureAlgorithm::Es256).count(), 2);
    assert_eq!(set.candidates(None, SignatureAlgorithm::Rs256).count(), 1);
    assert_eq!(set.candidates(None, SignatureAlgorithm::Ps256).count(), 0);
    assert_eq!(set.candidates(None, SignatureAlgorithm::Hs256).count(), 0);
}

// P-197, SEC-172
#[test]
fn a_kid_narrows_the_choice_and_a_key_without_one_stays_in_it() {
    let set = json!({ "keys": [public(&P256), without_kid(public(&P384)), public(&RSA)] });
    let set = parse(&set).unwrap();
    let count = |kid, alg| set.candidates(kid, alg).count();
    assert_eq!(count(Some(P256.kid()), SignatureAlgorithm::Es256), 1);
    assert_eq!(count(Some("other"), SignatureAlgorithm::Es256), 0);
    assert_eq!(count(Some("other"), SignatureAlgorithm::Es384), 1);
    assert_eq!(count(Some(P256.kid()), SignatureAlgorithm::Rs256), 0);
    assert_eq!(
        count(Some("../../etc/passwd"), SignatureAlgorithm::Es256),
        0
    );
    assert_eq!(count(Some("' OR 1=1 --"), SignatureAlgorithm::Es256), 0);
}

#[test]
fn a_set_survives_storage_inside_a_record() {
    let set = KeySet::new(keys::all().map(|key| key.public_jwk().clone()).to_vec());
    let value = serde_json::to_value(&set).unwrap();
    assert_eq!(value["keys"].as_array().unwrap().len(), 6);
    assert_eq!(serde_json::from_value::<KeySet>(value).unwrap(), set);
    assert!(serde_json::from_value::<KeySet>(json!({ "keys": 1 })).is_err());
}
