//! No input panics, and none is believed by luck. SEC-179.

use crate::support::*;
use http::header::{HeaderMap, HeaderValue};
use http::{Method, Response};
use jeton_resource::{
    Presented, Proofs, Requirement, Scheme, Sent, Timestamp, Verifier, challenge,
};
use proptest::prelude::*;
use serde_json::json;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_headers_are_read(authorization in "\\PC{0,80}|(Bearer|DPoP) [!-~]{0,80}", proof in "[ -~]{0,80}") {
        let mut headers = HeaderMap::new();
        for (name, text) in [("authorization", authorization), ("dpop", proof)] {
            if let Ok(value) = HeaderValue::from_bytes(text.as_bytes()) {
                headers.insert(name, value);
            }
        }
        if let Err(refused) = Presented::read(&headers) {
            let answer: Response<()> = challenge::answer(&refused, &Requirement::none());
            prop_assert!(answer.status().is_client_error());
        }
    }

    #[test]
    fn any_token_is_judged(text in "\\PC{0,200}|[A-Za-z0-9_-]{0,60}(\\.[A-Za-z0-9_-]{0,60}){1,4}", now in any::<i64>()) {
        let keys = key_set(&[]);
        let now = Timestamp::from_millis(now);
        prop_assert!(Verifier::new(ISSUER, API).verify(&text, &keys, now).is_err());
    }

    #[test]
    fn a_token_that_was_changed_is_refused(at in 0_usize..1000, to in any::<u8>()) {
        let key = made();
        let mut text = token(&key, &json!({})).into_bytes();
        let at = at % text.len();
        prop_assume!(text[at] != to);
        text[at] = to;
        let Ok(text) = String::from_utf8(text) else { return Ok(()) };
        prop_assert!(Verifier::new(ISSUER, API).verify(&text, &key_set(&[&key]), NOW).is_err());
    }

    #[test]
    fn any_proof_and_moment_are_judged(text in "\\PC{0,200}", url in "\\PC{0,60}", now in any::<i64>()) {
        let (key, holder) = (made(), made());
        let bound = bound(&key, &holder);
        let access = Verifier::new(ISSUER, API).verify(&bound, &key_set(&[&key]), NOW).unwrap();
        let presented = Presented { scheme: Scheme::Dpop, token: &bound, proof: Some(&text) };
        let sent = Sent { method: &Method::GET, url: &url, certificate: None };
        let proofs = Proofs::default().with_nonces(&secret()).unwrap();
        let now = Timestamp::from_millis(now);
        prop_assert!(proofs.prove_holder(&presented, &access, &sent, now).is_err());
        prop_assert!(proofs.next_nonce(now).is_some());
    }
}
