//! RFC 9068 §4: what a resource server checks of an access token. S42, S51, S53, SEC-034.

use jeton_resource::verifier::{Rejected, Verifier};
use jeton_token::algorithm::SignatureAlgorithm;
use jeton_token::at_jwt::AccessTokenClaims;
use jeton_token::entropy::Entropy;
use jeton_token::key_set::KeySet;
use jeton_token::row_id::RowId;
use jeton_token::signing_key::{JwtType, SigningKey};
use jeton_token::timestamp::Timestamp;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
const ISSUER: &str = "https://issuer.example";
const API: &str = "https://api.example/one";

struct World {
    key: SigningKey,
    verifier: Verifier,
}

fn world() -> World {
    let key = SigningKey::generate(SignatureAlgorithm::Es256, None).unwrap();
    let verifier = Verifier::new(ISSUER, API, KeySet::new(vec![key.public_jwk().clone()]));
    World { key, verifier }
}

fn token(
    key: &SigningKey,
    typ: JwtType,
    change: impl FnOnce(&mut AccessTokenClaims<'_>),
) -> String {
    let audience = [API.to_owned()];
    let mut claims = AccessTokenClaims {
        iss: ISSUER,
        sub: "user",
        aud: &audience,
        client_id: "client",
        scope: Some("read"),
        iat: NOW,
        exp: Timestamp::from_seconds(1_800_000_600),
        jti: RowId::new(NOW, &mut Entropy::seeded(1)),
        auth_time: None,
        acr: None,
        sid: None,
        gid: None,
        cnf: None,
        act: None,
        details: None,
    };
    change(&mut claims);
    key.sign_jwt(typ, &claims).unwrap()
}

#[test]
fn a_token_of_the_issuer_for_this_api_is_accepted_until_the_millisecond_it_expires() {
    let World { key, verifier } = world();
    let text = token(&key, JwtType::AccessToken, |_| {});
    assert_eq!(verifier.verify(&text, NOW).unwrap().subject, "user");
    assert!(
        verifier
            .verify(&text, Timestamp::from_millis(1_800_000_599_999))
            .is_ok()
    );
    assert_eq!(
        verifier.verify(&text, Timestamp::from_seconds(1_800_000_600)),
        Err(Rejected::Time)
    );
}

#[test]
fn a_token_for_another_api_is_refused() {
    let World { key, verifier } = world();
    let other = ["https://api.example/two".to_owned()];
    let audience = &other;
    let text = token(&key, JwtType::AccessToken, |_| {});
    let foreign = Verifier::new(
        ISSUER,
        audience[0].clone(),
        KeySet::new(vec![key.public_jwk().clone()]),
    );
    assert_eq!(foreign.verify(&text, NOW), Err(Rejected::Audience));
    assert!(verifier.verify(&text, NOW).is_ok());
}

#[test]
fn a_token_of_another_issuer_or_key_is_refused() {
    let World { key, verifier } = world();
    let text = token(&key, JwtType::AccessToken, |claims| {
        claims.iss = "https://issuer.example/"
    });
    assert_eq!(verifier.verify(&text, NOW), Err(Rejected::Issuer));
    let stranger = SigningKey::generate(SignatureAlgorithm::Es256, None).unwrap();
    let text = token(&stranger, JwtType::AccessToken, |_| {});
    assert_eq!(verifier.verify(&text, NOW), Err(Rejected::Signature));
}

#[test]
fn an_id_token_is_not_an_access_token() {
    let World { key, verifier } = world();
    let text = token(&key, JwtType::IdToken, |_| {});
    assert_eq!(verifier.verify(&text, NOW), Err(Rejected::Typ));
    assert!(matches!(
        verifier.verify("jta_opaque", NOW),
        Err(Rejected::Malformed(_))
    ));
}

#[test]
fn a_token_from_the_future_is_refused_beyond_ten_seconds() {
    let World { key, verifier } = world();
    let ahead = |seconds| Timestamp::from_seconds(NOW.seconds() + seconds);
    let at = |issued: Timestamp| {
        token(&key, JwtType::AccessToken, |claims| {
            claims.iat = issued;
            claims.jti = RowId::new(issued, &mut Entropy::seeded(2));
        })
    };
    assert!(verifier.verify(&at(ahead(10)), NOW).is_ok());
    assert_eq!(verifier.verify(&at(ahead(11)), NOW), Err(Rejected::Time));
}
