//! What a token still is, told to those it concerns (§2, §4).

use crate::common::{
    ISSUER, NOW, authenticated, caller_of, client, grant, id, key_ring, millis, params,
    public_client, refreshable, row, seconds, tenant,
};
use jeton_protocol::client::Client;
use jeton_protocol::grants::{GrantRequest, refresh_token};
use jeton_protocol::introspection::{
    self as rules, INACTIVE, Introspection, TokenFacts, TokenRef, concerns,
};
use jeton_protocol::issue;
use jeton_protocol::refusal::{ErrorCode, Refusal, Trail};
use jeton_protocol::standing::of_token;
use jeton_protocol::tenant::TokenFormat;
use jeton_token::at_jwt;
use jeton_token::confirmation::Confirmation;
use jeton_token::entropy::Entropy;
use jeton_token::handle::HandleKind;
use jeton_token::jws::Jws;
use serde_json::{Value, json};

const API: &str = "https://api.example";

pub fn facts() -> TokenFacts {
    TokenFacts {
        token: row(9),
        grant: Some(grant().id),
        session: Some(grant().session),
        client: "app".to_owned(),
        subject: "the-subject".to_owned(),
        user: Some(row(2)),
        scope: "read write".to_owned(),
        audience: vec![API.to_owned()],
        issued_at: NOW,
        expires_at: NOW.plus(seconds(600)),
        binding: None,
        auth_time: Some(NOW.minus(seconds(60))),
        acr: Some("urn:x".to_owned()),
        asks_userinfo: false,
    }
}

fn api() -> Client {
    Client {
        id: id("api"),
        introspects: vec![API.to_owned()],
        ..client()
    }
}

fn describe(facts: &TokenFacts, caller: Client) -> Result<Value, Refusal> {
    let mut trail = Trail::off();
    let standing = of_token(false, &mut trail).unwrap();
    let tenant = tenant();
    let told = rules::describe(facts, &tenant, &authenticated(caller), standing, &mut trail)?;
    Ok(serde_json::to_value(told).unwrap())
}

#[test]
fn an_inactive_token_tells_nothing_else() {
    // SEC-032
    assert_eq!(
        serde_json::to_string(&INACTIVE).unwrap(),
        r#"{"active":false}"#
    );
    assert_eq!(
        serde_json::to_string(&Introspection::default()).unwrap(),
        r#"{"active":false}"#
    );
}

#[test]
fn an_active_token_tells_the_registered_members() {
    // S56
    let told = describe(&facts(), api()).unwrap();
    assert_eq!(
        told,
        json!({
            "active": true,
            "iss": ISSUER,
            "sub": "the-subject",
            "aud": API,
            "client_id": "app",
            "scope": "read write",
            "token_type": "Bearer",
            "exp": NOW.seconds() + 600,
            "iat": NOW.seconds(),
            "jti": row(9).to_string(),
            "auth_time": NOW.seconds() - 60,
            "acr": "urn:x",
        })
    );
}

#[test]
fn what_a_token_lacks_is_left_out_and_several_audiences_are_a_list() {
    let bare = TokenFacts {
        scope: String::new(),
        auth_time: None,
        acr: None,
        audience: vec![API.to_owned(), ISSUER.to_owned()],
        binding: Some(Confirmation::DpopKey([7; 32])),
        ..facts()
    };
    let told = describe(&bare, api()).unwrap();
    let told = told.as_object().unwrap();
    for absent in ["scope", "auth_time", "acr"] {
        assert!(!told.contains_key(absent), "{absent}");
    }
    assert_eq!(told["aud"], json!([API, ISSUER]));
    assert!(told["cnf"]["jkt"].is_string());
}

#[test]
fn a_token_concerns_its_client_and_those_who_answer_for_its_audience() {
    // SEC-032, SEC-166, S56
    let audience = [API.to_owned(), ISSUER.to_owned()];
    let stranger = Client {
        id: id("stranger"),
        ..client()
    };
    let other_api = Client {
        introspects: vec![format!("{API}/")],
        ..stranger.clone()
    };
    let near = Client {
        introspects: vec![API.to_uppercase(), "https://api".to_owned()],
        ..stranger.clone()
    };
    let many = Client {
        introspects: vec!["https://x".to_owned(), ISSUER.to_owned()],
        ..stranger.clone()
    };
    for (client, expected) in [
        (client(), true),
        (api(), true),
        (many, true),
        (stranger.clone(), false),
        (other_api, false),
        (near, false),
    ] {
        assert_eq!(
            concerns("app", &audience, &client),
            expected,
            "{:?}",
            client.introspects
        );
    }
    assert!(!concerns("app", &[], &api()), "meant for nobody");
    assert!(!concerns("App", &[], &client()));
    let refusal = describe(&facts(), stranger).unwrap_err();
    assert_eq!(*refusal.rule, rules::CALLER_CONCERNED);
}

#[test]
fn the_audience_a_client_asks_tokens_for_is_not_what_it_answers_for() {
    // SEC-032: being allowed to call the API is not being the API.
    let caller = Client {
        id: id("stranger"),
        audience: vec![API.to_owned()],
        ..client()
    };
    assert!(!concerns("app", &[API.to_owned()], &caller));
}

