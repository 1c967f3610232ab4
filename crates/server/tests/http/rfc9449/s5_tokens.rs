//! Bound tokens from the token endpoint (RFC 9449 §5, §6, §10).

use crate::support::dpop::{self, one, other};
use crate::support::{BY_PATH, Fields, Setup, TestServer, Tokens, clients, jwt};
use jeton::http::routes::Endpoint;
use jeton_protocol::client::Rotation;
use jeton_protocol::dpop as rules;
use serde_json::{Value, json};

// P-36
#[tokio::test]
async fn the_metadata_names_the_algorithms_of_proofs() {
    let server = TestServer::start().await;
    for path in ["openid-configuration", "oauth-authorization-server"] {
        let metadata = server
            .send(server.get(&format!("/.well-known/{path}")))
            .await
            .json();
        let named = &metadata["dpop_signing_alg_values_supported"];
        let expected = [
            "ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "EdDSA",
        ];
        assert_eq!(named, &json!(expected));
    }
}

// P-156, P-205, SEC-159, S38
#[tokio::test]
async fn a_proof_makes_every_token_of_the_answer_one_of_type_dpop_with_its_key() {
    let server = TestServer::start().await;
    let jkt = one().public_jwk().thumbprint();
    for client in ["web", "jwt-web", "spa", "bound-spa", "bound-web"] {
        let tokens = dpop::tokens(&server, client, one()).await;
        assert_eq!(tokens.json["token_type"], "DPoP", "{client}");
        let refreshed = Tokens::of(&dpop::refresh(&server, client, tokens.refresh(), one()).await);
        assert_eq!(refreshed.json["token_type"], "DPoP", "{client}");
        if client == "jwt-web" {
            let claims = jwt::verified(&server, &refreshed.access).await;
            assert_eq!(claims["cnf"], json!({ "jkt": jkt }));
            for name in ["iss", "aud", "client_id"] {
                assert!(!claims[name].is_null(), "{name}");
            }
        }
    }
    let machine = Fields::from([("grant_type", "client_credentials")]);
    let own = server
        .send(dpop::post(&server, "service", &machine, one()))
        .await;
    assert_eq!(Tokens::of(&own).json["token_type"], "DPoP");
    let plain = server.tokens("web", "openid").await;
    assert_eq!(plain.json["token_type"], "Bearer");
}

// P-156, S56
#[tokio::test]
async fn introspection_tells_the_key_and_the_type() {
    let server = TestServer::start().await;
    let jkt = json!({ "jkt": one().public_jwk().thumbprint() });
    let tokens = dpop::tokens(&server, "web", one()).await;
    let told = server.introspect("web", &tokens.access).await;
    assert_eq!((&told["token_type"], &told["cnf"]), (&json!("DPoP"), &jkt));
    let plain = server.tokens("web", "openid").await;
    let told = server.introspect("web", &plain.access).await;
    assert_eq!(
        (&told["token_type"], &told["cnf"]),
        (&json!("Bearer"), &Value::Null)
    );
}

// P-231, P-232, SEC-038, SEC-181
#[tokio::test]
async fn downgrades_are_refused_and_confidential_clients_may_change_their_key() {
    let server = TestServer::start().await;
    // client, what redeems, what refreshes, what comes of it
    for (client, redeemed_by, refreshed_by, outcome) in [
        ("spa", Some(one()), Some(one()), Ok("DPoP")),
        (
            "spa",
            Some(one()),
            Some(other()),
            Err("refresh_token_dpop_key"),
        ),
        ("spa", Some(one()), None, Err("refresh_token_dpop_key")),
        ("spa", None, Some(one()), Ok("DPoP")),
        ("spa", None, None, Ok("Bearer")),
        (
            "bound-spa",
            Some(one()),
            Some(other()),
            Err("refresh_token_dpop_key"),
        ),
        ("bound-spa", Some(one()), None, Err("dpop_proof_missing")),
        ("web", Some(one()), Some(other()), Ok("DPoP")),
        ("web", Some(one()), None, Ok("Bearer")),
        ("bound-web", Some(one()), Some(other()), Ok("DPoP")),
        ("bound-web", Some(one()), None, Err("dpop_proof_missing")),
    ] {
        let first = match redeemed_by {
            Some(key) => dpop::tokens(&server, client, key).await,
            None => server.tokens(client, "openid email").await,
        };
        let second = match refreshed_by {
            Some(key) => dpop::refresh(&server, client, first.refresh(), key).await,
            None => server.refresh(client, first.refresh()).await,
        };
        match outcome {
            Ok(token_type) => {
                assert_eq!(
                    Tokens::of(&second).json["token_type"],
                    token_type,
                    "{client}"
                );
            }
            Err(cause) => {
                assert_eq!(second.status.as_u16(), 400, "{client}");
                assert_eq!(server.cause(), cause, "{client}");
                let key = redeemed_by.unwrap();
                dpop::refresh(&server, client, first.refresh(), key)
                    .await
                    .expect(200);
            }
        }
    }
}

