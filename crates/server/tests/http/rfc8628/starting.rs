//! §3.1, §3.2: what a device is told, and how often.

use crate::support::device::{Started, asks_code};
use crate::support::{Fields, ISSUER, Setup, TestServer};
use jeton_protocol::client::GrantType;
use std::collections::BTreeSet;

// SEC-152, SEC-461, S48
#[tokio::test]
async fn a_device_is_told_two_codes_an_address_and_how_to_poll() {
    let server = TestServer::start().await;
    for client in ["tv", "printer"] {
        let answer = server.start_device(client, "openid").await.expect(200);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let json = answer.json();
        let user_code = json["user_code"].as_str().unwrap();
        assert!(json["device_code"].as_str().unwrap().starts_with("jtd_"));
        assert_eq!((user_code.len(), &user_code[4..5]), (9, "-"));
        assert_eq!(json["verification_uri"], format!("{ISSUER}/device"));
        let complete = format!("{ISSUER}/device?user_code={user_code}");
        assert_eq!(json["verification_uri_complete"], complete);
        assert_eq!(
            (json["expires_in"].as_u64(), json["interval"].as_u64()),
            (Some(600), Some(5))
        );
        assert_eq!(json.as_object().unwrap().len(), 6);
    }
}

// S48, P-27
#[tokio::test]
async fn the_metadata_names_the_endpoint_and_the_grant() {
    let server = TestServer::start().await;
    for path in ["openid-configuration", "oauth-authorization-server"] {
        let metadata = server
            .send(server.get(&format!("/.well-known/{path}")))
            .await
            .json();
        let endpoint = format!("{ISSUER}/device_authorization");
        assert_eq!(metadata["device_authorization_endpoint"], endpoint);
        let grants = metadata["grant_types_supported"].as_array().unwrap();
        assert!(grants.contains(&GrantType::DeviceCode.name().into()));
    }
}

// SEC-460
#[tokio::test]
async fn the_lifetime_is_the_one_that_is_configured() {
    let setup = Setup::default().policy(|policy| {
        policy.lifetimes.device_code = std::time::Duration::from_secs(90);
    });
    let server = setup.start().await;
    let json = server.start_device("tv", "openid").await.json();
    assert_eq!(json["expires_in"], 90);
    let device_code = json["device_code"].as_str().unwrap();
    server.advance(89);
    server
        .poll("tv", device_code)
        .await
        .refused(400, "authorization_pending");
    server.advance(1);
    server
        .poll("tv", device_code)
        .await
        .refused(400, "expired_token");
}

// SEC-465
#[tokio::test]
async fn a_client_at_one_address_starts_ten_devices_a_minute() {
    let server = TestServer::start().await;
    let mut codes = BTreeSet::new();
    for _ in 0..10 {
        codes.insert(Started::by(&server, "tv").await.user_code);
    }
    assert_eq!(codes.len(), 10);
    let eleventh = server.start_device("tv", "openid").await.expect(429);
    assert_eq!(eleventh.error(), "invalid_request");
    assert!(eleventh.header("retry-after").is_some());
    Started::by(&server, "printer").await;
    let fields = Fields::from([("client_id", "tv"), ("scope", "openid")]);
    let elsewhere = server
        .post("/device_authorization", &fields)
        .peer("192.0.2.77".parse().unwrap());
    server.send(elsewhere).await.expect(200);
    server.advance(6);
    Started::by(&server, "tv").await;
    server.start_device("tv", "openid").await.expect(429);
}

// SEC-R06
#[tokio::test]
async fn a_code_of_one_tenant_is_unknown_to_another() {
    let server = Setup::default().with_tenants().start().await;
    let other = server.at(crate::support::BY_PATH);
    let device = Started::by(&server, "tv").await;
    other
        .poll("tv", &device.device_code)
        .await
        .refused(400, "invalid_grant");
    let mut browser = other.browser();
    let page = browser.code_page("alice").await;
    let page = browser.enter(&page, &device.user_code).await.expect(200);
    assert!(asks_code(&page));
    assert_eq!(other.cause(), "user_code_unknown");
}
