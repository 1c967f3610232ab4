//! RFC 6749 §3.2, §5 and appendix B: the endpoint itself, its methods, headers and bodies.

use crate::support::{Fields, Setup, TestServer, Tokens};
use http::Method;
use jeton::http::routes::Endpoint;

fn own() -> Fields {
    Fields::from([("grant_type", "client_credentials")])
}

// S26, P-147, SEC-195
#[tokio::test]
async fn other_methods_are_answered_405_with_the_allowed_ones() {
    let server = TestServer::start().await;
    for path in ["/token", "/introspect", "/revoke"] {
        for method in [
            Method::GET,
            Method::HEAD,
            Method::PUT,
            Method::DELETE,
            Method::PATCH,
        ] {
            let answer = server
                .send(server.bare(method.clone(), path))
                .await
                .expect(405);
            assert_eq!(answer.header("allow"), Some("POST"), "{method} {path}");
            assert_eq!(answer.header("cache-control"), Some("no-store"));
        }
    }
    for path in ["/userinfo", "/authorize", "/end-session"] {
        let answer = server
            .send(server.bare(Method::DELETE, path))
            .await
            .expect(405);
        assert_eq!(answer.header("allow"), Some("GET, HEAD, POST"), "{path}");
    }
    for path in ["/jwks", "/.well-known/openid-configuration", "/continue"] {
        let answer = server
            .send(server.bare(Method::POST, path))
            .await
            .expect(405);
        assert_eq!(answer.header("allow"), Some("GET, HEAD"), "{path}");
    }
}

// SEC-195
#[tokio::test]
async fn no_parameter_or_header_changes_the_method() {
    let server = TestServer::start().await;
    let fields = own().with("_method", "POST");
    let ask = server
        .get("/token")
        .query(&fields)
        .header("x-http-method-override", "POST");
    server.send(ask).await.expect(405);
}

