//! Core §2, §3.1.3: ID tokens.

use crate::support::{Fields, START, TestServer, Tokens, jwt};
use jeton_token::algorithm::SignatureAlgorithm;
use jeton_token::half_hash::half_hash;
use serde_json::json;

// P-51, P-168, P-169, P-170, P-171, P-172, P-173, P-175, P-176, S54
#[tokio::test]
async fn an_id_token_has_the_claims_of_core_and_no_others() {
    let server = TestServer::start().await;
    let tokens = server.tokens("web", "openid profile email").await;
    let (header, _) = jwt::read(tokens.id());
    assert_eq!(header["alg"], "RS256");
    assert!(header["kid"].is_string());
    let claims = jwt::verified(&server, tokens.id()).await;
    let user = server.user("alice").await;
    assert_eq!(claims["iss"], server.issuer);
    assert_eq!(claims["sub"], user.id.to_string());
    assert_eq!(claims["aud"], "web");
    assert_eq!(claims["iat"], START.seconds());
    assert_eq!(claims["exp"], START.seconds() + 300);
    assert_eq!(claims["auth_time"], START.seconds());
    assert_eq!(claims["nonce"], "nonce-1");
    assert_eq!(
        claims["at_hash"],
        half_hash(SignatureAlgorithm::Rs256, &tokens.access)
    );
    assert_eq!(claims["amr"], json!(["pwd"]));
    assert!(claims["acr"].as_str().is_some_and(|acr| !acr.is_empty()));
    let sub = claims["sub"].as_str().unwrap();
    assert!((1..=255).contains(&sub.len()) && sub.bytes().all(|b| (0x21..=0x7e).contains(&b)));
    let mut members: Vec<&str> = claims
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    members.sort_unstable();
    assert_eq!(
        members,
        [
            "acr",
            "amr",
            "at_hash",
            "aud",
            "auth_time",
            "exp",
            "iat",
            "iss",
            "nonce",
            "sid",
            "sub"
        ]
    );
}

// P-73, P-74, P-170
#[tokio::test]
async fn a_nonce_comes_back_exactly_and_is_absent_when_none_was_sent() {
    let server = TestServer::start().await;
    for nonce in [
        "n".repeat(43),
        "N-_.~+/=".repeat(8),
        "x".repeat(384),
        "ünïcode ✓".to_owned(),
    ] {
        let answer = server
            .browser()
            .complete(
                &server.request("web", "openid").with("nonce", &nonce),
                "alice",
            )
            .await;
        let tokens = Tokens::of(&server.redeem("web", &answer.code()).await);
        assert_eq!(jwt::verified(&server, tokens.id()).await["nonce"], nonce);
    }
    let answer = server
        .browser()
        .complete(&server.request("web", "openid").without("nonce"), "alice")
        .await;
    let tokens = Tokens::of(&server.redeem("web", &answer.code()).await);
    assert_eq!(jwt::verified(&server, tokens.id()).await.get("nonce"), None);
}

// P-54, P-171
#[tokio::test]
async fn the_registered_algorithm_signs_the_id_token() {
    let server = TestServer::start().await;
    for algorithm in [
        SignatureAlgorithm::Es256,
        SignatureAlgorithm::EdDsa,
        SignatureAlgorithm::Rs256,
    ] {
        server
            .change_client("web", |client| {
                client.id_token_signed_response_alg = Some(algorithm)
            })
            .await;
        let tokens = server.tokens("web", "openid").await;
        assert_eq!(jwt::read(tokens.id()).0["alg"], algorithm.name());
        let claims = jwt::verified(&server, tokens.id()).await;
        assert_eq!(claims["at_hash"], half_hash(algorithm, &tokens.access));
    }
}

// P-99, P-176
#[tokio::test]
async fn the_subject_of_a_user_is_the_same_in_every_sign_in_and_another_for_each_user() {
    let server = TestServer::start().await;
    let mut subjects = Vec::new();
    for (client, user) in [("web", "alice"), ("spa", "alice"), ("web", "bob")] {
        let answer = server
            .browser()
            .complete(&server.request(client, "openid"), user)
            .await;
        let tokens = Tokens::of(&server.redeem(client, &answer.code()).await);
        subjects.push(jwt::verified(&server, tokens.id()).await["sub"].clone());
    }
    assert_eq!(subjects[0], subjects[1]);
    assert_ne!(subjects[0], subjects[2]);
}

// P-98, S47
#[tokio::test]
async fn auth_time_stays_over_silent_requests() {
    let server = TestServer::start().await;
    let mut browser = server.browser();
    browser
        .complete(&server.request("web", "openid"), "alice")
        .await
        .code();
    server.advance(1000);
    let silent = server.request("web", "openid").with("prompt", "none");
    let code = browser.authorize(&silent).await.code();
    let tokens = Tokens::of(&server.redeem("web", &code).await);
    let claims = jwt::verified(&server, tokens.id()).await;
    assert_eq!(claims["auth_time"], START.seconds());
    assert_eq!(claims["iat"], START.seconds() + 1000);
}

// P-174, P-175
#[tokio::test]
async fn claims_of_a_scope_are_not_in_the_id_token_but_those_asked_for_there_are() {
    let server = TestServer::start().await;
    let asked =
        r#"{"id_token":{"email":{"essential":true},"unknown":null},"userinfo":{"name":null}}"#;
    let request: Fields = server
        .request("web", "openid profile")
        .with("claims", asked);
    let answer = server.browser().complete(&request, "alice").await;
    let tokens = Tokens::of(&server.redeem("web", &answer.code()).await);
    let claims = jwt::verified(&server, tokens.id()).await;
    assert_eq!(claims["email"], "alice@example.org");
    for absent in ["name", "given_name", "unknown", "email_verified"] {
        assert_eq!(claims.get(absent), None, "{absent}");
    }
}
