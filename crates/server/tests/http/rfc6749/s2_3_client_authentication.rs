//! RFC 6749 §2.3 and RFC 7523: who may call.

use crate::support::clients::{ODD_SECRET, secret_of};
use crate::support::{Fields, TestServer, jwt};
use serde_json::json;

fn own() -> Fields {
    Fields::from([("grant_type", "client_credentials")])
}

// P-183, P-184, P-185, P-186, P-196, SEC-022, S28, S29
#[tokio::test]
async fn every_registered_method_works_at_every_endpoint_that_asks_for_a_client() {
    let server = TestServer::start().await;
    for client in ["service", "keyed", "hmac", "odd:%+"] {
        server.token(client, &own()).await.expect(200);
        assert!(!server.is_active(client, "unknown").await, "{client}");
        server.revoke(client, "unknown").await.expect(200);
    }
    for client in ["post", "spa"] {
        let tokens = server.tokens(client, "openid").await;
        server.revoke(client, tokens.refresh()).await.expect(200);
    }
}

// P-187, S31
#[tokio::test]
async fn a_public_client_names_itself_and_proves_nothing() {
    let server = TestServer::start().await;
    let code = server.code("spa", "openid").await;
    let without = server.post("/token", &server.redemption("spa", &code));
    server.send(without).await.refused(401, "invalid_client");
    server.redeem("spa", &code).await.expect(200);
}

// P-183, SEC-126, S28
#[tokio::test]
async fn id_and_secret_of_the_header_are_form_decoded() {
    let server = TestServer::start().await;
    let right = server.post("/token", &own()).basic("odd:%+", ODD_SECRET);
    server.send(right).await.expect(200);
    let spaces_as_percent = server
        .post("/token", &own())
        .basic_raw("odd%3a%25%2B:p%3Al%25u%2Bs%20%C3%BC%26%3D");
    server.send(spaces_as_percent).await.expect(200);
}

// S28
#[tokio::test]
async fn a_secret_that_only_fits_undecoded_is_named_as_that_fault() {
    let server = TestServer::start().await;
    let raw = server.post("/token", &own()).basic_raw("plus:a+b");
    server.send(raw).await.refused(401, "invalid_client");
    assert_eq!(server.cause(), "client_secret_not_form_encoded");
}

// S32, P-167
#[tokio::test]
async fn a_client_id_beside_the_header_is_accepted_when_it_agrees_only() {
    let server = TestServer::start().await;
    server
        .token("service", &own().with("client_id", "service"))
        .await
        .expect(200);
    server
        .token("service", &own().with("client_id", "web"))
        .await
        .refused(401, "invalid_client");
}

// P-159, SEC-022
#[tokio::test]
async fn the_scheme_of_the_header_is_compared_without_case() {
    let server = TestServer::start().await;
    let mut ask = server
        .post("/token", &own())
        .basic("service", &secret_of("service"));
    let header = ask
        .headers
        .iter_mut()
        .find(|(name, _)| name == "authorization")
        .unwrap();
    header.1 = header.1.replacen("Basic", "bASIC", 1);
    server.send(ask).await.expect(200);
}

// P-192, P-197, P-203, SEC-121, SEC-122, SEC-124
#[tokio::test]
async fn an_assertion_is_accepted_in_every_form_the_specifications_allow() {
    let server = TestServer::start().await;
    let now = server.now().seconds();
    let headers = [
        json!({ "alg": "ES256" }),
        json!({ "alg": "ES256", "typ": "JWT" }),
        json!({ "alg": "ES256", "typ": "client-authentication+jwt" }),
        json!({ "alg": "ES256", "kid": jwt::client_key().kid() }),
    ];
    let changes = [
        ("aud", json!([server.issuer])),
        ("iat", json!(now + 8)),
        ("nbf", json!(now + 8)),
        ("exp", json!(now - 8)),
        ("exp", json!(now + 300)),
    ];
    let mut assertions = Vec::new();
    for header in &headers {
        assertions.push(jwt::sign(
            jwt::client_key(),
            header,
            &jwt::assertion_claims(&server, "keyed"),
        ));
    }
    for (name, value) in changes {
        let mut claims = jwt::assertion_claims(&server, "keyed");
        claims[name] = value;
        assertions.push(jwt::sign(jwt::client_key(), &headers[0], &claims));
    }
    for assertion in assertions {
        let answer = server
            .send(server.post("/token", &jwt::with_assertion(own(), &assertion)))
            .await;
        assert_eq!(
            answer.status,
            200,
            "{:?} {}",
            jwt::read(&assertion),
            answer.body
        );
    }
}

