//! Using a `request_uri`: by whom, until when, how often (§2.2, §4, §7).

use crate::common::{NOW, client, id, params, redirect_uri, row, seconds, tenant};
use crate::s2_pushing::push;
use jeton_protocol::authorize::pushed::{self as rules, PushedRequest, URN, reference};
use jeton_protocol::authorize::request::{AuthorizationRequest, REDIRECT_URI_REGISTERED};
use jeton_protocol::client::Client;
use jeton_protocol::params::Params;
use jeton_protocol::refusal::{Refusal, Trail};
use jeton_token::timestamp::Timestamp;

fn pushed() -> PushedRequest {
    PushedRequest {
        id: row(9),
        request: push(&[]).unwrap(),
        expires_at: NOW.plus(seconds(60)),
        used_at: None,
    }
}

fn decide(
    pushed: PushedRequest,
    client: &Client,
    now: Timestamp,
) -> Result<AuthorizationRequest, Refusal> {
    rules::decide(pushed, client, &tenant(), now, &mut Trail::off())
}

#[test]
fn the_client_that_pushed_uses_it_until_it_expires() {
    // P-141, P-142
    let end = NOW.plus(seconds(60));
    assert!(decide(pushed(), &client(), end.minus(seconds(1))).is_ok());
    let late = decide(pushed(), &client(), end).unwrap_err();
    assert_eq!(*late.rule, rules::REQUEST_URI_LIVE);
    let other = Client {
        id: id("other"),
        ..client()
    };
    let refusal = decide(pushed(), &other, NOW).unwrap_err();
    assert_eq!(*refusal.rule, rules::REQUEST_URI_KNOWN);
    assert_eq!(refusal.code().name(), "invalid_request_uri");
}

#[test]
fn a_stranger_learns_nothing_of_its_state() {
    // P-141, SEC-136
    let other = Client {
        id: id("other"),
        ..client()
    };
    let used = PushedRequest {
        used_at: Some(NOW),
        ..pushed()
    };
    let refusal = decide(used, &other, NOW.plus(seconds(600))).unwrap_err();
    assert_eq!(*refusal.rule, rules::REQUEST_URI_KNOWN);
}

#[test]
fn an_answered_one_is_not_used_again() {
    // P-143
    let used = PushedRequest {
        used_at: Some(NOW),
        ..pushed()
    };
    let refusal = decide(used, &client(), NOW).unwrap_err();
    assert_eq!(*refusal.rule, rules::REQUEST_URI_UNUSED);
}

#[test]
fn a_redirection_uri_that_was_taken_back_since_is_not_used() {
    let moved = Client {
        redirect_uris: vec![redirect_uri("https://app.example/new")],
        ..client()
    };
    let refusal = decide(pushed(), &moved, NOW).unwrap_err();
    assert_eq!(*refusal.rule, REDIRECT_URI_REGISTERED);
    let mut open = tenant();
    open.policy.pushed.unregistered_redirect_uris = true;
    assert!(rules::decide(pushed(), &moved, &open, NOW, &mut Trail::off()).is_ok());
}

#[test]
fn only_our_own_urn_is_a_reference_and_it_comes_once() {
    let query = format!("client_id=app&scope=x&request_uri={URN}jtp_x");
    assert_eq!(reference(&params(&query)).unwrap(), Some("jtp_x"));
    for other in [
        "",
        "request_uri=https://app.example/r",
        "request_uri=urn:ietf:params:oauth:jtp_x",
    ] {
        assert_eq!(reference(&params(other)).unwrap(), None, "{other}");
    }
    let twice = format!("request_uri={URN}a&request_uri={URN}b");
    assert!(reference(&Params::unjudged_query(Some(&twice)).unwrap()).is_err());
}

#[test]
fn what_was_pushed_survives_being_stored() {
    let kept = serde_json::to_string(&pushed()).unwrap();
    assert_eq!(
        serde_json::from_str::<PushedRequest>(&kept).unwrap(),
        pushed()
    );
}
