//! Proofs of possession: the published examples, and each way of getting one wrong. (RFC 9449 §4)

use jeton_token::dpop::{DpopError, Proof, Request, TOLERANCE};
use jeton_token::jws::JwsError;
use jeton_token::{
    ClaimError, JwkError, SignatureAlgorithm, SigningKey, Timestamp, base64url, sha256,
};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::time::Duration;

use crate::keys::{ED25519, P256, signed};

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
const TOKEN_URL: &str = "https://id.example/token";
const AT_TOKEN: Request<'_> = Request {
    method: "POST",
    url: TOKEN_URL,
    access_token: None,
};

fn jwk(key: &SigningKey) -> Value {
    let mut members = key.public_jwk().to_json();
    for name in ["kid", "alg", "use"] {
        members.remove(name);
    }
    Value::Object(members)
}

fn header() -> Value {
    json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": jwk(&P256) })
}

fn claims() -> Value {
    json!({ "jti": "a", "htm": "POST", "htu": TOKEN_URL, "iat": NOW.seconds() })
}

fn made(header: &Value, claims: &Value) -> String {
    signed(&P256, &header.to_string(), claims.to_string().as_bytes())
}

fn with(mut object: Value, name: &str, value: Value) -> Value {
    object[name] = value;
    object
}

fn without(mut object: Value, name: &str) -> Value {
    object.as_object_mut().unwrap().remove(name);
    object
}

fn verified(header: &Value, claims: &Value) -> Result<Proof, DpopError> {
    Proof::verify(&made(header, claims), &AT_TOKEN)
}

// RFC 9449 §4.1, §6.1: the example at the token endpoint and the thumbprint of its key
#[test]
fn the_published_proof_of_a_token_request_verifies() {
    let proof = concat!(
        "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0Rs",
        "cEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2",
        "In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2Vu",
        "IiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZ",
        "T3Lg",
    );
    let request = Request {
        url: "https://server.example.com/token",
        ..AT_TOKEN
    };
    let proof = Proof::verify(proof, &request).unwrap();
    assert_eq!(
        base64url::encode(&proof.thumbprint),
        "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
    );
    assert_eq!(
        (proof.jti.as_str(), proof.issued_at.seconds(), proof.nonce),
        ("-BwC3ESc6acc2lTc", 1_562_262_616, None)
    );
}

// RFC 9449 §7.1: the example at a protected resource
#[test]
fn the_published_proof_at_a_resource_verifies_with_its_token_only() {
    let proof = concat!(
        "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0Rs",
        "cEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2",
        "In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90",
        "ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9",
        ".2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA",
    );
    let request = Request {
        method: "GET",
        url: "https://resource.example.org/protectedresource",
        access_token: Some("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"),
    };
    assert!(Proof::verify(proof, &request).is_ok());
    let other = Request {
        access_token: Some("another"),
        ..request
    };
    assert_eq!(Proof::verify(proof, &other), Err(DpopError::AccessToken));
}

// P-209, P-235, SEC-180
#[test]
fn each_algorithm_that_is_offered_verifies_and_others_do_not() {
    for algorithm in jeton_token::dpop::ALGORITHMS {
        assert!(!algorithm.is_symmetric());
        let key = SigningKey::generate(algorithm, None).unwrap();
        let header = json!({ "typ": "dpop+jwt", "alg": algorithm.name(), "jwk": jwk(&key) });
        let text = signed(&key, &header.to_string(), claims().to_string().as_bytes());
        let proof = Proof::verify(&text, &AT_TOKEN).unwrap();
        assert_eq!(proof.thumbprint, key.public_jwk().thumbprint_bytes());
    }
    for name in ["HS256", "RS256", "RS384", "RS512"] {
        let algorithm = SignatureAlgorithm::parse(name).unwrap();
        let header = with(header(), "alg", json!(name));
        assert_eq!(
            verified(&header, &claims()),
            Err(DpopError::Algorithm(algorithm))
        );
    }
    let none = with(header(), "alg", json!("none"));
    assert_eq!(
        verified(&none, &claims()),
        Err(DpopError::Malformed(JwsError::Unsigned))
    );
}

