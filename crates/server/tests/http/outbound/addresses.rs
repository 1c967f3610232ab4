//! Which addresses are connected to (SEC-220, SEC-221).

use super::fetch;
use crate::support::remote::{HOST, Remote, document, nowhere, told};
use crate::support::{Fields, Setup, clients, jwt};
use jeton::outbound::{Names, OutboundError, Settings, special_range};
use jeton_protocol::client::{AuthenticationMethod, Client, GrantType};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// First and last addresses of every range that is not somebody else's, and the well-known ones among them.
const SPECIAL: [&str; 62] = [
    "0.0.0.0",
    "0.255.255.255",
    "10.0.0.0",
    "10.255.255.255",
    "100.64.0.0",
    "100.100.100.200",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.255",
    "168.63.129.16",
    "169.254.0.0",
    "169.254.169.254",
    "169.254.255.255",
    "172.16.0.0",
    "172.31.255.255",
    "192.0.0.0",
    "192.0.0.192",
    "192.0.0.255",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.0",
    "192.168.255.255",
    "198.18.0.0",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.0",
    "239.255.255.255",
    "240.0.0.0",
    "255.255.255.254",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::8.8.8.8",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:8.8.8.8",
    "::ffff:0:127.0.0.1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::8.8.8.8",
    "64:ff9b:1::a00:1",
    "100::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:2::1",
    "2001:10::1",
    "2001:1ff:ffff::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2002:808:808::1",
    "3fff::1",
    "3fff:fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fdff::1",
    "fe80::1",
    "febf::1",
    "fec0::1",
    "ff02::1",
    "ffff::1",
];

const PUBLIC: [&str; 18] = [
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "169.253.255.255",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.0",
    "192.169.0.0",
    "198.20.0.0",
    "223.255.255.255",
    "2001:200::1",
    "2606:4700:4700::1111",
    "2a00:1450:4001:80e::200e",
];

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

// SEC-220
#[test]
fn every_special_range_is_known_from_its_first_to_its_last_address() {
    for text in SPECIAL {
        assert!(special_range(address(text)).is_some(), "{text}");
    }
    for text in PUBLIC {
        assert_eq!(special_range(address(text)), None, "{text}");
    }
}

/// A listener that a refused address would reach, where it is one of this machine, and settings that let its port be used.
async fn canary(answers: &[&str]) -> (Remote, Settings) {
    let canary = Remote::start().await;
    let names: Vec<(&str, &str)> = answers.iter().map(|answer| (HOST, *answer)).collect();
    let settings = Settings {
        allow: Vec::new(),
        ports: vec![canary.port],
        names: told(&names),
        ..canary.settings()
    };
    canary.serves_document("/", "application/json", b"{}");
    (canary, settings)
}

// SEC-220, SEC-055
#[tokio::test]
async fn no_special_address_is_connected_to_whatever_name_it_has() {
    for text in SPECIAL {
        let (canary, settings) = canary(&[text]).await;
        let error = fetch(settings, &canary.url("/")).await.unwrap_err();
        let refused = matches!(&error, OutboundError::Address { address: found, .. } if *found == address(text));
        assert!(refused, "{text}: {error}");
        assert_eq!(canary.met(), 0, "{text}");
    }
}

// SEC-221
#[tokio::test]
async fn one_special_address_among_several_spoils_the_name() {
    for answers in [["8.8.8.8", "127.0.0.1"], ["127.0.0.1", "8.8.8.8"]] {
        let (canary, settings) = canary(&answers).await;
        let error = fetch(settings, &canary.url("/")).await.unwrap_err();
        assert!(matches!(error, OutboundError::Address { .. }), "{error}");
        assert_eq!(canary.met(), 0);
    }
}

