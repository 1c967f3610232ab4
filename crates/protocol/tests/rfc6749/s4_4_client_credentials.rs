//! Client credentials: the client for itself, never with what needs a user (§4.4).

use crate::common::{NOW, caller_of, client, form, key_ring, params, public_client, scope, tenant};
use jeton_protocol::client::Client;
use jeton_protocol::grants::client_credentials::{self as rules};
use jeton_protocol::grants::{self, GrantRequest};
use jeton_protocol::issue::{self, Issuance, TokenResponse};
use jeton_protocol::refusal::{ErrorCode, Refusal, Trail};
use jeton_protocol::standing;
use jeton_token::entropy::Entropy;

fn request(asked: &str) -> Result<rules::ClientCredentialsRequest, Refusal> {
    let body = form(&[("grant_type", "client_credentials"), ("scope", asked)]);
    let request = GrantRequest::parse(&params(&body), &caller_of(client()), &mut Trail::off())?;
    let GrantRequest::ClientCredentials(request) = request else {
        panic!("{request:?}");
    };
    Ok(request)
}

fn decide(caller: Client, asked: &str, is_cut: bool) -> Result<Issuance, Refusal> {
    rules::decide(
        &request(asked)?,
        (&caller_of(caller), &tenant()),
        is_cut,
        &mut Trail::off(),
    )
}

fn issued(asked: &str) -> TokenResponse {
    let issuance = decide(client(), asked, false).unwrap();
    assert!(!issuance.issues_refresh_token() && !issuance.wants_user_claims());
    issue::mint(
        &issuance,
        &tenant(),
        &key_ring(),
        &mut Entropy::seeded(1),
        NOW,
    )
    .unwrap()
}

#[test]
fn without_scope_everything_registered_that_needs_no_user() {
    // S41, S43
    assert_eq!(scope(&issued("").scope), scope("read write"));
}

#[test]
fn a_narrower_scope_is_given_as_asked() {
    assert_eq!(issued("write").scope, "write");
}

#[test]
fn there_is_no_refresh_token_and_no_id_token() {
    // P-182, S43
    let response = issued("");
    assert_eq!(response.refresh_token, None);
    assert_eq!(response.id_token, None);
}

#[test]
fn scopes_of_a_user_are_never_given_though_registered() {
    for user_scope in jeton_protocol::scope::OPENID_CONNECT {
        for asked in [user_scope.to_owned(), format!("read {user_scope}")] {
            let refusal = decide(client(), &asked, false).unwrap_err();
            assert_eq!(*refusal.rule, rules::CLIENT_SCOPE_WITHIN, "{asked}");
            assert_eq!(refusal.code(), ErrorCode::InvalidScope);
        }
        let mut only = client();
        only.scope = scope(&format!("{user_scope} read"));
        let issuance = decide(only, "", false).unwrap();
        let response = issue::mint(
            &issuance,
            &tenant(),
            &key_ring(),
            &mut Entropy::seeded(1),
            NOW,
        )
        .unwrap();
        assert_eq!(response.scope, "read");
    }
}

#[test]
fn nothing_beyond_the_registration_is_given() {
    // SEC-141
    for asked in ["secret.admin", "read secret.admin", "Read", "readwrite"] {
        let refusal = decide(client(), asked, false).unwrap_err();
        assert_eq!(*refusal.rule, rules::CLIENT_SCOPE_WITHIN, "{asked}");
    }
    let refusal = request("re\"ad").unwrap_err();
    assert_eq!(*refusal.rule, grants::SCOPE_PARSES);
}

#[test]
fn a_scope_of_spaces_is_malformed_rather_than_a_token_without_scope() {
    // RFC 6749 §3.3: one value at least.
    let refusal = request("  ").unwrap_err();
    assert_eq!(*refusal.rule, grants::SCOPE_PARSES);
}

#[test]
fn a_public_client_is_not_authorized() {
    // SEC-024
    let refusal = decide(public_client(), "read", false).unwrap_err();
    assert_eq!(*refusal.rule, rules::CLIENT_CONFIDENTIAL);
    assert_eq!(refusal.code(), ErrorCode::UnauthorizedClient);
}

#[test]
fn a_cut_client_gets_nothing() {
    // SEC-030
    let refusal = decide(client(), "read", true).unwrap_err();
    assert_eq!(*refusal.rule, standing::NOT_CUT);
}
