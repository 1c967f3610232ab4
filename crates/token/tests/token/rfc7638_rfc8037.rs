use jeton_token::{Jws, JwsError, SignatureAlgorithm, SigningKey, base64url};

use crate::keys::jwk;

/// PKCS#8 around the seed `nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A`. (RFC 8037 A.1, RFC 8410 §7)
fn rfc8037_key() -> SigningKey {
    let mut pkcs8 = vec![
        0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20,
    ];
    pkcs8.extend(base64url::decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap());
    SigningKey::from_pkcs8(SignatureAlgorithm::EdDsa, None, &pkcs8).unwrap()
}

const PUBLIC: &str =
    r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
const SIGNED: &str = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
const SIGNATURE: &str =
    "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

#[test]
fn the_thumbprint_of_rfc7638_section_3_1_comes_out() {
    let key = jwk(
        r#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}"#,
    );
    assert_eq!(
        key.thumbprint(),
        "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    );
}

#[test]
fn the_thumbprint_of_rfc8037_a3_comes_out_and_names_a_key_without_kid() {
    assert_eq!(
        jwk(PUBLIC).thumbprint(),
        "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    );
    assert_eq!(
        rfc8037_key().kid(),
        "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    );
}

#[test]
fn the_signature_of_rfc8037_a4_is_made_and_verified() {
    let mut signature = Vec::new();
    rfc8037_key()
        .sign(SIGNED.as_bytes(), &mut signature)
        .unwrap();
    assert_eq!(base64url::encode(&signature), SIGNATURE);
    let token = format!("{SIGNED}.{SIGNATURE}");
    assert!(Jws::parse(&token).unwrap().verify(&jwk(PUBLIC)).is_ok());
}

#[test]
fn the_newer_name_of_the_same_algorithm_verifies_too() {
    // RFC 9864 §2.2
    let token = crate::keys::signed(&rfc8037_key(), r#"{"alg":"Ed25519"}"#, b"{}");
    assert!(Jws::parse(&token).unwrap().verify(&jwk(PUBLIC)).is_ok());
    let named = PUBLIC.replace("\"kty\"", "\"alg\":\"Ed25519\",\"kty\"");
    assert!(Jws::parse(&token).unwrap().verify(&jwk(&named)).is_ok());
}

// SEC-174: `R` is the neutral point and `S` is computed with the private key, so the equation of RFC 8032 §5.1.7 holds.
#[test]
fn a_signature_whose_point_has_small_order_is_refused_although_its_equation_holds() {
    let token = "eyJhbGciOiJFZERTQSJ9.e30.AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAACYOe3jM_bve2fH1X9wKOJ1HGB-F4sB6xd1grEl19nHAg";
    let result = Jws::parse(token).unwrap().verify(&jwk(PUBLIC)).map(drop);
    assert_eq!(result, Err(JwsError::WrongSignature));
}

// SEC-079
#[test]
fn a_key_that_is_no_point_of_the_curve_verifies_nothing() {
    let text = PUBLIC.replace(
        "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        &format!("Ag{}", "A".repeat(41)),
    );
    let members = jeton_token::json::parse_object(text.as_bytes(), 1000).unwrap();
    let key = jeton_token::PublicJwk::parse(&members).unwrap();
    let token = format!("{SIGNED}.{SIGNATURE}");
    let result = Jws::parse(&token).unwrap().verify(&key).map(drop);
    assert_eq!(result, Err(JwsError::WrongSignature));
}
