//! SEC-360: a connection that does nothing, or does it slowly, is ended. Tests wait for a short patience and a long time;
//! what they prove is that the end comes, and that it does not come before.

use super::peer::{
    GOAWAY, PING, connect, connect_http2, frame, get, is_answered, next_frame, served,
    until_the_end,
};
use jeton::http::pace::Patience;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::Instant;

const SHORT: Duration = Duration::from_millis(400);
const NEVER: Duration = Duration::from_secs(3600);
/// Longer than the window of a byte, and than a body that is sent as one frame.
const PAGE: &str = "/assets/jeton.css";

/// Waits for ever.
fn patient() -> Patience {
    Patience {
        handshake: NEVER,
        first_request: NEVER,
        headers: NEVER,
        body: NEVER,
        idle: NEVER,
        answer: NEVER,
    }
}

// SEC-360, SEC-444
#[test]
fn the_server_waits_as_long_as_is_documented() {
    let seconds = Duration::from_secs;
    let expected = Patience {
        handshake: seconds(10),
        first_request: seconds(10),
        headers: seconds(10),
        body: seconds(15),
        idle: seconds(75),
        answer: seconds(30),
    };
    assert_eq!(Patience::default(), expected);
}

// SEC-360, P-246
#[tokio::test]
async fn a_handshake_that_is_not_made_is_ended() {
    let patience = Patience {
        handshake: SHORT,
        ..patient()
    };
    let served = served(patience).await;
    for sent in [&b""[..], &[22, 3, 1, 2, 0, 1]] {
        let began = Instant::now();
        let mut stream = TcpStream::connect(served.address).await.unwrap();
        stream.write_all(sent).await.unwrap();
        until_the_end(stream).await;
        assert!(began.elapsed() >= SHORT);
    }
    is_answered(served.address).await;
}

// P-246: an old version gets an alert at once, and something that is no TLS at all an end
#[tokio::test]
async fn what_is_no_tls_we_speak_is_not_left_hanging() {
    let served = served(patient()).await;
    let mut hello = vec![22, 3, 1, 0, 45, 1, 0, 0, 41, 3, 1];
    hello.extend([7; 32]);
    hello.extend([0, 0, 2, 0, 47, 1, 0]);
    for sent in [
        hello.as_slice(),
        b"GET / HTTP/1.1\r\nHost: id.example\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(served.address).await.unwrap();
        stream.write_all(sent).await.unwrap();
        let answer = until_the_end(stream).await;
        assert!(
            answer.first().is_none_or(|kind| *kind == 21),
            "an alert, if anything: {answer:?}"
        );
    }
}

// SEC-360, SEC-364: a preface is read as part of the first request, so half of one holds nothing
#[tokio::test]
async fn a_connection_without_a_first_request_is_ended() {
    let patience = Patience {
        first_request: SHORT,
        ..patient()
    };
    let served = served(patience).await;
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let greeted = [&preface[..], &frame(4, 0, 0, &[])].concat();
    for (protocol, sent) in [
        ("h2", &b""[..]),
        ("h2", &preface[..12]),
        ("h2", &preface[..]),
        ("h2", &greeted),
        ("http/1.1", b""),
        ("http/1.1", b"GET /jwks HTTP/1.1\r\nHost: id."),
    ] {
        let began = Instant::now();
        let mut stream = connect(served.address, protocol).await;
        stream.write_all(sent).await.unwrap();
        until_the_end(stream).await;
        assert!(began.elapsed() >= SHORT, "{protocol} {sent:?}");
    }
    is_answered(served.address).await;
}

