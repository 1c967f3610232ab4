//! RFC 8693: one token for a narrower one.

use crate::support::clients::{API, DOWN};
use crate::support::{Answer, Fields, Setup, TestServer, Tokens, dpop, jwt, trusted};
use jeton_protocol::client::GrantType;
use serde_json::{Value, json};

const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
const ACCESS: &str = "urn:ietf:params:oauth:token-type:access_token";

/// Exchanges as `exchanger`, for the audience `DOWN`.
async fn down(server: &TestServer, token: &str) -> Tokens {
    let answer = server
        .exchange("exchanger", token, &[("audience", DOWN)])
        .await;
    Tokens::of(&answer.expect(200))
}

async fn act(server: &TestServer, client: &str, answer: &Answer) -> Value {
    let tokens = Tokens::of(&answer.clone().expect(200));
    server.introspect(client, &tokens.access).await["act"].clone()
}

// S49, S38, SEC-159
#[tokio::test]
async fn the_new_token_is_for_the_subject_by_the_client_at_the_target_and_names_the_actor() {
    let server = TestServer::start().await;
    let subject = server.tokens("api-web", "photos:read email").await.access;
    let tokens = down(&server, &subject).await;
    assert_eq!(tokens.json["issued_token_type"], ACCESS);
    assert_eq!(tokens.json["token_type"], "Bearer");
    assert_eq!(tokens.json["scope"], "photos:read email");
    assert_eq!((&tokens.refresh, &tokens.id), (&None, &None));
    let known = server.introspect("exchanger", &tokens.access).await;
    assert_eq!(known["sub"], server.user("alice").await.id.to_string());
    assert_eq!(
        (&known["client_id"], &known["aud"]),
        (&json!("exchanger"), &json!(DOWN))
    );
    assert_eq!(known["act"], json!({ "sub": "exchanger" }));
    assert_eq!(known["iss"], server.issuer);
}

// S49: the same in a JWT, which needs no introspection
#[tokio::test]
async fn a_jwt_that_is_asked_for_is_an_at_jwt_with_act() {
    let server = TestServer::start().await;
    let subject = server.tokens("api-web", "photos:read").await.access;
    let more = [
        ("audience", DOWN),
        ("requested_token_type", JWT),
        ("scope", "photos:read"),
    ];
    let answer = server
        .exchange("exchanger", &subject, &more)
        .await
        .expect(200);
    let tokens = Tokens::of(&answer);
    assert_eq!(tokens.json["issued_token_type"], JWT);
    assert_eq!(jwt::read(&tokens.access).0["typ"], "at+jwt");
    let claims = jwt::verified(&server, &tokens.access).await;
    assert_eq!(claims["act"], json!({ "sub": "exchanger" }));
    assert_eq!(
        (&claims["client_id"], &claims["aud"]),
        (&json!("exchanger"), &json!(DOWN))
    );
    // And it is a subject token itself, under either name of its type.
    server
        .exchange("exchanger", &tokens.access, &[("audience", DOWN)])
        .await
        .expect(200);
    let typed = Fields::from([
        ("grant_type", GrantType::TokenExchange.name()),
        ("subject_token", &tokens.access),
        ("subject_token_type", JWT),
        ("audience", DOWN),
    ]);
    server.token("exchanger", &typed).await.expect(200);
}

// RFC 8693 §1.1, RFC 9449 §5: what is bound stays with the holder of its key
#[tokio::test]
async fn a_bound_token_is_exchanged_by_the_holder_of_its_key_for_one_bound_to_the_same() {
    let server = TestServer::start().await;
    let subject = dpop::tokens(&server, "api-web", dpop::one()).await.access;
    let fields = Fields::from([
        ("grant_type", GrantType::TokenExchange.name()),
        ("subject_token", &subject),
        ("subject_token_type", ACCESS),
        ("audience", DOWN),
    ]);
    let by = |key| server.send(dpop::post(&server, "exchanger", &fields, key));
    let refused = by(dpop::other()).await.expect(400);
    assert_eq!(refused.json()["error"], "invalid_request");
    let tokens = Tokens::of(&by(dpop::one()).await);
    assert_eq!(tokens.json["token_type"], "DPoP");
    let known = server.introspect("exchanger", &tokens.access).await;
    let jkt = dpop::one().public_jwk().thumbprint();
    assert_eq!(known["cnf"], json!({ "jkt": jkt }));
    assert_eq!(known["act"], json!({ "sub": "exchanger" }));
}

