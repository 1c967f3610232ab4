//! RFC 9068 §4: what a resource server checks of an access token. S42, S51, S53, SEC-034.

use crate::support::*;
use jeton_resource::{Confirmation, Rejected, Requirement, Verifier};
use jeton_token::{ClaimError, SignatureAlgorithm, SigningKey};
use serde_json::{Value, json};
use std::time::Duration;

fn verifier() -> Verifier {
    Verifier::new(ISSUER, API)
}

fn refused(key: &SigningKey, token: &str) -> Rejected {
    verifier()
        .verify(token, &key_set(&[key]), NOW)
        .expect_err(token)
}

#[test]
fn a_token_of_the_issuer_for_this_api_is_believed_until_the_millisecond_it_expires() {
    let key = made();
    let keys = key_set(&[&key]);
    let text = token(&key, &json!({ "act": { "sub": "agent" } }));
    let access = verifier().verify(&text, &keys, NOW).unwrap();
    assert_eq!(
        (access.subject.as_str(), access.client.as_str()),
        ("user", "client")
    );
    assert!(access.has_scope("read") && access.has_scope("write") && !access.has_scope("rea"));
    assert_eq!(access.claims["act"]["sub"], "agent");
    let last = jeton_resource::Timestamp::from_millis(later(600).millis() - 1);
    assert!(verifier().verify(&text, &keys, last).is_ok());
    assert_eq!(
        verifier().verify(&text, &keys, later(600)),
        Err(Rejected::Expired)
    );
}

#[test]
fn every_required_claim_has_to_be_there() {
    let key = made();
    for name in ["iss", "exp", "aud", "sub", "client_id", "iat", "jti"] {
        let text = token(&key, &json!({ name: Value::Null }));
        assert_eq!(
            refused(&key, &text),
            Rejected::Claims(ClaimError::Missing(name))
        );
    }
    let nobody = token(&key, &json!({ "aud": [] }));
    assert_eq!(
        refused(&key, &nobody),
        Rejected::Claims(ClaimError::Missing("aud"))
    );
}

// SEC-179, RFC 8725 §3.10
#[test]
fn a_claim_of_another_type_is_an_error_and_no_absence() {
    let key = made();
    for (name, value) in [
        ("sub", json!(1)),
        ("client_id", json!(["client"])),
        ("aud", json!([API, 1])),
        ("aud", json!({ "one": API })),
        ("exp", json!("1800000600")),
        ("exp", json!(-1)),
        ("exp", json!(1e30)),
        ("iat", json!(true)),
        ("nbf", json!("now")),
        ("jti", json!(1)),
        ("scope", json!(["read"])),
        ("acr", json!(2)),
        ("auth_time", json!({})),
        ("cnf", json!({})),
        ("cnf", json!({ "kid": "another kind of binding" })),
        ("cnf", json!({ "jkt": "short" })),
    ] {
        let text = token(&key, &json!({ name: value }));
        assert!(
            matches!(refused(&key, &text), Rejected::Claims(ClaimError::WrongType { name: found, .. }) if found == name),
            "{name}: {value}"
        );
    }
}

// S42, SEC-034
#[test]
fn a_token_for_another_api_is_refused() {
    let key = made();
    for audience in [
        json!(ISSUER),
        json!(format!("{API}/")),
        json!(format!("{API}/things")),
        json!([ISSUER, "https://other.example"]),
    ] {
        let text = token(&key, &json!({ "aud": audience }));
        assert_eq!(refused(&key, &text), Rejected::Audience, "{audience}");
    }
}

#[test]
fn another_issuer_or_moment_is_refused() {
    let key = made();
    for (members, why) in [
        (json!({ "iss": format!("{ISSUER}/") }), Rejected::Issuer),
        (json!({ "iss": "https://ISSUER.example" }), Rejected::Issuer),
        (json!({ "exp": NOW.seconds() }), Rejected::Expired),
        (json!({ "iat": NOW.seconds() + 11 }), Rejected::TooEarly),
        (json!({ "nbf": NOW.seconds() + 11 }), Rejected::TooEarly),
    ] {
        assert_eq!(refused(&key, &token(&key, &members)), why, "{members}");
    }
    for members in [
        json!({ "aud": API }),
        json!({ "aud": ["https://other.example", API] }),
        json!({ "iat": NOW.seconds() + 10 }),
        json!({ "nbf": NOW.seconds() + 10, "exp": NOW.seconds() as f64 + 0.5 }),
    ] {
        let text = token(&key, &members);
        let verified = verifier().verify(&text, &key_set(&[&key]), NOW);
        assert!(verified.is_ok(), "{members}");
    }
}

