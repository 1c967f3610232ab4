//! Bound tokens at userinfo and at the demo API (RFC 9449 §7).

use crate::support::dpop::{self, one};
use crate::support::{Fields, Setup, TestServer, Tokens};
use http::Method;

// P-221, P-222, P-224, SEC-038, SEC-181
#[tokio::test]
async fn userinfo_answers_the_holder_of_the_key_and_nobody_else() {
    let server = TestServer::start().await;
    for client in ["web", "jwt-web", "bound-spa"] {
        let tokens = dpop::tokens(&server, client, one()).await;
        let answer = server
            .send(dpop::userinfo(&server, &tokens.access, one()))
            .await;
        assert_eq!(answer.expect(200).json()["email"], "alice@example.org");
        server
            .userinfo(&tokens.access)
            .await
            .refused(401, "invalid_token");
        assert_eq!(server.cause(), "bound_token_as_bearer");
    }
}

// P-205, P-224: a form in the body is a bearer token
#[tokio::test]
async fn a_post_with_the_header_is_answered_and_a_token_in_the_form_is_not() {
    let server = TestServer::start().await;
    let tokens = dpop::tokens(&server, "web", one()).await;
    let claims = || dpop::with_token(dpop::claims(&server, "POST", "/userinfo"), &tokens.access);
    let ask = server
        .bare(Method::POST, "/userinfo")
        .header("dpop", &dpop::proof(one(), &claims()));
    let by_header = ask.header("authorization", &format!("DPoP {}", tokens.access));
    server.send(by_header).await.expect(200);
    let form = Fields::from([("access_token", tokens.access.as_str())]);
    let by_form = server
        .post("/userinfo", &form)
        .header("dpop", &dpop::proof(one(), &claims()));
    server.send(by_form).await.refused(401, "invalid_token");
}

// P-225, P-262
#[tokio::test]
async fn the_challenge_is_in_the_scheme_that_was_tried_or_in_both() {
    let server = TestServer::start().await;
    let tokens = dpop::tokens(&server, "web", one()).await;
    let schemes = |answer: &crate::support::Answer| -> Vec<(String, bool)> {
        let values = answer.headers.get_all("www-authenticate").iter();
        values
            .map(|value| {
                let text = value.to_str().unwrap();
                let scheme = text.split(' ').next().unwrap().to_owned();
                (scheme, text.contains("error="))
            })
            .collect()
    };
    let both = |error| vec![("Bearer".to_owned(), error), ("DPoP".to_owned(), error)];
    let nothing = server.send(server.get("/userinfo")).await.expect(401);
    assert_eq!(schemes(&nothing), both(false));
    let bearer = server.userinfo(&tokens.access).await;
    assert_eq!(schemes(&bearer), both(true));
    let unknown = server.userinfo("unknown").await;
    assert_eq!(schemes(&unknown), [("Bearer".to_owned(), true)]);
    let ask = server
        .get("/userinfo")
        .header("authorization", "DPoP unknown");
    assert_eq!(
        schemes(&server.send(ask).await),
        [("DPoP".to_owned(), true)]
    );
}

// P-224, P-225
#[tokio::test]
async fn the_demo_api_takes_bound_tokens_of_machines() {
    let server = Setup {
        development: true,
        ..Setup::default()
    }
    .start()
    .await;
    server
        .change_client("service", |client| {
            client.audience = vec!["https://id.example/demo/api".to_owned()];
        })
        .await;
    let fields = Fields::from([("grant_type", "client_credentials")]);
    let tokens = Tokens::of(
        &server
            .send(dpop::post(&server, "service", &fields, one()))
            .await,
    );
    let claims = dpop::with_token(dpop::claims(&server, "GET", "/demo/api"), &tokens.access);
    let proof = dpop::proof(one(), &claims);
    let with = |scheme: &str| {
        let ask = server.get("/demo/api").header("dpop", &proof);
        ask.header("authorization", &format!("{scheme} {}", tokens.access))
    };
    server
        .send(with("Bearer"))
        .await
        .refused(401, "invalid_token");
    let answer = server
        .send(with("DPoP").header("origin", "https://any.example"))
        .await
        .expect(200);
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert_eq!(
        answer.header("access-control-expose-headers"),
        Some("DPoP-Nonce, WWW-Authenticate, Retry-After")
    );
}

// SEC-198: scripts may send the proof and read what they need
#[tokio::test]
async fn scripts_may_send_proofs_and_read_nonces_and_challenges() {
    let server = TestServer::start().await;
    for path in ["/token", "/userinfo"] {
        let ask = server
            .bare(Method::OPTIONS, path)
            .header("origin", "https://spa.example");
        let answer = server.send(ask).await.expect(204);
        let accepted = answer.header("access-control-allow-headers").unwrap();
        assert!(
            accepted.split(", ").any(|name| name == "dpop"),
            "{accepted}"
        );
        let exposed = answer.header("access-control-expose-headers").unwrap();
        for name in ["DPoP-Nonce", "WWW-Authenticate"] {
            assert!(exposed.split(", ").any(|known| known == name), "{exposed}");
        }
    }
}