// P-199, SEC-020, SEC-120
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_32_uses_of_one_assertion_at_once_exactly_one_succeeds() {
    let server = TestServer::start().await;
    let assertion = jwt::keyed(&server, "keyed");
    let paths = ["/token", "/introspect", "/revoke", "/token"];
    let uses: Vec<_> = (0..32)
        .map(|number| {
            let fields = jwt::with_assertion(own().with("token", "unknown"), &assertion);
            let ask = server.post(paths[number % 4], &fields);
            let server = server.clone();
            tokio::spawn(async move { server.send(ask).await.status.as_u16() })
        })
        .collect();
    let mut statuses = Vec::new();
    for one in uses {
        statuses.push(one.await.unwrap());
    }
    assert_eq!(
        statuses.iter().filter(|status| **status == 200).count(),
        1,
        "{statuses:?}"
    );
    assert!(
        statuses
            .iter()
            .all(|status| [200, 401, 429].contains(status)),
        "{statuses:?}"
    );
}

// P-199, SEC-120
#[tokio::test]
async fn a_jti_is_spent_for_its_own_client_only_and_until_it_expires() {
    let server = TestServer::start().await;
    let mut claims = jwt::assertion_claims(&server, "keyed");
    claims["jti"] = json!("same");
    let mut of_hmac = jwt::assertion_claims(&server, "hmac");
    of_hmac["jti"] = json!("same");
    let secret = crate::support::clients::HMAC_SECRET.as_bytes();
    let keyed = jwt::sign(jwt::client_key(), &json!({ "alg": "ES256" }), &claims);
    let hmac = jwt::sign_hmac(secret, &json!({ "alg": "HS256" }), &of_hmac);
    for assertion in [&keyed, &hmac] {
        server
            .send(server.post("/token", &jwt::with_assertion(own(), assertion)))
            .await
            .expect(200);
    }
    server
        .send(server.post("/token", &jwt::with_assertion(own(), &keyed)))
        .await
        .refused(401, "invalid_client");
    assert_eq!(server.cause(), "client_assertion_replayed");
    server.advance(69);
    server
        .send(server.post("/token", &jwt::with_assertion(own(), &keyed)))
        .await
        .refused(401, "invalid_client");
    assert_eq!(server.cause(), "client_assertion_replayed");
}

// P-189, P-190, P-204, SEC-022, SEC-125
#[tokio::test]
async fn no_client_gets_in_by_a_method_it_is_not_registered_for() {
    let server = TestServer::start().await;
    for client in ["service", "post", "keyed", "hmac", "web"] {
        let secret = secret_of(client);
        let ways = [
            (
                "client_secret_basic",
                server.post("/token", &own()).basic(client, &secret),
            ),
            (
                "client_secret_post",
                server.post(
                    "/token",
                    &own()
                        .with("client_id", client)
                        .with("client_secret", &secret),
                ),
            ),
            (
                "none",
                server.post("/token", &own().with("client_id", client)),
            ),
            (
                "empty secret",
                server.post(
                    "/token",
                    &own().with("client_id", client).with("client_secret", ""),
                ),
            ),
            (
                "empty header",
                server.post("/token", &own()).basic(client, ""),
            ),
        ];
        let registered = match client {
            "service" | "web" => "client_secret_basic",
            "post" => "client_secret_post",
            _ => "an assertion",
        };
        for (way, ask) in ways {
            let answer = server.send(ask).await;
            if way == registered {
                assert_ne!(answer.error(), "invalid_client", "{client} by {way}");
            } else {
                answer.refused(401, "invalid_client");
            }
        }
    }
}

// SEC-127
#[tokio::test]
async fn guessing_a_secret_is_slowed_down_for_that_client_and_address_only() {
    let server = TestServer::start().await;
    let guess = || server.post("/token", &own()).basic("service", "a guess");
    for _ in 0..10 {
        server.send(guess()).await.refused(401, "invalid_client");
    }
    let slowed = server.send(guess()).await.expect(429);
    let wait: u64 = slowed.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=7).contains(&wait), "{wait}");
    assert_eq!(slowed.header("cache-control"), Some("no-store"));
    let right = server
        .post("/token", &own())
        .basic("service", &secret_of("service"));
    server.send(right.clone()).await.expect(429);
    server
        .send(right.clone().peer("198.51.100.9".parse().unwrap()))
        .await
        .expect(200);
    server.token("odd:%+", &own()).await.expect(200);
    server.advance(wait);
    server.send(right).await.expect(200);
}

// P-158, P-191, SEC-046
#[tokio::test]
async fn an_unknown_client_and_a_wrong_secret_get_the_same_answer() {
    let server = TestServer::start().await;
    let unknown = server
        .send(server.post("/token", &own()).basic("nobody", "x"))
        .await;
    let wrong = server
        .send(server.post("/token", &own()).basic("service", "x"))
        .await;
    assert_eq!(
        (unknown.status, unknown.error()),
        (wrong.status, wrong.error())
    );
    assert_eq!(
        unknown.json()["error_description"],
        wrong.json()["error_description"]
    );
    assert_eq!(
        unknown.json()["error_uri"],
        wrong.json()["error_uri"],
        "error_uri tells whether a client exists"
    );
}
