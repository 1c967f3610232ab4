//! Core §5.3 and RFC 6750: userinfo.

use crate::support::{Fields, TestServer, jwt};
use http::Method;
use jeton_token::algorithm::SignatureAlgorithm;
use serde_json::{Value, json};

// P-252, P-253, P-254, P-256, S67
#[tokio::test]
async fn get_post_and_form_give_the_same_answer_with_the_subject_of_the_id_token() {
    let server = TestServer::start().await;
    for client in ["web", "jwt-web"] {
        let tokens = server.tokens(client, "openid email").await;
        let asks = [
            server.get("/userinfo").bearer(&tokens.access),
            server
                .bare(Method::POST, "/userinfo")
                .bearer(&tokens.access),
            server.post(
                "/userinfo",
                &Fields::from([("access_token", tokens.access.as_str())]),
            ),
            server
                .post("/userinfo", &Fields::default())
                .bearer(&tokens.access),
            server
                .get("/userinfo")
                .header("authorization", &format!("bEARER {}", tokens.access)),
        ];
        let sub = jwt::verified(&server, tokens.id()).await["sub"].clone();
        for ask in asks {
            let answer = server.send(ask).await.expect(200);
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            assert_eq!(answer.json()["sub"], sub);
            assert_eq!(answer.json()["email"], "alice@example.org");
        }
    }
}

