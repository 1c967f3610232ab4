//! Which key and algorithm may prove a client (§3, RFC 8725 §3.1, Core §9).

use crate::assertion::{
    client_of, client_of_secret, good_claims, hs256, jwt, key, sign, verify, verify_at,
};
use crate::common::{NOW, SECRET, signing_key};
use jeton_protocol::client::{AuthenticationMethod, Client};
use jeton_protocol::client_auth::{OpenedSecret, assertion as rules};
use jeton_protocol::refusal::{ErrorCode, Refusal, Rule};
use jeton_token::SignatureAlgorithm as A;
use jeton_token::key_set::KeySet;
use jeton_token::secret::{Secret, sha256};
use jeton_token::{base64url, signing_key::SigningKey};
use serde_json::{Value, json};

fn plain(secret: &str) -> OpenedSecret<'static> {
    OpenedSecret::Plain(Secret::from_text(secret.to_owned()))
}

fn rule(outcome: Result<impl std::fmt::Debug, Refusal>) -> &'static Rule {
    let refusal = outcome.unwrap_err();
    assert_eq!(refusal.code(), ErrorCode::InvalidClient);
    refusal.rule
}

fn hs(header: Value, secret: &[u8]) -> String {
    hs256(secret, &header, &good_claims())
}

#[test]
fn keys_of_each_kind_prove_their_client() {
    // P-186
    for algorithm in [A::Es256, A::Es384, A::EdDsa, A::Ps256] {
        let key = signing_key(algorithm);
        assert!(
            verify(&client_of(&[&key]), &jwt(&key, &good_claims())).is_ok(),
            "{algorithm}"
        );
    }
}

#[test]
fn a_secret_of_32_bytes_proves_its_client_and_a_shorter_one_never() {
    // P-185, SEC-072
    let client = client_of_secret();
    let with = |secret: &str| {
        let jwt = hs(json!({"alg": "HS256"}), secret.as_bytes());
        verify_at(NOW, &client, &plain(secret), &jwt)
    };
    assert!(with(SECRET).is_ok());
    assert!(with(&"x".repeat(32)).is_ok());
    for short in ["", "x", &"x".repeat(31)] {
        assert_eq!(*rule(with(short)), rules::ASSERTION_VERIFIES, "{short}");
    }
}

#[test]
fn a_secret_that_cannot_be_unsealed_proves_nothing() {
    // SEC-072, SEC-R08: the digest is known to whoever reads the database, and is no HMAC key.
    let digest = sha256(SECRET.as_bytes());
    for (opened, key) in [
        (OpenedSecret::None, SECRET.as_bytes()),
        (OpenedSecret::Compared(true), SECRET.as_bytes()),
        (OpenedSecret::Digest(&digest), &digest[..]),
        (
            plain("another secret of more than 32 bytes"),
            SECRET.as_bytes(),
        ),
    ] {
        let jwt = hs(json!({"alg": "HS256"}), key);
        let found = rule(verify_at(NOW, &client_of_secret(), &opened, &jwt));
        assert_eq!(*found, rules::ASSERTION_VERIFIES);
    }
}

#[test]
fn a_public_key_is_never_an_hmac_secret() {
    // SEC-071, SEC-171: whatever text of the key is used, the method fixes the kind of key.
    let key = signing_key(A::Es256);
    let jwk = Value::Object(key.public_jwk().to_json()).to_string();
    let x = base64url::decode(key.public_jwk().to_json()["x"].as_str().unwrap()).unwrap();
    for text in [
        jwk.as_bytes(),
        format!("{jwk}\n").as_bytes(),
        &x,
        key.kid().as_bytes(),
        b"",
    ] {
        for header in [
            json!({"alg": "HS256"}),
            json!({"alg": "HS256", "kid": key.kid()}),
        ] {
            let jwt = hs(header, text);
            let found = rule(verify(&client_of(&[&key]), &jwt));
            assert_eq!(*found, rules::ASSERTION_ALG);
        }
    }
}

#[test]
fn a_key_never_proves_a_client_of_secrets() {
    // SEC-171
    let key = key();
    let both = Client {
        authentication: AuthenticationMethod::ClientSecretJwt,
        ..client_of(&[&key])
    };
    let found = rule(verify_at(
        NOW,
        &both,
        &plain(SECRET),
        &jwt(&key, &good_claims()),
    ));
    assert_eq!(*found, rules::ASSERTION_ALG);
}

#[test]
fn only_the_registered_algorithm_is_taken() {
    // P-194, P-285, SEC-170
    let (es, ed, rsa) = (
        signing_key(A::Es256),
        signing_key(A::EdDsa),
        signing_key(A::Rs256),
    );
    let keys = [&es, &ed, &rsa];
    for registered in [Some(A::Es256), Some(A::EdDsa), Some(A::Rs256), None] {
        let client = Client {
            authentication_algorithm: registered,
            ..client_of(&keys)
        };
        for key in keys {
            let outcome = verify(&client, &jwt(key, &good_claims()));
            let fits = match registered {
                Some(only) => only == key.algorithm(),
                None => key.algorithm() != A::Rs256,
            };
            if fits {
                assert!(outcome.is_ok(), "{registered:?} {key:?}");
            } else {
                assert_eq!(
                    *rule(outcome),
                    rules::ASSERTION_ALG,
                    "{registered:?} {key:?}"
                );
            }
        }
    }
    let hs512 = Client {
        authentication_algorithm: Some(A::Hs512),
        ..client_of_secret()
    };
    let jwt = hs(json!({"alg": "HS256"}), SECRET.as_bytes());
    assert_eq!(
        *rule(verify_at(NOW, &hs512, &plain(SECRET), &jwt)),
        rules::ASSERTION_ALG
    );
}

