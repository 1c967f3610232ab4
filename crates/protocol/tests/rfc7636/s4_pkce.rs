//! Challenge and verifier: S256 for everybody, nothing else for anybody (§4, appendix B, RFC 9700 §2.1.1).

use crate::common::{CHALLENGE, VERIFIER, authorize, authorize_as, client, public_client};
use jeton_protocol::authorize::parameters;
use jeton_protocol::authorize::request::AuthorizeRefusal;
use jeton_protocol::pkce::{is_challenge, is_verifier, matches};
use jeton_token::base64url;
use jeton_token::secret::sha256;

#[test]
fn the_published_example_matches() {
    // Appendix B
    assert!(is_verifier(VERIFIER) && is_challenge(CHALLENGE));
    assert!(matches(CHALLENGE, VERIFIER));
}

#[test]
fn nothing_but_the_verifier_matches() {
    // SEC-132
    for wrong in [
        CHALLENGE,
        "",
        &VERIFIER[1..],
        &VERIFIER.to_lowercase(),
        &format!("{VERIFIER} "),
    ] {
        assert!(!matches(CHALLENGE, wrong), "{wrong}");
    }
    for at in 0..VERIFIER.len() {
        let mut changed = VERIFIER.to_owned().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        assert!(!matches(CHALLENGE, std::str::from_utf8(&changed).unwrap()));
    }
    assert!(!matches(VERIFIER, VERIFIER), "plain protects nothing");
    assert!(!matches("", ""));
}

#[test]
fn a_verifier_has_43_to_128_unreserved_characters() {
    // §4.1, SEC-132
    for (length, fits) in [
        (0, false),
        (42, false),
        (43, true),
        (128, true),
        (129, false),
    ] {
        assert_eq!(is_verifier(&"~".repeat(length)), fits, "{length}");
    }
    for byte in 0_u8..=0x7f {
        let text = format!("{}{}", "a".repeat(42), char::from(byte));
        let unreserved = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        assert_eq!(is_verifier(&text), unreserved, "{byte:#x}");
    }
    assert!(!is_verifier(&"é".repeat(43)));
}

#[test]
fn a_challenge_is_the_one_spelling_of_32_bytes() {
    // §4.2, SEC-133
    assert!(is_challenge(&base64url::encode(&sha256(b"x"))));
    let good = base64url::encode(&[0xff; 32]);
    for bad in [
        String::new(),
        good[1..].to_owned(),
        format!("{good}A"),
        format!("{good}="),
        format!("{}+", &good[..42]),
        format!("{}/", &good[..42]),
        format!("{} ", &good[..42]),
        "A".repeat(42) + "B",
        base64url::encode(&[0; 31]),
        base64url::encode(&[0; 33]),
        base64url::encode(&[0; 64]),
    ] {
        assert!(!is_challenge(&bad), "{bad}");
    }
}

#[test]
fn every_kind_of_client_has_to_send_a_challenge_of_s256() {
    // P-83, SEC-015, SEC-131, SEC-133, S04, S18
    let padded = format!("{CHALLENGE}=");
    for client in [client(), public_client()] {
        assert!(authorize_as(&client, &[]).is_ok());
        for (challenge, method, rule) in [
            ("", "", &parameters::CHALLENGE_SENT),
            ("", "S256", &parameters::CHALLENGE_SENT),
            ("", "plain", &parameters::CHALLENGE_SENT),
            (CHALLENGE, "", &parameters::CHALLENGE_METHOD_S256),
            (CHALLENGE, "plain", &parameters::CHALLENGE_METHOD_S256),
            (CHALLENGE, "s256", &parameters::CHALLENGE_METHOD_S256),
            (CHALLENGE, "S512", &parameters::CHALLENGE_METHOD_S256),
            (VERIFIER, "plain", &parameters::CHALLENGE_METHOD_S256),
            (&padded, "S256", &parameters::CHALLENGE_WELL_FORMED),
            ("short", "S256", &parameters::CHALLENGE_WELL_FORMED),
        ] {
            let changes = [
                ("code_challenge", challenge),
                ("code_challenge_method", method),
            ];
            match authorize_as(&client, &changes) {
                Err(AuthorizeRefusal::Sent(refusal, _)) => {
                    assert_eq!(refusal.rule, rule, "{changes:?}");
                    assert_eq!(refusal.code().name(), "invalid_request");
                }
                other => panic!("{changes:?}: {other:?}"),
            }
        }
    }
}

#[test]
fn the_challenge_is_bound_as_it_was_sent() {
    assert_eq!(authorize(&[]).unwrap().code_challenge, CHALLENGE);
}
