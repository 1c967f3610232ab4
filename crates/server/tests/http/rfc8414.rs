//! RFC 8414 and OpenID Connect Discovery: what the server says of itself.

use crate::support::{Ask, BY_HOST, BY_PATH, ISSUER, Setup, TestServer};
use http::Method;
use serde_json::{Value, json};

async fn metadata(server: &TestServer) -> Value {
    server
        .send(server.get("/.well-known/openid-configuration"))
        .await
        .expect(200)
        .json()
}

// P-1, P-2, P-3, S62, S64, SEC-193
#[tokio::test]
async fn both_documents_are_the_same_in_both_places_of_every_tenant() {
    let server = Setup::default().with_tenants().start().await;
    let places = [
        (
            ISSUER,
            vec![
                "https://id.example/.well-known/openid-configuration",
                "https://id.example/.well-known/oauth-authorization-server",
            ],
        ),
        (
            BY_PATH,
            vec![
                "https://id.example/acme/.well-known/openid-configuration",
                "https://id.example/.well-known/oauth-authorization-server/acme",
                "https://id.example/.well-known/openid-configuration/acme",
            ],
        ),
        (
            BY_HOST,
            vec!["https://other.example/.well-known/openid-configuration"],
        ),
    ];
    for (issuer, urls) in places {
        let expected = metadata(&server.at(issuer)).await;
        assert_eq!(expected["issuer"], issuer);
        for url in urls {
            let answer = server.send(Ask::new(Method::GET, url)).await.expect(200);
            assert_eq!(answer.json(), expected, "{url}");
            assert_eq!(answer.header("content-type"), Some("application/json"));
            assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
        }
    }
}

// SEC-193
#[tokio::test]
async fn another_spelling_of_an_issuer_is_nobody() {
    let server = Setup::default().with_tenants().start().await;
    for url in [
        "https://id.example/ACME/.well-known/openid-configuration",
        "https://id.example/acme//.well-known/openid-configuration",
        "https://id.example/acm/.well-known/openid-configuration",
        "https://id.example/acme2/.well-known/openid-configuration",
        "https://id.example//.well-known/openid-configuration",
        "https://id.example/%61cme/.well-known/openid-configuration",
        "https://id.example/acme/./.well-known/openid-configuration",
        "https://id.example/.well-known/oauth-authorization-server/acme/",
        "https://other.example/acme/.well-known/openid-configuration",
    ] {
        let answer = server.send(Ask::new(Method::GET, url)).await.expect(404);
        assert_eq!(answer.location(), None, "{url}");
    }
}

// P-4, P-5, P-6, P-7, P-9, P-10, P-11, P-12, P-13, P-14, P-15, P-18, P-21, P-22, P-27, P-28, P-29, P-31, SEC-133
#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one line a member")]
async fn every_member_is_registered_true_and_of_its_type() {
    let server = TestServer::start().await;
    let found = metadata(&server).await;
    for (name, path) in [
        ("authorization_endpoint", "/authorize"),
        ("token_endpoint", "/token"),
        ("pushed_authorization_request_endpoint", "/par"),
        ("userinfo_endpoint", "/userinfo"),
        ("jwks_uri", "/jwks"),
        ("introspection_endpoint", "/introspect"),
        ("revocation_endpoint", "/revoke"),
        ("end_session_endpoint", "/end-session"),
        ("device_authorization_endpoint", "/device_authorization"),
    ] {
        assert_eq!(found[name], format!("{ISSUER}{path}"), "{name}");
    }
    let lists = [
        ("response_types_supported", json!(["code"])),
        (
            "response_modes_supported",
            json!(jeton_protocol::authorize::response::MODES),
        ),
        (
            "grant_types_supported",
            json!([
                "authorization_code",
                "refresh_token",
                "client_credentials",
                "urn:ietf:params:oauth:grant-type:device_code",
                "urn:ietf:params:oauth:grant-type:token-exchange",
                "urn:ietf:params:oauth:grant-type:jwt-bearer",
            ]),
        ),
        ("subject_types_supported", json!(["public"])),
        ("code_challenge_methods_supported", json!(["S256"])),
        ("ui_locales_supported", json!(["en", "fr"])),
    ];
    for (name, value) in lists {
        assert_eq!(found[name], value, "{name}");
    }
    for (name, value) in found.as_object().unwrap() {
        if name.ends_with("_supported") && !value.is_boolean() {
            let list = value
                .as_array()
                .unwrap_or_else(|| panic!("{name} is no list"));
            assert!(
                !list.is_empty() && list.iter().all(Value::is_string),
                "{name}"
            );
        }
    }
    let algorithms = found["id_token_signing_alg_values_supported"]
        .as_array()
        .unwrap();
    assert!(algorithms.contains(&json!("RS256")) && !algorithms.contains(&json!("none")));
    for flag in [
        "claims_parameter_supported",
        "authorization_response_iss_parameter_supported",
        "request_parameter_supported",
    ] {
        assert_eq!(found[flag], true, "{flag}");
    }
    for flag in [
        "require_pushed_authorization_requests",
        "request_uri_parameter_supported",
    ] {
        assert_eq!(found[flag], false, "{flag}");
    }
}