// RFC 9449 §5: the binding is the client's own, whatever it exchanges
#[tokio::test]
async fn an_unbound_token_becomes_a_bound_one_for_a_client_with_a_key() {
    let server = TestServer::start().await;
    let subject = server.tokens("api-web", "photos:read").await.access;
    let fields = Fields::from([
        ("grant_type", GrantType::TokenExchange.name()),
        ("subject_token", &subject),
        ("subject_token_type", ACCESS),
        ("audience", DOWN),
    ]);
    let answer = server.send(dpop::post(&server, "exchanger", &fields, dpop::one()));
    let tokens = Tokens::of(&answer.await);
    assert_eq!(tokens.json["token_type"], "DPoP");
    let known = server.introspect("exchanger", &tokens.access).await;
    let jkt = dpop::one().public_jwk().thumbprint();
    assert_eq!(known["cnf"], json!({ "jkt": jkt }));
}

// SEC-035, SEC-168: nothing grows
#[tokio::test]
async fn scope_and_lifetime_only_shrink_and_targets_are_those_of_the_policy() {
    let server = TestServer::start().await;
    let subject = server.tokens("api-web", "photos:read email").await;
    server.advance(400);
    let tokens = down(&server, &subject.access).await;
    let life = tokens.json["expires_in"].as_u64().unwrap();
    assert!(life <= 200, "{life}");
    let both = [("audience", DOWN), ("resource", API), ("scope", "email")];
    let answer = server
        .exchange("exchanger", &subject.access, &both)
        .await
        .expect(200);
    let narrow = Tokens::of(&answer);
    assert_eq!(narrow.json["scope"], "email");
    let known = server.introspect("exchanger", &narrow.access).await;
    let mut audience: Vec<_> = known["aud"].as_array().unwrap().clone();
    audience.sort_by_key(ToString::to_string);
    assert_eq!(audience, [json!(API), json!(DOWN)]);
    // The client's own scope bounds it as well.
    server
        .change_client("exchanger", |client| {
            client.scope = jeton_protocol::scope::Scope::parse("email").unwrap();
        })
        .await;
    assert_eq!(down(&server, &subject.access).await.json["scope"], "email");
}

// S49, SEC-168: who acts is told truthfully, hop by hop
#[tokio::test]
async fn each_hop_is_named_and_acting_twice_in_a_row_is_told_once() {
    let server = TestServer::start().await;
    let subject = server.tokens("api-web", "photos:read").await.access;
    let first = server.exchange("hop-1", &subject, &[]).await;
    assert_eq!(act(&server, "api", &first).await, json!({ "sub": "hop-1" }));
    let again = server
        .exchange("hop-1", &Tokens::of(&first).access, &[])
        .await;
    assert_eq!(act(&server, "api", &again).await, json!({ "sub": "hop-1" }));
    let second = server
        .exchange("hop-2", &Tokens::of(&again).access, &[])
        .await;
    let both = json!({ "sub": "hop-2", "act": { "sub": "hop-1" } });
    assert_eq!(act(&server, "api", &second).await, both);
    // Who may impersonate adds nothing, and takes nothing away.
    let silent = server
        .exchange("impersonator", &Tokens::of(&second).access, &[])
        .await;
    assert_eq!(act(&server, "impersonator", &silent).await, both);
}

// S49: the policy says who may leave itself out
#[tokio::test]
async fn only_a_client_that_may_impersonate_is_not_named() {
    let server = TestServer::start().await;
    let subject = server.tokens("api-web", "photos:read").await.access;
    let answer = server.exchange("impersonator", &subject, &[]).await;
    assert_eq!(act(&server, "impersonator", &answer).await, Value::Null);
    let own = server.own_tokens("impersonator").await.access;
    let acting = [("actor_token", own.as_str()), ("actor_token_type", ACCESS)];
    let answer = server.exchange("impersonator", &subject, &acting).await;
    let named = json!({ "sub": "impersonator" });
    assert_eq!(act(&server, "impersonator", &answer).await, named);
}

