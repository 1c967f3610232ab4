//! The image of a client on our pages (P-102, P-288, SEC-156).

use crate::support::browser::{asks_consent, asks_password};
use crate::support::remote::{OTHER_HOST, Remote, Says, document};
use crate::support::{Answer, BY_PATH, Setup, TestServer, clients};
use jeton::logo::LOGO;
use jeton::outbound::Fetched;
use jeton::outbound::remote::Place;
use jeton_protocol::client::{AuthenticationMethod, Client, GrantType};
use jeton_token::base64url;
use std::time::Duration;

const GIF: &[u8] = b"GIF89a and what follows";

async fn serving(remote: &Remote) -> TestServer {
    let pictured = Client {
        logo_uri: Some(url(remote)),
        ..clients::new(
            "pictured",
            AuthenticationMethod::ClientSecretBasic,
            &[GrantType::AuthorizationCode],
        )
    };
    Setup {
        outbound: remote.settings(),
        ..Setup::default()
    }
    .client(pictured)
    .start()
    .await
}

fn url(remote: &Remote) -> String {
    format!("https://{OTHER_HOST}:{}/logo", remote.port)
}

async fn page(server: &TestServer) -> Answer {
    let page = server
        .browser()
        .authorize(&server.request("pictured", "openid"))
        .await;
    assert!(asks_password(&page), "{}", page.body);
    page
}

fn shown() -> String {
    format!("<img src=\"/logos/{}\"", base64url::encode(b"pictured"))
}

fn path() -> String {
    format!("/logos/{}", base64url::encode(b"pictured"))
}

/// The fetch that a page began has ended.
async fn fetched(server: &TestServer, remote: &Remote) {
    let tenant = server.tenant();
    let url = url(remote);
    let place = Place {
        tenant: &tenant,
        url: &url,
    };
    let app = &server.app;
    let _ = app.logos.find(&app.door, place, server.now()).await;
}

// P-102
#[tokio::test]
async fn sign_in_and_consent_show_the_image_from_our_own_origin() {
    let remote = Remote::start().await;
    remote.serves_document("/logo", "image/gif", GIF);
    let server = serving(&remote).await;
    let first = page(&server).await;
    assert!(!first.body.contains("<img"), "the first page has none yet");
    fetched(&server, &remote).await;
    let mut browser = server.browser();
    let page = browser
        .authorize(&server.request("pictured", "openid"))
        .await;
    assert!(page.body.contains(&shown()), "{}", page.body);
    let consent = browser.sign_in(&page, "alice").await;
    assert!(asks_consent(&consent) && consent.body.contains(&shown()));
    assert!(!consent.body.contains(OTHER_HOST));

    let image = server.send(server.get(&path())).await.expect(200);
    assert_eq!(image.body.as_bytes(), GIF);
    for (name, value) in [
        ("content-type", "image/gif"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "default-src 'none'; sandbox"),
        ("cross-origin-resource-policy", "same-origin"),
        ("cache-control", "public, max-age=3600"),
    ] {
        assert_eq!(image.header(name), Some(value), "{name}");
    }
    assert_eq!(remote.asked(), 1, "for all pages and readers together");
}

// P-102
#[tokio::test]
async fn a_page_does_not_wait_for_the_image() {
    let remote = Remote::start().await;
    remote.serves("/logo", Says::Stalls(Vec::new()));
    let server = serving(&remote).await;
    let page = tokio::time::timeout(Duration::from_secs(30), page(&server)).await;
    assert!(!page.expect("a page at once").body.contains("<img"));
}

// P-102: a node whose page shows the image need not be the one that is asked for it.
#[tokio::test]
async fn the_image_is_fetched_where_it_is_asked_for() {
    let remote = Remote::start().await;
    remote.serves_document("/logo", "image/gif", GIF);
    let server = serving(&remote).await;
    server.send(server.get(&path())).await.expect(200);
    assert!(page(&server).await.body.contains(&shown()));
}

// P-102, SEC-223
#[tokio::test]
async fn what_is_no_image_of_the_four_kinds_is_shown_to_nobody() {
    let script = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>";
    let huge = [GIF, &[0; 256 * 1024]].concat();
    for (content_type, body) in [
        ("image/svg+xml", &script[..]),
        ("image/png", script),
        ("image/gif", b"<html><script>alert(1)</script>"),
        ("text/html", GIF),
        ("application/octet-stream", GIF),
        ("image/gif", b""),
        ("image/gif", &huge),
    ] {
        let remote = Remote::start().await;
        remote.serves("/logo", document(&[("content-type", content_type)], body));
        let server = serving(&remote).await;
        server.send(server.get(&path())).await.expect(404);
        let page = page(&server).await;
        assert!(!page.body.contains("<img"), "{content_type}");
    }
}

// P-102
#[test]
fn an_image_is_served_as_what_its_first_bytes_say() {
    let read = |bytes: &'static [u8]| {
        let fetched = Fetched {
            body: bytes.into(),
            content_type: "image/png",
            max_age: None,
        };
        (LOGO.read)(&fetched).map(|logo| logo.content_type).ok()
    };
    for (bytes, kind) in [
        (&b"\x89PNG\r\n\x1a\n...."[..], Some("image/png")),
        (b"\xff\xd8\xff\xe0....", Some("image/jpeg")),
        (b"GIF87a....", Some("image/gif")),
        (b"RIFF\x10\0\0\0WEBPVP8 ", Some("image/webp")),
        (b"RIFF\x10\0\0\0WAVEfmt ", None),
        (b"\x89PNG", None),
        (b"<?xml version='1.0'?><svg/>", None),
        (b"BM......", None),
        (b"\0\0\x01\0", None),
        (b"", None),
    ] {
        assert_eq!(read(bytes), kind, "{bytes:?}");
    }
}

// SEC-R06
#[tokio::test]
async fn only_a_client_of_this_tenant_that_has_an_image_has_one_here() {
    let remote = Remote::start().await;
    remote.serves_document("/logo", "image/gif", GIF);
    let server = serving(&remote).await;
    for id in [&b"web"[..], b"nobody", b"\xff", b""] {
        let path = format!("/logos/{}", base64url::encode(id));
        server.send(server.get(&path)).await.expect(404);
    }
    server.send(server.get("/logos/!")).await.expect(404);
    server.send(server.get("/logos/a/b")).await.expect(404);
    server
        .at(BY_PATH)
        .send(server.at(BY_PATH).get(&path()))
        .await
        .expect(404);
    server.disable_client("pictured").await;
    server.send(server.get(&path())).await.expect(404);
    assert_eq!(remote.met(), 0);
}
