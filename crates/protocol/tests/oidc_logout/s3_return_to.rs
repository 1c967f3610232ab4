//! Where the browser goes after signing out (§2, §3).

use crate::common::{client, params, redirect_uri};
use jeton_protocol::client::{ApplicationType, Client};
use jeton_protocol::logout::{self as rules, return_to};
use jeton_protocol::refusal::{ErrorCode, Refusal, Trail};

const OUT: &str = "https://app.example/out";

fn registered(uris: &[&str]) -> Client {
    Client {
        application_type: ApplicationType::Native,
        post_logout_redirect_uris: uris.iter().map(|uri| redirect_uri(uri)).collect(),
        ..client()
    }
}

fn ask(
    requested: Option<&str>,
    client: Option<&Client>,
    state: Option<&str>,
) -> Result<Option<String>, Refusal> {
    return_to(requested, client, state, &mut Trail::off())
}

#[test]
fn a_registered_uri_is_returned_to_with_the_state_and_nothing_else() {
    // P-299, P-300
    let client = registered(&[OUT]);
    assert_eq!(
        ask(Some(OUT), Some(&client), None).unwrap().as_deref(),
        Some(OUT)
    );
    let uri = ask(Some(OUT), Some(&client), Some("a b&c=d#ü%+"))
        .unwrap()
        .unwrap();
    let (base, query) = uri.split_once('?').unwrap();
    assert_eq!(base, OUT);
    assert_eq!(params(query).one("state"), Some("a b&c=d#ü%+"));
    assert_eq!(params(query).names().count(), 1);
    assert!(uri.bytes().all(|b| (0x21..=0x7e).contains(&b)));
}

#[test]
fn a_registered_query_is_kept() {
    let with_query = "https://app.example/out?a=%2fb+c";
    let client = registered(&[with_query]);
    let uri = ask(Some(with_query), Some(&client), Some("s"))
        .unwrap()
        .unwrap();
    assert_eq!(uri, format!("{with_query}&state=s"));
}

#[test]
fn without_an_address_there_is_nowhere_to_go() {
    // P-307…309
    let client = registered(&[OUT]);
    for state in [None, Some("s")] {
        assert_eq!(ask(None, Some(&client), state), Ok(None));
        assert_eq!(ask(None, None, state), Ok(None));
    }
}

#[test]
fn without_a_client_no_address_is_trusted() {
    // P-306
    let refusal = ask(Some(OUT), None, Some("s")).unwrap_err();
    assert_eq!(*refusal.rule, rules::POST_LOGOUT_CLIENT_KNOWN);
    assert_eq!(refusal.code(), ErrorCode::InvalidRequest);
}

#[test]
fn the_comparison_is_exact() {
    // P-302, P-303, P-312, SEC-205
    let client = registered(&[OUT, "https://app.example/other"]);
    for other in [
        "https://app.example/out/",
        "https://app.example/out?",
        "https://app.example/out?x=1",
        "https://app.example/out#",
        "https://app.example/Out",
        "https://APP.example/out",
        "https://app.example:443/out",
        "https://app.example/%6fut",
        "https://app.example@evil.example/out",
        "https://evil.example/",
        "https://app.example/cb",
        "",
    ] {
        let refusal = ask(Some(other), Some(&client), None).unwrap_err();
        assert_eq!(*refusal.rule, rules::POST_LOGOUT_URI_REGISTERED, "{other}");
    }
    assert!(ask(Some("https://app.example/other"), Some(&client), None).is_ok());
    assert!(ask(Some(OUT), Some(&registered(&[])), None).is_err());
}

#[test]
fn not_even_the_port_of_loopback_is_free_here() {
    // P-312
    let client = registered(&["http://127.0.0.1:8080/out"]);
    for other in ["http://127.0.0.1:8081/out", "http://127.0.0.1/out"] {
        let refusal = ask(Some(other), Some(&client), None).unwrap_err();
        assert_eq!(*refusal.rule, rules::POST_LOGOUT_URI_REGISTERED);
    }
    assert!(ask(Some("http://127.0.0.1:8080/out"), Some(&client), None).is_ok());
}

#[test]
fn a_redirection_uri_is_not_an_address_to_return_to() {
    let client = Client {
        redirect_uris: vec![redirect_uri(OUT)],
        ..registered(&[])
    };
    assert!(ask(Some(OUT), Some(&client), None).is_err());
}