// SEC-035, SEC-R02, SEC-301: the lineage is that of the subject token
#[tokio::test]
async fn whatever_ends_the_subject_ends_what_was_made_of_its_token() {
    for what in ["grant", "session", "user"] {
        for requested in [ACCESS, JWT] {
            let server = TestServer::start().await;
            let mut alice = server.browser();
            let code = alice
                .complete(&server.request("api-web", "photos:read"), "alice")
                .await;
            let subject = Tokens::of(&server.redeem("api-web", &code.code()).await);
            let more = [("audience", API), ("requested_token_type", requested)];
            let answer = server.exchange("exchanger", &subject.access, &more).await;
            let second = server
                .exchange("hop-1", &Tokens::of(&answer).access, &[])
                .await;
            let made = [Tokens::of(&answer).access, Tokens::of(&second).access];
            for token in &made {
                assert!(server.is_active("api", token).await);
            }
            server.advance(1);
            match what {
                "grant" => drop(
                    server
                        .revoke("api-web", subject.refresh())
                        .await
                        .expect(200),
                ),
                "session" => {
                    let question = alice.go(server.get("/end-session")).await;
                    alice.submit(&question, &[("yes", "yes")]).await.expect(200);
                }
                _ => drop(server.disable_user("alice").await),
            }
            for token in &made {
                assert!(!server.is_active("api", token).await, "{what}, {requested}");
            }
        }
    }
}

// SEC-168, SEC-R06: another tenant's token is nobody's here
#[tokio::test]
async fn a_token_of_another_tenant_is_not_exchanged_as_subject_or_as_actor() {
    let server = Setup::default().with_tenants().start().await;
    let other = server.at(crate::support::BY_PATH);
    let ours = server.tokens("api-web", "photos:read").await.access;
    for client in ["api-web", "jwt-web"] {
        let theirs = other.tokens(client, "photos:read").await.access;
        let answer = server
            .exchange("exchanger", &theirs, &[("audience", DOWN)])
            .await;
        answer.refused(400, "invalid_request");
        assert_eq!(server.cause(), "exchange_token_unknown");
        let acting = [
            ("audience", DOWN),
            ("actor_token", theirs.as_str()),
            ("actor_token_type", ACCESS),
        ];
        let answer = server.exchange("exchanger", &ours, &acting).await;
        answer.refused(400, "invalid_request");
        assert_eq!(server.cause(), "exchange_token_unknown");
    }
}

// SEC-023, SEC-035: a subject token of a trusted issuer
#[tokio::test]
async fn a_trusted_issuers_token_is_exchanged_once_under_its_rule_and_the_policy() {
    let server = TestServer::start().await;
    let fields = |token: &str| {
        Fields::from([
            ("grant_type", GrantType::TokenExchange.name()),
            ("subject_token", token),
            ("subject_token_type", JWT),
            ("audience", DOWN),
        ])
    };
    let token = trusted::make(&server, "alice");
    let answer = server.token("exchanger", &fields(&token)).await.expect(200);
    let tokens = Tokens::of(&answer);
    assert_eq!(tokens.json["scope"], "photos:read email");
    assert!(tokens.json["expires_in"].as_u64().unwrap() <= 300);
    let known = server.introspect("exchanger", &tokens.access).await;
    assert_eq!(known["sub"], server.user("alice").await.id.to_string());
    assert_eq!(known["act"], json!({ "sub": "exchanger" }));
    server
        .token("exchanger", &fields(&token))
        .await
        .refused(400, "invalid_request");
    assert_eq!(server.cause(), "exchange_assertion");
    let named = trusted::make(&server, "may-act");
    server.token("exchanger", &fields(&named)).await.expect(200);
    // The policy names whose tokens the client may bring.
    server
        .change_client("exchanger", |client| {
            if let Some(policy) = &mut client.token_exchange {
                policy.subject_issuers.clear();
            }
        })
        .await;
    let token = trusted::make(&server, "alice");
    server
        .token("exchanger", &fields(&token))
        .await
        .refused(400, "invalid_request");
    assert_eq!(server.cause(), "exchange_issuer");
}
