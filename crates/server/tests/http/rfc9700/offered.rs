//! What is offered and what is not there at all, and the four roles with their own credentials.

use crate::support::clients::API;
use crate::support::{Fields, TestServer, jwt};
use jeton_token::base64url;
use serde_json::json;

// S01
#[tokio::test]
async fn a_token_walks_from_the_user_by_the_client_to_the_resource_server() {
    let server = TestServer::start().await;
    // The user has a password, which only the server sees; the client has a secret, and so has the API.
    let tokens = server.tokens("api-web", "openid photos:read").await;
    let told = server.introspect("api", &tokens.access).await;
    let user = server.user("alice").await.id.to_string();
    assert_eq!(told["active"], true, "{told}");
    assert_eq!(
        (&told["sub"], &told["client_id"]),
        (&json!(user), &json!("api-web"))
    );
    let audience = told["aud"].to_string();
    assert!(audience.contains(API), "{audience}");
    // None of the four passes for another.
    let ask = Fields::from([("token", tokens.access.as_str())]);
    for (id, secret) in [
        ("api", "the secret of api-web".to_owned()),
        ("alice", TestServer::password("alice")),
        ("api-web", TestServer::password("alice")),
    ] {
        let asked = server.post("/introspect", &ask).basic(id, &secret);
        server.send(asked).await.refused(401, "invalid_client");
    }
    let mut browser = server.browser();
    let page = browser.authorize(&server.request("first", "openid")).await;
    let typed = [
        ("username", "api-web"),
        ("password", "the secret of api-web"),
    ];
    let answer = browser.submit(&page, &typed).await;
    assert_eq!(answer.callback("code"), None);
}

// P-8, P-16, P-17, P-188, SEC-460, SEC-463, SEC-464
#[tokio::test]
async fn nobody_registers_or_asks_by_back_channel_and_the_metadata_do_not_say_so() {
    let server = TestServer::start().await;
    let metadata = server
        .send(server.get("/.well-known/openid-configuration"))
        .await
        .expect(200)
        .json();
    for (member, path) in [
        ("registration_endpoint", "/register"),
        ("backchannel_authentication_endpoint", "/bc-authorize"),
    ] {
        assert!(metadata.get(member).is_none(), "{member}");
        let answer = server.send(server.post(path, &Fields::default())).await;
        assert_eq!(answer.status, 404, "{path}");
    }
    let grants = metadata["grant_types_supported"].as_array().unwrap();
    for grant in ["implicit", "password"] {
        assert!(!grants.contains(&json!(grant)), "{grant}");
        let fields = Fields::from([("grant_type", grant), ("username", "alice")]);
        let answer = server.token("web", &fields).await;
        answer.refused(400, "unsupported_grant_type");
    }
    assert_eq!(metadata["response_types_supported"], json!(["code"]));
    let methods = metadata["token_endpoint_auth_methods_supported"].to_string();
    assert!(!methods.contains("tls"), "{methods}");
}

// P-30
#[tokio::test]
async fn addresses_for_people_in_the_metadata_are_addresses() {
    let server = TestServer::start().await;
    let asked = server.get("/.well-known/openid-configuration");
    let metadata = server.send(asked).await.expect(200).json();
    for member in ["service_documentation", "op_policy_uri", "op_tos_uri"] {
        let found = metadata.get(member);
        let is_url = |text: &str| text.starts_with("https://");
        assert!(
            found.is_none_or(|value| value.as_str().is_some_and(is_url)),
            "{member}"
        );
    }
}