// SEC-221
#[tokio::test]
async fn a_name_is_asked_once_and_the_answer_that_was_checked_is_connected_to() {
    let canary = Remote::start().await;
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    // Only the first answer leads to the listener; a second question would be answered with an address where nobody is.
    let names = Names::Told(Arc::new(move |_| {
        match counted.fetch_add(1, Ordering::SeqCst) {
            0 => vec![address("127.0.0.1")],
            _ => vec![address("127.0.0.2")],
        }
    }));
    canary.serves_document("/", "application/json", b"{}");
    let settings = Settings {
        names,
        ..canary.settings()
    };
    assert!(fetch(settings, &canary.url("/")).await.is_ok());
    assert_eq!((asked.load(Ordering::SeqCst), canary.asked()), (1, 1));
    let head = canary.heads().remove(0).to_ascii_lowercase();
    assert!(
        head.contains(&format!("host: {HOST}:{}\r\n", canary.port)),
        "{head}"
    );
}

// SEC-220
#[tokio::test]
async fn a_name_without_an_address_and_an_address_that_is_refused_take_as_long_to_fail() {
    let least = std::time::Duration::from_millis(200);
    for names in [told(&[]), told(&[(HOST, "10.0.0.1")])] {
        let settings = Settings {
            names,
            shortest_failure: least,
            ..nowhere()
        };
        let began = tokio::time::Instant::now();
        let failed = fetch(settings, "https://keys.example/").await;
        assert!(failed.is_err() && began.elapsed() >= least);
    }
}

// SEC-220
#[tokio::test]
async fn what_the_operator_named_may_have_any_address_and_nothing_else_of_it_may() {
    let (remote, settings) = canary(&["127.0.0.1"]).await;
    let allowed = |allow: &str| Settings {
        allow: vec![allow.to_owned()],
        ports: vec![remote.port],
        ..settings.clone()
    };
    let exact = format!("{HOST}:{}", remote.port);
    assert!(fetch(allowed(&exact), &remote.url("/")).await.is_ok());
    for other in [
        HOST.to_owned(),
        format!("{HOST}:{}", remote.port - 1),
        format!("x{exact}"),
        format!("127.0.0.1:{}", remote.port),
        format!("logos.example:{}", remote.port),
    ] {
        let error = fetch(allowed(&other), &remote.url("/")).await.unwrap_err();
        assert!(matches!(error, OutboundError::Address { .. }), "{other}");
    }
    assert_eq!(remote.asked(), 1);
}

// SEC-220: each member of a client's record that is fetched.
#[tokio::test]
async fn no_member_of_a_registration_reaches_a_special_address() {
    for text in [
        "127.0.0.1",
        "::1",
        "::ffff:127.0.0.1",
        "0.0.0.0",
        "169.254.169.254",
    ] {
        let (canary, settings) = canary(&[text]).await;
        canary.serves(
            "/logo",
            document(&[("content-type", "image/gif")], b"GIF89a"),
        );
        let client = Client {
            jwks_uri: Some(canary.url("/jwks")),
            ..clients::new(
                "victim",
                AuthenticationMethod::PrivateKeyJwt,
                &GrantType::ALL,
            )
        };
        let pictured = Client {
            logo_uri: Some(canary.url("/logo")),
            ..clients::new(
                "pictured",
                AuthenticationMethod::ClientSecretBasic,
                &GrantType::ALL,
            )
        };
        let server = Setup {
            outbound: settings,
            more_clients: vec![client, pictured],
            ..Setup::default()
        }
        .start()
        .await;
        let fields = Fields::from([("grant_type", "client_credentials")]);
        let signed = jwt::keyed(&server, "victim");
        let answer = server
            .send(server.post("/token", &jwt::with_assertion(fields, &signed)))
            .await;
        answer.refused(401, "invalid_client");
        assert_eq!(
            answer.json()["error_description"],
            "Client authentication failed"
        );
        assert_eq!(server.cause(), "client_keys_unavailable");
        let id = jeton_token::base64url::encode(b"pictured");
        server
            .send(server.get(&format!("/logos/{id}")))
            .await
            .expect(404);
        assert_eq!(canary.met(), 0, "{text}");
    }
}
