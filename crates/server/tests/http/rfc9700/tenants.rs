//! Tenants: by path and by host, with the same user names, client ids and secrets, and nothing in common.

use super::sinks::{Given, Kind, SINKS, accepts};
use crate::support::{BY_HOST, BY_PATH, Fields, ISSUER, Setup, TestServer, Tokens, jwt};
use jeton_protocol::client::ClientId;

const ISSUERS: [&str; 3] = [ISSUER, BY_PATH, BY_HOST];

async fn tenants() -> Vec<TestServer> {
    let server = Setup::default().with_tenants().start().await;
    ISSUERS.iter().map(|issuer| server.at(issuer)).collect()
}

// SEC-011, SEC-023, SEC-060, SEC-241, S55
#[tokio::test]
async fn whatever_one_tenant_gives_out_is_unknown_at_every_endpoint_of_the_others() {
    let tenants = tenants().await;
    let mut given = Vec::new();
    for tenant in &tenants {
        given.push(Given::by(tenant).await);
    }
    let mut wrong = Vec::new();
    for (from, foreign) in given.iter().enumerate() {
        for (to, server) in tenants.iter().enumerate().filter(|(to, _)| *to != from) {
            for sink in SINKS {
                for (kind, value) in &foreign.of {
                    if accepts(server, sink, value, &given[to]).await {
                        wrong.push(format!(
                            "{kind:?} of {} at {sink:?} of {}",
                            ISSUERS[from], ISSUERS[to]
                        ));
                    }
                }
            }
            // Revoking at another tenant is "unknown", and ends nothing.
            for kind in [Kind::Opaque, Kind::Jwt, Kind::Refresh] {
                server.revoke("web", foreign.value(kind)).await.expect(200);
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    for (server, own) in tenants.iter().zip(&given) {
        for sink in SINKS.into_iter().rev() {
            for (kind, value) in own.of.iter().filter(|(kind, _)| sink.takes(*kind)) {
                assert!(
                    accepts(server, sink, value, own).await,
                    "{kind:?} at {sink:?} of {}",
                    server.issuer
                );
            }
        }
    }
}

// SEC-060, SEC-R06
#[tokio::test]
async fn a_client_of_one_tenant_is_unknown_to_the_others() {
    let tenants = tenants().await;
    let only = ClientId::parse("web").unwrap();
    tenants[1]
        .app
        .store
        .delete_client(&tenants[1].tenant(), &only, tenants[1].occasion())
        .await
        .unwrap();
    tenants[1].look_around().await;
    let request = tenants[1].request("web", "openid");
    let answer = tenants[1]
        .send(tenants[1].get("/authorize").query(&request))
        .await
        .expect(400);
    assert_eq!(
        (answer.location(), tenants[1].cause()),
        (None, "client_unknown")
    );
    let own = Fields::from([("grant_type", "authorization_code")]);
    tenants[1]
        .token("web", &own)
        .await
        .refused(401, "invalid_client");
    for tenant in [&tenants[0], &tenants[2]] {
        tenant.tokens("web", "openid").await;
    }
}

// SEC-060, SEC-193, P-113
#[tokio::test]
async fn every_tenant_signs_with_its_own_keys_under_its_own_name() {
    let tenants = tenants().await;
    let mut subjects = Vec::new();
    for tenant in &tenants {
        let answer = tenant
            .browser()
            .complete(&tenant.request("jwt-web", "openid"), "alice")
            .await;
        assert_eq!(
            answer.callback("iss").as_deref(),
            Some(tenant.issuer.as_str())
        );
        let tokens = Tokens::of(&tenant.redeem("jwt-web", &answer.code()).await);
        for token in [tokens.id(), &tokens.access] {
            let claims = jwt::verified(tenant, token).await;
            assert_eq!(claims["iss"], tenant.issuer);
            subjects.push(claims["sub"].clone());
        }
    }
    subjects.dedup();
    assert_eq!(subjects.len(), 3, "alice is somebody else in each");
    let mut keys = Vec::new();
    for tenant in &tenants {
        let jwks = tenant.send(tenant.get("/jwks")).await.json();
        keys.extend(
            jwks["keys"]
                .as_array()
                .unwrap()
                .iter()
                .map(|key| key["kid"].as_str().unwrap().to_owned()),
        );
    }
    let count = keys.len();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), count);
}

// SEC-060, SEC-030
#[tokio::test]
async fn stopping_a_user_or_client_of_one_tenant_touches_no_other() {
    let tenants = tenants().await;
    let mut tokens = Vec::new();
    for tenant in &tenants {
        tokens.push(tenant.tokens("web", "openid").await);
    }
    tenants[0].advance(1);
    tenants[1].disable_user("alice").await;
    tenants[2].disable_client("web").await;
    tenants[0].userinfo(&tokens[0].access).await.expect(200);
    tenants[0]
        .refresh("web", tokens[0].refresh())
        .await
        .expect(200);
    tenants[1]
        .userinfo(&tokens[1].access)
        .await
        .refused(401, "invalid_token");
    tenants[2]
        .userinfo(&tokens[2].access)
        .await
        .refused(401, "invalid_token");
}

// SEC-030, SEC-060
#[tokio::test]
async fn a_disabled_tenant_is_nobody() {
    let tenants = tenants().await;
    let tokens = tenants[1].tokens("web", "openid").await;
    let app = &tenants[0].app;
    app.store
        .disable_tenant(&tenants[1].tenant(), tenants[1].occasion())
        .await
        .unwrap();
    tenants[0].look_around().await;
    for path in [
        "/jwks",
        "/authorize",
        "/userinfo",
        "/.well-known/openid-configuration",
        "",
    ] {
        tenants[1].send(tenants[1].get(path)).await.expect(404);
    }
    tenants[1]
        .send(tenants[1].get("/userinfo").bearer(&tokens.access))
        .await
        .expect(404);
    tenants[0].tokens("web", "openid").await;
}

// SEC-403
#[tokio::test]
async fn one_browser_can_be_signed_in_as_different_users_at_tenants_of_one_host() {
    let tenants = tenants().await;
    let mut browser = tenants[0].browser();
    browser
        .complete(&tenants[0].request("first", "openid"), "alice")
        .await
        .code();
    browser.server = tenants[1].clone();
    browser
        .complete(&tenants[1].request("first", "openid"), "bob")
        .await
        .code();
    for (tenant, user) in [(&tenants[0], "alice"), (&tenants[1], "bob")] {
        browser.server = tenant.clone();
        let code = browser
            .authorize(&tenant.request("first", "openid").with("prompt", "none"))
            .await
            .code();
        let tokens = Tokens::of(&tenant.redeem("first", &code).await);
        let sub = jwt::verified(tenant, tokens.id()).await["sub"].clone();
        assert_eq!(sub, tenant.user(user).await.id.to_string());
    }
}