// S36: what was checked is shown, what was sent is not
#[tokio::test]
async fn the_trace_shows_the_checks_of_a_proof() {
    let server = Setup {
        development: true,
        ..Setup::default()
    }
    .start()
    .await;
    let machine = Fields::from([("grant_type", "client_credentials")]);
    let ask = dpop::post(&server, "service", &machine, one());
    let proof = ask.headers.last().unwrap().1.clone();
    server.send(ask).await.expect(200);
    let list = server.send(server.get("/dev/trace")).await.expect(200).body;
    let at = list.find("/dev/trace/").unwrap();
    let shown = &list[at..at + list[at..].find('"').unwrap()];
    let page = server.send(server.get(shown)).await.expect(200).body;
    for rule in [
        &rules::PROOF_VERIFIES,
        &rules::PROOF_TIMELY,
        &rules::PROOF_FRESH,
    ] {
        assert!(page.contains(rule.promise), "{}", rule.promise);
    }
    assert!(!page.contains(&proof));
}

// P-231: the new token has the new key
#[tokio::test]
async fn after_a_change_of_key_the_new_token_is_bound_to_the_new_one() {
    let server = TestServer::start().await;
    let first = dpop::tokens(&server, "web", one()).await;
    let second = Tokens::of(&dpop::refresh(&server, "web", first.refresh(), other()).await);
    server
        .send(dpop::userinfo(&server, &second.access, other()))
        .await
        .expect(200);
    server
        .send(dpop::userinfo(&server, &second.access, one()))
        .await
        .refused(401, "invalid_token");
    assert_eq!(server.cause(), "bound_token_key");
}

// RFC 9449 §5, SEC-162, SEC-181: from the first proof on, whatever came before it
#[tokio::test]
async fn a_public_clients_first_proof_at_refresh_binds_what_follows() {
    let server = TestServer::start().await;
    for rotation in [None, Some(Rotation::Never)] {
        let set = |client: &mut jeton_protocol::client::Client| {
            client.refresh_token_rotation = rotation;
        };
        server.change_client("spa", set).await;
        let first = server.tokens("spa", "openid email").await;
        let bound = Tokens::of(&dpop::refresh(&server, "spa", first.refresh(), one()).await);
        assert_eq!(bound.json["token_type"], "DPoP");
        dpop::refresh(&server, "spa", bound.refresh(), other())
            .await
            .refused(400, "invalid_grant");
        assert_eq!(server.cause(), "refresh_token_dpop_key");
        server
            .refresh("spa", bound.refresh())
            .await
            .refused(400, "invalid_grant");
        dpop::refresh(&server, "spa", bound.refresh(), one())
            .await
            .expect(200);
    }
}

// P-227, SEC-130, SEC-182
#[tokio::test]
async fn a_code_asked_for_with_dpop_jkt_waits_for_its_key() {
    let server = TestServer::start().await;
    let jkt = one().public_jwk().thumbprint();
    for client in ["web", "spa"] {
        let request = server.request(client, "openid").with("dpop_jkt", &jkt);
        let code = server.browser().complete(&request, "alice").await.code();
        dpop::redeem(&server, client, &code, other())
            .await
            .refused(400, "invalid_grant");
        assert_eq!(server.cause(), "code_dpop_key");
        server
            .redeem(client, &code)
            .await
            .refused(400, "invalid_grant");
        // Whoever has another key has burnt nothing.
        dpop::redeem(&server, client, &code, one())
            .await
            .expect(200);
    }
}

// P-181, design §1
#[tokio::test]
async fn a_bound_refresh_token_of_a_public_client_does_not_rotate() {
    let server = TestServer::start().await;
    let tokens = dpop::tokens(&server, "spa", one()).await;
    for _ in 0..3 {
        let again = Tokens::of(&dpop::refresh(&server, "spa", tokens.refresh(), one()).await);
        assert_eq!(again.refresh, None);
        server.advance(3600);
    }
}

// P-216: an alias of the configuration is an address like any other, and the proof is for the one that is called
#[tokio::test]
async fn a_proof_is_for_the_address_that_is_called_tenant_and_alias_included() {
    let setup = Setup {
        aliases: vec![("/oauth2/token".to_owned(), Endpoint::Token)],
        ..Setup::default().with_tenants()
    };
    let server = setup.start().await;
    let tenant = server.at(BY_PATH);
    let fields = Fields::from([("grant_type", "client_credentials")]);
    for (server, called, named, status) in [
        (&server, "/oauth2/token", "/oauth2/token", 200),
        (&server, "/oauth2/token", "/token", 400),
        (&server, "/token", "/oauth2/token", 400),
        (&tenant, "/token", "/token", 200),
    ] {
        let ask = clients::authenticate(server, "service", server.post(called, &fields));
        let proof = dpop::proof(one(), &dpop::claims(server, "POST", named));
        server.send(ask.header("dpop", &proof)).await.expect(status);
    }
    let ask = clients::authenticate(&tenant, "service", tenant.post("/token", &fields));
    let proof = dpop::proof(one(), &dpop::for_token(&server));
    tenant
        .send(ask.header("DPOP", &proof))
        .await
        .refused(400, "invalid_dpop_proof");
    assert_eq!(server.cause(), "dpop_proof_htu");
}
