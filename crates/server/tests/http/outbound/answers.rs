//! Which answers are taken (SEC-222, SEC-223), and how many questions are asked at once (SEC-225).

use super::{door, fetch, wanted};
use crate::support::remote::{Remote, Says, document};
use crate::support::{Setup, TestServer};
use jeton::outbound::{OutboundError, Settings};
use std::sync::Arc;
use std::time::Duration;

async fn answered(says: Says) -> Result<(), OutboundError> {
    let remote = Remote::start().await;
    remote.serves("/", says);
    fetch(remote.settings(), &remote.url("/")).await.map(drop)
}

fn json(status: &str, headers: &[(&str, &str)]) -> Says {
    let mut head = format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("content-length: 2\r\n\r\n{}");
    Says::Bytes(head.into_bytes())
}

// SEC-223
#[tokio::test]
async fn a_document_is_asked_for_as_it_is_and_comes_back_whole() {
    let remote = Remote::start().await;
    let headers = [
        ("content-type", "Application/JSON; charset=utf-8"),
        ("cache-control", "public, max-age=90"),
    ];
    remote.serves("/set?v=1", document(&headers, b"{\"keys\":[]}"));
    let fetched = fetch(remote.settings(), &remote.url("/set?v=1"))
        .await
        .unwrap();
    assert_eq!(&*fetched.body, b"{\"keys\":[]}");
    assert_eq!(fetched.content_type, "application/json");
    assert_eq!(fetched.max_age, Some(Duration::from_secs(90)));
    let head = remote.heads().remove(0).to_ascii_lowercase();
    for line in [
        "get /set?v=1 http/1.1",
        "accept: application/json, application/jwk-set+json",
        "accept-encoding: identity",
        "user-agent: jeton",
        "connection: close",
    ] {
        assert!(head.contains(&format!("{line}\r\n")), "{line} in {head}");
    }
    assert!(
        !head.contains("cookie") && !head.contains("authorization") && !head.contains("referer")
    );
}

// SEC-222
#[tokio::test]
async fn no_redirect_is_followed_and_only_200_counts() {
    let canary = Remote::start().await;
    canary.serves_document("/", "application/json", b"{}");
    let remote = Remote::start().await;
    let settings = Settings {
        allow: [remote.settings().allow, canary.settings().allow].concat(),
        ..remote.settings()
    };
    for status in [
        "301", "302", "303", "307", "308", "201", "203", "204", "206", "304", "404", "500",
    ] {
        let line = format!("{status} Status");
        remote.serves("/", json(&line, &[("location", &canary.url("/"))]));
        let error = fetch(settings.clone(), &remote.url("/")).await.unwrap_err();
        assert_eq!(error, OutboundError::Status(status.parse().unwrap()));
    }
    let to = canary.url("/");
    remote.serves("/", json("200 OK", &[("refresh", &format!("0; url={to}"))]));
    assert!(fetch(settings.clone(), &remote.url("/")).await.is_ok());
    let page = format!("<meta http-equiv=refresh content='0; url={to}'>");
    remote.serves_document("/", "text/html", page.as_bytes());
    let error = fetch(settings, &remote.url("/")).await.unwrap_err();
    assert!(matches!(error, OutboundError::Type(_)), "{error}");
    assert_eq!(canary.met(), 0);
}

// SEC-223
#[tokio::test]
async fn a_document_longer_than_was_asked_for_is_not_read_to_its_end() {
    let json = ("content-type", "application/json");
    assert_eq!(answered(document(&[json], &[b' '; 1000])).await, Ok(()));
    let too_long = Err(OutboundError::TooLong(1000));
    assert_eq!(answered(document(&[json], &[b' '; 1001])).await, too_long);
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
    let until_closed = Says::NeverEnds(format!("{head}\r\n").into_bytes());
    assert_eq!(answered(until_closed).await, too_long);
    let in_one_chunk = Says::NeverEnds(
        format!("{head}transfer-encoding: chunked\r\n\r\nffffffff\r\n").into_bytes(),
    );
    assert_eq!(answered(in_one_chunk).await, too_long);
    let promised = format!("{head}content-length: 18446744073709551615\r\n\r\n");
    let error = answered(Says::NeverEnds(promised.into_bytes()))
        .await
        .unwrap_err();
    assert!(
        matches!(error, OutboundError::TooLong(1000) | OutboundError::Http(_)),
        "{error}"
    );
}