// P-207, P-208, P-220, SEC-172, SEC-175
#[test]
fn the_header_is_one_compact_jws_of_its_own_type() {
    assert!(verified(&header(), &claims()).is_ok());
    for typ in ["DPOP+jwt", "application/dpop+jwt"] {
        assert!(verified(&with(header(), "typ", json!(typ)), &claims()).is_ok());
    }
    for wrong in ["JWT", "at+jwt", "dpop", ""] {
        assert_eq!(
            verified(&with(header(), "typ", json!(wrong)), &claims()),
            Err(DpopError::Typ)
        );
    }
    assert_eq!(
        verified(&without(header(), "typ"), &claims()),
        Err(DpopError::Typ)
    );
    let unknown = with(
        with(header(), "x-more", json!(1)),
        "jku",
        json!("https://evil.example"),
    );
    assert!(verified(&unknown, &claims()).is_ok());
    let good = made(&header(), &claims());
    let twice = header()
        .to_string()
        .replacen('{', "{\"typ\":\"dpop+jwt\",", 1);
    let twice = signed(&P256, &twice, claims().to_string().as_bytes());
    let repeated = claims().to_string().replacen('{', "{\"htm\":\"POST\",", 1);
    let repeated = signed(&P256, &header().to_string(), repeated.as_bytes());
    let long = with(claims(), "more", json!("x".repeat(16 * 1024)));
    for text in [
        String::new(),
        "proof".to_owned(),
        format!("{good}, {good}"),
        format!("{good} "),
        format!("{good}.x"),
        twice,
        repeated,
        made(&header(), &long),
        made(&with(header(), "crit", json!(["exp"])), &claims()),
    ] {
        let refused = Proof::verify(&text, &AT_TOKEN);
        assert!(
            matches!(refused, Err(DpopError::Malformed(_))),
            "{text}: {refused:?}"
        );
    }
}

// P-210, P-211, SEC-180
#[test]
fn the_key_is_in_the_header_is_public_and_made_the_signature() {
    assert_eq!(
        verified(&without(header(), "jwk"), &claims()),
        Err(DpopError::NoKey)
    );
    let text = with(header(), "jwk", json!("a key"));
    assert_eq!(
        verified(&text, &claims()),
        Err(DpopError::Key(JwkError::WrongType("jwk")))
    );
    for private in ["d", "k", "p"] {
        let key = with(jwk(&P256), private, json!("AQAB"));
        let refused = verified(&with(header(), "jwk", key), &claims());
        assert_eq!(refused, Err(DpopError::Key(JwkError::Private(private))));
    }
    let symmetric = with(header(), "jwk", json!({ "kty": "oct", "k": "AAAA" }));
    assert_eq!(
        verified(&symmetric, &claims()),
        Err(DpopError::Key(JwkError::Symmetric))
    );
    let other_kind = with(header(), "jwk", jwk(&ED25519));
    assert!(matches!(
        verified(&other_kind, &claims()),
        Err(DpopError::Key(_))
    ));
    let stranger = SigningKey::generate(SignatureAlgorithm::Es256, None).unwrap();
    let stolen = with(header(), "jwk", jwk(&stranger));
    assert_eq!(
        verified(&stolen, &claims()),
        Err(DpopError::Signature(JwsError::WrongSignature))
    );
}