// P-16, P-175, P-261, S67
#[tokio::test]
async fn a_client_that_registered_for_it_gets_a_signed_answer_with_issuer_and_audience() {
    let server = TestServer::start().await;
    let asked = server.get("/.well-known/openid-configuration");
    let metadata = server.send(asked).await.json();
    let offered = metadata["userinfo_signing_alg_values_supported"].as_array();
    let offered = offered.unwrap();
    for algorithm in [
        SignatureAlgorithm::Rs256,
        SignatureAlgorithm::Es256,
        SignatureAlgorithm::EdDsa,
    ] {
        assert!(offered.contains(&json!(algorithm.name())), "{algorithm}");
        let wants = |client: &mut jeton_protocol::client::Client| {
            client.userinfo_signed_response_alg = Some(algorithm);
        };
        server.change_client("web", wants).await;
        let tokens = server.tokens("web", "openid email").await;
        let answer = server.userinfo(&tokens.access).await.expect(200);
        assert_eq!(answer.header("content-type"), Some("application/jwt"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let claims = jwt::verified(&server, &answer.body).await;
        let sub = jwt::verified(&server, tokens.id()).await["sub"].clone();
        assert_eq!(
            claims,
            json!({
                "iss": server.issuer, "aud": "web", "sub": sub,
                "email": "alice@example.org", "email_verified": true,
            })
        );
        // It is nobody's token: it opens nothing and hints at nothing.
        server.userinfo(&answer.body).await.expect(401);
        let mut browser = server.browser();
        let request = server.request("web", "openid email");
        browser.complete(&request, "alice").await.code();
        for (hint, error) in [
            (tokens.id(), None),
            (answer.body.as_str(), Some("invalid_request")),
        ] {
            let hinted = request.clone().with("id_token_hint", hint);
            let silent = browser.authorize(&hinted.with("prompt", "none")).await;
            assert_eq!(silent.callback("error").as_deref(), error);
        }
    }
    let plain = server.tokens("jwt-web", "openid").await;
    let answer = server.userinfo(&plain.access).await.expect(200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
}

// P-257, P-258, P-260, S67
#[tokio::test]
async fn each_scope_gives_its_claims_and_no_others() {
    let server = TestServer::start().await;
    let profile = [
        "birthdate",
        "family_name",
        "gender",
        "given_name",
        "locale",
        "middle_name",
        "name",
        "nickname",
        "picture",
        "preferred_username",
        "profile",
        "updated_at",
        "website",
        "zoneinfo",
    ];
    let cases: [(&str, &[&str]); 5] = [
        ("openid", &[]),
        ("openid email", &["email", "email_verified"]),
        ("openid phone", &["phone_number", "phone_number_verified"]),
        ("openid address", &["address"]),
        ("openid profile", &profile),
    ];
    for (scope, claims) in cases {
        let tokens = server.tokens("web", scope).await;
        let json = server.userinfo(&tokens.access).await.expect(200).json();
        let mut found: Vec<&str> = json
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .filter(|name| *name != "sub")
            .collect();
        found.sort_unstable();
        assert_eq!(found, claims, "{scope}");
    }
}

// P-258
#[tokio::test]
async fn claims_have_the_types_of_core() {
    let server = TestServer::start().await;
    let tokens = server
        .tokens("web", "openid profile email phone address")
        .await;
    let json = server.userinfo(&tokens.access).await.expect(200).json();
    assert_eq!(
        (&json["email_verified"], &json["phone_number_verified"]),
        (&json!(true), &json!(false))
    );
    assert!(json["updated_at"].is_number());
    assert!(json["address"]["country"].is_string());
}

// P-259
#[tokio::test]
async fn what_the_user_does_not_have_is_left_out() {
    let server = TestServer::start().await;
    let mut user = server.user("alice").await;
    user.claims.remove("middle_name");
    server
        .app
        .store
        .replace_user(&server.tenant(), user, server.occasion())
        .await
        .unwrap();
    let tokens = server.tokens("web", "openid profile").await;
    let json = server.userinfo(&tokens.access).await.expect(200).json();
    assert_eq!(json.get("middle_name"), None);
    assert!(
        json.as_object()
            .unwrap()
            .values()
            .all(|value| !value.is_null() && *value != json!("") && *value != json!({}))
    );
}

// P-262, P-263, SEC-167
#[tokio::test]
async fn every_refusal_has_its_status_and_a_challenge() {
    let server = TestServer::start().await;
    let plain = server.tokens("web", "photos:read").await;
    let own = server.own_tokens("jwt-service").await;
    let cases = [
        (server.get("/userinfo"), 401, None),
        (
            server.get("/userinfo").bearer("unknown"),
            401,
            Some("invalid_token"),
        ),
        (
            server.get("/userinfo").bearer(&plain.access),
            403,
            Some("insufficient_scope"),
        ),
        (
            server.get("/userinfo").bearer(&own.access),
            403,
            Some("insufficient_scope"),
        ),
        (
            server.get("/userinfo?access_token=x"),
            400,
            Some("invalid_request"),
        ),
    ];
    for (ask, status, error) in cases {
        let answer = server.send(ask).await.expect(status);
        let challenge = answer.header("www-authenticate").expect("a challenge");
        assert!(
            challenge.starts_with("Bearer realm=\"https://id.example\""),
            "{challenge}"
        );
        let named = error.map(|error| format!("error=\"{error}\""));
        assert_eq!(
            named
                .as_ref()
                .map(|named| challenge.contains(named.as_str())),
            named.as_ref().map(|_| true)
        );
        assert_eq!(challenge.contains("error="), error.is_some());
    }
}

// P-264
#[tokio::test]
async fn accept_headers_do_not_change_the_answer() {
    let server = TestServer::start().await;
    let tokens = server.tokens("web", "openid").await;
    for accept in [
        "*/*",
        "application/json;charset=UTF-8",
        "application/json, text/plain; q=0.5",
        "text/html",
    ] {
        let answer = server
            .send(
                server
                    .get("/userinfo")
                    .bearer(&tokens.access)
                    .header("accept", accept),
            )
            .await;
        assert!(answer.expect(200).json()["sub"].is_string(), "{accept}");
    }
}

// P-84, P-85, P-87, S67
#[tokio::test]
async fn a_claim_asked_for_userinfo_is_there_and_not_in_the_id_token() {
    let server = TestServer::start().await;
    let asked =
        r#"{"userinfo":{"email":{"essential":true},"name":null,"unknown":{"essential":true}}}"#;
    let answer = server
        .browser()
        .complete(
            &server.request("web", "openid").with("claims", asked),
            "alice",
        )
        .await;
    let tokens = crate::support::Tokens::of(&server.redeem("web", &answer.code()).await);
    let json = server.userinfo(&tokens.access).await.expect(200).json();
    assert_eq!(
        (&json["email"], &json["name"]),
        (&json!("alice@example.org"), &json!("alice Adams"))
    );
    assert_eq!(jwt::verified(&server, tokens.id()).await.get("email"), None);
    let again = crate::support::Tokens::of(&server.refresh("web", tokens.refresh()).await);
    assert_eq!(
        server.userinfo(&again.access).await.json()["email"],
        "alice@example.org"
    );
}

// P-260
#[tokio::test]
async fn a_narrower_refresh_gives_narrower_claims() {
    let server = TestServer::start().await;
    let tokens = server.tokens("web", "openid email").await;
    let fields = Fields::from([
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens.refresh()),
        ("scope", "openid"),
    ]);
    let narrow = crate::support::Tokens::of(&server.token("web", &fields).await);
    let json: Value = server.userinfo(&narrow.access).await.expect(200).json();
    assert_eq!(json.as_object().unwrap().len(), 1, "{json}");
}
