//! Who signed a request object, for whom and when (§6, §10.5, §10.8, RFC 8725).

use crate::common::{CLIENT, ISSUER, NOW, params, parse, signing_key};
use crate::s4_request_object::{ask, inside, key, shown, sign, signer};
use jeton_protocol::authorize::request_object as rules;
use jeton_protocol::client::Client;
use jeton_protocol::refusal::Rule;
use jeton_token::SignatureAlgorithm as A;
use jeton_token::base64url;
use jeton_token::key_set::KeySet;
use jeton_token::signing_key::{JwtType, SigningKey};
use serde_json::{Value, json};

fn refused(client: &Client, jwt: &str) -> &'static Rule {
    let query = crate::common::form(&[("client_id", CLIENT), ("request", jwt)]);
    shown(parse(&params(&query), client))
}

fn unsigned(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| base64url::encode(value.to_string().as_bytes());
    format!("{}.{}.", part(header), part(claims))
}

fn with_header(key: &SigningKey, header: &Value, payload: &str) -> String {
    let input = format!(
        "{}.{}",
        base64url::encode(header.to_string().as_bytes()),
        base64url::encode(payload.as_bytes())
    );
    let mut signature = Vec::new();
    key.sign(input.as_bytes(), &mut signature).unwrap();
    format!("{input}.{}", base64url::encode(&signature))
}

#[test]
fn an_unsigned_object_is_not_supported_and_a_broken_one_for_who_registered_to_sign() {
    // P-123, SEC-138, SEC-070
    let claims = inside(&json!({}));
    for header in [
        json!({"alg": "none"}),
        json!({"alg": "NoNe"}),
        json!({"alg": "ES256"}),
    ] {
        let jwt = unsigned(&header, &claims);
        assert_eq!(*refused(&signer(), &jwt), rules::OBJECT_SIGNED, "{header}");
        let registered = Client {
            request_object_signing_alg: Some(A::Es256),
            ..signer()
        };
        assert_eq!(*refused(&registered, &jwt), rules::OBJECT_ALG, "{header}");
        let strict = Client {
            require_signed_request_object: true,
            ..signer()
        };
        assert_eq!(*refused(&strict, &jwt), rules::OBJECT_ALG, "{header}");
    }
    assert_eq!(rules::OBJECT_SIGNED.code.name(), "request_not_supported");
}

#[test]
fn the_registered_algorithm_is_the_only_one() {
    // P-128
    let jwt = sign(&inside(&json!({})));
    let other = Client {
        request_object_signing_alg: Some(A::Ps256),
        ..signer()
    };
    assert_eq!(*refused(&other, &jwt), rules::OBJECT_ALG);
    for algorithm in [A::Rs256, A::Ps256, A::Es384, A::EdDsa] {
        let key = signing_key(algorithm);
        let jwks = Some(KeySet::new(vec![key.public_jwk().clone()]));
        let jwt = key.sign_jwt(JwtType::IdToken, &inside(&json!({}))).unwrap();
        let query = crate::common::form(&[("client_id", CLIENT), ("request", &jwt)]);
        for registered in [None, Some(algorithm)] {
            let client = Client {
                jwks: jwks.clone(),
                request_object_signing_alg: registered,
                ..signer()
            };
            assert!(parse(&params(&query), &client).is_ok(), "{algorithm}");
        }
    }
}

#[test]
fn a_key_of_somebody_else_or_a_shared_secret_signs_nothing() {
    // P-135, SEC-071
    let foreign = signing_key(A::Es256);
    let jwt = foreign
        .sign_jwt(JwtType::IdToken, &inside(&json!({})))
        .unwrap();
    assert_eq!(*refused(&signer(), &jwt), rules::OBJECT_VERIFIES);
    let keyless = Client {
        jwks: None,
        ..signer()
    };
    assert_eq!(
        *refused(&keyless, &sign(&inside(&json!({})))),
        rules::OBJECT_VERIFIES
    );
    let jwt = with_header(
        key(),
        &json!({"alg": "HS256"}),
        &inside(&json!({})).to_string(),
    );
    assert_eq!(*refused(&signer(), &jwt), rules::OBJECT_ALG);
    let mut altered = sign(&inside(&json!({}))).into_bytes();
    let at = altered.len() / 2;
    altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
    let altered = String::from_utf8(altered).unwrap();
    assert!(
        [&rules::OBJECT_VERIFIES, &rules::OBJECT_PARSES].contains(&refused(&signer(), &altered))
    );
}

