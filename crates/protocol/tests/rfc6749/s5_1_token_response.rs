//! The token response: which members, of which types (§5.1).

use crate::common::{
    NOW, caller_of, client, form, grant, key_ring, params, pending, seconds, tenant,
};
use jeton_protocol::client::Client;
use jeton_protocol::grant::PendingGrant;
use jeton_protocol::grants::GrantRequest;
use jeton_protocol::grants::authorization_code::{self, CodeDecision};
use jeton_protocol::issue::{self, KeyRing, MintError, audience};
use jeton_protocol::refusal::Trail;
use jeton_protocol::tenant::TokenFormat;
use jeton_token::entropy::Entropy;
use jeton_token::handle::HandleKind;
use jeton_token::{SignatureAlgorithm, at_jwt, jws};
use serde_json::Value;

fn issuance(client: Client) -> Box<issue::Issuance> {
    issuance_of(&pending(), client)
}

fn issuance_of(pending: &PendingGrant, client: Client) -> Box<issue::Issuance> {
    let body = form(&[
        ("grant_type", "authorization_code"),
        ("code", "c"),
        ("redirect_uri", crate::common::CALLBACK),
        ("code_verifier", crate::common::VERIFIER),
    ]);
    let caller = caller_of(client);
    let request = GrantRequest::parse(&params(&body), &caller, &mut Trail::off()).unwrap();
    let GrantRequest::AuthorizationCode(request) = request else {
        panic!("not a code");
    };
    let decision = authorization_code::decide(
        (pending, false),
        &request,
        (&caller, &tenant()),
        NOW,
        &mut Trail::off(),
    );
    match decision.unwrap() {
        CodeDecision::Issue(issuance) => issuance,
        CodeDecision::Replayed => panic!("replayed"),
    }
}

fn mint(client: Client, ring: &KeyRing) -> Result<issue::TokenResponse, MintError> {
    issue::mint(
        &issuance(client),
        &tenant(),
        ring,
        &mut Entropy::seeded(5),
        NOW,
    )
}

#[test]
fn it_has_the_members_of_the_specification_and_no_other() {
    // P-155, P-156, S37
    let response = serde_json::to_value(mint(client(), &key_ring()).unwrap()).unwrap();
    let names: Vec<_> = response.as_object().unwrap().keys().cloned().collect();
    let mut expected = [
        "access_token",
        "token_type",
        "expires_in",
        "refresh_token",
        "id_token",
        "scope",
    ];
    expected.sort_unstable();
    let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, expected);
    assert_eq!(response["token_type"], "Bearer");
    assert_eq!(response["expires_in"], Value::from(600));
    assert_eq!(response["scope"], "openid email read write");
}

#[test]
fn what_was_granted_is_what_the_sealed_access_token_says() {
    let ring = key_ring();
    let response = mint(client(), &ring).unwrap();
    let facts = ring.seals.open("default", &response.access_token).unwrap();
    let grant = grant();
    assert_eq!(facts.grant, Some(grant.id));
    assert_eq!(facts.client, "app");
    assert_eq!(facts.subject, grant.subject);
    assert_eq!(facts.scope, "openid email read write");
    assert_eq!(facts.audience, grant.audience);
    assert_eq!(
        (facts.issued_at, facts.expires_at),
        (NOW, NOW.plus(seconds(600)))
    );
    assert_eq!(
        facts.session,
        Some(grant.session),
        "its end takes the token along"
    );
    let handle = ring
        .handles
        .open(
            "default",
            HandleKind::RefreshToken,
            &response.refresh_token.unwrap(),
        )
        .unwrap();
    assert_eq!(
        (handle.row, handle.generation),
        (grant.id, issue::FIRST_GENERATION)
    );
}

