//! RFC 8693 §2.1 and §2.2: what is asked, what comes of it, and that nothing grows.

use crate::common::{NOW, caller_of, client, form, id, key_ring, params, row, scope, tenant};
use jeton_protocol::client::{Client, GrantType, TokenExchange};
use jeton_protocol::grants::GrantRequest;
use jeton_protocol::grants::token_exchange::{self as rules, ExchangeRequest, Subject};
use jeton_protocol::introspection::TokenFacts;
use jeton_protocol::issue::{self, TokenResponse};
use jeton_protocol::refusal::{Refusal, Trail};
use jeton_protocol::standing;
use jeton_token::confirmation::Confirmation;
use jeton_token::entropy::Entropy;
use serde_json::{Value, json};

pub const ACCESS: &str = "urn:ietf:params:oauth:token-type:access_token";
pub const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

/// An access token of a user, meant for the API that exchanges it.
pub fn facts() -> TokenFacts {
    TokenFacts {
        token: row(9),
        grant: Some(row(1)),
        session: Some(row(3)),
        client: "front".to_owned(),
        subject: row(2).to_string(),
        user: Some(row(2)),
        scope: "read email".to_owned(),
        audience: vec!["https://api.example".to_owned()],
        issued_at: NOW,
        expires_at: NOW.plus(std::time::Duration::from_secs(100)),
        binding: None,
        auth_time: Some(NOW),
        acr: Some("1".to_owned()),
        act: None,
        asks_userinfo: false,
    }
}

/// The API, and what it may exchange for.
pub fn api(policy: TokenExchange) -> Client {
    Client {
        id: id("api"),
        introspects: vec!["https://api.example".to_owned()],
        token_exchange: Some(policy),
        ..client()
    }
}

pub fn policy() -> TokenExchange {
    TokenExchange {
        audiences: vec!["https://down.example".to_owned(), "other".to_owned()],
        ..TokenExchange::default()
    }
}

pub fn parse(client: &Client, more: &[(&str, &str)]) -> Result<ExchangeRequest, Refusal> {
    let mut fields = vec![
        ("grant_type", GrantType::TokenExchange.name()),
        ("subject_token", "x"),
        ("subject_token_type", ACCESS),
    ];
    fields.retain(|(name, _)| !more.iter().any(|(other, _)| other == name));
    fields.extend(more.iter().filter(|(_, value)| !value.is_empty()));
    let query = form(&fields);
    let caller = caller_of(client.clone());
    match GrantRequest::parse(&params(&query), &caller, &mut Trail::off())? {
        GrantRequest::TokenExchange(request) => Ok(request),
        GrantRequest::AuthorizationCode(_)
        | GrantRequest::RefreshToken(_)
        | GrantRequest::ClientCredentials(_)
        | GrantRequest::DeviceCode(_)
        | GrantRequest::JwtBearer(_) => panic!("not an exchange"),
    }
}

pub fn exchange(
    client: &Client,
    (subject, actor): (&TokenFacts, Option<&TokenFacts>),
    more: &[(&str, &str)],
) -> Result<TokenResponse, Refusal> {
    let trail = &mut Trail::off();
    let caller = caller_of(client.clone());
    let request = parse(client, more)?;
    let policy = rules::admit(&caller, trail)?;
    let subject = Subject::of_token(subject, &caller, trail)?;
    let standing = standing::of_token(false, trail)?;
    let tenant = tenant();
    let facts = (&subject, actor);
    let issuance = rules::decide(
        &request,
        facts,
        (&caller, &tenant),
        (policy, standing),
        trail,
    )?;
    Ok(issue::mint(
        &issuance,
        &tenant,
        &key_ring(),
        &mut Entropy::seeded(1),
        NOW,
    )
    .unwrap())
}

/// The claims of what comes of it, as a JWT.
pub fn claims(
    client: &Client,
    facts: (&TokenFacts, Option<&TokenFacts>),
    more: &[(&str, &str)],
) -> Result<Value, Refusal> {
    let mut more = more.to_vec();
    more.push(("requested_token_type", JWT));
    let response = exchange(client, facts, &more)?;
    Ok(Value::Object(crate::common::claims_of(
        &response.access_token,
    )))
}

// RFC 8693 §1.1, RFC 9449 §5
#[test]
fn a_bound_token_is_not_exchanged_by_a_client_without_its_key() {
    let key = Confirmation::DpopKey([7; 32]);
    let certificate = Confirmation::Certificate([7; 32]);
    for binding in [key, certificate].map(Some) {
        let bound = TokenFacts { binding, ..facts() };
        let down = [("audience", "https://down.example")];
        let as_subject = exchange(&api(policy()), (&bound, None), &down);
        assert_eq!(cause(as_subject), "subject_token_key");
        let down = [down[0], ("actor_token", "x"), ("actor_token_type", ACCESS)];
        let as_actor = exchange(&api(policy()), (&facts(), Some(&bound)), &down);
        assert_eq!(cause(as_actor), "subject_token_key");
    }
}

