use jeton_token::{
    AccessTokenClaims, AccessTokenFacts, ClaimError, Confirmation, Entropy, Jws, JwtType, RowId,
    Timestamp, at_jwt,
};
use serde_json::{Value, json};

use crate::keys::{P256, signed};

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_123);

fn row() -> RowId {
    RowId::new(NOW, &mut Entropy::seeded(1))
}

fn minimal(aud: &[String]) -> AccessTokenClaims<'_> {
    AccessTokenClaims {
        iss: "https://issuer.example",
        sub: "subject",
        aud,
        client_id: "client",
        scope: None,
        iat: NOW,
        exp: Timestamp::from_millis(1_800_000_600_123),
        jti: row(),
        auth_time: None,
        acr: None,
        sid: None,
        gid: None,
        cnf: None,
        act: None,
        details: None,
    }
}

fn read(token: &str) -> Result<AccessTokenFacts, ClaimError> {
    let parsed = Jws::parse(token).unwrap();
    assert!(parsed.header().typ_is("at+jwt"));
    at_jwt::read(&parsed.verify(P256.public_jwk()).unwrap().claims().unwrap())
}

#[test]
fn what_is_written_is_read_again() {
    let audience = [
        "https://a.example".to_owned(),
        "https://b.example".to_owned(),
    ];
    let act = json!({ "sub": "actor" });
    let details = json!([{ "type": "payment" }]);
    let claims = AccessTokenClaims {
        scope: Some("openid api"),
        auth_time: Some(Timestamp::from_seconds(1_799_999_000)),
        acr: Some("urn:acr"),
        sid: Some(row()),
        gid: Some(row()),
        cnf: Some(Confirmation::DpopKey([7; 32])),
        act: Some(&act),
        details: Some(&details),
        ..minimal(&audience)
    };
    let facts = read(&P256.sign_jwt(JwtType::AccessToken, &claims).unwrap()).unwrap();
    let expected = AccessTokenFacts {
        issuer: "https://issuer.example".to_owned(),
        subject: "subject".to_owned(),
        audience: audience.to_vec(),
        client: "client".to_owned(),
        scope: Some("openid api".to_owned()),
        issued_at: NOW,
        expires_at: Timestamp::from_seconds(1_800_000_600),
        token: row(),
        auth_time: Some(Timestamp::from_seconds(1_799_999_000)),
        acr: Some("urn:acr".to_owned()),
        session: Some(row()),
        grant: Some(row()),
        cnf: Some(Confirmation::DpopKey([7; 32])),
        act: Some(act.clone()),
        details: Some(details.clone()),
    };
    assert_eq!(facts, expected);
}

#[test]
fn a_single_audience_is_a_string_and_absent_claims_are_absent() {
    let audience = ["https://a.example".to_owned()];
    let value = serde_json::to_value(minimal(&audience)).unwrap();
    assert_eq!(value["aud"], "https://a.example");
    assert_eq!(value["iat"], 1_800_000_000);
    assert_eq!(value["jti"], row().to_string());
    assert_eq!(value.as_object().unwrap().len(), 7);
}

#[test]
fn every_required_claim_must_be_there_with_its_type() {
    let audience = ["https://a.example".to_owned()];
    let whole = serde_json::to_value(minimal(&audience)).unwrap();
    let header = r#"{"alg":"ES256","typ":"at+jwt"}"#;
    let result = |value: &Value| read(&signed(&P256, header, value.to_string().as_bytes()));
    assert!(result(&whole).is_ok());
    for name in ["iss", "sub", "aud", "client_id", "iat", "exp", "jti"] {
        let mut without = whole.clone();
        without.as_object_mut().unwrap().remove(name);
        assert_eq!(result(&without), Err(ClaimError::Missing(name)));
        for value in [json!(null), json!(true), json!({}), json!([1]), json!(-1)] {
            let mut wrong = whole.clone();
            wrong[name] = value;
            assert!(
                matches!(result(&wrong), Err(ClaimError::WrongType { .. })),
                "{wrong}"
            );
        }
    }
}

#[test]
fn optional_claims_must_have_their_type_when_present() {
    let audience = ["https://a.example".to_owned()];
    let whole = serde_json::to_value(minimal(&audience)).unwrap();
    for (name, value) in [
        ("scope", json!(["a"])),
        ("gid", json!("not an id")),
        ("sid", json!(1)),
        ("jti", json!("not an id")),
        ("auth_time", json!("1")),
        ("acr", json!(1)),
        ("cnf", json!({})),
        ("cnf", json!({ "jkt": "AAAA" })),
        ("cnf", json!({ "unknown": "AAAA" })),
        ("cnf", json!(null)),
        ("act", json!("actor")),
        ("authorization_details", json!({})),
    ] {
        let mut wrong = whole.clone();
        wrong[name] = value;
        let token = signed(
            &P256,
            r#"{"alg":"ES256","typ":"at+jwt"}"#,
            wrong.to_string().as_bytes(),
        );
        assert!(
            matches!(read(&token), Err(ClaimError::WrongType { .. })),
            "{wrong}"
        );
    }
}

#[test]
fn milliseconds_come_from_the_id_only_when_it_names_the_same_second() {
    let audience = ["https://a.example".to_owned()];
    let claims = AccessTokenClaims {
        iat: Timestamp::from_seconds(1_800_000_005),
        ..minimal(&audience)
    };
    let facts = read(&P256.sign_jwt(JwtType::AccessToken, &claims).unwrap()).unwrap();
    assert_eq!(facts.issued_at, Timestamp::from_seconds(1_800_000_005));
}
