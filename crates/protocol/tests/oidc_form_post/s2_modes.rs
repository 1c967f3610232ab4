//! Where the parameters of a response are (Form Post §2, Multiple Response Types §2.1, §5).

use crate::common::{CALLBACK, ISSUER, authorize, carried};
use jeton_protocol::authorize::request::{AuthorizeRefusal, RESPONSE_MODE_OFFERED};
use jeton_protocol::authorize::response::{AuthorizationResponse, Carried, ResponseTarget};

fn code(target: &ResponseTarget) -> Carried {
    carried(target, &AuthorizationResponse::Code("jtc_c"))
}

fn redirect(carried: Carried) -> String {
    match carried {
        Carried::Redirect(uri) => uri,
        Carried::Form { .. } => panic!("a form"),
    }
}

#[test]
fn a_code_goes_into_the_query_unless_asked_otherwise() {
    // P-105
    for changes in [&[][..], &[("response_mode", "query")]] {
        let uri = redirect(code(&authorize(changes).unwrap().target));
        assert!(uri.starts_with(&format!("{CALLBACK}?code=jtc_c&")), "{uri}");
        assert!(!uri.contains('#'));
    }
}

#[test]
fn in_fragment_mode_nothing_is_in_the_query() {
    // P-106
    let target = authorize(&[("response_mode", "fragment")]).unwrap().target;
    let uri = redirect(code(&target));
    assert!(
        uri.starts_with(&format!("{CALLBACK}#code=jtc_c&state=")),
        "{uri}"
    );
    assert!(!uri.contains('?'));
    let uri = redirect(carried(&target, &AuthorizationResponse::Failed));
    assert!(
        uri.starts_with(&format!("{CALLBACK}#error=server_error&")),
        "{uri}"
    );
}

#[test]
fn a_form_has_the_same_parameters_as_they_are() {
    // P-108, SEC-109, SEC-117
    let state = "\"><script>&amp;+%20";
    let target = authorize(&[("response_mode", "form_post"), ("state", state)])
        .unwrap()
        .target;
    let Carried::Form { action, fields } = code(&target) else {
        panic!("a redirect")
    };
    assert_eq!(action, CALLBACK);
    let expected = [("code", "jtc_c"), ("state", state), ("iss", ISSUER)];
    assert_eq!(
        fields,
        expected.map(|(name, value)| (name, value.to_owned()))
    );
}

#[test]
fn errors_travel_as_the_answer_would_have() {
    // P-107
    let outcome = authorize(&[("response_mode", "form_post"), ("prompt", "x")]);
    let Err(AuthorizeRefusal::Sent(refusal, target)) = outcome else {
        panic!("{outcome:?}")
    };
    let Carried::Form { fields, .. } = carried(&target, &AuthorizationResponse::Refused(&refusal))
    else {
        panic!("a redirect")
    };
    assert_eq!(fields[0], ("error", "invalid_request".to_owned()));
}

#[test]
fn a_type_with_tokens_is_refused_in_the_fragment() {
    // P-105, P-106, P-110, SEC-112
    for (kind, sign) in [
        ("token", '#'),
        ("id_token", '#'),
        ("code id_token", '#'),
        ("id_token token", '#'),
        ("none", '?'),
        ("tokens", '?'),
    ] {
        let outcome = authorize(&[("response_type", kind)]);
        let Err(AuthorizeRefusal::Sent(refusal, target)) = outcome else {
            panic!("{outcome:?}")
        };
        assert_eq!(refusal.code().name(), "unsupported_response_type");
        let uri = redirect(carried(&target, &AuthorizationResponse::Refused(&refusal)));
        let expected = format!("{CALLBACK}{sign}error=");
        assert!(uri.starts_with(&expected), "{kind}: {uri}");
    }
}

#[test]
fn a_mode_that_is_not_offered_is_refused_in_the_default_mode() {
    // SEC-110
    for mode in ["web_message", "FORM_POST", "query ", "none.jwt"] {
        let outcome = authorize(&[("response_mode", mode)]);
        let Err(AuthorizeRefusal::Sent(refusal, target)) = outcome else {
            panic!("{outcome:?}")
        };
        assert_eq!(*refusal.rule, RESPONSE_MODE_OFFERED, "{mode}");
        let uri = redirect(carried(&target, &AuthorizationResponse::Refused(&refusal)));
        assert!(
            uri.starts_with(&format!("{CALLBACK}?error=invalid_request")),
            "{uri}"
        );
    }
}
