//! What may be pushed, and by whom (§2, §5, §6).

use crate::common::{
    CALLBACK, NOW, authenticated, authorize_as, authorize_query, client, judged, params,
    public_client, tenant,
};
use jeton_protocol::authorize::pushed as rules;
use jeton_protocol::authorize::request::{
    Arrival, AuthorizationRequest, AuthorizeRefusal, Circumstances, REDIRECT_URI_REGISTERED,
    RESPONSE_TYPE_CODE,
};
use jeton_protocol::authorize::request_object::KeysElsewhere;
use jeton_protocol::client::Client;
use jeton_protocol::refusal::{Refusal, Trail};
use jeton_protocol::tenant::Tenant;

pub fn push_at(
    tenant: &Tenant,
    client: Client,
    changes: &[(&str, &str)],
) -> Result<AuthorizationRequest, Refusal> {
    let caller = authenticated(client);
    let judged = Circumstances {
        elsewhere: &KeysElsewhere::None,
        arrival: Arrival::Pushed(&caller),
        ..judged(caller.client(), tenant)
    };
    assert_eq!(judged.now, NOW);
    let query = authorize_query(changes);
    AuthorizationRequest::parse(&params(&query), judged, |_| None, &mut Trail::off())
        .map_err(AuthorizeRefusal::into_refusal)
}

pub fn push(changes: &[(&str, &str)]) -> Result<AuthorizationRequest, Refusal> {
    push_at(&tenant(), client(), changes)
}

#[test]
fn a_pushed_request_is_what_the_browser_would_have_brought() {
    assert_eq!(push(&[]).unwrap(), authorize_as(&client(), &[]).unwrap());
}

#[test]
fn every_check_is_made_at_push() {
    // P-148, P-150
    assert_eq!(
        *push(&[("response_type", "x")]).unwrap_err().rule,
        RESPONSE_TYPE_CODE
    );
    for change in [
        ("code_challenge", ""),
        ("code_challenge_method", "plain"),
        ("scope", "a\"b"),
        ("prompt", "none login"),
        ("request", "x"),
        ("response_mode", "x"),
        ("claims", "["),
    ] {
        assert!(push(&[change]).is_err(), "{change:?}");
    }
}

#[test]
fn a_reference_cannot_be_pushed() {
    // P-145
    for uri in [
        "https://app.example/r",
        "urn:ietf:params:oauth:request_uri:x",
    ] {
        let refusal = push(&[("request_uri", uri)]).unwrap_err();
        assert_eq!(*refusal.rule, rules::PUSH_WITHOUT_REQUEST_URI);
        assert_eq!(refusal.code().name(), "invalid_request");
    }
}

#[test]
fn a_client_that_has_to_push_does() {
    // P-33, SEC-137: by its own record or by the tenant's policy
    let strict = Client {
        require_pushed_authorization_requests: true,
        ..client()
    };
    let Err(AuthorizeRefusal::Sent(refusal, target)) = authorize_as(&strict, &[]) else {
        panic!("not sent")
    };
    assert_eq!(*refusal.rule, rules::PUSHED);
    assert_eq!(
        (refusal.code().name(), target.redirect_uri()),
        ("invalid_request", CALLBACK)
    );
    assert!(push_at(&tenant(), strict, &[]).is_ok());

    let mut tenant = tenant();
    tenant.policy.pushed.required = true;
    let client = client();
    let query = authorize_query(&[]);
    let brought = AuthorizationRequest::parse(
        &params(&query),
        judged(&client, &tenant),
        |_| None,
        &mut Trail::off(),
    );
    assert_eq!(*brought.unwrap_err().refusal().rule, rules::PUSHED);
    assert!(push_at(&tenant, client.clone(), &[]).is_ok());
}

#[test]
fn a_new_redirection_uri_needs_the_policy_and_a_client_that_has_proven_itself() {
    // P-149, S14 (§2.4)
    let new = [("redirect_uri", "https://app.example/per-transaction/7")];
    assert_eq!(*push(&new).unwrap_err().rule, REDIRECT_URI_REGISTERED);
    let mut open = tenant();
    open.policy.pushed.unregistered_redirect_uris = true;
    let request = push_at(&open, client(), &new).unwrap();
    assert_eq!(request.target.redirect_uri(), new[0].1);
    let public = push_at(&open, public_client(), &new).unwrap_err();
    assert_eq!(*public.rule, REDIRECT_URI_REGISTERED);
    for unfit in [
        "https://app.example/cb#x",
        "javascript:alert(1)",
        "http://app.example/",
        "cb",
    ] {
        let refusal = push_at(&open, client(), &[("redirect_uri", unfit)]).unwrap_err();
        assert_eq!(*refusal.rule, REDIRECT_URI_REGISTERED, "{unfit}");
    }
    let brought = AuthorizationRequest::parse(
        &params(&authorize_query(&new)),
        judged(&client(), &open),
        |_| None,
        &mut Trail::off(),
    );
    assert!(
        matches!(brought, Err(AuthorizeRefusal::Shown(_))),
        "only when pushed"
    );
}
