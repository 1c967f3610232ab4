//! Objects from outside that can be read in two ways, at every place that reads one (SEC-175).

use super::forged::patient;
use super::sinks::{Given, Sink};
use super::tokens::{Good, accepts};
use crate::malformed::variants;
use crate::support::TestServer;
use jeton_token::base64url;

/// Wherever a signed token is taken. The three endpoints that clients prove themselves at are one sink and its siblings.
const SINKS: [(Sink, &str); 7] = [
    (Sink::Assertion, "/token"),
    (Sink::Assertion, "/introspect"),
    (Sink::Assertion, "/revoke"),
    (Sink::Bearer, ""),
    (Sink::Introspection, ""),
    (Sink::Hint, ""),
    (Sink::LogoutHint, ""),
];

// SEC-175, SEC-R09
#[tokio::test]
async fn a_header_or_payload_that_reads_in_two_ways_is_no_token() {
    let server = patient().start().await;
    let given = Given::by(&server).await;
    let mut taken = Vec::new();
    let mut refused = 0;
    for sink in SINKS {
        let good = Good::of(&server, sink.0, &given);
        let (header, payload) = (good.header.to_string(), good.payload.to_string());
        let parts = |in_header: bool| {
            let whole = if in_header { &header } else { &payload };
            variants(whole)
                .into_iter()
                .map(move |made| (in_header, made))
        };
        for (in_header, (name, bytes)) in parts(true).chain(parts(false)) {
            let (head, body) = if in_header {
                (bytes, good.fresh().to_string().into_bytes())
            } else {
                (header.clone().into_bytes(), bytes)
            };
            let token = good.signed(&base64url::encode(&head), &base64url::encode(&body));
            refused += 1;
            if accepts(&server, sink, &token, &given).await {
                taken.push(format!("{sink:?}: {name}, header: {in_header}"));
            }
        }
        // The same, made right, is taken: it was the text alone.
        let token = good.signed(
            &base64url::encode(header.as_bytes()),
            &base64url::encode(good.fresh().to_string().as_bytes()),
        );
        assert!(accepts(&server, sink, &token, &given).await, "{sink:?}");
    }
    assert!(taken.is_empty(), "{taken:#?}");
    assert!(refused > 7 * 2 * 50, "{refused}");
}

// SEC-175, SEC-177
#[tokio::test]
async fn a_part_has_one_spelling() {
    let server = patient().start().await;
    let given = Given::by(&server).await;
    for sink in SINKS {
        let good = Good::of(&server, sink.0, &given);
        let header = base64url::encode(good.header.to_string().as_bytes());
        for (name, change) in spellings() {
            let payload = base64url::encode(good.fresh().to_string().as_bytes());
            for token in [
                good.signed(&change(&header), &payload),
                good.signed(&header, &change(&payload)),
            ] {
                assert!(
                    !can_be_sent(sink, &token) || !accepts(&server, sink, &token, &given).await,
                    "{sink:?} {name}"
                );
            }
            let token = good.signed(&header, &payload);
            let (input, signature) = token.rsplit_once('.').unwrap();
            let token = format!("{input}.{}", change(signature));
            assert!(
                !can_be_sent(sink, &token) || !accepts(&server, sink, &token, &given).await,
                "{sink:?} {name}"
            );
        }
    }
}

type Change = fn(&str) -> String;

/// Whether a header can hold the token: no client, and no attacker, sends a line break in one.
fn can_be_sent((sink, _): (Sink, &str), token: &str) -> bool {
    sink != Sink::Bearer || !token.contains(|c: char| c.is_ascii_control())
}

/// Other spellings of the same bytes, as lenient decoders read them.
fn spellings() -> [(&'static str, Change); 6] {
    [
        ("padded", |text| format!("{text}=")),
        ("padded to a multiple of four", |text| {
            format!("{text}{}", "=".repeat(4 - text.len() % 4))
        }),
        ("a space in it", |text| {
            format!("{} {}", &text[..4], &text[4..])
        }),
        ("a line break in it", |text| {
            format!("{}\r\n{}", &text[..4], &text[4..])
        }),
        ("another letter behind it", |text| format!("{text}A")),
        ("escaped for an address", |text| {
            format!("%{:02X}{}", text.as_bytes()[0], &text[1..])
        }),
    ]
}

// SEC-175
#[tokio::test]
async fn a_claims_parameter_that_reads_in_two_ways_is_refused() {
    let server = TestServer::start().await;
    let good = r#"{"userinfo":{"email":null},"id_token":{"acr":null}}"#;
    let ask = |claims: &[u8]| {
        let request = server.request("web", "openid").with("prompt", "none");
        let mut ask = server.get("/authorize").query(&request);
        ask.url.push_str("&claims=");
        for byte in claims {
            ask.url.push_str(&format!("%{byte:02X}"));
        }
        ask
    };
    let right = server.send(ask(good.as_bytes())).await;
    assert_eq!(right.error(), "login_required", "the right one is read");
    for (name, claims) in variants(good) {
        // An empty parameter counts as absent (RFC 6749 §3.1).
        if claims.is_empty() {
            continue;
        }
        let answer = server.send(ask(&claims)).await;
        let told = answer.location().map(|_| answer.error());
        let is_told = told.as_deref() == Some("invalid_request");
        assert!(
            is_told || answer.status.is_client_error(),
            "{name}: {} {told:?}",
            answer.status
        );
    }
}