// P-212, P-219, P-220
#[test]
fn four_claims_must_be_there_and_others_do_no_harm() {
    for name in ["jti", "htm", "htu", "iat"] {
        let missing = verified(&header(), &without(claims(), name));
        assert_eq!(missing, Err(DpopError::Claims(ClaimError::Missing(name))));
        let wrong = verified(&header(), &with(claims(), name, json!([])));
        assert!(matches!(
            wrong,
            Err(DpopError::Claims(ClaimError::WrongType { .. }))
        ));
    }
    for jti in ["", &"j".repeat(257)] {
        assert_eq!(
            verified(&header(), &with(claims(), "jti", json!(jti))),
            Err(DpopError::Jti)
        );
    }
    let mut more = with(claims(), "exp", json!(1));
    more["nbf"] = json!(NOW.seconds() + 9_999);
    more["ath"] = json!("of no token");
    more["other"] = json!({ "deep": [1, 2] });
    assert!(verified(&header(), &more).is_ok());
    let nonce = verified(&header(), &with(claims(), "nonce", json!("n-1"))).unwrap();
    assert_eq!(nonce.nonce.as_deref(), Some("n-1"));
    assert!(verified(&header(), &with(claims(), "nonce", json!(1))).is_err());
}

// P-213, P-214, P-215, SEC-180
#[test]
fn a_proof_is_for_one_method_and_one_address() {
    for htm in ["GET", "post", "POST "] {
        let refused = verified(&header(), &with(claims(), "htm", json!(htm)));
        assert_eq!(refused, Err(DpopError::Method(htm.to_owned())));
    }
    for same in [
        "https://id.example/token?a=b",
        "https://id.example/token#part",
        "HTTPS://ID.Example/token",
        "https://id.example:443/token",
        "https://id.example:/token",
        "https://id.example/%74oken",
        "https://id.example/x/../token",
        "https://id.example/./token",
    ] {
        assert!(
            verified(&header(), &with(claims(), "htu", json!(same))).is_ok(),
            "{same}"
        );
    }
    for other in [
        "http://id.example/token",
        "https://id.example:444/token",
        "https://id.example/token/",
        "https://id.example/Token",
        "https://id.example//token",
        "https://id.example/",
        "https://id.example",
        "https://user@id.example/token",
        "https://evil.example/token",
        "https://id.example.evil.example/token",
        "https://id.example/token%2F",
        "/token",
        "id.example/token",
        "token",
        "",
    ] {
        let refused = verified(&header(), &with(claims(), "htu", json!(other)));
        assert_eq!(refused, Err(DpopError::Url(other.to_owned())), "{other}");
    }
}

// P-221
#[test]
fn at_a_resource_the_proof_names_the_token() {
    let request = Request {
        access_token: Some("jta_token"),
        ..AT_TOKEN
    };
    let hash = base64url::encode(&sha256(b"jta_token"));
    let named = |ath: Value| Proof::verify(&made(&header(), &with(claims(), "ath", ath)), &request);
    assert!(named(json!(hash)).is_ok());
    assert_eq!(named(json!("another")), Err(DpopError::AccessToken));
    assert!(named(json!(7)).is_err());
    let silent = Proof::verify(&made(&header(), &claims()), &request);
    assert_eq!(silent, Err(DpopError::AccessToken));
}

// P-217
#[test]
fn a_proof_is_timely_for_a_minute_either_way() {
    let proof = verified(&header(), &claims()).unwrap();
    let second = Duration::from_secs(1);
    for (at, timely) in [
        (NOW.plus(TOLERANCE), true),
        (NOW.minus(TOLERANCE), true),
        (NOW.plus(TOLERANCE + second), false),
        (NOW.minus(TOLERANCE + second), false),
    ] {
        assert_eq!(proof.is_timely(at), timely, "{at:?}");
    }
}

proptest! {
    #[test]
    fn no_text_is_a_proof_and_none_panics(text in ".{0,300}", url in ".{0,60}") {
        let request = Request { url: &url, ..AT_TOKEN };
        prop_assert!(Proof::verify(&text, &request).is_err());
        let _ = Proof::verify(&made(&header(), &with(claims(), "htu", json!(url))), &request);
    }
}