#[test]
fn the_header_cannot_choose_another_algorithm_for_a_key() {
    // SEC-R07
    let key = key();
    for alg in ["ES384", "EdDSA", "PS256", "Ed25519"] {
        let jwt = sign(
            &key,
            &json!({"alg": alg, "kid": key.kid()}),
            &good_claims().to_string(),
        );
        assert_eq!(
            *rule(verify(&client_of(&[&key]), &jwt)),
            rules::ASSERTION_VERIFIES,
            "{alg}"
        );
    }
    for unsigned in ["none", "None", "nOnE", "", "ES256K", "HS1"] {
        let jwt = sign(&key, &json!({"alg": unsigned}), &good_claims().to_string());
        assert_eq!(
            *rule(verify(&client_of(&[&key]), &jwt)),
            rules::ASSERTION_PARSES,
            "{unsigned}"
        );
    }
}

#[test]
fn keys_come_from_the_registration_and_never_from_the_header() {
    // SEC-073, SEC-172, SEC-129
    let (own, foreign) = (key(), key());
    let embedded = Value::Object(foreign.public_jwk().to_json());
    for header in [
        json!({"alg": "ES256", "jwk": embedded}),
        json!({"alg": "ES256", "jku": "https://evil.example/jwks"}),
        json!({"alg": "ES256", "x5u": "https://evil.example/x", "x5c": ["MIIB"]}),
        json!({"alg": "ES256", "kid": own.kid()}),
        json!({"alg": "ES256", "kid": "../../../dev/null"}),
        json!({"alg": "ES256", "kid": "' OR 1=1 --"}),
    ] {
        let jwt = sign(&foreign, &header, &good_claims().to_string());
        assert_eq!(
            *rule(verify(&client_of(&[&own]), &jwt)),
            rules::ASSERTION_VERIFIES,
            "{header}"
        );
    }
    let mut keyless = client_of(&[&own]);
    keyless.jwks = None;
    let found = rule(verify(&keyless, &jwt(&own, &good_claims())));
    assert_eq!(*found, rules::ASSERTION_VERIFIES);
    keyless.jwks = Some(KeySet::default());
    let found = rule(verify(&keyless, &jwt(&own, &good_claims())));
    assert_eq!(*found, rules::ASSERTION_VERIFIES);
}

#[test]
fn equal_kids_of_two_clients_do_not_mix_their_keys() {
    // SEC-056, SEC-129
    let named = |kid| SigningKey::generate(A::Es256, Some(kid)).unwrap();
    let (ours, theirs) = (named("1"), named("1"));
    assert!(verify(&client_of(&[&ours]), &jwt(&ours, &good_claims())).is_ok());
    let found = rule(verify(&client_of(&[&ours]), &jwt(&theirs, &good_claims())));
    assert_eq!(*found, rules::ASSERTION_VERIFIES);
}

#[test]
fn a_signature_without_kid_may_come_from_any_of_the_clients_keys() {
    let (first, second) = (key(), key());
    let jwt = sign(
        &second,
        &json!({"alg": "ES256"}),
        &good_claims().to_string(),
    );
    assert!(verify(&client_of(&[&first, &second]), &jwt).is_ok());
}

#[test]
fn every_flipped_part_breaks_the_proof() {
    // SEC-174
    let key = key();
    let good = jwt(&key, &good_claims());
    let client = client_of(&[&key]);
    let signature_at = good.rfind('.').unwrap() + 1;
    for at in [signature_at, signature_at + 40] {
        let mut bytes = good.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let found = rule(verify(&client, std::str::from_utf8(&bytes).unwrap()));
        assert_eq!(*found, rules::ASSERTION_VERIFIES);
    }
    let zeros = format!("{}{}", &good[..signature_at], base64url::encode(&[0; 64]));
    assert_eq!(*rule(verify(&client, &zeros)), rules::ASSERTION_VERIFIES);
}

#[test]
fn extension_headers_are_not_understood() {
    // SEC-074, SEC-173
    let key = key();
    for header in [
        json!({"alg": "ES256", "crit": ["exp"], "exp": 1}),
        json!({"alg": "ES256", "crit": []}),
        json!({"alg": "ES256", "b64": false}),
        json!({"alg": "ES256", "zip": "DEF"}),
        json!({"alg": "ES256", "typ": 1}),
    ] {
        let jwt = sign(&key, &header, &good_claims().to_string());
        assert_eq!(
            *rule(verify(&client_of(&[&key]), &jwt)),
            rules::ASSERTION_PARSES,
            "{header}"
        );
    }
}

#[test]
fn only_the_types_of_a_client_assertion_are_taken() {
    // SEC-122, SEC-176
    let key = key();
    let with = |typ: &str| {
        let header = json!({"alg": "ES256", "kid": key.kid(), "typ": typ});
        verify(
            &client_of(&[&key]),
            &sign(&key, &header, &good_claims().to_string()),
        )
    };
    for good in [
        "JWT",
        "jwt",
        "client-authentication+jwt",
        "Client-Authentication+JWT",
        "application/client-authentication+jwt",
    ] {
        assert!(with(good).is_ok(), "{good}");
    }
    for other in [
        "at+jwt",
        "dpop+jwt",
        "logout+jwt",
        "secevent+jwt",
        "oauth-authz-req+jwt",
        "token-introspection+jwt",
        "JOSE",
        "",
        "JWT ",
    ] {
        assert_eq!(*rule(with(other)), rules::ASSERTION_TYP, "{other}");
    }
}
