//! What only a real connection shows: framing, limits, and answers that arrive (SEC-194, SEC-362, SEC-444).

use crate::support::TestServer;
use jeton::http::listener::{Listening, connections_within, serve};
use jeton::http::pace::Patience;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

async fn listening(server: &TestServer) -> (SocketAddr, watch::Sender<bool>) {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let (stop, stopped) = watch::channel(false);
    let listening = Listening {
        socket,
        tls: None,
        management: false,
        patience: Patience::default(),
    };
    tokio::spawn(serve(Arc::clone(&server.app), listening, stopped));
    (address, stop)
}

/// Sends bytes and returns what comes back within three seconds, without closing our side.
async fn exchange(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = vec![0; 64 * 1024];
    let read = tokio::time::timeout(Duration::from_secs(3), stream.read(&mut answer)).await;
    let count = read.map_or(0, |read| read.unwrap_or(0));
    String::from_utf8_lossy(&answer[..count]).into_owned()
}

fn token_request(more: &str) -> String {
    let body = "grant_type=client_credentials";
    format!(
        "POST /token HTTP/1.1\r\nHost: id.example\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\n{more}\r\n{body}",
        body.len()
    )
}

// RFC 9112 §2.2: what follows a request must not hold its answer back.
#[tokio::test]
async fn an_answer_arrives_at_once_whatever_follows_the_request() {
    let server = TestServer::start().await;
    let (address, _stop) = listening(&server).await;
    for more in ["", "\r\n", "GET /jw"] {
        let answer = exchange(address, format!("{}{more}", token_request("")).as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 401"), "{more:?}: {answer}");
    }
}

// SEC-362, SEC-444
#[tokio::test]
async fn too_many_headers_and_too_long_ones_are_told_so() {
    let server = TestServer::start().await;
    let (address, _stop) = listening(&server).await;
    let many: String = (0..101)
        .map(|number| format!("X-{number}: a\r\n"))
        .collect();
    let long = format!("X-Long: {}\r\n", "a".repeat(60_000));
    for headers in [many, long] {
        let answer = exchange(address, token_request(&headers).as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    }
    let body = "a".repeat(64 * 1024 + 1);
    let request = format!(
        "POST /token HTTP/1.1\r\nHost: id.example\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = exchange(address, request.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

// SEC-194, SEC-190
#[tokio::test]
async fn a_request_that_two_servers_would_read_differently_is_refused() {
    let server = TestServer::start().await;
    let (address, _stop) = listening(&server).await;
    let framed =
        |headers: &str| format!("POST /token HTTP/1.1\r\nHost: id.example\r\n{headers}\r\n");
    for (request, status) in [
        (
            framed("Content-Length: 5\r\nContent-Length: 6\r\n") + "a=b&c",
            "400",
        ),
        (
            framed("Content-Length: 5\r\nX-A: b\r\n folded: c\r\n") + "a=b&c",
            "400",
        ),
        (
            "GET /jwks HTTP/1.1\r\nHost: id.example\r\nHost: evil.example\r\n\r\n".to_owned(),
            "400",
        ),
        ("GET /jwks HTTP/1.1\r\n\r\n".to_owned(), "400"),
        (
            "GET /jwks HTTP/1.1\r\nHost: evil.example\r\n\r\n".to_owned(),
            "421",
        ),
        (
            "GET http://evil.example/jwks HTTP/1.1\r\nHost: id.example\r\n\r\n".to_owned(),
            "400",
        ),
    ] {
        let answer = exchange(address, request.as_bytes()).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{request}: {answer}"
        );
    }
    // Both framings at once: answered once, and the connection is not used again (RFC 9112 §6.1).
    let both = framed("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n")
        + "0\r\n\r\nGET /jwks HTTP/1.1\r\nHost: id.example\r\n\r\n";
    let answer = exchange(address, both.as_bytes()).await;
    assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
}

// SEC-361, SEC-327: connections leave descriptors for everything else
#[test]
fn connections_take_no_more_than_the_limit_of_open_files_allows() {
    let limits = |soft: &str| {
        format!("Limit   Soft Limit  Hard Limit  Units\nMax open files  {soft}  524288  files\n")
    };
    assert_eq!(connections_within(&limits("1024")), 896);
    assert_eq!(connections_within(&limits("100")), 50);
    assert_eq!(connections_within(&limits("524288")), 16_384);
    assert_eq!(connections_within(&limits("unlimited")), 16_384);
    assert_eq!(connections_within(""), 16_384);
}