fn cause(result: Result<impl std::fmt::Debug, Refusal>) -> &'static str {
    result.unwrap_err().rule.cause
}

// S49, SEC-035, SEC-159
#[test]
fn the_token_is_the_subjects_for_the_target_by_the_client_and_keeps_the_lineage() {
    let down = [("audience", "https://down.example")];
    let claims = claims(&api(policy()), (&facts(), None), &down).unwrap();
    assert_eq!(claims["sub"], row(2).to_string());
    assert_eq!(
        (&claims["client_id"], &claims["aud"]),
        (&json!("api"), &json!("https://down.example"))
    );
    assert_eq!(
        (&claims["gid"], &claims["sid"]),
        (&json!(row(1)), &json!(row(3)))
    );
    assert_eq!(claims["act"], json!({ "sub": "api" }));
    assert_eq!(
        (&claims["scope"], &claims["acr"]),
        (&json!("read email"), &json!("1"))
    );
    assert_eq!(
        claims["exp"],
        NOW.seconds() + 100,
        "no longer than the subject token"
    );
    assert_eq!(claims["iss"], crate::common::ISSUER);
}

// SEC-035, SEC-168
#[test]
fn the_scope_is_within_the_subject_tokens_and_the_clients() {
    let api = api(policy());
    let ask = |scope: &str| {
        exchange(
            &api,
            (&facts(), None),
            &[("audience", "other"), ("scope", scope)],
        )
    };
    assert_eq!(ask("email").unwrap().scope, "email");
    assert_eq!(cause(ask("read write")), "exchange_scope_wider");
    let narrow = Client {
        scope: scope("read"),
        ..api.clone()
    };
    let default = exchange(&narrow, (&facts(), None), &[("audience", "other")]);
    assert_eq!(default.unwrap().scope, "read");
    let beyond = exchange(
        &narrow,
        (&facts(), None),
        &[("audience", "other"), ("scope", "email")],
    );
    assert_eq!(cause(beyond), "exchange_scope_wider");
}

// S49, SEC-168
#[test]
fn targets_are_those_of_the_policy_and_one_alone_need_not_be_named() {
    let ask = |policy: &TokenExchange, more: &[(&str, &str)]| {
        claims(&api(policy.clone()), (&facts(), None), more).map(|claims| claims["aud"].clone())
    };
    let two = policy();
    let one = TokenExchange {
        audiences: vec!["other".to_owned()],
        ..policy()
    };
    assert_eq!(ask(&one, &[]).unwrap(), "other");
    assert_eq!(cause(ask(&two, &[])), "exchange_target_missing");
    let both = [
        ("resource", "https://down.example"),
        ("audience", "other"),
        ("audience", "other"),
    ];
    assert_eq!(
        ask(&two, &both).unwrap(),
        json!(["https://down.example", "other"])
    );
    let beyond = [("audience", "other"), ("resource", "https://down.example/")];
    assert_eq!(cause(ask(&two, &beyond)), "exchange_target");
    assert_eq!(
        cause(ask(&TokenExchange::default(), &[])),
        "exchange_target_missing"
    );
}

// SEC-035: missing, empty and of the wrong kind
#[test]
fn a_request_names_its_tokens_and_their_types() {
    let api = api(policy());
    let refused = |more: &[(&str, &str)]| cause(parse(&api, more));
    assert_eq!(refused(&[("subject_token", "")]), "subject_token_missing");
    assert_eq!(refused(&[("subject_token_type", "")]), "subject_token_type");
    for kind in ["id_token", "refresh_token", "saml2"] {
        let kind = format!("urn:ietf:params:oauth:token-type:{kind}");
        assert_eq!(
            refused(&[("subject_token_type", &kind)]),
            "subject_token_type"
        );
        assert_eq!(
            refused(&[("requested_token_type", &kind)]),
            "requested_token_type"
        );
        assert_eq!(
            refused(&[("actor_token", "x"), ("actor_token_type", &kind)]),
            "actor_token_type"
        );
    }
    assert_eq!(refused(&[("actor_token", "x")]), "actor_token_type");
    assert_eq!(refused(&[("actor_token_type", ACCESS)]), "actor_token_type");
    assert!(parse(&api, &[("requested_token_type", JWT)]).is_ok());
}

// S50
#[test]
fn on_behalf_of_is_the_same_request_in_other_words() {
    let request = parse(
        &api(policy()),
        &[
            ("grant_type", GrantType::JwtBearer.name()),
            ("subject_token", ""),
            ("subject_token_type", ""),
            ("assertion", "x"),
            ("requested_token_use", "on_behalf_of"),
        ],
    )
    .unwrap();
    assert_eq!(request.subject.0, "x");
    assert_eq!(request.grant_type(), GrantType::JwtBearer);
}
