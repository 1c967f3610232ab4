//! Bound tokens at a protected resource (§7).

use crate::common::{ISSUER, NOW, grant, row, seconds};
use crate::prover::{ONE, OTHER, at_userinfo, claims, key_of, signed};
use jeton_protocol::dpop::resource::{self as rules, needs_proof, prove_holder};
use jeton_protocol::dpop::{PROOF_CLAIMS, verify};
use jeton_protocol::introspection::TokenFacts;
use jeton_protocol::params::Params;
use jeton_protocol::refusal::{ErrorCode, Trail};
use jeton_protocol::userinfo::{Scheme, presented};
use jeton_token::dpop::Request;
use jeton_token::{Confirmation, base64url, sha256};
use serde_json::json;

fn facts(binding: Option<Confirmation>) -> TokenFacts {
    TokenFacts {
        token: row(9),
        grant: None,
        session: None,
        client: "app".to_owned(),
        subject: "s".to_owned(),
        user: None,
        scope: "openid".to_owned(),
        audience: grant().audience,
        issued_at: NOW,
        expires_at: NOW.plus(seconds(600)),
        binding,
        auth_time: None,
        acr: None,
        asks_userinfo: false,
    }
}

// P-205, P-224
#[test]
fn the_scheme_of_the_header_is_read_and_a_token_in_the_body_is_a_bearer_token() {
    let nothing = Params::default();
    let mut trail = Trail::off();
    for (header, scheme) in [
        ("DPoP jta_x", Scheme::Dpop),
        ("dpop jta_x", Scheme::Dpop),
        ("Bearer jta_x", Scheme::Bearer),
    ] {
        let found = presented(Some(header), &nothing, &nothing, &mut trail);
        assert_eq!(found, Ok((scheme, "jta_x")));
    }
    let body = crate::common::params("access_token=jta_x");
    let found = presented(None, &nothing, &body, &mut trail);
    assert_eq!(found, Ok((Scheme::Bearer, "jta_x")));
}

// P-224, SEC-038, SEC-181
#[test]
fn a_bound_token_comes_by_dpop_and_an_unbound_one_by_bearer() {
    let bound = [key_of(&ONE), Confirmation::Certificate([1; 32])];
    for key in bound {
        let refusal = needs_proof(&facts(Some(key)), Scheme::Bearer, &mut Trail::off());
        let refusal = refusal.unwrap_err();
        assert_eq!(refusal.rule, &rules::BOUND_BY_DPOP);
        assert_eq!(refusal.code(), ErrorCode::InvalidToken);
        assert_eq!(
            needs_proof(&facts(Some(key)), Scheme::Dpop, &mut Trail::off()),
            Ok(true)
        );
    }
    let unbound = needs_proof(&facts(None), Scheme::Dpop, &mut Trail::off()).unwrap_err();
    assert_eq!(unbound.rule, &rules::UNBOUND_BY_BEARER);
    assert_eq!(
        needs_proof(&facts(None), Scheme::Bearer, &mut Trail::off()),
        Ok(false)
    );
}

// P-221, SEC-180
#[test]
fn a_proof_at_a_resource_names_the_token_it_comes_with() {
    let url = format!("{ISSUER}/userinfo");
    let request = Request {
        method: "GET",
        url: &url,
        access_token: Some("jta_x"),
    };
    let hash = |token: &str| base64url::encode(&sha256(token.as_bytes()));
    for (ath, accepted) in [
        (json!(hash("jta_x")), true),
        (json!(hash("jta_y")), false),
        (json!("jta_x"), false),
        (json!(null), false),
    ] {
        let claims = claims(&json!({ "htm": "GET", "htu": url, "ath": ath }));
        let text = signed(&ONE, &claims);
        match verify(&text, &request, None, NOW, &mut Trail::off()) {
            Ok(_) => assert!(accepted, "{ath}"),
            Err(refusal) if ath.is_null() => assert_eq!(refusal.rule, &PROOF_CLAIMS),
            Err(refusal) => assert_eq!((refusal.rule, accepted), (&rules::PROOF_TOKEN, false)),
        }
    }
}

// P-222, SEC-038
#[test]
fn only_the_holder_of_the_tokens_key_may_use_it() {
    let holder = |bound_to, key| {
        prove_holder(
            Some(bound_to),
            &at_userinfo(key, "jta_x"),
            &mut Trail::off(),
        )
        .map_err(|refusal| refusal.rule)
    };
    assert_eq!(holder(key_of(&ONE), &ONE), Ok(()));
    assert_eq!(
        holder(key_of(&ONE), &OTHER),
        Err(&rules::PROOF_KEY_OF_TOKEN)
    );
    let thumbprint = ONE.public_jwk().thumbprint_bytes();
    let certificate = Confirmation::Certificate(thumbprint);
    assert_eq!(holder(certificate, &ONE), Err(&rules::PROOF_KEY_OF_TOKEN));
}
