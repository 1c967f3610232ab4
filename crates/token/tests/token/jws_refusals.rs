use aws_lc_rs::hmac;
use jeton_token::jws::{MAX_LENGTH, Part};
use jeton_token::{Jws, JwsError, Secret, SigningKey, base64url};

use crate::keys::{self, ED25519, P256, P384, P521, RSA, jwk, signed};

fn parse_error(token: &str) -> JwsError {
    Jws::parse(token).unwrap_err()
}

fn header_error(header: &str) -> JwsError {
    parse_error(&signed(&P256, header, b"{}"))
}

fn es256(header: &str) -> Result<(), JwsError> {
    let token = signed(&P256, header, b"{}");
    Jws::parse(&token)?.verify(P256.public_jwk()).map(drop)
}

/// A compact token with this header whose MAC is made with `secret`.
fn maced(header: &str, algorithm: hmac::Algorithm, secret: &[u8]) -> String {
    let input = format!("{}.e30", base64url::encode(header.as_bytes()));
    let tag = hmac::sign(&hmac::Key::new(algorithm, secret), input.as_bytes());
    format!("{input}.{}", base64url::encode(tag.as_ref()))
}

#[test]
fn a_plain_header_verifies() {
    assert_eq!(es256(r#"{"alg":"ES256"}"#), Ok(()));
}

// SEC-070, SEC-170
#[test]
fn unsigned_tokens_are_refused_in_every_spelling() {
    for alg in ["none", "None", "nOnE", "NONE", ""] {
        assert_eq!(
            header_error(&format!(r#"{{"alg":"{alg}"}}"#)),
            JwsError::Unsigned,
            "{alg}"
        );
    }
    let token = signed(&P256, r#"{"alg":"ES256"}"#, b"{}");
    let signed_part = token.rsplit_once('.').unwrap().0;
    assert_eq!(
        parse_error(&format!("{signed_part}.")),
        JwsError::NoSignature
    );
    assert_eq!(
        parse_error(signed_part),
        parse_error("eyJhbGciOiJub25lIn0.e30")
    );
    assert_eq!(
        parse_error("eyJhbGciOiJub25lIn0.e30."),
        JwsError::NoSignature
    );
}

// SEC-170
#[test]
fn algorithms_are_named_exactly() {
    for alg in [
        "es256",
        "ES256 ",
        "ES256K",
        "HS1",
        "RSA1_5",
        "PBES2-HS256+A128KW",
        "dir",
        "Ed448",
        "none\\u0000",
    ] {
        assert_eq!(
            header_error(&format!(r#"{{"alg":"{alg}"}}"#)),
            JwsError::UnknownAlgorithm,
            "{alg}"
        );
    }
    assert_eq!(header_error("{}"), JwsError::NoAlgorithm);
    assert_eq!(header_error(r#"{"alg":null}"#), JwsError::HeaderType("alg"));
    assert_eq!(
        header_error(r#"{"alg":["ES256"]}"#),
        JwsError::HeaderType("alg")
    );
}

// SEC-075
#[test]
fn only_the_compact_form_exists() {
    for token in ["", "a", "a.b", "a.b.c.d", "a.b.c.d.e", "....", "a..b.c"] {
        assert_eq!(parse_error(token), JwsError::NotCompact, "{token}");
    }
    for token in [
        r#"{"payload":"e30","signatures":[]}"#,
        r#"{"payload":"e30","protected":"eyJhbGciOiJFUzI1NiJ9","signature":"AA"}"#,
    ] {
        assert_eq!(parse_error(token), JwsError::NotCompact, "{token}");
    }
}

// SEC-177
#[test]
fn base64_has_one_spelling() {
    let token = signed(&ED25519, r#"{"alg":"EdDSA"}"#, br#"{"iss":"x"}"#);
    let parts: Vec<&str> = token.split('.').collect();
    let [header, payload, signature] = parts[..] else {
        panic!("three parts")
    };
    let cases = [
        (format!("{header}=.{payload}.{signature}"), Part::Header),
        (format!("{header}.{payload}=.{signature}"), Part::Payload),
        (format!("{header}.{payload}.{signature}=="), Part::Signature),
        (format!("{header}.{payload}.{signature} "), Part::Signature),
        (format!("{header}.{payload}.{signature}\n"), Part::Signature),
        (format!(" {header}.{payload}.{signature}"), Part::Header),
        (
            format!("{header}.{payload}.{}+", &signature[1..]),
            Part::Signature,
        ),
        (
            format!("{header}.{payload}.{}/", &signature[1..]),
            Part::Signature,
        ),
    ];
    for (token, part) in cases {
        assert_eq!(parse_error(&token), JwsError::Encoding(part), "{token}");
    }
    // 64 bytes leave four bits unused in the last character; a set one is another spelling of the same signature.
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (start, last) = signature.split_at(signature.len() - 1);
    let value = alphabet.find(last).unwrap();
    let slack = alphabet.chars().nth(value + 1).unwrap();
    assert_eq!(
        parse_error(&format!("{header}.{payload}.{start}{slack}")),
        JwsError::Encoding(Part::Signature)
    );
}

// SEC-074, SEC-173
#[test]
fn headers_that_change_the_meaning_are_refused() {
    for (member, value) in [
        ("crit", r#"["exp"]"#),
        ("crit", "[]"),
        ("crit", r#"["b64"]"#),
        ("crit", r#"["alg","alg"]"#),
        ("crit", "null"),
        ("b64", "false"),
        ("b64", "true"),
        ("zip", r#""DEF""#),
        ("enc", r#""A256GCM""#),
    ] {
        let header = format!(r#"{{"alg":"ES256","{member}":{value}}}"#);
        assert_eq!(
            header_error(&header),
            JwsError::NotUnderstood(member),
            "{header}"
        );
    }
}

// SEC-175
#[test]
fn a_header_is_strict_json() {
    for header in [
        r#"{"alg":"ES256","alg":"none"}"#,
        r#"{"alg":"ES256","Alg":"none"}"#,
        r#"["ES256"]"#,
        r#"{"alg":"ES256"}{}"#,
        "\u{feff}{\"alg\":\"ES256\"}",
        r#"{"alg":"ES256","x":{"a":1,"a":2}}"#,
    ] {
        assert!(
            matches!(header_error(header), JwsError::Header(_)),
            "{header}"
        );
    }
    for member in ["kid", "typ", "cty"] {
        for value in ["1", "null", "[]", "{}", "true"] {
            let header = format!(r#"{{"alg":"ES256","{member}":{value}}}"#);
            assert_eq!(
                header_error(&header),
                JwsError::HeaderType(member),
                "{header}"
            );
        }
    }
}

// SEC-073, SEC-172
#[test]
fn keys_inside_a_header_change_nothing() {
    let own = serde_json::Value::Object(P384.public_jwk().to_json());
    let header = format!(
        r#"{{"alg":"ES384","jwk":{own},"jku":"http://127.0.0.1/","x5u":"http://127.0.0.1/","x5c":["AA"]}}"#
    );
    let token = signed(&P384, &header, b"{}");
    let parsed = Jws::parse(&token).unwrap();
    assert_eq!(
        parsed.verify(P256.public_jwk()).unwrap_err(),
        JwsError::WrongKey
    );
    assert_eq!(
        parsed.verify(&other_p384()).unwrap_err(),
        JwsError::WrongSignature
    );
    assert!(parsed.verify(P384.public_jwk()).is_ok());
    assert!(parsed.raw_header().contains_key("jwk"));
}

fn other_p384() -> jeton_token::PublicJwk {
    let key = SigningKey::generate(jeton_token::SignatureAlgorithm::Es384, None).unwrap();
    key.public_jwk().clone()
}

// SEC-071, SEC-171
#[test]
fn a_public_key_is_never_a_shared_secret() {
    let public = RSA.public_jwk();
    let text = serde_json::to_string(public).unwrap();
    let n = public.to_json()["n"].as_str().unwrap().to_owned();
    for secret in [text.clone(), format!("{text}\n"), n] {
        for (name, algorithm) in [
            ("HS256", hmac::HMAC_SHA256),
            ("HS384", hmac::HMAC_SHA384),
            ("HS512", hmac::HMAC_SHA512),
        ] {
            let token = maced(
                &format!(r#"{{"alg":"{name}"}}"#),
                algorithm,
                secret.as_bytes(),
            );
            let parsed = Jws::parse(&token).unwrap();
            for key in keys::all() {
                assert_eq!(
                    parsed.verify(key.public_jwk()).unwrap_err(),
                    JwsError::WrongKey
                );
            }
        }
    }
}

// SEC-071, SEC-R07
#[test]
fn an_algorithm_meets_only_its_own_kind_of_key() {
    for signer in keys::all() {
        let header = format!(r#"{{"alg":"{}"}}"#, signer.algorithm());
        let token = signed(signer, &header, b"{}");
        let parsed = Jws::parse(&token).unwrap();
        for key in keys::all() {
            let same = std::ptr::eq(signer, key);
            assert_eq!(
                parsed.verify(key.public_jwk()).is_ok(),
                same,
                "{} {}",
                signer.kid(),
                key.kid()
            );
        }
        let secret = Secret::new(vec![1; 64]);
        assert_eq!(
            parsed.verify_hmac(&secret, 32).unwrap_err(),
            JwsError::WrongKey
        );
    }
}

// SEC-R07
#[test]
fn the_key_decides_the_algorithm_not_the_token() {
    let mut signature = Vec::new();
    let input = format!("{}.e30", base64url::encode(br#"{"alg":"PS256"}"#));
    RSA.sign_as(
        jeton_token::SignatureAlgorithm::Ps256,
        input.as_bytes(),
        &mut signature,
    )
    .unwrap();
    let token = format!("{input}.{}", base64url::encode(&signature));
    let parsed = Jws::parse(&token).unwrap();
    assert_eq!(
        parsed.verify(RSA.public_jwk()).unwrap_err(),
        JwsError::WrongKey
    );
    let mut members = RSA.public_jwk().to_json();
    members.remove("alg");
    let unbound = jeton_token::PublicJwk::parse(&members).unwrap();
    assert!(parsed.verify(&unbound).is_ok());
}

// SEC-072
#[test]
fn short_secrets_are_refused_even_when_the_mac_is_right() {
    for (name, algorithm, least) in [
        ("HS256", hmac::HMAC_SHA256, 32),
        ("HS384", hmac::HMAC_SHA384, 48),
        ("HS512", hmac::HMAC_SHA512, 64),
    ] {
        let header = format!(r#"{{"alg":"{name}"}}"#);
        for length in [0, 1, least - 1] {
            let secret = vec![7; length];
            let token = maced(&header, algorithm, &secret);
            let result = Jws::parse(&token)
                .unwrap()
                .verify_hmac(&Secret::new(secret), 0)
                .map(drop);
            assert_eq!(result, Err(JwsError::ShortSecret), "{name} {length}");
        }
        let secret = vec![7; least];
        let token = maced(&header, algorithm, &secret);
        let parsed = Jws::parse(&token).unwrap();
        assert!(parsed.verify_hmac(&Secret::new(secret.clone()), 0).is_ok());
        let strict = parsed
            .verify_hmac(&Secret::new(secret), least + 1)
            .map(drop);
        assert_eq!(strict, Err(JwsError::ShortSecret));
        let other = parsed
            .verify_hmac(&Secret::new(vec![8; least]), 0)
            .map(drop);
        assert_eq!(other, Err(JwsError::WrongSignature));
    }
}

#[test]
fn a_truncated_mac_is_refused() {
    let secret = vec![7; 32];
    let token = maced(r#"{"alg":"HS256"}"#, hmac::HMAC_SHA256, &secret);
    let (input, tag) = token.rsplit_once('.').unwrap();
    let tag = base64url::decode(tag).unwrap();
    for length in 1..tag.len() {
        let short = format!("{input}.{}", base64url::encode(&tag[..length]));
        let result = Jws::parse(&short)
            .unwrap()
            .verify_hmac(&Secret::new(secret.clone()), 0)
            .map(drop);
        assert_eq!(result, Err(JwsError::WrongSignature), "{length}");
    }
}

/// The orders of P-256, P-384 and P-521. (FIPS 186-4 D.1.2)
const ORDERS: [&str; 3] = [
    "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
    "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
    "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409",
];

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

// SEC-079, SEC-174
#[test]
fn zero_and_overlong_signature_numbers_are_refused() {
    for (key, order) in [
        (&*P256, ORDERS[0]),
        (&*P384, ORDERS[1]),
        (&*P521, ORDERS[2]),
    ] {
        let token = signed(key, &format!(r#"{{"alg":"{}"}}"#, key.algorithm()), b"{}");
        let (input, signature) = token.rsplit_once('.').unwrap();
        let signature = base64url::decode(signature).unwrap();
        let order = unhex(order);
        let (r, s) = signature.split_at(order.len());
        assert_eq!(r.len(), s.len());
        let zero = vec![0; order.len()];
        let all = vec![0xff; order.len()];
        let mut cases = vec![];
        for bad in [&zero, &order, &all] {
            cases.push([bad, s].concat());
            cases.push([r, bad].concat());
            cases.push([bad.as_slice(), bad].concat());
        }
        cases.push(signature[1..].to_vec());
        cases.push(signature[..signature.len() - 1].to_vec());
        cases.push([&[0], signature.as_slice()].concat());
        cases.push([signature.as_slice(), &[0]].concat());
        cases.push([s, r].concat());
        cases.push(der(r, s));
        for case in cases {
            let token = format!("{input}.{}", base64url::encode(&case));
            let result = Jws::parse(&token)
                .unwrap()
                .verify(key.public_jwk())
                .map(drop);
            assert_eq!(result, Err(JwsError::WrongSignature), "{case:02x?}");
        }
    }
}

/// The same signature as ASN.1, which JWS does not use. (RFC 7518 §3.4)
fn der(r: &[u8], s: &[u8]) -> Vec<u8> {
    let number = |bytes: &[u8]| [&[2, bytes.len() as u8 + 1, 0], bytes].concat();
    let body = [number(r), number(s)].concat();
    let length = if body.len() < 128 {
        vec![body.len() as u8]
    } else {
        vec![0x81, body.len() as u8]
    };
    [vec![0x30], length, body].concat()
}

/// The order of the Ed25519 base point, little-endian. (RFC 8032 §5.1)
const ED25519_ORDER: &str = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";

// SEC-174
#[test]
fn an_ed25519_signature_has_one_spelling() {
    let token = signed(&ED25519, r#"{"alg":"EdDSA"}"#, b"{}");
    let (input, signature) = token.rsplit_once('.').unwrap();
    let signature = base64url::decode(signature).unwrap();
    let (r, s) = signature.split_at(32);
    let mut carry = 0;
    let added: Vec<u8> = s
        .iter()
        .zip(unhex(ED25519_ORDER))
        .map(|(left, right)| {
            carry += u16::from(*left) + u16::from(right);
            let digit = carry as u8;
            carry >>= 8;
            digit
        })
        .collect();
    let small_order = [[1_u8].as_slice(), &[0; 31]].concat();
    for case in [
        [r, &added].concat(),
        [r, &[0; 32]].concat(),
        [&small_order, s].concat(),
        [&[0; 32], s].concat(),
        signature[..63].to_vec(),
        [signature.as_slice(), &[0]].concat(),
    ] {
        let token = format!("{input}.{}", base64url::encode(&case));
        let result = Jws::parse(&token)
            .unwrap()
            .verify(ED25519.public_jwk())
            .map(drop);
        assert_eq!(result, Err(JwsError::WrongSignature), "{case:02x?}");
    }
}

// SEC-174: under a key of small order one signature would fit every message.
#[test]
fn a_key_of_small_order_cannot_verify_because_it_cannot_be_read() {
    let x = base64url::encode(&[[1_u8].as_slice(), &[0; 31]].concat());
    let text = format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}"}}"#);
    let members = jeton_token::json::parse_object(text.as_bytes(), 1000).unwrap();
    assert_eq!(
        jeton_token::PublicJwk::parse(&members),
        Err(jeton_token::JwkError::Point)
    );
}

#[test]
fn the_payload_must_be_one_strict_object() {
    for payload in [
        "[]",
        "1",
        "\"x\"",
        "null",
        "",
        r#"{"exp":1,"exp":2}"#,
        r#"{"sub":"a","Sub":"b"}"#,
    ] {
        let token = signed(&P256, r#"{"alg":"ES256"}"#, payload.as_bytes());
        let parsed = Jws::parse(&token).unwrap();
        let verified = parsed.verify(P256.public_jwk()).unwrap();
        assert!(
            matches!(verified.claims(), Err(JwsError::Payload(_))),
            "{payload}"
        );
        assert!(
            matches!(parsed.unverified_claims(), Err(JwsError::Payload(_))),
            "{payload}"
        );
    }
}

// SEC-179
#[test]
fn length_is_limited() {
    let token = signed(&P256, r#"{"alg":"ES256"}"#, &vec![b' '; MAX_LENGTH]);
    assert_eq!(parse_error(&token), JwsError::TooLong);
    let kid = format!(r#"{{"alg":"ES256","kid":"{}"}}"#, "k".repeat(64 * 1024));
    assert_eq!(header_error(&kid), JwsError::TooLong);
}

#[test]
fn types_are_compared_as_media_types() {
    // RFC 7515 §4.1.9
    let header = |typ: &str| {
        let token = signed(&P256, &format!(r#"{{"alg":"ES256","typ":"{typ}"}}"#), b"{}");
        Jws::parse(&token).unwrap().header().clone()
    };
    for typ in [
        "at+jwt",
        "AT+JWT",
        "application/at+jwt",
        "Application/at+JWT",
    ] {
        assert!(header(typ).typ_is("at+jwt"), "{typ}");
    }
    for typ in [
        "JWT",
        "",
        "at+jwt ",
        "x/at+jwt",
        "application/application/at+jwt",
        "application/x/at+jwt",
    ] {
        assert!(!header(typ).typ_is("at+jwt"), "{typ}");
    }
}

#[test]
fn a_key_for_encryption_or_other_operations_does_not_verify() {
    let token = signed(&P256, r#"{"alg":"ES256"}"#, b"{}");
    let plain = serde_json::to_string(P256.public_jwk()).unwrap();
    let cases = [
        plain.replace("\"sig\"", "\"enc\""),
        plain.replace("\"ES256\"", "\"ECDH-ES\""),
        plain.replace("{", "{\"key_ops\":[\"sign\"],"),
        plain.replace("{", "{\"key_ops\":[],"),
    ];
    for text in cases {
        assert_eq!(
            Jws::parse(&token).unwrap().verify(&jwk(&text)).unwrap_err(),
            JwsError::WrongKey,
            "{text}"
        );
    }
    let allowed = plain.replace("{", "{\"key_ops\":[\"verify\"],");
    assert!(Jws::parse(&token).unwrap().verify(&jwk(&allowed)).is_ok());
}
