//! The authorization response: where it goes and what it carries (§4.1.2, §4.1.2.1, RFC 9207).

use crate::common::{
    CALLBACK, ISSUER, authorize, authorize_as, client, encode, params, redirect_uri,
};
use jeton_protocol::authorize::request::AuthorizationRequest;
use jeton_protocol::authorize::response::AuthorizationResponse;
use jeton_protocol::params::Params;
use jeton_protocol::refusal::Refusal;
use jeton_protocol::rules;

fn response(request: &AuthorizationRequest) -> String {
    encode(&request.target, &AuthorizationResponse::Code("jtc_code"))
}

/// The query behind the registered URI, decoded by the strict reader of forms.
fn query(uri: &str) -> Params<'_> {
    params(uri.split_once('?').unwrap().1)
}

#[test]
fn a_success_carries_code_state_and_issuer_and_nothing_else() {
    // P-113, P-114, SEC-109
    let request = authorize(&[]).unwrap();
    let uri = response(&request);
    assert_eq!(
        uri,
        format!("{CALLBACK}?code=jtc_code&state=af0ifjsldkj&iss=https%3A%2F%2Fid.example")
    );
    assert_eq!(query(&uri).one("iss"), Some(ISSUER));
}

#[test]
fn no_state_comes_back_when_none_was_sent() {
    // P-76
    let request = authorize(&[("state", "")]).unwrap();
    assert_eq!(request.target.state(), None);
    assert_eq!(query(&response(&request)).one("state"), None);
    assert!(!response(&request).contains("state"));
}

#[test]
fn state_comes_back_byte_for_byte_up_to_two_kibibytes() {
    // P-75, SEC-117
    let long = "€".repeat(682) + "ab";
    assert_eq!(long.len(), 2048);
    let plain = "s".repeat(2048);
    for state in [
        "a+b%20c&d=e#f?g",
        "%",
        "%00-not-decoded-twice",
        "+",
        "\u{1f600} ü \u{202e}",
        "<script>alert('1')</script>\r\nSet-Cookie: a=b",
        "{\"a\": [1, 2]}",
        "\t\u{1}\u{7f}",
        "iss=https://evil.example&code=other",
        &long,
        &plain,
    ] {
        let request = authorize(&[("state", state)]).unwrap();
        let uri = response(&request);
        assert!(uri.bytes().all(|b| (0x21..=0x7e).contains(&b)), "{uri}");
        assert!(!uri.contains('#'));
        let query = query(&uri);
        assert_eq!(query.one("state"), Some(state));
        assert_eq!(query.one("code"), Some("jtc_code"));
        assert_eq!(query.names().count(), 3);
    }
}

#[test]
fn a_registered_query_is_kept_byte_for_byte_and_ours_comes_after_it() {
    // P-66
    for (registered, separator) in [
        ("https://app.example/cb", "?"),
        ("https://app.example/cb?a=%2fb+c&x=y", "&"),
        ("https://app.example/cb?a", "&"),
        ("https://app.example/cb?", ""),
        ("https://app.example/cb?a=1&", ""),
        ("https://app.example", "?"),
        ("com.example.app:/cb", "?"),
    ] {
        let mut client = client();
        client.application_type = jeton_protocol::client::ApplicationType::Native;
        client.redirect_uris = vec![redirect_uri(registered)];
        let request = authorize_as(&client, &[("redirect_uri", registered)]).unwrap();
        let expected = format!("{registered}{separator}code=jtc_code&state=");
        assert!(response(&request).starts_with(&expected), "{registered}");
    }
}

#[test]
fn a_refusal_carries_error_description_state_and_issuer_and_nothing_else() {
    // P-111, P-112, SEC-109: the rules of every refusal there is.
    let request = authorize(&[("state", "a b")]).unwrap();
    for rule in rules::all() {
        let refusal = Refusal::new(rule, "expected", "found, which the client must not see");
        let uri = encode(&request.target, &AuthorizationResponse::Refused(&refusal));
        let query = query(&uri);
        let names: Vec<_> = query.names().collect();
        assert_eq!(names, ["error", "error_description", "state", "iss"]);
        assert_eq!(query.one("error"), Some(rule.code.name()));
        assert_eq!(query.one("state"), Some("a b"));
        assert!(
            query
                .one("error_description")
                .unwrap()
                .bytes()
                .all(|b| matches!(b, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e)),
            "{}",
            rule.cause
        );
        assert!(!uri.contains("found"), "{uri}");
    }
}

#[test]
fn what_could_not_be_found_out_is_a_server_error() {
    let request = authorize(&[]).unwrap();
    let uri = encode(&request.target, &AuthorizationResponse::Failed);
    let query = query(&uri);
    assert_eq!(query.names().collect::<Vec<_>>(), ["error", "state", "iss"]);
    assert_eq!(query.one("error"), Some("server_error"));
}

#[test]
fn the_target_survives_being_stored() {
    let request = authorize(&[("state", "ü+%")]).unwrap();
    let kept = serde_json::to_string(&request).unwrap();
    let read: AuthorizationRequest = serde_json::from_str(&kept).unwrap();
    assert_eq!(read, request);
    assert_eq!(response(&read), response(&request));
}
