use jeton_token::{Jws, JwtType, PublicJwk, SignError, SignatureAlgorithm, SigningKey, base64url};
use serde_json::{Value, json};

use crate::keys::{self, ED25519, P256, RSA};

#[test]
fn a_jwt_verifies_with_the_published_key_and_says_what_it_is() {
    for key in keys::all() {
        for (typ, name) in [
            (JwtType::AccessToken, "at+jwt"),
            (JwtType::IdToken, "JWT"),
            (JwtType::Logout, "logout+jwt"),
            (JwtType::Introspection, "token-introspection+jwt"),
        ] {
            let token = key
                .sign_jwt(typ, &json!({ "iss": "i", "n": [1, 2] }))
                .unwrap();
            assert!(!token.contains('='));
            let parsed = Jws::parse(&token).unwrap();
            assert_eq!(parsed.header().alg, key.algorithm());
            assert_eq!(parsed.header().kid.as_deref(), Some(key.kid()));
            assert_eq!(parsed.header().typ.as_deref(), Some(name));
            let published = PublicJwk::parse(&key.public_jwk().to_json()).unwrap();
            let verified = parsed.verify(&published).unwrap();
            assert_eq!(verified.payload(), br#"{"iss":"i","n":[1,2]}"#);
        }
    }
}

#[test]
fn types_are_listed_in_the_order_of_their_numbers() {
    for (place, typ) in JwtType::ALL.into_iter().enumerate() {
        assert_eq!(typ as usize, place);
    }
}

#[test]
fn one_token_does_not_leave_claims_for_the_next() {
    let long = ED25519
        .sign_jwt(JwtType::IdToken, &json!({ "a": "x".repeat(1000) }))
        .unwrap();
    let short = ED25519.sign_jwt(JwtType::IdToken, &json!({})).unwrap();
    assert!(long.len() > 1000);
    assert_eq!(short.split('.').nth(1), Some("e30"));
}

#[test]
fn claims_that_cannot_be_written_are_an_error_and_leave_nothing_behind() {
    let unwritable = std::collections::BTreeMap::from([((1, 2), "text keys only")]);
    let result = ED25519.sign_jwt(JwtType::IdToken, &unwritable);
    assert!(matches!(result, Err(SignError::Claims(_))));
    let next = ED25519.sign_jwt(JwtType::IdToken, &json!({})).unwrap();
    assert_eq!(next.split('.').nth(1), Some("e30"));
}

#[test]
fn an_rsa_key_signs_with_every_rsa_algorithm_and_no_other() {
    use SignatureAlgorithm as A;
    let mut members = RSA.public_jwk().to_json();
    members.remove("alg");
    let public = PublicJwk::parse(&members).unwrap();
    for algorithm in [A::Rs256, A::Rs384, A::Rs512, A::Ps256, A::Ps384, A::Ps512] {
        let token = RSA
            .sign_jwt_as(algorithm, JwtType::IdToken, &json!({}))
            .unwrap();
        let parsed = Jws::parse(&token).unwrap();
        assert_eq!(parsed.header().alg, algorithm);
        assert!(parsed.verify(&public).is_ok(), "{algorithm}");
    }
    for key in keys::all() {
        for algorithm in A::ALL
            .into_iter()
            .filter(|other| other.key_kind() != key.algorithm().key_kind())
        {
            let mut out = vec![];
            assert!(matches!(
                key.sign_as(algorithm, b"", &mut out),
                Err(SignError::Algorithm(_))
            ));
            assert!(out.is_empty());
            let jwt = key.sign_jwt_as(algorithm, JwtType::IdToken, &json!({}));
            assert!(matches!(jwt, Err(SignError::Algorithm(_))));
        }
    }
}

#[test]
fn a_key_survives_storage() {
    for key in keys::all() {
        let stored = key.to_pkcs8().unwrap();
        let read =
            SigningKey::from_pkcs8(key.algorithm(), Some(key.kid()), stored.expose()).unwrap();
        assert_eq!(read.public_jwk(), key.public_jwk());
        let token = read.sign_jwt(JwtType::IdToken, &json!({})).unwrap();
        assert!(Jws::parse(&token).unwrap().verify(key.public_jwk()).is_ok());
    }
}

#[test]
fn a_stored_key_is_not_read_as_another_kind() {
    use SignatureAlgorithm as A;
    for key in keys::all() {
        let stored = key.to_pkcs8().unwrap();
        for algorithm in A::ALL
            .into_iter()
            .filter(|other| other.key_kind() != key.algorithm().key_kind())
        {
            assert!(SigningKey::from_pkcs8(algorithm, None, stored.expose()).is_err());
        }
        assert!(SigningKey::from_pkcs8(key.algorithm(), None, &stored.expose()[1..]).is_err());
    }
    for algorithm in [A::Hs256, A::Hs384, A::Hs512] {
        assert!(matches!(
            SigningKey::generate(algorithm, None),
            Err(SignError::Algorithm(_))
        ));
    }
}

#[test]
fn a_kid_is_the_thumbprint_unless_chosen_and_is_escaped() {
    assert_eq!(P256.kid(), P256.public_jwk().thumbprint());
    let odd = SigningKey::generate(SignatureAlgorithm::EdDsa, Some("a\"\\\u{1}b")).unwrap();
    let token = odd.sign_jwt(JwtType::AccessToken, &json!({})).unwrap();
    assert_eq!(
        Jws::parse(&token).unwrap().header().kid.as_deref(),
        Some("a\"\\\u{1}b")
    );
    let header = base64url::decode(token.split('.').next().unwrap()).unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    assert_eq!(header.as_object().unwrap().len(), 3);
}

#[test]
fn printing_a_key_shows_no_secret() {
    for key in keys::all() {
        let shown = format!("{key:?}");
        assert!(shown.len() < 100, "{shown}");
    }
}
