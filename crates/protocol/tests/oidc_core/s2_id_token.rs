//! ID tokens: what they say, how they are signed, what they repeat on refresh (§2, §3.1.3.6, §12.2).

use crate::common::{
    CALLBACK, ISSUER, NOW, VERIFIER, caller_of, claims_of, client, form, grant, key_ring, params,
    pending, refreshable, seconds, tenant, user,
};
use jeton_protocol::claims::{ClaimsRequest, released};
use jeton_protocol::client::Client;
use jeton_protocol::grant::PendingGrant;
use jeton_protocol::grants::authorization_code::{self, CodeDecision};
use jeton_protocol::grants::{GrantRequest, refresh_token};
use jeton_protocol::issue::{self, Issuance, KeyRing};
use jeton_protocol::refusal::Trail;
use jeton_protocol::scope::Scope;
use jeton_token::SignatureAlgorithm;
use jeton_token::entropy::Entropy;
use jeton_token::half_hash::half_hash;
use jeton_token::jws::Jws;
use serde_json::{Map, Value, json};

fn redeem(pending: &PendingGrant, client: Client) -> Box<Issuance> {
    let body = form(&[
        ("grant_type", "authorization_code"),
        ("code", "c"),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ]);
    let caller = caller_of(client);
    let mut trail = Trail::off();
    let request = GrantRequest::parse(&params(&body), &caller, &mut trail).unwrap();
    let GrantRequest::AuthorizationCode(request) = request else {
        panic!("not a code");
    };
    let decided = authorization_code::decide(
        (pending, false),
        &request,
        (&caller, &tenant()),
        NOW,
        &mut trail,
    );
    match decided.unwrap() {
        CodeDecision::Issue(issuance) => issuance,
        CodeDecision::Replayed => panic!("replayed"),
    }
}

fn refresh(asked: &str) -> Issuance {
    let body = form(&[
        ("grant_type", "refresh_token"),
        ("refresh_token", "r"),
        ("scope", asked),
    ]);
    let caller = caller_of(client());
    let mut trail = Trail::off();
    let request = GrantRequest::parse(&params(&body), &caller, &mut trail).unwrap();
    let GrantRequest::RefreshToken(request) = request else {
        panic!("not a refresh token");
    };
    let refreshable = refreshable();
    refresh_token::decide(
        (&refreshable, 3, false),
        &request,
        (&caller, &tenant()),
        NOW,
        &mut trail,
    )
    .unwrap()
}

fn mint(issuance: &Issuance, ring: &KeyRing) -> issue::TokenResponse {
    issue::mint(issuance, &tenant(), ring, &mut Entropy::seeded(3), NOW).unwrap()
}

fn id_token(issuance: &Issuance) -> Map<String, Value> {
    claims_of(&mint(issuance, &key_ring()).id_token.unwrap())
}

#[test]
fn it_says_who_whom_for_and_when() {
    // P-168…170, P-173, P-176, S54
    let claims = id_token(&redeem(&pending(), client()));
    assert_eq!(claims["iss"], ISSUER);
    assert_eq!(claims["aud"], "app");
    assert_eq!(claims["sub"], user().subject());
    assert_eq!(claims["iat"], NOW.seconds());
    assert_eq!(claims["exp"], NOW.plus(seconds(300)).seconds());
    assert_eq!(claims["auth_time"], NOW.minus(seconds(60)).seconds());
    assert_eq!(claims["nonce"], "n-0S6_WzA2Mj");
    assert_eq!(claims["acr"], grant().acr);
    assert_eq!(claims["amr"], json!(["pwd"]));
    assert_eq!(claims["sid"], grant().session.to_string());
    let names: Vec<_> = claims.keys().map(String::as_str).collect();
    assert_eq!(names.len(), 11, "and nothing else: {names:?}");
}

#[test]
fn it_is_signed_with_rs256_unless_another_algorithm_is_registered() {
    // P-171
    let ring = key_ring();
    for (registered, expected) in [
        (None, SignatureAlgorithm::Rs256),
        (Some(SignatureAlgorithm::Es256), SignatureAlgorithm::Es256),
        (Some(SignatureAlgorithm::EdDsa), SignatureAlgorithm::EdDsa),
    ] {
        let client = Client {
            id_token_signed_response_alg: registered,
            ..client()
        };
        let response = mint(&redeem(&pending(), client), &ring);
        let id_token = response.id_token.unwrap();
        let jws = Jws::parse(&id_token).unwrap();
        let key = ring.signing_key(expected).unwrap();
        assert_eq!(jws.header().alg, expected);
        assert_eq!(jws.header().kid.as_deref(), Some(key.kid()), "P-51");
        assert!(!jws.header().typ_is("at+jwt"), "SEC-176");
        let claims = jws.verify(key.public_jwk()).unwrap().claims().unwrap();
        let at_hash = half_hash(expected, &response.access_token);
        assert_eq!(claims.text("at_hash"), Ok(Some(at_hash.as_str())), "P-172");
    }
}