// SEC-360
#[tokio::test]
async fn a_connection_that_asks_no_more_is_ended() {
    let patience = Patience {
        idle: SHORT,
        ..patient()
    };
    let served = served(patience).await;
    let mut stream = connect(served.address, "http/1.1").await;
    let ask = b"GET /livez HTTP/1.1\r\nHost: id.example\r\n\r\n";
    for _ in 0..2 {
        stream.write_all(ask).await.unwrap();
        let mut answer = [0; 4096];
        let count = stream.read(&mut answer).await.unwrap();
        assert!(answer[..count].starts_with(b"HTTP/1.1 200"));
    }
    let began = Instant::now();
    until_the_end(stream).await;
    assert!(began.elapsed() >= SHORT / 2);

    let mut stream = connect_http2(served.address, &[]).await;
    stream.write_all(&get(1, "/livez")).await.unwrap();
    let mut goodbye = None;
    while let Some((kind, _, _, payload)) = next_frame(&mut stream).await {
        if kind == GOAWAY {
            goodbye = Some(payload);
        }
    }
    let code = goodbye.map(|payload| payload[4..8].to_vec());
    assert_eq!(code, Some(vec![0; 4]), "told to go, without blame");
}

// SEC-360
#[tokio::test]
async fn the_headers_of_a_further_request_are_not_waited_for_as_long_as_it_is() {
    let patience = Patience {
        headers: SHORT,
        ..patient()
    };
    let served = served(patience).await;
    let mut stream = connect(served.address, "http/1.1").await;
    stream
        .write_all(b"GET /livez HTTP/1.1\r\nHost: id.example\r\n\r\n")
        .await
        .unwrap();
    let mut answer = [0; 4096];
    assert!(stream.read(&mut answer).await.unwrap() > 0);
    // An idle connection lives on; one that begins a request has to go on with it.
    tokio::time::sleep(SHORT * 2).await;
    stream.write_all(b"GET /li").await.unwrap();
    until_the_end(stream).await;
}

// SEC-360
#[tokio::test]
async fn a_body_that_does_not_come_is_told_so() {
    let patience = Patience {
        body: SHORT,
        ..patient()
    };
    let served = served(patience).await;
    let mut stream = connect(served.address, "http/1.1").await;
    let ask = b"POST /token HTTP/1.1\r\nHost: id.example\r\nContent-Length: 20\r\n\r\ngrant";
    stream.write_all(ask).await.unwrap();
    let answer = String::from_utf8(until_the_end(stream).await).unwrap();
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
}

// SEC-360: an answer that is not read, or a byte now and then, does not stay
#[tokio::test]
async fn an_answer_that_is_not_read_is_given_up() {
    let patience = Patience {
        answer: SHORT,
        ..patient()
    };
    let served = served(patience).await;
    for reads_a_little in [false, true] {
        let stream = connect(served.address, "http/1.1").await;
        let (mut reading, mut writing) = tokio::io::split(stream);
        let trickle = tokio::spawn(async move {
            let mut byte = [0; 1];
            while reads_a_little && reading.read_exact(&mut byte).await.is_ok() {
                tokio::time::sleep(SHORT / 20).await;
            }
            reading
        });
        let asks = format!("GET {PAGE} HTTP/1.1\r\nHost: id.example\r\n\r\n").repeat(64);
        let asking = async { while writing.write_all(asks.as_bytes()).await.is_ok() {} };
        let ended = tokio::time::timeout(super::peer::LONG, asking).await;
        assert!(ended.is_ok(), "asking without reading goes on for ever");
        trickle.abort();
    }
    is_answered(served.address).await;
}

// SEC-360, SEC-364: no window, or one of a byte, keeps no answer, whatever else the peer says meanwhile
#[tokio::test]
async fn an_answer_there_is_no_window_for_is_given_up() {
    const INITIAL_WINDOW_SIZE: u16 = 4;
    let patience = Patience {
        answer: SHORT,
        ..patient()
    };
    let served = served(patience).await;
    for window in [0, 1] {
        let stream = connect_http2(served.address, &[(INITIAL_WINDOW_SIZE, window)]).await;
        let (reading, mut writing) = tokio::io::split(stream);
        let asks: Vec<u8> = (0..100)
            .flat_map(|number| get(number * 2 + 1, PAGE))
            .collect();
        writing.write_all(&asks).await.unwrap();
        let alive = tokio::spawn(async move {
            while writing.write_all(&frame(PING, 0, 0, &[0; 8])).await.is_ok() {
                tokio::time::sleep(SHORT / 8).await;
            }
        });
        until_the_end(reading).await;
        alive.abort();
    }
    is_answered(served.address).await;
}
