//! What a key binds: codes, access tokens, and the refresh tokens of public clients (§5, §6, §10).

use crate::common::{
    CALLBACK, NOW, VERIFIER, authorize, client, form, params, pending, public_client, refreshable,
    tenant,
};
use crate::prover::{ONE, OTHER, RING, holding, key_of};
use jeton_protocol::authorize::request::AuthorizeRefusal;
use jeton_protocol::caller::Caller;
use jeton_protocol::client::{Client, Rotation};
use jeton_protocol::dpop as rules;
use jeton_protocol::grants::authorization_code::{self, CodeDecision};
use jeton_protocol::grants::{GrantRequest, client_credentials, refresh_token};
use jeton_protocol::issue::{Issuance, TokenResponse, mint};
use jeton_protocol::refusal::{ErrorCode, Refusal, Trail};
use jeton_protocol::tenant::TokenFormat;
use jeton_token::{Confirmation, Entropy, Jws, SigningKey, base64url};
use serde_json::{Value, json};

fn parse(caller: &Caller, pairs: &[(&str, &str)]) -> GrantRequest {
    GrantRequest::parse(&params(&form(pairs)), caller, &mut Trail::off()).unwrap()
}

fn redeemed(caller: &Caller, bound_to: Option<Confirmation>) -> Result<Box<Issuance>, Refusal> {
    let request = parse(
        caller,
        &[
            ("grant_type", "authorization_code"),
            ("code", "c"),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ],
    );
    let GrantRequest::AuthorizationCode(request) = request else {
        panic!("{request:?}");
    };
    let mut pending = pending();
    pending.grant.code.key = bound_to;
    let facts = (&pending, false);
    let at = (caller, &tenant());
    match authorization_code::decide(facts, &request, at, NOW, &mut Trail::off())? {
        CodeDecision::Issue(issuance) => Ok(issuance),
        CodeDecision::Replayed => panic!("replayed"),
    }
}

fn refreshed(caller: &Caller, bound_to: Option<Confirmation>) -> Result<Issuance, Refusal> {
    let pairs = [("grant_type", "refresh_token"), ("refresh_token", "jtr_x")];
    let GrantRequest::RefreshToken(request) = parse(caller, &pairs) else {
        panic!("not a refresh");
    };
    let mut refreshable = refreshable();
    refreshable.grant.binding = bound_to;
    let facts = (&refreshable, 3, false);
    refresh_token::decide(facts, &request, (caller, &tenant()), NOW, &mut Trail::off())
}

fn own(caller: &Caller) -> Issuance {
    let pairs = [("grant_type", "client_credentials")];
    let GrantRequest::ClientCredentials(request) = parse(caller, &pairs) else {
        panic!("not client credentials");
    };
    let at = (caller, &tenant());
    client_credentials::decide(&request, at, false, &mut Trail::off()).unwrap()
}

fn minted(issuance: &Issuance) -> TokenResponse {
    mint(issuance, &tenant(), &RING, &mut Entropy::seeded(5), NOW).unwrap()
}

fn cnf_of(jwt: &str) -> Value {
    let payload = Jws::parse(jwt)
        .map(drop)
        .and(Ok(jwt.split('.').nth(1).unwrap()));
    let bytes = base64url::decode(payload.unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&bytes).unwrap();
    claims["cnf"].clone()
}

// P-156, P-230, SEC-159, SEC-181, S38
#[test]
fn with_a_proof_every_grant_gives_a_bound_token_of_type_dpop_and_without_one_a_bearer_token() {
    let jwt = Client {
        access_token_format: Some(TokenFormat::Jwt),
        ..client()
    };
    let jkt = ONE.public_jwk().thumbprint();
    for (key, token_type, cnf) in [
        (Some(&*ONE), "DPoP", json!({ "jkt": jkt })),
        (None, "Bearer", Value::Null),
    ] {
        let caller = holding(jwt.clone(), key);
        let responses = [
            minted(&redeemed(&caller, None).unwrap()),
            minted(&refreshed(&caller, None).unwrap()),
            minted(&own(&caller)),
        ];
        for response in responses {
            assert_eq!(response.token_type, token_type);
            assert_eq!(cnf_of(&response.access_token), cnf);
        }
    }
}

// P-156
#[test]
fn a_sealed_token_carries_the_key_too() {
    let issuance = redeemed(&holding(client(), Some(&ONE)), None).unwrap();
    let response = mint(&issuance, &tenant(), &RING, &mut Entropy::seeded(5), NOW).unwrap();
    let facts = RING.seals.open("default", &response.access_token).unwrap();
    assert_eq!(facts.cnf, Some(key_of(&ONE)));
}

