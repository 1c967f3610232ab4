//! RFC 6750 §3, RFC 9449 §7.1 and §8, RFC 9470 §3: the exact challenges.

use http::header::{HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use http::{Response, StatusCode};
use jeton_resource::challenge::{answer, challenges};
use jeton_resource::{Presented, Refused, Rejected, Requirement, Scheme, Unavailable};
use std::time::Duration;

const ALGS: &str = r#"algs="ES256 ES384 ES512 PS256 PS384 PS512 EdDSA""#;

fn told(why: Rejected, scheme: Option<Scheme>, requirement: &Requirement) -> (u16, Vec<String>) {
    let refused = Refused { why, scheme };
    let response: Response<()> = answer(&refused, requirement);
    let values = response.headers().get_all(WWW_AUTHENTICATE).iter();
    let values: Vec<String> = values.map(|v| v.to_str().unwrap().to_owned()).collect();
    assert_eq!(values, challenges(&refused, requirement));
    assert_eq!(response.extensions().get::<Refused>(), Some(&refused));
    (response.status().as_u16(), values)
}

// P-225
#[test]
fn each_refusal_has_its_status_and_challenge() {
    let bearer = Some(Scheme::Bearer);
    let dpop = Some(Scheme::Dpop);
    let none = Requirement::none();
    assert_eq!(
        told(Rejected::NoToken, None, &none),
        (401, vec!["Bearer".to_owned(), format!("DPoP {ALGS}")])
    );
    assert_eq!(
        told(Rejected::Expired, bearer, &none),
        (401, vec![r#"Bearer error="invalid_token", error_description="The access token is not valid here, or not any more""#.to_owned()])
    );
    assert_eq!(
        told(Rejected::ProofKey, dpop, &none),
        (
            401,
            vec![format!(
                r#"DPoP error="invalid_token", error_description="The access token is bound to another key", {ALGS}"#
            )]
        )
    );
    assert_eq!(
        told(Rejected::ProofTime, dpop, &none),
        (
            401,
            vec![format!(
                r#"DPoP error="invalid_dpop_proof", error_description="The DPoP proof is too old, or from the future", {ALGS}"#
            )]
        )
    );
    assert_eq!(
        told(Rejected::ProofNonce, dpop, &none),
        (
            401,
            vec![format!(
                r#"DPoP error="use_dpop_nonce", error_description="The DPoP proof must carry the nonce of the DPoP-Nonce header", {ALGS}"#
            )]
        )
    );
    let (status, both) = told(Rejected::BoundAsBearer, bearer, &none);
    assert_eq!((status, both.len()), (401, 2));
    assert!(both[1].starts_with(r#"DPoP error="invalid_token", "#));
    let (status, one) = told(Rejected::Request, bearer, &none);
    assert_eq!((status, one.len()), (400, 1));
    assert!(one[0].starts_with(r#"Bearer error="invalid_request", "#));
    assert_eq!(
        told(Rejected::Scope, bearer, &Requirement::scope("read write")),
        (403, vec![r#"Bearer error="insufficient_scope", error_description="The access token lacks scope for this request", scope="read write""#.to_owned()])
    );
    let step_up = Requirement::none()
        .and_acr(["hwk", "mfa"])
        .and_max_age(Duration::from_secs(5));
    assert_eq!(
        told(Rejected::Authentication, bearer, &step_up),
        (401, vec![r#"Bearer error="insufficient_user_authentication", error_description="The user has to sign in again, or in another way", acr_values="hwk mfa", max_age="5""#.to_owned()])
    );
}

#[test]
fn what_could_not_be_found_out_is_nobodys_fault_and_may_be_tried_again() {
    let refused = Refused {
        why: Unavailable::Status(500).into(),
        scheme: Some(Scheme::Bearer),
    };
    let response: Response<()> = answer(&refused, &Requirement::none());
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(!response.headers().contains_key(WWW_AUTHENTICATE));
    assert_eq!(response.headers()["retry-after"], "1");
}

#[test]
fn a_requirement_cannot_break_out_of_its_quotes() {
    let odd = Requirement::scope("a\",error=\"b\\ ü\u{7}");
    let (_, values) = told(Rejected::Scope, Some(Scheme::Bearer), &odd);
    assert!(values[0].ends_with(r#"scope="a,error=b ""#), "{values:?}");
}

// RFC 6750 §2.1, RFC 9449 §4.3, P-205
#[test]
fn a_token_comes_in_one_authorization_header() {
    let read = |values: &[(&'static str, &'static str)]| {
        let mut headers = HeaderMap::new();
        for (name, value) in values {
            headers.append(*name, HeaderValue::from_static(value));
        }
        let read = Presented::read(&headers);
        read.map(|found| (found.scheme, found.token.to_owned(), found.proof.is_some()))
            .map_err(|refused| refused.why)
    };
    let header = |value| [("authorization", value)];
    let bearer = |token: &str| Ok((Scheme::Bearer, token.to_owned(), false));
    for (value, token) in [("Bearer a.b-c_~+/=", "a.b-c_~+/="), ("bEARER   x", "x")] {
        assert_eq!(read(&header(value)), bearer(token));
    }
    for value in ["Basic YTpi", "Bearertoken", "", "Token x", "bearer,x"] {
        assert_eq!(read(&header(value)), Err(Rejected::NoToken), "{value}");
    }
    for value in [
        "Bearer",
        "Bearer ",
        "Bearer a b",
        "Bearer =",
        "Bearer a=b",
        "DPoP \"x\"",
    ] {
        assert_eq!(read(&header(value)), Err(Rejected::Request), "{value}");
    }
    assert_eq!(read(&[]), Err(Rejected::NoToken));
    let twice = [("authorization", "Bearer x"), ("authorization", "Bearer x")];
    assert_eq!(read(&twice), Err(Rejected::Request));
    let proofs = [("authorization", "DPoP x"), ("dpop", "p"), ("dpop", "p")];
    assert_eq!(read(&proofs), Err(Rejected::ProofRepeated));
    assert_eq!(read(&proofs[..2]), Ok((Scheme::Dpop, "x".to_owned(), true)));
}
