// SEC-178
use jeton_token::{JwkError, KeyKind, PublicJwk, base64url};
use serde_json::{Value, json};

use crate::keys::{self, P256, P384, P521, RSA, object};

fn parse(value: Value) -> Result<PublicJwk, JwkError> {
    PublicJwk::parse(&object(value))
}

fn with(
    mut members: serde_json::Map<String, Value>,
    name: &str,
    value: Value,
) -> Result<PublicJwk, JwkError> {
    members.insert(name.to_owned(), value);
    PublicJwk::parse(&members)
}

fn rsa(n: &[u8], e: &[u8]) -> Result<PublicJwk, JwkError> {
    parse(json!({ "kty": "RSA", "n": base64url::encode(n), "e": base64url::encode(e) }))
}

fn modulus() -> Vec<u8> {
    base64url::decode(RSA.public_jwk().to_json()["n"].as_str().unwrap()).unwrap()
}

#[test]
fn printing_and_parsing_gives_the_same_key() {
    for key in keys::all() {
        let jwk = key.public_jwk();
        assert_eq!(&PublicJwk::parse(&jwk.to_json()).unwrap(), jwk);
        assert_eq!(jwk.kid(), Some(jwk.thumbprint().as_str()));
    }
}

#[test]
fn private_and_symmetric_members_are_refused() {
    for name in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        assert_eq!(
            with(RSA.public_jwk().to_json(), name, json!("AQAB")),
            Err(JwkError::Private(name))
        );
        assert_eq!(
            with(P256.public_jwk().to_json(), name, json!(null)),
            Err(JwkError::Private(name))
        );
    }
    assert_eq!(
        parse(json!({ "kty": "oct", "k": "AAAA" })),
        Err(JwkError::Symmetric)
    );
    assert_eq!(parse(json!({ "kty": "oct" })), Err(JwkError::Symmetric));
}

#[test]
fn unknown_types_and_curves_are_told_apart_from_bad_keys() {
    assert_eq!(parse(json!({})), Err(JwkError::Missing("kty")));
    assert_eq!(parse(json!({ "kty": 1 })), Err(JwkError::WrongType("kty")));
    assert_eq!(
        parse(json!({ "kty": "AKP" })),
        Err(JwkError::UnknownKeyType)
    );
    assert_eq!(
        parse(json!({ "kty": "rsa" })),
        Err(JwkError::UnknownKeyType)
    );
    for crv in ["secp256k1", "P-224", "p-256", "Ed25519"] {
        assert_eq!(
            parse(json!({ "kty": "EC", "crv": crv, "x": "", "y": "" })),
            Err(JwkError::UnknownCurve)
        );
    }
    for crv in ["Ed448", "X25519", "P-256"] {
        assert_eq!(
            parse(json!({ "kty": "OKP", "crv": crv, "x": "" })),
            Err(JwkError::UnknownCurve)
        );
    }
}

#[test]
fn rsa_keys_have_2048_to_8192_bits() {
    let n = |bytes: usize| {
        let mut n = vec![0xa5; bytes];
        n[bytes - 1] = 0x01;
        n
    };
    for bytes in [1, 64, 128, 255, 1025, 2048] {
        assert_eq!(
            rsa(&n(bytes), &[1, 0, 1]),
            Err(JwkError::RsaSize),
            "{bytes}"
        );
    }
    let mut almost = n(256);
    almost[0] = 0x7f;
    assert_eq!(rsa(&almost, &[1, 0, 1]), Err(JwkError::RsaSize));
    assert!(rsa(&modulus(), &[1, 0, 1]).is_ok());
}

#[test]
fn rsa_exponents_are_odd_and_neither_tiny_nor_huge() {
    for e in [
        vec![1],
        vec![3],
        vec![17],
        vec![1, 0, 0],
        vec![0xff, 0xff],
        vec![1, 0, 2],
        vec![1, 0, 0, 0, 0],
        vec![1, 0, 0, 0, 1],
        vec![0x80; 256],
    ] {
        assert_eq!(rsa(&modulus(), &e), Err(JwkError::RsaExponent), "{e:?}");
    }
    for e in [vec![1, 0, 1], vec![1, 0, 3], vec![0xff, 0xff, 0xff, 0xff]] {
        assert!(rsa(&modulus(), &e).is_ok(), "{e:?}");
    }
}

#[test]
fn rsa_numbers_have_one_spelling() {
    // RFC 7518 §2
    assert_eq!(
        rsa(&[vec![0], modulus()].concat(), &[1, 0, 1]),
        Err(JwkError::Encoding("n"))
    );
    assert_eq!(rsa(&modulus(), &[0, 1, 0, 1]), Err(JwkError::Encoding("e")));
    assert_eq!(rsa(&[], &[1, 0, 1]), Err(JwkError::Encoding("n")));
    assert_eq!(rsa(&modulus(), &[]), Err(JwkError::Encoding("e")));
    assert_eq!(
        with(RSA.public_jwk().to_json(), "e", json!("AQAB=")),
        Err(JwkError::Encoding("e"))
    );
    assert_eq!(
        with(RSA.public_jwk().to_json(), "e", json!(65537)),
        Err(JwkError::WrongType("e"))
    );
}