// P-154, P-155, P-156, S36, S37, S38, SEC-197
#[tokio::test]
async fn a_token_response_has_its_members_and_types_and_is_not_stored() {
    let server = TestServer::start().await;
    let code = server.code("web", "openid profile").await;
    let answer = server.redeem("web", &code).await.expect(200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("pragma"), Some("no-cache"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    let json = answer.json();
    let mut members: Vec<&str> = json
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    members.sort_unstable();
    assert_eq!(
        members,
        [
            "access_token",
            "expires_in",
            "id_token",
            "refresh_token",
            "scope",
            "token_type"
        ]
    );
    assert_eq!(json["token_type"], "Bearer");
    assert_eq!(json["expires_in"], 600);
    assert_eq!(json["scope"], "openid profile");
}

// P-157, SEC-036, S17, S52
#[tokio::test]
async fn tokens_are_long_legal_greppable_and_never_the_same() {
    let server = TestServer::start().await;
    let first = server.tokens("web", "openid").await;
    let second = server.tokens("web", "openid").await;
    for (one, other, prefix) in [
        (first.access.as_str(), second.access.as_str(), "jta_"),
        (first.refresh(), second.refresh(), "jtr_"),
    ] {
        assert!(
            one.starts_with(prefix) && other.starts_with(prefix),
            "{one} {other}"
        );
        assert!(one.len() >= 43 && one.bytes().all(|b| (0x21..=0x7e).contains(&b)));
        assert_ne!(one, other);
    }
}

// P-58, S34
#[tokio::test]
async fn unknown_parameters_are_ignored() {
    let server = TestServer::start().await;
    let code = server.code("web", "openid").await;
    let fields = server
        .redemption("web", &code)
        .with("unknown", "x")
        .with("resource", "https://api.example")
        .with("%00", "x");
    server
        .token("web", &fields.without("%00"))
        .await
        .expect(200);
}

// P-59, S33
#[tokio::test]
async fn an_empty_parameter_counts_as_absent() {
    let server = TestServer::start().await;
    let base = server.token("service", &own()).await.expect(200).json();
    for name in [
        "scope",
        "client_id",
        "client_secret",
        "client_assertion",
        "client_assertion_type",
        "code",
        "unknown",
    ] {
        let answer = server
            .token("service", &own().with(name, ""))
            .await
            .expect(200);
        assert_eq!(answer.json()["scope"], base["scope"], "{name}");
    }
}

// S35
#[tokio::test]
async fn two_values_of_resource_are_not_an_error() {
    let server = TestServer::start().await;
    let fields = own()
        .and("resource", "https://api.example")
        .and("resource", "https://two.example");
    server.token("service", &fields).await.expect(200);
}

// P-57
#[tokio::test]
async fn the_order_of_parameters_does_not_matter() {
    let server = TestServer::start().await;
    let code = server.code("web", "openid").await;
    let mut fields = server.redemption("web", &code);
    fields.0.reverse();
    server.token("web", &fields).await.expect(200);
}

// S27, SEC-195
#[tokio::test]
async fn the_content_type_may_name_utf_8_and_be_written_in_any_case() {
    let server = TestServer::start().await;
    for content_type in [
        "application/x-www-form-urlencoded",
        "application/x-www-form-urlencoded; charset=UTF-8",
        "Application/X-WWW-Form-Urlencoded;charset=utf-8",
    ] {
        let body = own().encoded();
        let ask = server
            .bare(Method::POST, "/token")
            .raw(content_type, body.as_bytes());
        let ask = ask.basic("service", "the secret of service");
        assert_eq!(server.send(ask).await.status, 200, "{content_type}");
    }
}

// S30, S44
#[tokio::test]
async fn an_alias_of_the_operator_answers_like_the_endpoint() {
    let setup = Setup {
        aliases: vec![("/oauth2/token".to_owned(), Endpoint::Token)],
        ..Setup::default()
    };
    let server = setup.with_tenants().start().await;
    server
        .post_as("service", "/oauth2/token", &own())
        .await
        .expect(200);
    let acme = server.at(crate::support::BY_PATH);
    acme.post_as("service", "/oauth2/token", &own())
        .await
        .expect(200);
    let answer = server.send(server.get("/oauth2/token")).await.expect(405);
    assert_eq!(answer.header("allow"), Some("POST"));
}

// SEC-198
#[tokio::test]
async fn scripts_of_registered_origins_may_read_the_answer_and_no_others() {
    let server = TestServer::start().await;
    for (origin, allowed) in [
        ("https://spa.example", true),
        ("https://web.example", true),
        ("https://evil.example", false),
        ("https://spa.example.evil.example", false),
        ("http://spa.example", false),
        ("null", false),
    ] {
        for path in ["/token", "/userinfo", "/revoke"] {
            for ask in [
                server.post(path, &own()),
                server.bare(Method::OPTIONS, path),
            ] {
                let answer = server.send(ask.header("origin", origin)).await;
                let found = answer.header("access-control-allow-origin");
                assert_eq!(found, allowed.then_some(origin), "{origin} at {path}");
                assert_eq!(answer.header("access-control-allow-credentials"), None);
                let vary = answer
                    .header("vary")
                    .unwrap_or_default()
                    .to_ascii_lowercase();
                assert!(vary.contains("origin"), "{origin} at {path}: vary {vary:?}");
            }
        }
    }
    for path in ["/authorize", "/sign-in", "/consent", "/introspect"] {
        let answer = server
            .send(
                server
                    .bare(Method::OPTIONS, path)
                    .header("origin", "https://spa.example"),
            )
            .await;
        assert_eq!(answer.header("access-control-allow-origin"), None, "{path}");
    }
    for path in [
        "/jwks",
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
    ] {
        let answer = server
            .send(server.get(path).header("origin", "https://anybody.example"))
            .await;
        assert_eq!(
            answer.header("access-control-allow-origin"),
            Some("*"),
            "{path}"
        );
    }
}

// S25
#[tokio::test]
async fn the_metadata_lists_exactly_the_grants_that_work() {
    let server = TestServer::start().await;
    let metadata = server
        .send(server.get("/.well-known/openid-configuration"))
        .await
        .json();
    let listed: Vec<String> =
        serde_json::from_value(metadata["grant_types_supported"].clone()).unwrap();
    for grant in [
        "authorization_code",
        "refresh_token",
        "client_credentials",
        "password",
        "urn:ietf:params:oauth:grant-type:device_code",
    ] {
        let answer = server
            .token("web", &Fields::from([("grant_type", grant)]))
            .await;
        let unknown = answer.error() == "unsupported_grant_type";
        assert_eq!(listed.iter().any(|name| name == grant), !unknown, "{grant}");
    }
}

// P-77, S66
#[tokio::test]
async fn without_openid_there_is_no_id_token() {
    let server = TestServer::start().await;
    let tokens: Tokens = server.tokens("web", "photos:read").await;
    assert_eq!(tokens.id, None);
    assert_eq!(tokens.json["scope"], "photos:read");
}
