//! What a request object says, and what it outweighs (§4, §5, §6.3, Core §6.1).

use crate::common::{
    CALLBACK, CHALLENGE, CLIENT, ISSUER, authorize_as, authorize_query, client, params, parse,
    redirect_uri, scope, signing_key,
};
use jeton_protocol::authorize::parameters;
use jeton_protocol::authorize::request::{self, AuthorizationRequest, AuthorizeRefusal};
use jeton_protocol::authorize::request_object as rules;
use jeton_protocol::client::Client;
use jeton_protocol::params::{PARAMETER_ONCE, Params};
use jeton_protocol::refusal::Rule;
use jeton_token::SignatureAlgorithm;
use jeton_token::key_set::KeySet;
use jeton_token::signing_key::{JwtType, SigningKey};
use serde_json::{Value, json};
use std::sync::OnceLock;

pub fn key() -> &'static SigningKey {
    static KEY: OnceLock<SigningKey> = OnceLock::new();
    KEY.get_or_init(|| signing_key(SignatureAlgorithm::Es256))
}

pub fn signer() -> Client {
    Client {
        jwks: Some(KeySet::new(vec![key().public_jwk().clone()])),
        redirect_uris: vec![
            redirect_uri(CALLBACK),
            redirect_uri("https://app.example/2"),
        ],
        ..client()
    }
}

/// A whole request; `changes` replace or add members, `null` takes one away.
pub fn inside(changes: &Value) -> Value {
    let mut claims = json!({
        "client_id": CLIENT, "response_type": "code", "redirect_uri": CALLBACK, "scope": "openid read",
        "state": "inside", "code_challenge": CHALLENGE, "code_challenge_method": "S256",
    });
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
        .as_object_mut()
        .unwrap()
        .retain(|_, value| !value.is_null());
    claims
}

pub fn sign(claims: &Value) -> String {
    key().sign_jwt(JwtType::IdToken, claims).unwrap()
}

/// What comes of the object with nothing but `client_id` beside it.
pub fn ask(jwt: &str) -> Result<AuthorizationRequest, AuthorizeRefusal> {
    let query = crate::common::form(&[("client_id", CLIENT), ("request", jwt)]);
    parse(&params(&query), &signer())
}

pub fn shown(outcome: Result<AuthorizationRequest, AuthorizeRefusal>) -> &'static Rule {
    match outcome {
        Err(AuthorizeRefusal::Shown(refusal)) => refusal.rule,
        other => panic!("not shown: {other:?}"),
    }
}

#[test]
fn a_signed_object_is_a_whole_request() {
    // P-128, P-132
    let changes = json!({"max_age": 60, "claims": {"userinfo": {"email": null}}, "nonce": "n", "prompt": "login"});
    let request = ask(&sign(&inside(&changes))).unwrap();
    assert_eq!(request.target.state(), Some("inside"));
    assert_eq!(request.scope, scope("openid read"));
    assert_eq!(request.max_age, Some(60));
    assert_eq!(request.nonce.as_deref(), Some("n"));
    assert!(request.claims.is_some());
}

#[test]
fn only_what_is_inside_counts() {
    // P-125, P-126, SEC-137, SEC-138
    let jwt = sign(&inside(&json!({})));
    let request = authorize_as(
        &signer(),
        &[
            ("request", &jwt),
            ("redirect_uri", "https://evil.example/"),
            ("scope", "openid read write"),
            ("state", "outside"),
            ("nonce", "outside"),
            ("prompt", "none"),
            ("response_mode", "form_post"),
        ],
    )
    .unwrap();
    assert_eq!(request.target.redirect_uri(), CALLBACK);
    assert_eq!(request.target.state(), Some("inside"));
    assert_eq!(request.scope, scope("openid read"));
    assert_eq!((request.nonce, request.prompt.len()), (None, 0));
    assert_eq!(
        request.target.mode(),
        jeton_protocol::authorize::response::ResponseMode::Query
    );
}

#[test]
fn what_is_missing_inside_is_not_taken_from_outside() {
    // P-125, SEC-138
    let jwt = sign(&inside(&json!({"code_challenge": null})));
    let outcome = authorize_as(&signer(), &[("request", &jwt)]);
    let Err(AuthorizeRefusal::Sent(refusal, target)) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(*refusal.rule, parameters::CHALLENGE_SENT);
    assert_eq!(target.state(), Some("inside"));
    let jwt = sign(&inside(&json!({"redirect_uri": null})));
    let outcome = authorize_as(&signer(), &[("request", &jwt)]);
    assert_eq!(*shown(outcome), request::REDIRECT_URI_SENT);
}

