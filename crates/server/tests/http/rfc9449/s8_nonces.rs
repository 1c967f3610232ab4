//! Nonces of this server: one retry is enough, and answers keep clients up to date (RFC 9449 §8, §9).

use crate::support::dpop::{self, one};
use crate::support::{Answer, Fields, Setup, TestServer, Tokens, clients};
use serde_json::{Value, json};

async fn ask(server: &TestServer, client: &str, claims: &Value) -> Answer {
    let fields = Fields::from([("grant_type", "client_credentials")]);
    let ask = clients::authenticate(server, client, server.post("/token", &fields));
    server
        .send(ask.header("dpop", &dpop::proof(one(), claims)))
        .await
}

fn with_nonce(mut claims: Value, nonce: &str) -> Value {
    claims["nonce"] = json!(nonce);
    claims
}

async fn server() -> TestServer {
    Setup::default()
        .policy(|policy| policy.dpop_nonce = true)
        .start()
        .await
}

// P-233, P-234
#[tokio::test]
async fn one_retry_is_enough_and_answers_carry_the_next_nonce() {
    let server = server().await;
    let refused = ask(&server, "service", &dpop::for_token(&server)).await;
    refused.clone().refused(400, "use_dpop_nonce");
    let nonce = refused.header("dpop-nonce").unwrap();
    let answer = ask(
        &server,
        "service",
        &with_nonce(dpop::for_token(&server), nonce),
    )
    .await;
    assert_eq!(Tokens::of(&answer).json["token_type"], "DPoP");
    let mut nonce = answer.header("dpop-nonce").unwrap().to_owned();
    for _ in 0..5 {
        server.advance(50);
        let answer = ask(
            &server,
            "service",
            &with_nonce(dpop::for_token(&server), &nonce),
        )
        .await;
        nonce = answer.expect(200).header("dpop-nonce").unwrap().to_owned();
    }
    server.advance(120);
    ask(
        &server,
        "service",
        &with_nonce(dpop::for_token(&server), &nonce),
    )
    .await
    .refused(400, "use_dpop_nonce");
}

// P-233, P-234
#[tokio::test]
async fn a_resource_asks_for_a_nonce_with_401_and_a_challenge() {
    let server = server().await;
    let refused = ask(&server, "service", &dpop::for_token(&server)).await;
    let nonce = refused.header("dpop-nonce").unwrap().to_owned();
    let code = server.code("web", "openid").await;
    let redeem = clients::authenticate(
        &server,
        "web",
        server.post("/token", &server.redemption("web", &code)),
    );
    let proof = dpop::proof(one(), &with_nonce(dpop::for_token(&server), &nonce));
    let tokens = Tokens::of(&server.send(redeem.header("dpop", &proof)).await);
    let refused = server
        .send(dpop::userinfo(&server, &tokens.access, one()))
        .await;
    refused.clone().refused(401, "use_dpop_nonce");
    assert!(
        refused
            .header("www-authenticate")
            .unwrap()
            .contains("error=\"use_dpop_nonce\"")
    );
    let nonce = refused.header("dpop-nonce").unwrap();
    let claims = dpop::with_token(dpop::claims(&server, "GET", "/userinfo"), &tokens.access);
    let proof = dpop::proof(one(), &with_nonce(claims, nonce));
    let ask = server.get("/userinfo").header("dpop", &proof);
    let answer = server
        .send(ask.header("authorization", &format!("DPoP {}", tokens.access)))
        .await;
    assert!(answer.expect(200).header("dpop-nonce").is_some());
}

// P-218, SEC-180
#[tokio::test]
async fn with_a_nonce_no_clock_matters_and_nothing_can_be_made_ahead() {
    let server = server().await;
    let refused = ask(&server, "service", &dpop::for_token(&server)).await;
    let nonce = refused.header("dpop-nonce").unwrap().to_owned();
    let mut wrong_clock = with_nonce(dpop::for_token(&server), &nonce);
    wrong_clock["iat"] = json!(server.now().seconds() - 86_400);
    ask(&server, "service", &wrong_clock).await.expect(200);
    let mut ahead = with_nonce(dpop::for_token(&server), &nonce);
    ahead["iat"] = json!(server.now().seconds() + 600);
    server.advance(600);
    ask(&server, "service", &ahead)
        .await
        .refused(400, "use_dpop_nonce");
}

// P-233
#[tokio::test]
async fn a_client_is_asked_for_nonces_as_it_is_registered() {
    let server = server().await;
    server
        .change_client("service", |client| client.dpop_nonce = Some(false))
        .await;
    let answer = ask(&server, "service", &dpop::for_token(&server))
        .await
        .expect(200);
    assert_eq!(answer.header("dpop-nonce"), None);
    let other = TestServer::start().await;
    other
        .change_client("service", |client| client.dpop_nonce = Some(true))
        .await;
    ask(&other, "service", &dpop::for_token(&other))
        .await
        .refused(400, "use_dpop_nonce");
}

// P-233: nobody who sends no proof meets a nonce
#[tokio::test]
async fn bearer_clients_know_nothing_of_nonces() {
    let server = server().await;
    let tokens = server.tokens("web", "openid").await;
    let answer = server.userinfo(&tokens.access).await.expect(200);
    assert_eq!(answer.header("dpop-nonce"), None);
}
