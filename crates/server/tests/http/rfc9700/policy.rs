//! Policies hold on every grant, not only on the one they were thought of for (SEC-024).

use crate::support::{Fields, TestServer, Tokens};
use jeton_protocol::client::GrantType;
use jeton_protocol::scope::Scope;

// SEC-024, P-85
#[tokio::test]
async fn a_grant_the_client_is_not_registered_for_is_refused_everywhere() {
    let server = TestServer::start().await;
    for allowed in GrantType::ALL {
        server
            .change_client("web", |client| client.grant_types = vec![allowed])
            .await;
        for tried in GrantType::ALL {
            let fields = Fields::from([
                ("grant_type", tried.name()),
                ("code", "x"),
                ("refresh_token", "x"),
            ]);
            let error = server.token("web", &fields).await.json()["error"].clone();
            assert_eq!(
                error == "unauthorized_client",
                tried != allowed,
                "{tried:?} with {allowed:?}"
            );
        }
        let answer = server
            .browser()
            .authorize(&server.request("web", "openid"))
            .await;
        let refused = answer
            .callback("error")
            .is_some_and(|error| error == "unauthorized_client");
        assert_eq!(refused, allowed != GrantType::AuthorizationCode);
    }
}

// SEC-024
#[tokio::test]
async fn a_client_that_lost_the_refresh_grant_cannot_refresh_what_it_has() {
    let server = TestServer::start().await;
    let tokens = server.tokens("web", "openid").await;
    server
        .change_client("web", |client| {
            client.grant_types = vec![GrantType::AuthorizationCode]
        })
        .await;
    server
        .refresh("web", tokens.refresh())
        .await
        .refused(400, "unauthorized_client");
}

// SEC-024, P-177
#[tokio::test]
async fn the_scope_never_grows_over_any_chain_of_refreshes() {
    let server = TestServer::start().await;
    let granted = "openid email photos:read";
    let mut tokens = server.tokens("spa", granted).await;
    let asks = [
        "openid",
        "openid email photos:read",
        "photos:read",
        "openid profile",
        "",
        "internal",
        "email openid",
    ];
    for ask in asks.iter().cycle().take(28) {
        let fields = Fields::from([
            ("grant_type", "refresh_token"),
            ("refresh_token", tokens.refresh()),
            ("scope", ask),
        ]);
        let answer = server.token("spa", &fields).await;
        let within = Scope::parse(ask)
            .unwrap()
            .is_subset_of(&Scope::parse(granted).unwrap());
        assert_eq!(answer.status == 200, within, "{ask}");
        if within {
            let next = Tokens::of(&answer);
            let scope = Scope::parse(next.json["scope"].as_str().unwrap()).unwrap();
            assert!(
                scope.is_subset_of(&Scope::parse(granted).unwrap()),
                "{scope}"
            );
            tokens = next;
        }
    }
}

// SEC-024, SEC-030
#[tokio::test]
async fn what_the_client_may_no_longer_ask_for_is_not_given_at_the_next_sign_in() {
    let server = TestServer::start().await;
    server.tokens("web", "openid email").await;
    server
        .change_client("web", |client| {
            client.scope = Scope::parse("openid").unwrap()
        })
        .await;
    let answer = server
        .browser()
        .authorize(&server.request("web", "openid email"))
        .await;
    assert_eq!(answer.error(), "invalid_scope");
}