#[test]
fn without_a_nonce_in_the_request_there_is_none() {
    // P-73, P-170
    let mut silent = pending();
    silent.grant.code.nonce = None;
    assert!(!id_token(&redeem(&silent, client())).contains_key("nonce"));
}

#[test]
fn a_long_or_strange_nonce_comes_back_exactly() {
    // P-74
    for nonce in ["x".repeat(384), "ü+%\"\\/ \u{1f600}".to_owned()] {
        let mut pending = pending();
        pending.grant.code.nonce = Some(nonce.clone());
        assert_eq!(id_token(&redeem(&pending, client()))["nonce"], nonce);
    }
}

#[test]
fn without_openid_there_is_no_id_token() {
    // P-77, S66
    let mut plain = pending();
    plain.grant.scope = Scope::parse("read").unwrap();
    let issuance = redeem(&plain, client());
    assert!(!issuance.wants_user_claims());
    assert_eq!(mint(&issuance, &key_ring()).id_token, None);
}

#[test]
fn the_claims_of_scopes_stay_out_of_it() {
    // P-174, P-175: the grant has the email scope.
    let issuance = redeem(&pending(), client());
    assert!(!issuance.wants_user_claims());
    assert!(!id_token(&issuance).contains_key("email"));
}

#[test]
fn claims_asked_for_the_id_token_go_into_it() {
    // P-85, P-87
    let mut asking = pending();
    asking.grant.claims = ClaimsRequest::parse(
        r#"{"id_token":{"nickname":null,"unheard_of":null},"userinfo":{"email":null}}"#,
    );
    let mut issuance = redeem(&asking, client());
    assert!(issuance.wants_user_claims());
    let asked = &asking.grant.claims.as_ref().unwrap().id_token;
    issuance.add_user_claims(released(&user(), &Scope::default(), asked));
    let claims = id_token(&issuance);
    assert_eq!(claims["nickname"], "ada");
    assert!(!claims.contains_key("email") && !claims.contains_key("unheard_of"));
    asking.grant.claims =
        ClaimsRequest::parse(r#"{"userinfo":{"email":null},"id_token":{"auth_time":null}}"#);
    assert!(
        !redeem(&asking, client()).wants_user_claims(),
        "no record has to be read"
    );
}

#[test]
fn no_added_claim_takes_the_place_of_one_of_the_protocol() {
    // SEC-066
    let mut issuance = redeem(&pending(), client());
    let before = id_token(&issuance);
    let mut evil = Map::new();
    for name in [
        "iss",
        "sub",
        "aud",
        "exp",
        "iat",
        "nonce",
        "auth_time",
        "acr",
        "amr",
        "at_hash",
        "sid",
        "azp",
        "admin",
    ] {
        evil.insert(name.to_owned(), json!("evil"));
    }
    issuance.add_user_claims(evil);
    let response = mint(&issuance, &key_ring());
    let token = response.id_token.unwrap();
    let payload = Jws::parse(&token).unwrap();
    assert!(
        payload.unverified_claims().is_ok(),
        "no member occurs twice"
    );
    assert_eq!(claims_of(&token), before);
}

#[test]
fn a_refreshed_one_is_about_the_same_sign_in_and_answers_no_request() {
    // P-98, P-178, §12.2
    let first = id_token(&redeem(&pending(), client()));
    let again = id_token(&refresh(""));
    for name in ["iss", "sub", "aud", "auth_time", "acr", "amr", "sid"] {
        assert_eq!(first[name], again[name], "{name}");
    }
    assert!(!again.contains_key("nonce"));
    assert_eq!(mint(&refresh("read"), &key_ring()).id_token, None);
}

#[test]
fn no_access_token_outlives_its_grant() {
    // SEC-163
    let ring = key_ring();
    let mut ending = pending();
    ending.grant.expires_at = NOW.plus(seconds(100));
    let response = mint(&redeem(&ending, client()), &ring);
    assert_eq!(response.expires_in, 100);
    let facts = ring.seals.open("default", &response.access_token).unwrap();
    assert_eq!(facts.expires_at, ending.grant.expires_at);
}

#[test]
fn scope_taken_from_the_client_since_the_approval_is_not_issued() {
    // SEC-024, SEC-R02
    let mut narrowed = client();
    narrowed.scope = Scope::parse("read").unwrap();
    let response = mint(&redeem(&pending(), narrowed), &key_ring());
    assert_eq!(response.scope, "read");
    assert_eq!(response.id_token, None);
}
