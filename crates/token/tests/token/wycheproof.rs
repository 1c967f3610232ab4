//! SEC-079, SEC-174: what others have gone wrong with, from Project Wycheproof (see `tests/vectors/wycheproof/README.md`).

use jeton_token::algorithm::SignatureAlgorithm;
use jeton_token::jwk::PublicJwk;
use jeton_token::jws::Jws;
use jeton_token::key_set::KeySet;
use jeton_token::secret::Secret;
use jeton_token::{base64url, json};
use serde_json::{Map, Value};

fn read(name: &str) -> Value {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/wycheproof");
    let text = std::fs::read_to_string(format!("{folder}/{name}.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap()
}

fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value[name].as_array().unwrap()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

/// The key as our strict reader takes it, if it does.
fn key(members: &Value) -> Option<PublicJwk> {
    let members = json::parse_object(members.to_string().as_bytes(), 100_000).unwrap();
    PublicJwk::parse(&members).ok()
}

/// Every signature of a file is accepted or refused as it says. An RSA exponent of three is no key here.
fn signatures(name: &str) -> (usize, usize) {
    let file = read(name);
    let algorithm = SignatureAlgorithm::parse(text(&file, "algorithm")).unwrap();
    let (mut accepted, mut refused) = (0, 0);
    for group in list(&file, "groups") {
        let key = key(&group["key"]);
        assert_eq!(key.is_none(), group["key"]["e"] == "Aw", "{name}");
        for test in list(group, "tests") {
            let (message, signature) = (unhex(text(test, "msg")), unhex(text(test, "sig")));
            let ours = key
                .as_ref()
                .is_some_and(|key| key.verifies(algorithm, &message, &signature));
            let (result, comment) = (text(test, "result"), text(test, "comment"));
            let theirs = result == "valid" && key.is_some();
            assert_eq!(ours, theirs, "{name} {}: {comment}", test["tcId"]);
            *(if ours { &mut accepted } else { &mut refused }) += 1;
        }
    }
    (accepted, refused)
}

// SEC-079, SEC-174
#[test]
fn signatures_on_the_curves_of_nist_are_judged_as_wycheproof_does() {
    for name in [
        "ecdsa_secp256r1_sha256_p1363",
        "ecdsa_secp384r1_sha384_p1363",
        "ecdsa_secp521r1_sha512_p1363",
    ] {
        let (accepted, refused) = signatures(name);
        assert!(
            accepted > 100 && refused > 50,
            "{name} {accepted} {refused}"
        );
    }
}

// SEC-079, SEC-174
#[test]
fn ed25519_signatures_are_judged_as_wycheproof_does() {
    let (accepted, refused) = signatures("ed25519");
    assert!(accepted > 50 && refused > 50, "{accepted} {refused}");
}

// SEC-174
#[test]
fn rsa_signatures_are_judged_as_wycheproof_does() {
    for (name, least) in [
        ("rsa_signature_2048_sha256", 240),
        ("rsa_signature_3072_sha256", 10),
        ("rsa_signature_4096_sha256", 10),
        ("rsa_pss_2048_sha256_mgf1_32", 40),
        ("rsa_pss_3072_sha256_mgf1_32", 5),
        ("rsa_pss_4096_sha256_mgf1_32", 5),
    ] {
        let (accepted, refused) = signatures(name);
        assert!(
            accepted > 1 && refused >= least,
            "{name} {accepted} {refused}"
        );
    }
}

/// Whether one of the keys proves the token, each in the only way its type allows.
fn proves(keys: &[Value], jws: &str) -> bool {
    let Ok(unverified) = Jws::parse(jws) else {
        return false;
    };
    let secret = |key: &Map<String, Value>| {
        let algorithm = key.get("alg").and_then(Value::as_str);
        let fits = algorithm.is_none_or(|alg| alg == unverified.header().alg.name());
        let bytes = base64url::decode(key["k"].as_str().unwrap()).ok();
        fits && bytes.is_some_and(|bytes| unverified.verify_hmac(&Secret::new(bytes), 1).is_ok())
    };
    if let [Value::Object(only)] = keys
        && only["kty"] == "oct"
    {
        return secret(only);
    }
    let set = serde_json::json!({ "keys": keys }).to_string();
    KeySet::parse(set.as_bytes()).is_ok_and(|set| set.verify(&unverified).is_some())
}

/// `unlike` are the cases that are judged otherwise here.
fn tokens(name: &str, unlike: &[u64]) {
    let file = read(name);
    for group in list(&file, "groups") {
        let keys = match group["key"].get("keys") {
            Some(keys) => keys.as_array().unwrap().clone(),
            None => vec![group["key"].clone()],
        };
        for test in list(group, "tests") {
            let number = test["tcId"].as_u64().unwrap();
            let ours = proves(&keys, text(test, "jws"));
            let theirs = text(test, "result") == "valid";
            let expected = theirs != unlike.contains(&number);
            assert_eq!(ours, expected, "{name} {number}: {}", test["comment"]);
        }
    }
}

// SEC-070…SEC-075, SEC-174, SEC-177
#[test]
fn compact_tokens_are_judged_as_wycheproof_does() {
    // A key for PS256 proves no PS384, and no algorithm is called ES521: keys are taken at their word (RFC 7517 §4.4).
    let stricter = [346, 347, 350, 351];
    // Called valid there, with a question mark among the base64url (RFC 7515 §2).
    let no_base64 = [372, 373];
    // Called invalid there for a padding that these two have lost: both are case 357, letter for letter.
    let lost = [367, 370];
    tokens(
        "json_web_signature",
        &[&stricter[..], &no_base64, &lost].concat(),
    );
    let file = read("json_web_signature");
    let cases = list(&file, "groups")
        .iter()
        .flat_map(|group| list(group, "tests"));
    let right = |number: u64| {
        let mut cases = cases.clone();
        text(cases.find(|case| case["tcId"] == number).unwrap(), "jws").to_owned()
    };
    assert!(lost.iter().all(|number| right(*number) == right(357)));
}

// SEC-073, SEC-079
#[test]
fn keys_are_judged_as_wycheproof_does() {
    // A set of secrets is not a thing there is: a client has one.
    tokens("json_web_key", &[2]);
}