// P-25, P-26
#[tokio::test]
async fn the_authentication_methods_listed_are_those_that_work() {
    let server = TestServer::start().await;
    let found = metadata(&server).await;
    let methods = [
        "client_secret_basic",
        "client_secret_post",
        "client_secret_jwt",
        "private_key_jwt",
        "none",
    ];
    for endpoint in ["token", "revocation"] {
        let listed = found[format!("{endpoint}_endpoint_auth_methods_supported")]
            .as_array()
            .unwrap();
        assert!(
            methods.iter().all(|method| listed.contains(&json!(method)))
                && listed.len() == methods.len()
        );
    }
    let introspection = found["introspection_endpoint_auth_methods_supported"]
        .as_array()
        .unwrap();
    assert!(!introspection.contains(&json!("none")) && introspection.len() == 4);
    let algorithms = found["token_endpoint_auth_signing_alg_values_supported"]
        .as_array()
        .unwrap();
    assert!(
        algorithms.contains(&json!("ES256"))
            && algorithms.contains(&json!("HS256"))
            && !algorithms.contains(&json!("none"))
    );
}

// P-23, P-24, S63
#[tokio::test]
async fn scopes_are_listed_but_for_the_hidden_ones_which_are_granted_all_the_same() {
    let server = TestServer::start().await;
    let found = metadata(&server).await;
    let scopes = found["scopes_supported"].as_array().unwrap();
    for scope in ["openid", "offline_access", "photos:read"] {
        assert!(scopes.contains(&json!(scope)), "{scope}");
    }
    assert!(!scopes.contains(&json!("internal")));
    assert_eq!(
        server.tokens("web", "internal").await.json["scope"],
        "internal"
    );
}

// P-2, SEC-048, SEC-190
#[tokio::test]
async fn no_header_changes_an_address() {
    let server = TestServer::start().await;
    let expected = metadata(&server).await;
    for (name, value) in [
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "http"),
        ("x-forwarded-port", "8080"),
        ("x-forwarded-prefix", "/evil"),
        ("forwarded", "host=evil.example;proto=http"),
        ("x-host", "evil.example"),
        ("x-original-host", "evil.example"),
        ("x-original-url", "/evil"),
        ("x-rewrite-url", "/evil"),
        ("origin", "https://evil.example"),
        ("referer", "https://evil.example/"),
        ("x-http-host-override", "evil.example"),
        ("via", "1.1 evil.example"),
        ("x-real-ip", "203.0.113.9"),
        ("x-forwarded-server", "evil.example"),
    ] {
        let ask = server
            .get("/.well-known/openid-configuration")
            .header(name, value);
        assert_eq!(
            server.send(ask).await.expect(200).json(),
            expected,
            "{name}"
        );
        let request = server.request("web", "openid").with("prompt", "none");
        let answer = server
            .send(server.get("/authorize").query(&request).header(name, value))
            .await;
        assert_eq!(answer.callback("iss").as_deref(), Some(ISSUER), "{name}");
    }
}

// SEC-048, SEC-190
#[tokio::test]
async fn an_unknown_host_is_told_so_and_two_hosts_are_refused() {
    let server = TestServer::start().await;
    for host in [
        "evil.example",
        "id.example:8443",
        "id.example.",
        "ID.example",
        "id.example@evil.example",
        "[::1]",
    ] {
        let answer = server
            .send(
                server
                    .get("/.well-known/openid-configuration")
                    .header("host", host),
            )
            .await;
        assert!(
            [400, 421].contains(&answer.status.as_u16()),
            "{host}: {}",
            answer.status
        );
        assert!(!answer.body.contains("evil"), "{}", answer.body);
    }
    let two = server
        .get("/jwks")
        .header("host", "id.example")
        .header("host", "evil.example");
    server.send(two).await.expect(400);
    let none = server.get("/jwks").header("host", "");
    server.send(none).await.expect(400);
}