// P-105, P-106, P-107, SEC-110: what is not offered is refused where the default of the response type would have answered.
#[tokio::test]
async fn another_response_mode_or_type_is_refused_in_the_default_mode() {
    let server = TestServer::start().await;
    for (name, value, mark) in [
        ("response_mode", "web_message", '?'),
        ("response_mode", "QUERY", '?'),
        ("response_type", "token", '#'),
        ("response_type", "id_token token", '#'),
        ("response_type", "token id_token", '#'),
    ] {
        let request = server.request("web", "openid").with(name, value);
        let answer = server.send(server.get("/authorize").query(&request)).await;
        let location = answer.location().unwrap().to_owned();
        let start = format!("https://web.example/cb{mark}");
        assert!(location.starts_with(&start), "{location}");
        assert_eq!(location.contains('#'), mark == '#', "{location}");
        assert!(
            [
                "invalid_request",
                "unsupported_response_type",
                "unauthorized_client"
            ]
            .contains(&answer.error().as_str()),
            "{name}={value}: {}",
            answer.error()
        );
        assert_eq!(answer.callback("state").as_deref(), Some("state-1"));
    }
}

// SEC-128: nothing here reads a certificate from a header, so nothing in one proves anything.
#[tokio::test]
async fn a_certificate_in_a_header_proves_nothing() {
    let server = TestServer::start().await;
    let machine = Fields::from([
        ("grant_type", "client_credentials"),
        ("client_id", "service"),
    ]);
    for name in [
        "x-client-cert",
        "x-ssl-client-cert",
        "client-cert",
        "x-forwarded-client-cert",
        "ssl-client-verify",
        "x-ssl-client-s-dn",
    ] {
        let ask = server.post("/token", &machine).header(name, "CN=service");
        server.send(ask).await.refused(401, "invalid_client");
    }
}

// SEC-025, SEC-080, SEC-081: what would cost the verifier work of the sender's choosing is refused by its form alone.
#[tokio::test]
async fn nothing_encrypted_compressed_or_derived_from_a_password_is_opened() {
    let server = TestServer::start().await;
    let part = |text: &str| base64url::encode(text.as_bytes());
    let claims = jwt::assertion_claims(&server, "keyed").to_string();
    let derived = r#"{"alg":"PBES2-HS512+A256KW","enc":"A256GCM","p2c":2147483647,"p2s":"c2FsdA"}"#;
    let zipped = r#"{"alg":"dir","enc":"A256GCM","zip":"DEF"}"#;
    for token in [
        format!(
            "{}.{}.{}.{}.{}",
            part(derived),
            part("k"),
            part("iv"),
            part("c"),
            part("t")
        ),
        format!(
            "{}..{}.{}.{}",
            part(zipped),
            part("iv"),
            part(&claims),
            part("t")
        ),
        format!("{}.{}.{}", part(derived), part(&claims), part("t")),
        format!("{}.{}.{}", part(zipped), part(&claims), part("t")),
        format!(
            "{}.{}.{}",
            part(r#"{"alg":"ES256","zip":"DEF"}"#),
            part(&claims),
            part("t")
        ),
    ] {
        let fields = Fields::from([("grant_type", "client_credentials")]);
        let ask = server.post("/token", &jwt::with_assertion(fields, &token));
        server.send(ask).await.refused(401, "invalid_client");
        assert!(server.userinfo(&token).await.status == 401);
        assert!(!server.is_active("web", &token).await);
        let hint = server
            .request("web", "openid")
            .with("prompt", "none")
            .with("id_token_hint", &token);
        let answer = server.send(server.get("/authorize").query(&hint)).await;
        assert_eq!(answer.error(), "invalid_request");
    }
}

// SEC-412, SEC-414: what is given out says what it is, and a client's secret is never one that somebody thought of.
#[tokio::test]
async fn what_is_given_out_can_be_found_by_a_scanner_and_says_its_kind() {
    use super::sinks::{Given, Kind};
    let server = TestServer::start().await;
    let given = Given::by(&server).await;
    for (kind, prefix) in [
        (Kind::Code, "jtc_"),
        (Kind::Refresh, "jtr_"),
        (Kind::Opaque, "jta_"),
        (Kind::Session, "jts_"),
        (Kind::Interaction, "jti_"),
        (Kind::Browser, "jtb_"),
        (Kind::AdminLink, "jtl_"),
    ] {
        let value = given.value(kind);
        assert!(
            value.starts_with(prefix) && value.len() > 40,
            "{kind:?}: {value}"
        );
    }
}
