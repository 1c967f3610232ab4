//! Signatures that are none, and a second signature of the same thing, at every place that verifies one (SEC-079, SEC-174).

use super::sinks::{Given, Sink};
use super::tokens::{Good, accepts};
use crate::support::clients::new;
use crate::support::{Fields, Setup, TestServer, jwt};
use jeton::throttle::Rates;
use jeton_protocol::client::{AuthenticationMethod, Client, GrantType};
use jeton_token::algorithm::SignatureAlgorithm;
use jeton_token::base64url;
use jeton_token::key_set::KeySet;
use jeton_token::signing_key::SigningKey;
use serde_json::json;

/// The order of P-256 (FIPS 186-4 D.1.2.3).
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6,
    0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

fn one() -> [u8; 32] {
    let mut one = [0; 32];
    one[31] = 1;
    one
}

/// Big-endian `left - right`.
fn minus(left: &[u8], right: &[u8]) -> Vec<u8> {
    let mut borrow = 0;
    let mut digits: Vec<u8> = left
        .iter()
        .zip(right)
        .rev()
        .map(|(left, right)| {
            let digit = i16::from(*left) - i16::from(*right) - borrow;
            borrow = i16::from(digit < 0);
            digit.rem_euclid(256) as u8
        })
        .collect();
    digits.reverse();
    digits
}

fn der(r: &[u8], s: &[u8]) -> Vec<u8> {
    let number = |bytes: &[u8]| [&[2, bytes.len() as u8 + 1, 0], bytes].concat();
    let body = [number(r), number(s)].concat();
    [&[0x30, body.len() as u8], body.as_slice()].concat()
}

/// What others took for a signature, made from a right one.
fn forgeries(right: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let length = right.len();
    let (r, s) = right.split_at(length / 2);
    let mut last = right.to_vec();
    last[length - 1] ^= 1;
    let mut first = right.to_vec();
    first[0] ^= 0x80;
    let mut all = vec![
        ("zero", vec![0; length]),
        ("all ones", vec![0xff; length]),
        ("one zero byte", vec![0]),
        ("one byte short", right[..length - 1].to_vec()),
        ("its first byte cut", right[1..].to_vec()),
        ("a zero before it", [&[0], right].concat()),
        ("a zero behind it", [right, &[0]].concat()),
        ("twice", [right, right].concat()),
        ("its last bit", last),
        ("its first bit", first),
        ("halves exchanged", [s, r].concat()),
        ("first half zero", [&vec![0; length / 2], s].concat()),
        ("second half zero", [r, &vec![0; length / 2]].concat()),
        ("first half alone", r.to_vec()),
    ];
    if length == 64 {
        let (zero, one, below) = ([0; 32], one(), minus(&ORDER, &one()));
        all.extend([
            ("r and s one", [one, one].concat()),
            ("r the order", [ORDER.as_slice(), s].concat()),
            ("s the order", [r, &ORDER].concat()),
            ("both the order", [ORDER, ORDER].concat()),
            ("r the order less one", [&below, s].concat()),
            ("r zero, s the order", [zero, ORDER].concat()),
            ("as ASN.1", der(r, s)),
        ]);
    }
    all
}

// SEC-079, SEC-174
#[tokio::test]
async fn what_is_no_signature_is_refused_wherever_one_is_verified() {
    let server = patient().start().await;
    let given = Given::by(&server).await;
    for sink in [
        (Sink::Assertion, "/token"),
        (Sink::Assertion, "/introspect"),
        (Sink::Assertion, "/revoke"),
        (Sink::Bearer, ""),
        (Sink::Introspection, ""),
        (Sink::Hint, ""),
        (Sink::LogoutHint, ""),
    ] {
        let good = Good::of(&server, sink.0, &given);
        let part = |value: &serde_json::Value| base64url::encode(value.to_string().as_bytes());
        let input = format!("{}.{}", part(&good.header), part(&good.fresh()));
        let right = good.signature(&input);
        for (name, forged) in forgeries(&right) {
            let token = format!("{input}.{}", base64url::encode(&forged));
            assert!(
                !accepts(&server, sink, &token, &given).await,
                "{sink:?}: {name}"
            );
        }
        let token = format!("{input}.{}", base64url::encode(&right));
        assert!(
            accepts(&server, sink, &token, &given).await,
            "{sink:?}: the right one"
        );
    }
}

/// A server that takes any number of wrong proofs, so that each of them is looked at.
pub fn patient() -> Setup {
    Setup {
        rates: Rates::new([5, 50, 1_000_000, 0, 0]),
        ..Setup::default()
    }
}

async fn with(key: &SigningKey) -> TestServer {
    let client = Client {
        jwks: Some(KeySet::new(vec![key.public_jwk().clone()])),
        authentication_algorithm: Some(key.algorithm()),
        ..new(
            "forged",
            AuthenticationMethod::PrivateKeyJwt,
            &[GrantType::ClientCredentials],
        )
    };
    patient().client(client).start().await
}

async fn present(server: &TestServer, input: &str, signature: &[u8]) -> u16 {
    let jwt = format!("{input}.{}", base64url::encode(signature));
    let fields = Fields::from([("grant_type", "client_credentials")]);
    let ask = server.post("/token", &jwt::with_assertion(fields, &jwt));
    server.send(ask).await.status.as_u16()
}

fn signed(key: &SigningKey, server: &TestServer) -> (String, Vec<u8>) {
    let header = json!({ "alg": key.algorithm().name() });
    let input = jwt::input(&header, &jwt::assertion_claims(server, "forged"));
    let mut signature = Vec::new();
    key.sign(input.as_bytes(), &mut signature).unwrap();
    (input, signature)
}

// SEC-079, SEC-174
#[tokio::test]
async fn every_algorithm_refuses_what_is_no_signature() {
    use SignatureAlgorithm as A;
    for algorithm in [A::Es384, A::Es512, A::EdDsa, A::Rs256, A::Ps256] {
        let key = SigningKey::generate(algorithm, None).unwrap();
        let server = with(&key).await;
        let (input, right) = signed(&key, &server);
        for (name, forged) in forgeries(&right) {
            assert_eq!(
                present(&server, &input, &forged).await,
                401,
                "{algorithm}: {name}"
            );
        }
        assert_eq!(present(&server, &input, &right).await, 200, "{algorithm}");
    }
}

// SEC-120, SEC-174: (r, s) and (r, n - s) are both signatures. A `jti` is spent, not a signature, so the twin is a replay.
#[tokio::test]
async fn the_second_signature_of_an_assertion_is_a_replay() {
    let key = SigningKey::generate(SignatureAlgorithm::Es256, None).unwrap();
    let server = with(&key).await;
    for twin_first in [false, true] {
        let (input, right) = signed(&key, &server);
        let (r, s) = right.split_at(32);
        let twin = [r, &minus(&ORDER, s)].concat();
        let (first, second) = if twin_first {
            (&twin, &right)
        } else {
            (&right, &twin)
        };
        assert_eq!(present(&server, &input, first).await, 200);
        assert_eq!(present(&server, &input, second).await, 401);
        assert_eq!(server.cause(), "client_assertion_replayed");
    }
}