// SEC-223
#[tokio::test]
async fn compressed_documents_and_other_types_are_not_taken() {
    let json = ("content-type", "application/json");
    for encoding in ["gzip", "br", "deflate", "zstd", "identity, gzip", "GZIP"] {
        let error = answered(document(&[json, ("content-encoding", encoding)], b"{}")).await;
        assert!(
            matches!(error, Err(OutboundError::Encoding(_))),
            "{encoding}"
        );
    }
    assert_eq!(
        answered(document(&[json, ("content-encoding", "identity")], b"{}")).await,
        Ok(())
    );
    for content_type in [
        "text/html",
        "application/jsonp",
        "application/javascript",
        "text/plain",
        "",
        "json",
    ] {
        let error = answered(document(&[("content-type", content_type)], b"{}")).await;
        assert!(
            matches!(error, Err(OutboundError::Type(_))),
            "{content_type}"
        );
    }
    let twice = [json, ("content-type", "text/html")];
    assert!(matches!(
        answered(document(&twice, b"{}")).await,
        Err(OutboundError::Type(_))
    ));
    assert!(matches!(
        answered(document(&[], b"{}")).await,
        Err(OutboundError::Type(_))
    ));
}

// SEC-223
#[tokio::test]
async fn an_answer_that_breaks_off_or_is_no_http_is_none() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
    for bytes in [
        format!("{head}content-length: 10\r\n\r\n{{}}"),
        format!("{head}transfer-encoding: chunked\r\n\r\n2\r\n{{}}\r\n"),
        format!("{head}content-length: 2\r\ncontent-length: 3\r\n\r\n{{}}"),
        "SSH-2.0-OpenSSH_9.9\r\n".to_owned(),
        "{}".to_owned(),
        String::new(),
    ] {
        let error = answered(Says::Bytes(bytes.clone().into_bytes()))
            .await
            .unwrap_err();
        assert!(matches!(error, OutboundError::Http(_)), "{bytes}: {error}");
    }
    let endless = format!("{head}x: ");
    let error = answered(Says::Bytes(
        [endless.as_bytes(), &[b'q'; 64 * 1024]].concat(),
    ))
    .await;
    assert!(matches!(error, Err(OutboundError::Http(_))), "{error:?}");
}

// SEC-223, SEC-365
#[tokio::test]
async fn who_is_slow_at_any_point_is_given_up() {
    let head =
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{".to_vec();
    for says in [Vec::new(), b"HTTP/1.1 200".to_vec(), head] {
        let remote = Remote::start().await;
        remote.serves("/", Says::Stalls(says));
        let settings = Settings {
            patience: Duration::from_millis(300),
            ..remote.settings()
        };
        let fetched = fetch(settings, &remote.url("/")).await;
        assert_eq!(fetched.unwrap_err(), OutboundError::TooSlow);
    }
    // Nobody ever accepts, so nobody begins TLS either.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let settings = Settings {
        allow: vec![format!("keys.example:{port}")],
        names: crate::support::remote::told(&[("keys.example", "127.0.0.1")]),
        patience: Duration::from_millis(300),
        ..crate::support::remote::nowhere()
    };
    let fetched = fetch(settings, &format!("https://keys.example:{port}/")).await;
    assert_eq!(fetched.unwrap_err(), OutboundError::TooSlow);
    assert_eq!(Settings::default().patience, Duration::from_secs(5));
}

// SEC-225
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_host_is_asked_four_questions_at_once_and_no_more() {
    let remote = Remote::start().await;
    remote.serves_document("/", "application/json", b"{}");
    remote.pauses(Duration::from_millis(30));
    let door = Arc::new(door(remote.settings()));
    let asking: Vec<_> = (0..24)
        .map(|_| {
            let (door, url) = (Arc::clone(&door), remote.url("/"));
            tokio::spawn(async move { door.fetch(wanted(&url), Ok).await.map(drop) })
        })
        .collect();
    for one in asking {
        assert_eq!(one.await.unwrap(), Ok(()));
    }
    assert_eq!(remote.asked(), 24);
    assert!((1..=4).contains(&remote.peak()), "{}", remote.peak());
}

// SEC-253
#[tokio::test]
async fn what_goes_out_is_counted_by_purpose_and_outcome() {
    let remote = Remote::start().await;
    remote.serves_document("/", "application/json", b"{}");
    let server: TestServer = Setup {
        outbound: remote.settings(),
        ..Setup::default()
    }
    .start()
    .await;
    let door = &server.app.door;
    for url in [
        remote.url("/"),
        remote.url("/missing"),
        "https://nobody.example/".to_owned(),
        "http://keys.example/".to_owned(),
    ] {
        let fetched = door.fetch(wanted(&url), Ok).await;
        assert_eq!(fetched.is_ok(), url == remote.url("/"));
    }
    let refused = |_| Err::<(), _>("not what was hoped for".to_owned());
    let unusable = door.fetch(wanted(&remote.url("/")), refused).await;
    assert_eq!(unusable.unwrap_err().outcome(), "unusable");
    let mut metrics = server.get("/metrics");
    metrics.management = true;
    let text = server.send(metrics).await.expect(200).body;
    for (outcome, times) in [
        ("fetched", 1),
        ("unusable", 2),
        ("failed", 1),
        ("refused", 1),
    ] {
        let line = format!(
            "jeton_outbound_requests_total{{purpose=\"test\",outcome=\"{outcome}\"}} {times}"
        );
        assert!(text.contains(&line), "{line} in {text}");
    }
}