#[test]
fn a_token_of_one_tenant_opens_in_no_other() {
    // SEC-R06
    let ring = key_ring();
    let response = mint(client(), &ring).unwrap();
    assert!(ring.seals.open("other", &response.access_token).is_err());
    let refresh = response.refresh_token.unwrap();
    assert!(
        ring.handles
            .open("other", HandleKind::RefreshToken, &refresh)
            .is_err()
    );
    assert!(
        ring.handles
            .open("default", HandleKind::Code, &refresh)
            .is_err()
    );
}

#[test]
fn a_client_may_have_signed_access_tokens_of_the_type_of_its_own() {
    // S51, SEC-159, SEC-176
    let jwts = Client {
        access_token_format: Some(TokenFormat::Jwt),
        access_token_signed_response_alg: Some(SignatureAlgorithm::EdDsa),
        access_token_lifetime: Some(seconds(60)),
        ..client()
    };
    let ring = key_ring();
    let response = mint(jwts, &ring).unwrap();
    assert_eq!(response.expires_in, 60);
    let jws = jws::Jws::parse(&response.access_token).unwrap();
    assert!(jws.header().typ_is("at+jwt"));
    assert_eq!(jws.header().alg, SignatureAlgorithm::EdDsa);
    let key = ring.signing_key(SignatureAlgorithm::EdDsa).unwrap();
    let facts = at_jwt::read(&jws.verify(key.public_jwk()).unwrap().claims().unwrap()).unwrap();
    assert_eq!(facts.issuer, crate::common::ISSUER);
    assert_eq!(facts.client, "app");
    assert_eq!(facts.audience, grant().audience);
    assert_eq!(facts.scope.as_deref(), Some("openid email read write"));
    assert_eq!(facts.grant, Some(grant().id));
    assert_eq!(facts.expires_at, NOW.plus(seconds(60)));
}

#[test]
fn a_missing_key_fails_before_anything_is_handed_out() {
    let mut ring = key_ring();
    ring.signing.clear();
    let failed = mint(client(), &ring);
    assert!(matches!(
        failed,
        Err(MintError::NoKey(SignatureAlgorithm::Rs256))
    ));
}

#[test]
fn the_audience_is_never_empty_and_has_the_issuer_for_openid() {
    // SEC-034, SEC-140, S51
    let mut policy_names = tenant();
    policy_names.policy.default_audience = vec!["https://api.example".to_owned()];
    let mut own = client();
    own.audience = vec!["https://own.example".to_owned()];
    let issuer = crate::common::ISSUER;
    assert_eq!(audience(&client(), &tenant(), false), [issuer]);
    assert_eq!(audience(&client(), &tenant(), true), [issuer]);
    assert_eq!(
        audience(&client(), &policy_names, false),
        ["https://api.example"]
    );
    assert_eq!(
        audience(&own, &policy_names, false),
        ["https://own.example"]
    );
    assert_eq!(
        audience(&own, &policy_names, true),
        ["https://own.example", issuer]
    );
    own.audience.push(issuer.to_owned());
    assert_eq!(
        audience(&own, &policy_names, true).len(),
        2,
        "once is enough"
    );
}

#[test]
fn a_sealed_token_says_whether_the_grant_asks_for_claims_by_name() {
    // P-84: userinfo then needs the grant, and otherwise does not read it.
    let ring = key_ring();
    for (claims, expected) in [
        (None, false),
        (Some(r#"{"id_token":{"email":null}}"#), false),
        (Some(r#"{"userinfo":{"email":null}}"#), true),
    ] {
        let mut asking = pending();
        asking.grant.claims = claims.and_then(jeton_protocol::claims::ClaimsRequest::parse);
        let issuance = issuance_of(&asking, client());
        let response =
            issue::mint(&issuance, &tenant(), &ring, &mut Entropy::seeded(5), NOW).unwrap();
        let sealed = ring.seals.open("default", &response.access_token).unwrap();
        let facts = jeton_protocol::introspection::TokenFacts::from(sealed);
        assert_eq!(facts.asks_userinfo, expected, "{claims:?}");
    }
}
