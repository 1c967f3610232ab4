//! RFC 7523 §2.1: the JWT bearer grant, with assertions of issuers this tenant trusts.

use crate::support::clients::API;
use crate::support::trusted::{self, HUB, LAB};
use crate::support::{Answer, Fields, Setup, TestServer, Tokens};
use jeton_protocol::client::GrantType;
use serde_json::json;

async fn grant(server: &TestServer, client: &str, assertion: &str) -> Answer {
    let name = GrantType::JwtBearer.name();
    let fields = Fields::from([("grant_type", name), ("assertion", assertion)]);
    server.token(client, &fields).await
}

// S50, SEC-159
#[tokio::test]
async fn a_workload_without_a_secret_gets_a_token_for_its_client_and_nothing_to_refresh() {
    let server = TestServer::start().await;
    let answer = grant(&server, "deployer", &trusted::make(&server, "good")).await;
    let tokens = Tokens::of(&answer.expect(200));
    assert_eq!((&tokens.refresh, &tokens.id), (&None, &None));
    assert_eq!(tokens.json["scope"], "photos:read");
    assert_eq!(tokens.json["token_type"], "Bearer");
    server
        .change_client("api", |api| api.introspects = vec![server.issuer.clone()])
        .await;
    let known = server.introspect("api", &tokens.access).await;
    assert_eq!(known["active"], true);
    assert_eq!(
        (&known["sub"], &known["client_id"]),
        (&json!("deployer"), &json!("deployer"))
    );
    assert_eq!(known["aud"], server.issuer);
}

// SEC-023: the token endpoint is ours, too, when it stands alone
#[tokio::test]
async fn the_audience_may_be_the_token_endpoint() {
    let server = TestServer::start().await;
    let mut claims = trusted::claims(&server, HUB);
    claims["aud"] = json!([format!("{}/token", server.issuer)]);
    grant(&server, "deployer", &trusted::sign(HUB, &claims))
        .await
        .expect(200);
}

// SEC-030, SEC-R02
#[tokio::test]
async fn a_token_for_a_user_dies_with_the_user_though_there_is_no_grant() {
    for format in ["opaque", "jwt"] {
        let server = TestServer::start().await;
        if format == "jwt" {
            server
                .change_client("exchanger", |client| {
                    client.access_token_format = Some(jeton_protocol::tenant::TokenFormat::Jwt);
                })
                .await;
        }
        let answer = grant(&server, "exchanger", &trusted::make(&server, "alice")).await;
        let tokens = Tokens::of(&answer.expect(200));
        let known = server.introspect("exchanger", &tokens.access).await;
        assert_eq!(known["sub"], server.user("alice").await.id.to_string());
        server.advance(1);
        server.disable_user("alice").await;
        assert!(
            !server.is_active("exchanger", &tokens.access).await,
            "{format}"
        );
    }
}

// SEC-023: each assertion once, whoever presents it; unless its issuer says that they may be reused
#[tokio::test]
async fn an_assertion_is_good_once_for_all_clients_and_a_refused_request_does_not_spend_it() {
    let server = TestServer::start().await;
    let assertion = trusted::make(&server, "good");
    let wider = Fields::from([
        ("grant_type", GrantType::JwtBearer.name()),
        ("assertion", &assertion),
        ("scope", "photos:write"),
    ]);
    server
        .token("deployer", &wider)
        .await
        .refused(400, "invalid_scope");
    grant(&server, "deployer", &assertion).await.expect(200);
    grant(&server, "exchanger", &assertion)
        .await
        .refused(400, "invalid_grant");
    assert_eq!(server.cause(), "assertion_replayed");
    let reusable = trusted::sign(LAB, &trusted::claims(&server, LAB));
    grant(&server, "deployer", &reusable).await.expect(200);
    grant(&server, "deployer", &reusable).await.expect(200);
}

// SEC-056, SEC-129: `kid` means something only together with its issuer
#[tokio::test]
async fn two_issuers_may_have_keys_of_the_same_id() {
    let server = TestServer::start().await;
    for (iss, by) in [(HUB, HUB), (HUB, LAB), (LAB, HUB), (LAB, LAB)] {
        let token = trusted::sign(by, &trusted::claims(&server, iss));
        let answer = grant(&server, "deployer", &token).await;
        assert_eq!(answer.status == 200, iss == by, "{iss} signed by {by}");
        if iss != by {
            assert_eq!(server.cause(), "assertion_signature");
        }
    }
}

// SEC-023, SEC-R06
#[tokio::test]
async fn an_assertion_is_good_at_one_tenant_alone() {
    let server = Setup::default().with_tenants().start().await;
    let other = server.at(crate::support::BY_PATH);
    let token = trusted::make(&server, "good");
    grant(&other, "deployer", &token)
        .await
        .refused(400, "invalid_grant");
    assert_eq!(other.cause(), "assertion_audience");
    grant(&server, "deployer", &token).await.expect(200);
}

// SEC-023
#[tokio::test]
async fn without_trusted_issuers_no_assertion_is_taken() {
    let server = Setup::default()
        .policy(|policy| policy.trusted_issuers.clear())
        .start()
        .await;
    grant(&server, "deployer", &trusted::make(&server, "good"))
        .await
        .refused(400, "invalid_grant");
    assert_eq!(server.cause(), "assertion_issuer");
}

// S50: the request Microsoft's libraries make
#[tokio::test]
async fn a_request_on_behalf_of_is_an_exchange_under_the_same_policy() {
    let server = TestServer::start().await;
    let token = server.tokens("api-web", "photos:read").await.access;
    let fields = Fields::from([
        ("grant_type", GrantType::JwtBearer.name()),
        ("assertion", &token),
        ("requested_token_use", "on_behalf_of"),
        ("resource", API),
        ("scope", "photos:read"),
    ]);
    let answer = server.token("exchanger", &fields).await.expect(200);
    let known = server
        .introspect("exchanger", &Tokens::of(&answer).access)
        .await;
    assert_eq!(known["act"], json!({ "sub": "exchanger" }));
    assert_eq!(
        (&known["aud"], &known["client_id"]),
        (&json!(API), &json!("exchanger"))
    );
    assert_eq!(known["sub"], server.user("alice").await.id.to_string());
    server
        .token("planless", &fields)
        .await
        .refused(400, "unauthorized_client");
}