#[test]
fn the_client_and_the_response_type_have_to_agree() {
    // P-125
    for changes in [
        json!({"client_id": "other"}),
        json!({"client_id": null}),
        json!({"iss": "other"}),
    ] {
        let outcome = ask(&sign(&inside(&changes)));
        assert_eq!(*shown(outcome), rules::OBJECT_OF_CLIENT, "{changes}");
    }
    let jwt = sign(&inside(&json!({})));
    let outcome = authorize_as(&signer(), &[("request", &jwt), ("response_type", "token")]);
    let refusal = outcome.unwrap_err();
    assert_eq!(*refusal.refusal().rule, rules::OBJECT_TYPE_AGREES);
}

#[test]
fn an_object_holds_no_other_request_and_cannot_pass_for_an_assertion() {
    // P-146, SEC-138, RFC 9101 §10.8
    for (name, rule) in [
        ("request", &rules::OBJECT_PLAIN),
        ("request_uri", &rules::OBJECT_PLAIN),
        ("sub", &rules::OBJECT_NO_SUBJECT),
    ] {
        let outcome = ask(&sign(&inside(&json!({ name: "x" }))));
        assert_eq!(*shown(outcome), *rule, "{name}");
    }
}

#[test]
fn value_and_reference_do_not_go_together() {
    // P-127
    let jwt = sign(&inside(&json!({})));
    let changes = [
        ("request", jwt.as_str()),
        ("request_uri", "https://app.example/r"),
    ];
    let refusal = authorize_as(&signer(), &changes).unwrap_err();
    assert_eq!(*refusal.refusal().rule, rules::ONE_SOURCE);
}

#[test]
fn a_reference_elsewhere_is_not_fetched() {
    // P-124
    let refusal = authorize_as(&signer(), &[("request_uri", "https://app.example/r")]).unwrap_err();
    assert_eq!(*refusal.refusal().rule, request::REQUEST_URI_ABSENT);
    assert_eq!(refusal.refusal().code().name(), "request_uri_not_supported");
}

#[test]
fn a_repeated_object_is_no_object() {
    let jwt = sign(&inside(&json!({})));
    let query = format!("{}&request={jwt}&request=x", authorize_query(&[]));
    let refusal = parse(&Params::unjudged_query(Some(&query)).unwrap(), &signer()).unwrap_err();
    assert_eq!(*refusal.refusal().rule, PARAMETER_ONCE);
}

#[test]
fn members_that_are_null_or_empty_are_absent() {
    let mut claims = inside(&json!({"nonce": ""}));
    claims["login_hint"] = Value::Null;
    let request = ask(&sign(&claims)).unwrap();
    assert_eq!((request.nonce, request.login_hint), (None, None));
}

#[test]
fn a_client_that_has_to_sign_is_refused_without() {
    let strict = Client {
        require_signed_request_object: true,
        ..signer()
    };
    let refusal = authorize_as(&strict, &[]).unwrap_err();
    assert_eq!(*refusal.refusal().rule, rules::OBJECT_SENT);
    assert!(matches!(refusal, AuthorizeRefusal::Sent(..)));
    assert!(authorize_as(&strict, &[("request", &sign(&inside(&json!({}))))]).is_ok());
}

#[test]
fn a_broken_object_is_told_to_where_the_parameters_outside_lead_if_that_is_registered() {
    // P-126, P-135, SEC-005
    let outcome = authorize_as(&signer(), &[("request", "x.y.z")]);
    let Err(AuthorizeRefusal::Sent(refusal, target)) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(refusal.code().name(), "invalid_request_object");
    assert_eq!(target.redirect_uri(), CALLBACK);
    let outcome = authorize_as(
        &signer(),
        &[
            ("request", "x.y.z"),
            ("redirect_uri", "https://evil.example/"),
        ],
    );
    assert_eq!(*shown(outcome), rules::OBJECT_PARSES);
    // The URI inside is as foreign as one outside.
    let jwt = sign(&inside(
        &json!({"redirect_uri": "https://evil.example/", "aud": ISSUER}),
    ));
    let outcome = authorize_as(&signer(), &[("request", &jwt)]);
    assert_eq!(*shown(outcome), request::REDIRECT_URI_REGISTERED);
}