// P-227, P-229, SEC-130, SEC-182
#[test]
fn a_code_asked_for_with_a_key_is_redeemed_with_that_key_only() {
    for kind in [client(), public_client()] {
        for (bound_to, shown, accepted) in [
            (Some(&*ONE), Some(&*ONE), true),
            (Some(&*ONE), Some(&*OTHER), false),
            (Some(&*ONE), None, false),
            (None, Some(&*ONE), true),
            (None, None, true),
        ] {
            let outcome = redeemed(&holding(kind.clone(), shown), bound_to.map(key_of));
            assert_eq!(outcome.is_ok(), accepted);
            if let Err(refusal) = outcome {
                assert_eq!(refusal.rule, &rules::CODE_KEY);
                assert_eq!(refusal.code(), ErrorCode::InvalidGrant);
            }
        }
    }
}

// P-231, SEC-038, SEC-181
#[test]
fn a_public_client_refreshes_with_its_key_and_a_confidential_one_with_any() {
    type Case<'a> = (Client, Option<&'a SigningKey>, Option<&'a SigningKey>, bool);
    let cases: [Case<'_>; 8] = [
        (public_client(), Some(&ONE), Some(&ONE), true),
        (public_client(), Some(&ONE), Some(&OTHER), false),
        (public_client(), Some(&ONE), None, false),
        (public_client(), None, Some(&ONE), true),
        (public_client(), None, None, true),
        (client(), None, Some(&ONE), true),
        (client(), None, Some(&OTHER), true),
        (client(), None, None, true),
    ];
    for (client, bound_to, shown, accepted) in cases {
        let caller = holding(client, shown);
        let outcome = refreshed(&caller, bound_to.map(key_of));
        assert_eq!(outcome.is_ok(), accepted, "{bound_to:?} {shown:?}");
        match outcome {
            Ok(issuance) => {
                let expected = if shown.is_some() { "DPoP" } else { "Bearer" };
                assert_eq!(minted(&issuance).token_type, expected);
            }
            Err(refusal) => assert_eq!(refusal.rule, &rules::REFRESH_KEY),
        }
    }
    assert_eq!(
        holding(public_client(), Some(&ONE)).refresh_key(),
        Some(key_of(&ONE))
    );
    assert_eq!(holding(client(), Some(&ONE)).refresh_key(), None);
}

// P-181, design §1
#[test]
fn refresh_tokens_that_are_bound_to_a_key_do_not_rotate_unless_registered_to() {
    let by_default = refreshed(&holding(public_client(), Some(&ONE)), Some(key_of(&ONE)));
    assert!(!by_default.unwrap().issues_refresh_token());
    let unbound = refreshed(&holding(public_client(), Some(&ONE)), None).unwrap();
    assert!(unbound.issues_refresh_token());
    let registered = Client {
        refresh_token_rotation: Some(Rotation::Each),
        ..public_client()
    };
    let rotating = refreshed(&holding(registered, Some(&ONE)), Some(key_of(&ONE))).unwrap();
    assert!(rotating.issues_refresh_token());
}

// P-230, P-232, SEC-181
#[test]
fn a_client_registered_for_bound_tokens_has_to_send_a_proof() {
    let bound = Client {
        dpop_bound_access_tokens: true,
        ..client()
    };
    let mut trail = Trail::off();
    assert!(rules::demanded(&bound, true, &mut trail).is_ok());
    let refusal = rules::demanded(&bound, false, &mut trail).unwrap_err();
    assert_eq!(
        (refusal.rule, refusal.code()),
        (&rules::PROOF_SENT, ErrorCode::InvalidDpopProof)
    );
    assert!(rules::demanded(&client(), false, &mut trail).is_ok());
}

// P-227
#[test]
fn dpop_jkt_is_a_thumbprint_or_refused_at_the_redirection_uri() {
    let jkt = ONE.public_jwk().thumbprint();
    assert_eq!(
        authorize(&[("dpop_jkt", &jkt)]).unwrap().key,
        Some(key_of(&ONE))
    );
    assert_eq!(authorize(&[]).unwrap().key, None);
    for wrong in [
        "short",
        &format!("{jkt}="),
        &format!("{jkt}A"),
        &"!".repeat(43),
    ] {
        match authorize(&[("dpop_jkt", wrong)]) {
            Err(AuthorizeRefusal::Sent(refusal, _)) => {
                assert_eq!(refusal.rule, &rules::JKT_WELL_FORMED);
            }
            other => panic!("{other:?}"),
        }
    }
}