#[test]
fn typ_says_request_or_nothing() {
    // P-133, SEC-122
    let payload = inside(&json!({})).to_string();
    for typ in [
        json!(null),
        json!("JWT"),
        json!("oauth-authz-req+jwt"),
        json!("application/oauth-authz-req+jwt"),
    ] {
        let mut header = json!({"alg": "ES256"});
        if !typ.is_null() {
            header["typ"] = typ.clone();
        }
        assert!(ask(&with_header(key(), &header, &payload)).is_ok(), "{typ}");
    }
    for typ in [
        "at+jwt",
        "dpop+jwt",
        "logout+jwt",
        "client-authentication+jwt",
        "",
    ] {
        let jwt = with_header(key(), &json!({"alg": "ES256", "typ": typ}), &payload);
        assert_eq!(*refused(&signer(), &jwt), rules::OBJECT_TYP, "{typ}");
    }
}

#[test]
fn a_payload_that_two_readers_could_read_in_two_ways_is_not_read() {
    // SEC-175, SEC-179, SEC-025
    let good = inside(&json!({})).to_string();
    let twice = good.replacen('{', "{\"scope\":\"openid\",", 1);
    let deep = good.replacen(
        '{',
        &format!("{{\"x\":{}{},", "[".repeat(40), "]".repeat(40)),
        1,
    );
    let long = good.replacen('{', &format!("{{\"x\":\"{}\",", "x".repeat(17_000)), 1);
    for payload in [twice.as_str(), &deep, &long, "[]", "not JSON"] {
        let jwt = with_header(key(), &json!({"alg": "ES256"}), payload);
        assert_eq!(
            *refused(&signer(), &jwt),
            rules::OBJECT_PARSES,
            "{payload:.40}"
        );
    }
    for text in [
        "x",
        "a.b",
        "a.b.c.d.e",
        &format!("{}.", sign(&inside(&json!({})))),
    ] {
        assert_eq!(
            *refused(&signer(), text),
            rules::OBJECT_PARSES,
            "{text:.40}"
        );
    }
    let critical = json!({"alg": "ES256", "crit": ["x"], "x": 1});
    assert_eq!(
        *refused(&signer(), &with_header(key(), &critical, &good)),
        rules::OBJECT_PARSES
    );
}

#[test]
fn issuer_and_audience_are_judged_where_they_are() {
    // P-132, SEC-138
    for good in [
        json!({}),
        json!({"iss": CLIENT}),
        json!({"aud": ISSUER}),
        json!({"aud": ["https://x.example", ISSUER]}),
    ] {
        assert!(ask(&sign(&inside(&good))).is_ok(), "{good}");
    }
    for (bad, rule) in [
        (
            json!({"aud": "https://id.example/"}),
            &rules::OBJECT_AUDIENCE,
        ),
        (json!({"aud": []}), &rules::OBJECT_AUDIENCE),
        (json!({"aud": 7}), &rules::OBJECT_CLAIMS),
        (json!({"iss": 7}), &rules::OBJECT_CLAIMS),
        (json!({"client_id": 7}), &rules::OBJECT_CLAIMS),
        (json!({"exp": "soon"}), &rules::OBJECT_CLAIMS),
        (json!({"state": "a\u{0}b"}), &rules::OBJECT_CLAIMS),
    ] {
        assert_eq!(*shown(ask(&sign(&inside(&bad)))), *rule, "{bad}");
    }
}

#[test]
fn times_are_judged_where_they_are() {
    // P-132, SEC-138
    let at = |ahead: i64| NOW.seconds() + ahead;
    for good in [
        json!({"exp": at(60), "iat": at(0), "nbf": at(0)}),
        json!({"exp": at(3600)}),
        json!({"exp": at(-9)}),
        json!({"nbf": at(10), "iat": at(10)}),
        json!({"nbf": at(-100_000)}),
    ] {
        assert!(ask(&sign(&inside(&good))).is_ok(), "{good}");
    }
    for bad in [
        json!({"exp": at(-10)}),
        json!({"exp": at(3611)}),
        json!({"nbf": at(11)}),
        json!({"iat": at(11)}),
    ] {
        assert_eq!(
            *shown(ask(&sign(&inside(&bad)))),
            rules::OBJECT_TIMES,
            "{bad}"
        );
    }
}
