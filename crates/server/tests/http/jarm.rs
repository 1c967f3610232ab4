//! Signed authorization responses over HTTP (JARM).

use crate::support::{Answer, ISSUER, TestServer, Tokens, jwt};
use jeton_token::SignatureAlgorithm;
use serde_json::Value;

async fn claims(server: &TestServer, answer: &Answer) -> Value {
    let response = answer.callback("response").expect("a response");
    assert!(answer.callback("code").is_none() && answer.callback("iss").is_none());
    jwt::verified(server, &response).await
}

// P-325, P-326, P-327, P-328, P-330
#[tokio::test]
async fn the_code_comes_in_a_jwt_signed_as_registered() {
    let server = TestServer::start().await;
    for (algorithm, name) in [
        (None, "RS256"),
        (Some(SignatureAlgorithm::Es256), "ES256"),
        (Some(SignatureAlgorithm::EdDsa), "EdDSA"),
    ] {
        server
            .change_client("web", |client| {
                client.authorization_signed_response_alg = algorithm
            })
            .await;
        for (mode, sign) in [("jwt", '?'), ("query.jwt", '?'), ("fragment.jwt", '#')] {
            let request = server.request("web", "openid").with("response_mode", mode);
            let answer = server.browser().complete(&request, "alice").await;
            let start = format!("https://web.example/cb{sign}response=ey");
            let location = answer.location().unwrap();
            assert!(
                location.starts_with(&start) && !location.contains('&'),
                "{location}"
            );
            let response = answer.callback("response").unwrap();
            assert_eq!(jwt::read(&response).0["alg"], name);
            let claims = claims(&server, &answer).await;
            assert_eq!(
                (&claims["iss"], &claims["aud"]),
                (&ISSUER.into(), &"web".into())
            );
            assert_eq!(claims["state"], "state-1");
            assert_eq!(claims["exp"], server.now().seconds() + 60);
            let code = claims["code"].as_str().unwrap();
            Tokens::of(&server.redeem("web", code).await);
        }
    }
}

// P-107, P-329
#[tokio::test]
async fn an_error_comes_in_a_jwt_too() {
    let server = TestServer::start().await;
    let request = server
        .request("web", "openid")
        .with("response_mode", "jwt")
        .with("prompt", "none");
    let claims = claims(&server, &server.browser().authorize(&request).await).await;
    assert_eq!(claims["error"], "login_required");
    assert_eq!(claims["state"], "state-1");
    assert!(claims.get("code").is_none());
}

// SEC-116: a response is no ID token, though both are signed by the issuer for the client
#[tokio::test]
async fn a_signed_response_is_no_hint() {
    let server = TestServer::start().await;
    let request = server.request("web", "openid").with("response_mode", "jwt");
    let answer = server.browser().complete(&request, "alice").await;
    let response = answer.callback("response").unwrap();
    let hinted = server
        .request("web", "openid")
        .with("id_token_hint", &response);
    assert_eq!(
        server.browser().authorize(&hinted).await.error(),
        "invalid_request"
    );
    assert_eq!(server.cause(), "id_token_hint_invalid");
}
