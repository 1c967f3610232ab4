//! Userinfo: how the token is presented, who may use it here, what is answered (§5.3, RFC 6750 §2).

use crate::common::{ISSUER, NOW, grant, issuer, params, row, seconds, user};
use jeton_protocol::claims::ClaimsRequest;
use jeton_protocol::grant::Grant;
use jeton_protocol::introspection::TokenFacts;
use jeton_protocol::params::Params;
use jeton_protocol::refusal::{ErrorCode, Refusal, Rule, Trail};
use jeton_protocol::standing::{Standing, of_token};
use jeton_protocol::userinfo::{self as rules, admit, answer, presented};

fn facts(scope: &str) -> TokenFacts {
    TokenFacts {
        token: row(9),
        grant: Some(grant().id),
        session: Some(grant().session),
        client: "app".to_owned(),
        subject: user().subject(),
        user: Some(user().id),
        scope: scope.to_owned(),
        audience: grant().audience,
        issued_at: NOW,
        expires_at: NOW.plus(seconds(600)),
        binding: None,
        auth_time: None,
        acr: None,
        asks_userinfo: false,
    }
}

fn standing() -> Standing {
    of_token(false, &mut Trail::off()).unwrap()
}

fn read(header: Option<&str>, query: &str, body: &str) -> Result<String, Refusal> {
    let (query, body) = (params(query), params(body));
    presented(header, &query, &body, &mut Trail::off()).map(|(_, token)| token.to_owned())
}

fn refused(header: Option<&str>, query: &str, body: &str) -> &'static Rule {
    read(header, query, body).unwrap_err().rule
}

#[test]
fn the_token_comes_in_the_header_or_in_the_form() {
    // P-252…254, S08
    for header in ["Bearer jta_x", "bearer jta_x", "BEARER  jta_x "] {
        assert_eq!(read(Some(header), "", "").unwrap(), "jta_x", "{header}");
    }
    assert_eq!(read(None, "", "access_token=jta_x").unwrap(), "jta_x");
    assert_eq!(read(Some("Bearer jta_x"), "", "other=1").unwrap(), "jta_x");
}

#[test]
fn never_in_the_query_and_never_twice() {
    // P-255, SEC-167, SEC-037
    for (header, body) in [(None, ""), (Some("Bearer x"), ""), (None, "access_token=x")] {
        let rule = refused(header, "access_token=x", body);
        assert_eq!(*rule, rules::TOKEN_NOT_IN_QUERY);
        assert_eq!(rule.code, ErrorCode::InvalidRequest);
    }
    for header in ["Bearer x", "Basic x"] {
        let rule = refused(Some(header), "", "access_token=x");
        assert_eq!(*rule, rules::TOKEN_PRESENTED_ONCE);
        assert_eq!(rule.code, ErrorCode::InvalidRequest);
    }
}

#[test]
fn nothing_and_other_schemes_present_no_token() {
    // P-262
    assert_eq!(*refused(None, "", ""), rules::TOKEN_PRESENTED);
    assert_eq!(*refused(None, "", "access_token="), rules::TOKEN_PRESENTED);
    for header in ["", "Bearer", "Basic YTpi", "DPoP", "Bearerx y", "Token x"] {
        let rule = refused(Some(header), "", "");
        assert_eq!(*rule, rules::TOKEN_SCHEME, "{header}");
        assert_eq!(rule.code, ErrorCode::InvalidToken);
    }
    assert!(Params::default().is_empty());
}

#[test]
fn the_token_needs_openid_a_user_and_this_issuer_as_audience() {
    // P-263, SEC-034, SEC-037, SEC-167
    let rule = |facts: &TokenFacts| admit(facts, &issuer(), &mut Trail::off()).unwrap_err().rule;
    assert!(admit(&facts("read openid"), &issuer(), &mut Trail::off()).is_ok());
    for scope in ["", "read", "openidx", "OpenID", "profile email"] {
        let found = rule(&facts(scope));
        assert_eq!(*found, rules::OPENID_SCOPE, "{scope}");
        assert_eq!(found.code, ErrorCode::InsufficientScope);
    }
    let of_client = TokenFacts {
        user: None,
        ..facts("openid")
    };
    assert_eq!(*rule(&of_client), rules::OPENID_SCOPE);
    for audience in [
        vec![],
        vec!["https://api.example".to_owned()],
        vec![format!("{ISSUER}/")],
    ] {
        let found = rule(&TokenFacts {
            audience,
            ..facts("openid")
        });
        assert_eq!(*found, rules::MEANT_FOR_ISSUER);
        assert_eq!(found.code, ErrorCode::InvalidToken);
    }
}

#[test]
fn sub_is_always_there_and_always_the_tokens() {
    // P-256, SEC-066
    let mut odd = user();
    odd.claims.insert("sub".to_owned(), "another".into());
    let asked = Grant {
        claims: ClaimsRequest::parse(r#"{"userinfo":{"sub":{"value":"x"}}}"#),
        ..grant()
    };
    let claims = answer(&facts("openid"), &odd, Some(&asked), standing());
    assert_eq!(claims["sub"], user().subject());
    assert_eq!(claims.len(), 1);
}

#[test]
fn the_scope_of_the_token_decides_not_that_of_the_grant() {
    // P-260, SEC-037: the grant has email, this token was narrowed.
    let claims = answer(
        &facts("openid profile"),
        &user(),
        Some(&grant()),
        standing(),
    );
    assert_eq!(claims.len(), 1 + 14);
    assert!(!claims.contains_key("email"));
}

#[test]
fn claims_asked_for_userinfo_are_answered_and_those_for_the_id_token_are_not() {
    // P-84, P-85
    let asked = Grant {
        claims: ClaimsRequest::parse(
            r#"{"userinfo":{"phone_number":null},"id_token":{"email":null}}"#,
        ),
        ..grant()
    };
    let claims = answer(&facts("openid"), &user(), Some(&asked), standing());
    assert_eq!(claims.len(), 2);
    assert!(claims.contains_key("phone_number"));
    let without_grant = answer(&facts("openid"), &user(), None, standing());
    assert_eq!(without_grant.len(), 1);
}
