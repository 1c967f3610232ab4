//! Codes bound to a key when the request is pushed (RFC 9449 §10.1).

use crate::support::dpop::{self, one, other};
use crate::support::{Answer, Fields, TestServer, Tokens, clients};
use jeton_token::signing_key::SigningKey;

async fn push(server: &TestServer, client: &str, fields: &Fields, key: &SigningKey) -> Answer {
    let ask = clients::authenticate(server, client, server.post("/par", fields));
    let proof = dpop::proof(key, &dpop::claims(server, "POST", "/par"));
    server.send(ask.header("dpop", &proof)).await
}

async fn code_of(server: &TestServer, client: &str, pushed: &Answer) -> String {
    let uri = pushed.json()["request_uri"].as_str().unwrap().to_owned();
    let fields = Fields::from([("client_id", client), ("request_uri", &uri)]);
    server.browser().complete(&fields, "alice").await.code()
}

// P-153, P-229, SEC-182
#[tokio::test]
async fn a_proof_at_push_binds_the_code_to_its_key_with_or_without_dpop_jkt() {
    let server = TestServer::start().await;
    let jkt = one().public_jwk().thumbprint();
    for client in ["web", "spa", "bound-web"] {
        let request = server.request(client, "openid");
        // Who authenticates in the body names itself there already.
        let request = match client {
            "spa" => request.without("client_id"),
            _ => request,
        };
        for request in [request.clone(), request.with("dpop_jkt", &jkt)] {
            let pushed = push(&server, client, &request, one()).await.expect(201);
            let code = code_of(&server, client, &pushed).await;
            dpop::redeem(&server, client, &code, other())
                .await
                .refused(400, "invalid_grant");
            assert_eq!(server.cause(), "code_dpop_key", "{client}");
            let tokens = Tokens::of(&dpop::redeem(&server, client, &code, one()).await);
            assert_eq!(tokens.json["token_type"], "DPoP");
        }
    }
}

// P-228, SEC-182
#[tokio::test]
async fn a_proof_at_push_by_another_key_than_dpop_jkt_names_is_refused() {
    let server = TestServer::start().await;
    let jkt = one().public_jwk().thumbprint();
    let request = server.request("web", "openid").with("dpop_jkt", &jkt);
    push(&server, "web", &request, other())
        .await
        .refused(400, "invalid_dpop_proof");
    assert_eq!(server.cause(), "pushed_request_dpop_key");
}

// P-153: naming the key is enough at push, also for a client that gets bound tokens only
#[tokio::test]
async fn a_push_without_a_proof_may_name_the_key_or_leave_it_to_the_redemption() {
    let server = TestServer::start().await;
    let jkt = one().public_jwk().thumbprint();
    let request = server.request("bound-web", "openid");
    for (request, thief_is_refused) in [
        (request.clone().with("dpop_jkt", &jkt), true),
        (request, false),
    ] {
        let pushed = server.post_as("bound-web", "/par", &request).await;
        let code = code_of(&server, "bound-web", &pushed.expect(201)).await;
        if thief_is_refused {
            dpop::redeem(&server, "bound-web", &code, other())
                .await
                .refused(400, "invalid_grant");
        }
        dpop::redeem(&server, "bound-web", &code, one())
            .await
            .expect(200);
    }
}

// P-223, SEC-348: a proof is spent at push as everywhere
#[tokio::test]
async fn a_proof_used_at_push_is_used_up() {
    let server = TestServer::start().await;
    let request = server.request("web", "openid");
    let proof = dpop::proof(one(), &dpop::claims(&server, "POST", "/par"));
    let ask = || {
        clients::authenticate(&server, "web", server.post("/par", &request)).header("dpop", &proof)
    };
    server.send(ask()).await.expect(201);
    server.send(ask()).await.refused(400, "invalid_dpop_proof");
    assert_eq!(server.cause(), "dpop_proof_replayed");
}