#[test]
fn weak_rsa_moduli_are_refused() {
    let mut even = modulus();
    *even.last_mut().unwrap() &= 0xfe;
    assert_eq!(rsa(&even, &[1, 0, 1]), Err(JwkError::RsaWeak));
    assert_eq!(
        rsa(&[0xff; 256], &[1, 0, 1]),
        Err(JwkError::RsaWeak),
        "divisible by three"
    );
    // 65537 to the 128th has 2049 bits and the residues of CVE-2017-15361.
    let mut power = vec![1_u32];
    for _ in 0..128 {
        power = times_65537(&power);
    }
    let bytes: Vec<u8> = power
        .iter()
        .rev()
        .flat_map(|digit| digit.to_be_bytes())
        .collect();
    let start = bytes.iter().position(|byte| *byte != 0).unwrap();
    assert_eq!(bytes.len() - start, 257);
    assert_eq!(rsa(&bytes[start..], &[1, 0, 1]), Err(JwkError::RsaWeak));
}

/// Little-endian digits.
fn times_65537(number: &[u32]) -> Vec<u32> {
    let mut carry = 0_u64;
    let mut product: Vec<u32> = Vec::new();
    for digit in number {
        carry += u64::from(*digit) * 65_537;
        product.push(carry as u32);
        carry >>= 32;
    }
    product.push(carry as u32);
    while product.last() == Some(&0) {
        product.pop();
    }
    product
}

// SEC-079
#[test]
fn points_off_the_curve_or_at_infinity_are_refused() {
    for key in [&*P256, &*P384, &*P521] {
        let members = key.public_jwk().to_json();
        let y = base64url::decode(members["y"].as_str().unwrap()).unwrap();
        let mut off = y.clone();
        *off.last_mut().unwrap() ^= 1;
        assert_eq!(
            with(members.clone(), "y", json!(base64url::encode(&off))),
            Err(JwkError::Point)
        );
        let zero = base64url::encode(&vec![0; y.len()]);
        assert_eq!(
            with(members.clone(), "y", json!(zero)),
            Err(JwkError::Point)
        );
        let mut origin = members.clone();
        origin.insert("x".to_owned(), json!(zero));
        assert_eq!(with(origin, "y", json!(zero)), Err(JwkError::Point));
        let over = base64url::encode(&vec![0xff; y.len()]);
        assert_eq!(
            with(members.clone(), "x", json!(over)),
            Err(JwkError::Point)
        );
    }
}

#[test]
fn coordinates_have_their_full_length() {
    // RFC 7518 §6.2.1.2
    for key in [&*P256, &*P384, &*P521] {
        let members = key.public_jwk().to_json();
        let x = base64url::decode(members["x"].as_str().unwrap()).unwrap();
        for wrong in [x[1..].to_vec(), [vec![0], x.clone()].concat(), vec![]] {
            let text = base64url::encode(&wrong);
            assert_eq!(
                with(members.clone(), "x", json!(text)),
                Err(JwkError::Encoding("x"))
            );
        }
    }
    let members = keys::ED25519.public_jwk().to_json();
    assert_eq!(
        with(members, "x", json!("AAAA")),
        Err(JwkError::Encoding("x"))
    );
}

#[test]
fn a_curve_does_not_take_the_point_of_another() {
    let mut members = P256.public_jwk().to_json();
    members.remove("alg");
    assert_eq!(
        with(members, "crv", json!("P-384")),
        Err(JwkError::Encoding("x"))
    );
}

// SEC-174
#[test]
fn ed25519_points_are_canonical_and_not_of_small_order() {
    let mut prime = [0xff; 32];
    prime[0] = 0xed;
    prime[31] = 0x7f;
    let number = |low: u8| {
        let mut bytes = [0; 32];
        bytes[0] = low;
        bytes
    };
    let mut minus_one = prime;
    minus_one[0] = 0xec;
    let mut over = prime;
    over[0] = 0xee;
    let eight = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05";
    let eight: Vec<u8> = (0..32)
        .map(|at| u8::from_str_radix(&eight[2 * at..2 * at + 2], 16).unwrap())
        .collect();
    for mut point in [
        number(0),
        number(1),
        prime,
        minus_one,
        over,
        [0xff; 32],
        eight.try_into().unwrap(),
    ] {
        for sign in [0, 0x80] {
            point[31] |= sign;
            let x = base64url::encode(&point);
            let result = parse(json!({ "kty": "OKP", "crv": "Ed25519", "x": x }));
            assert_eq!(result, Err(JwkError::Point), "{point:02x?}");
        }
    }
}

#[test]
fn a_named_algorithm_must_fit_the_key() {
    assert_eq!(
        with(P256.public_jwk().to_json(), "alg", json!("ES384")),
        Err(JwkError::AlgorithmMismatch)
    );
    assert_eq!(
        with(P256.public_jwk().to_json(), "alg", json!("HS256")),
        Err(JwkError::AlgorithmMismatch)
    );
    assert_eq!(
        with(RSA.public_jwk().to_json(), "alg", json!("ES256")),
        Err(JwkError::AlgorithmMismatch)
    );
    assert_eq!(
        with(RSA.public_jwk().to_json(), "alg", json!(["RS256"])),
        Err(JwkError::WrongType("alg"))
    );
    assert!(with(RSA.public_jwk().to_json(), "alg", json!("RSA-OAEP-256")).is_ok());
}

#[test]
fn other_members_must_have_their_type() {
    for (name, value) in [
        ("kid", json!(7)),
        ("use", json!(["sig"])),
        ("key_ops", json!("verify")),
        ("key_ops", json!([1])),
    ] {
        assert_eq!(
            with(P256.public_jwk().to_json(), name, value),
            Err(JwkError::WrongType(name))
        );
    }
}

#[test]
fn only_public_members_are_printed() {
    let members = with(RSA.public_jwk().to_json(), "x5c", json!(["AA"]))
        .unwrap()
        .to_json();
    let names: Vec<&str> = members.keys().map(String::as_str).collect();
    assert_eq!(names, ["alg", "e", "kid", "kty", "n", "use"]);
    assert_eq!(RSA.public_jwk().kind(), KeyKind::Rsa);
}