// SEC-170, SEC-172
#[test]
fn only_a_signed_at_jwt_by_a_key_of_the_issuer_is_one() {
    let key = made();
    let with = |header: &Value| signed(&key, header, &claims());
    for typ in ["at+jwt", "application/at+jwt", "AT+JWT"] {
        let text = with(&json!({ "typ": typ, "alg": "ES256" }));
        assert!(verifier().verify(&text, &key_set(&[&key]), NOW).is_ok());
    }
    for typ in ["JWT", "jwt", "logout+jwt", "dpop+jwt", "text/at+jwt", ""] {
        let text = with(&json!({ "typ": typ, "alg": "ES256" }));
        assert_eq!(refused(&key, &text), Rejected::Typ, "{typ}");
    }
    assert_eq!(
        refused(&key, &with(&json!({ "alg": "ES256" }))),
        Rejected::Typ
    );
    for alg in ["ES384", "RS256", "PS256", "EdDSA", "HS256"] {
        let text = with(&json!({ "typ": "at+jwt", "alg": alg }));
        assert_eq!(refused(&key, &text), Rejected::Signature, "{alg}");
    }
    assert_eq!(
        refused(&key, &token(&made(), &json!({}))),
        Rejected::Signature
    );
    for header in [
        json!({ "typ": "at+jwt", "alg": "none" }),
        json!({ "typ": "at+jwt" }),
        json!({ "typ": "at+jwt", "alg": "ES256", "crit": ["exp"] }),
    ] {
        assert!(matches!(
            refused(&key, &with(&header)),
            Rejected::Malformed(_)
        ));
    }
    let text = token(&key, &json!({}));
    let unsigned = text.rsplit_once('.').unwrap().0;
    for text in [
        "",
        "jta_opaque",
        unsigned,
        &format!("{unsigned}."),
        &format!("{text}."),
    ] {
        assert!(
            matches!(refused(&key, text), Rejected::Malformed(_)),
            "{text}"
        );
    }
}

#[test]
fn keys_of_every_kind_verify() {
    use SignatureAlgorithm as A;
    for algorithm in [A::Es256, A::Es384, A::EdDsa] {
        let key = SigningKey::generate(algorithm, None).unwrap();
        let text = signed(
            &key,
            &json!({ "typ": "at+jwt", "alg": algorithm.name() }),
            &claims(),
        );
        assert!(verifier().verify(&text, &key_set(&[&key]), NOW).is_ok());
    }
}

// RFC 6750 §3.1, RFC 9470 §3
#[test]
fn a_requirement_asks_for_all_of_the_scope_one_acr_and_a_recent_sign_in() {
    let key = made();
    let told = json!({ "acr": "mfa", "auth_time": NOW.seconds() - 300 });
    let access = |members: &Value| {
        let text = token(&key, members);
        verifier().verify(&text, &key_set(&[&key]), NOW).unwrap()
    };
    let minutes = |count: u64| Duration::from_secs(count * 60);
    let scope = Requirement::scope;
    for (requirement, members, expected) in [
        (Requirement::none(), json!({ "scope": null }), Ok(())),
        (scope("write read"), json!({}), Ok(())),
        (scope("read admin"), json!({}), Err(Rejected::Scope)),
        (
            scope("read"),
            json!({ "scope": null }),
            Err(Rejected::Scope),
        ),
        (scope("READ"), json!({}), Err(Rejected::Scope)),
        (scope("read").and_acr(["pwd", "mfa"]), told.clone(), Ok(())),
        (
            scope("read").and_acr(["mfa"]),
            json!({}),
            Err(Rejected::Authentication),
        ),
        (
            scope("read").and_acr(["hwk"]),
            told.clone(),
            Err(Rejected::Authentication),
        ),
        (scope("read").and_max_age(minutes(5)), told.clone(), Ok(())),
        (
            scope("read").and_max_age(minutes(4)),
            told.clone(),
            Err(Rejected::Authentication),
        ),
        (
            scope("read").and_max_age(minutes(5)),
            json!({}),
            Err(Rejected::Authentication),
        ),
        (scope("admin").and_acr(["hwk"]), told, Err(Rejected::Scope)),
    ] {
        assert_eq!(
            requirement.check(&access(&members), NOW),
            expected,
            "{requirement:?} {members}"
        );
    }
}

#[test]
fn a_binding_is_told() {
    let (key, holder) = (made(), made());
    let access = verifier().verify(&bound(&key, &holder), &key_set(&[&key]), NOW);
    let thumbprint = holder.public_jwk().thumbprint_bytes();
    assert_eq!(access.unwrap().cnf, Some(Confirmation::DpopKey(thumbprint)));
}