#[test]
fn a_public_client_may_not_ask() {
    // SEC-166
    assert!(rules::admit(&authenticated(client()), &mut Trail::off()).is_ok());
    let refusal = rules::admit(&authenticated(public_client()), &mut Trail::off()).unwrap_err();
    assert_eq!(*refusal.rule, rules::CALLER_CONFIDENTIAL);
    assert_eq!(refusal.code(), ErrorCode::InvalidClient);
}

#[test]
fn a_token_is_needed() {
    let mut trail = Trail::off();
    assert_eq!(
        rules::token(&params("token=jta_x"), &mut trail),
        Ok("jta_x")
    );
    for none in ["", "token=", "access_token=x"] {
        let refusal = rules::token(&params(none), &mut trail).unwrap_err();
        assert_eq!(*refusal.rule, rules::TOKEN_SENT);
        assert_eq!(refusal.code(), ErrorCode::InvalidRequest);
    }
}

#[test]
fn a_token_is_fresh_until_its_exact_end() {
    let at = |now| rules::is_fresh(&facts(), now, &mut Trail::off());
    let end = facts().expires_at;
    assert!(at(end.minus(millis(1))).is_ok());
    for late in [end, end.plus(millis(1))] {
        let refusal = at(late).unwrap_err();
        assert_eq!(*refusal.rule, rules::TOKEN_FRESH);
        assert_eq!(refusal.code(), ErrorCode::InvalidToken);
    }
}

#[test]
fn a_text_is_taken_for_what_its_prefix_says_and_for_nothing_else() {
    // SEC-033, SEC-176, S17
    let ring = key_ring();
    for kind in HandleKind::ALL {
        let text = ring.handles.seal("default", kind, row(1), 1);
        let expected = if kind == HandleKind::RefreshToken {
            TokenRef::Refresh(&text)
        } else {
            TokenRef::Other
        };
        assert_eq!(TokenRef::read(&text), expected, "{kind:?}");
    }
    assert_eq!(TokenRef::read("jta_x"), TokenRef::Sealed("jta_x"));
    assert_eq!(
        TokenRef::read("eyJhbGciOiJ9.e30.x"),
        TokenRef::Jwt("eyJhbGciOiJ9.e30.x")
    );
    for other in ["", "jta", "JTA_x", " jta_x", "x", "ey", "Bearer jta_x"] {
        assert_eq!(TokenRef::read(other), TokenRef::Other, "{other}");
    }
}

#[test]
fn a_scope_is_had_whole_or_not_at_all() {
    let facts = facts();
    assert!(facts.has_scope("read") && facts.has_scope("write"));
    for other in ["", "rea", "read write", "READ", "writer"] {
        assert!(!facts.has_scope(other), "{other}");
    }
}

#[test]
fn an_unreadable_token_is_refused_without_being_repeated_to_the_caller() {
    let refusal = rules::unreadable("the MAC is wrong");
    assert_eq!(refusal.code(), ErrorCode::InvalidToken);
    assert!(!refusal.rule.told.contains("MAC"));
}

#[test]
fn the_facts_of_a_signed_token_are_those_of_a_sealed_one() {
    // S52, SEC-R09
    let mut jwt = client();
    jwt.access_token_format = Some(TokenFormat::Jwt);
    let ring = key_ring();
    let now = NOW.plus(millis(123));
    let mint = |client: Client| {
        let caller = caller_of(client);
        let mut trail = Trail::off();
        let body = params("grant_type=refresh_token&refresh_token=r");
        let GrantRequest::RefreshToken(request) =
            GrantRequest::parse(&body, &caller, &mut trail).unwrap()
        else {
            panic!("not a refresh token");
        };
        let issuance = refresh_token::decide(
            (&refreshable(), 3, false),
            &request,
            (&caller, &tenant()),
            now,
            &mut trail,
        );
        issue::mint(
            &issuance.unwrap(),
            &tenant(),
            &ring,
            &mut Entropy::seeded(1),
            now,
        )
        .unwrap()
        .access_token
    };
    let sealed = TokenFacts::from(ring.seals.open("default", &mint(client())).unwrap());
    let token = mint(jwt);
    let jws = Jws::parse(&token).unwrap();
    let key = ring.signing_key(jws.header().alg).unwrap();
    let claims = jws.verify(key.public_jwk()).unwrap().claims().unwrap();
    let signed = TokenFacts::from(at_jwt::read(&claims).unwrap());
    assert_eq!(
        signed.issued_at, now,
        "to the millisecond, so that a cut in the same second is met"
    );
    let comparable = |facts: TokenFacts| TokenFacts {
        token: row(0),
        asks_userinfo: false,
        expires_at: jeton_token::Timestamp::from_seconds(facts.expires_at.seconds()),
        auth_time: facts
            .auth_time
            .map(|at| jeton_token::Timestamp::from_seconds(at.seconds())),
        ..facts
    };
    assert_eq!(comparable(signed), comparable(sealed));
}
