//! SEC-364, SEC-085: an HTTP/2 peer that floods is ended, having been read a bounded number of bytes, and others are
//! answered meanwhile. Measured by writing frames until nobody takes them any more, never by asking what was configured.

use super::peer::{
    ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, LONG, PING, PRIORITY,
    RST_STREAM, SETTINGS, Served, WINDOW_UPDATE, connect_http2, frame, get, is_answered,
    next_frame, request, served,
};
use jeton::http::pace::Patience;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::io::AsyncWriteExt as _;

/// What the system's own buffers of a loopback connection may take beside what the server reads.
const BUFFERS: usize = 16 * 1024 * 1024;

/// How a flood ended.
#[derive(Debug, Default)]
struct Ended {
    /// The code of the last GOAWAY.
    goaway: Option<u32>,
    bytes: usize,
    resets: usize,
    answers: usize,
}

const NO_ERROR: u32 = 0;
const ENHANCE_YOUR_CALM: u32 = 11;

/// Writes what `round` makes until the server ends the connection, and reads all the while, as a peer that wants to go on
/// would. Honest clients have to be answered from beginning to end.
async fn flood(served: &Served, mut round: impl FnMut(u32) -> Vec<u8>) -> Ended {
    let over = Arc::new(AtomicBool::new(false));
    let (address, until) = (served.address, Arc::clone(&over));
    let honest = tokio::spawn(async move {
        let mut answered = 0;
        while !until.load(Ordering::Relaxed) || answered == 0 {
            is_answered(address).await;
            answered += 1;
        }
    });
    let (mut reading, mut writing) = tokio::io::split(connect_http2(address, &[]).await);
    let seen = tokio::spawn(async move {
        let mut ended = Ended::default();
        while let Some((kind, flags, _, payload)) = next_frame(&mut reading).await {
            match kind {
                GOAWAY => {
                    let code = payload[4..8].try_into().unwrap();
                    ended.goaway = Some(u32::from_be_bytes(code));
                }
                RST_STREAM => ended.resets += 1,
                HEADERS if flags & END_HEADERS != 0 => ended.answers += 1,
                _ => {}
            }
        }
        ended
    });
    let (mut rounds, mut bytes) = (0, 0);
    let writing = async {
        loop {
            let sent = round(rounds);
            if writing.write_all(&sent).await.is_err() || writing.flush().await.is_err() {
                return;
            }
            rounds += 1;
            bytes += sent.len();
            assert!(bytes < 8 * BUFFERS, "it reads on and on: {rounds} rounds");
        }
    };
    let ended = tokio::time::timeout(LONG, writing).await;
    assert!(ended.is_ok(), "after {rounds} rounds it is still open");
    over.store(true, Ordering::Relaxed);
    honest.await.unwrap();
    let seen = tokio::time::timeout(LONG, seen).await;
    Ended {
        bytes,
        ..seen.expect("no end after the last byte").unwrap()
    }
}

fn number(round: u32) -> u32 {
    round * 2 + 1
}

fn open_post(stream: u32) -> Vec<u8> {
    frame(HEADERS, END_HEADERS, stream, &request("POST", "/token"))
}

// SEC-364, SEC-085: CVE-2023-44487
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_peer_that_takes_back_what_it_asks_is_ended() {
    let served = served(Patience::default()).await;
    let ended = flood(&served, |round| {
        let reset = frame(RST_STREAM, 0, number(round), &8_u32.to_be_bytes());
        [open_post(number(round)), reset].concat()
    })
    .await;
    assert!(ended.bytes < BUFFERS, "{ended:?}");
}

// SEC-364: taken back one by one, each only when the server has begun with it, so that no limit of the library is met
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_peer_that_takes_back_slowly_is_ended_too() {
    let served = served(Patience::default()).await;
    let mut stream = connect_http2(served.address, &[]).await;
    for round in 0..500 {
        let mut sent = open_post(number(round));
        sent.extend(frame(PING, 0, 0, &round.to_be_bytes().repeat(2)));
        if stream.write_all(&sent).await.is_err() {
            return;
        }
        // The answer to the ping comes when what stood before it was read.
        loop {
            match next_frame(&mut stream).await {
                Some((PING, ACK, _, _)) => break,
                Some(_) => {}
                None => return,
            }
        }
        tokio::task::yield_now().await;
        let reset = frame(RST_STREAM, 0, number(round), &8_u32.to_be_bytes());
        if stream.write_all(&reset).await.is_err() {
            return;
        }
    }
    panic!("500 requests were taken back, and the connection is still open");
}

// SEC-364, SEC-085: CVE-2025-8671. Each stream is one that the server itself has to reset.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_peer_that_makes_the_server_reset_is_ended() {
    let served = served(Patience::default()).await;
    type Mistake = fn(u32) -> Vec<u8>;
    let mistakes: [Mistake; 3] = [
        |stream| frame(WINDOW_UPDATE, 0, stream, &[0; 4]),
        |stream| {
            let most = 0x7fff_ffff_u32.to_be_bytes();
            frame(WINDOW_UPDATE, 0, stream, &most)
        },
        |stream| frame(DATA, END_STREAM, stream, &[]).repeat(2),
    ];
    for mistake in mistakes {
        let ended = flood(&served, |round| {
            [open_post(number(round)), mistake(number(round))].concat()
        })
        .await;
        assert!(ended.resets <= 200, "{ended:?}");
        assert!(ended.bytes < BUFFERS, "{ended:?}");
    }
}

// SEC-364, SEC-444: no more than 100 at once; who goes on opening is told to calm down
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_thousand_streams_at_once_are_not_opened() {
    let served = served(Patience::default()).await;
    let ended = flood(&served, |round| open_post(number(round))).await;
    assert_eq!(ended.goaway, Some(ENHANCE_YOUR_CALM), "{ended:?}");
    assert!(ended.bytes < BUFFERS, "{ended:?}");
}

// SEC-364: an honest client may have as many as it likes, one after another
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn thousands_of_streams_one_after_another_are_answered() {
    const WAVES: u32 = 50;
    const WAVE: u32 = 60;
    let served = served(Patience::default()).await;
    let mut stream = connect_http2(served.address, &[]).await;
    for wave in 0..WAVES {
        let asks: Vec<u8> = (wave * WAVE..(wave + 1) * WAVE)
            .flat_map(|round| get(number(round), "/livez"))
            .collect();
        stream.write_all(&asks).await.unwrap();
        let mut answered = 0;
        while answered < WAVE {
            let (kind, flags, of, payload) = next_frame(&mut stream).await.expect("still open");
            assert!(kind != RST_STREAM && kind != GOAWAY, "{kind} {payload:?}");
            let ends = matches!(kind, DATA | HEADERS) && flags & END_STREAM != 0;
            answered += u32::from(ends && of > 0);
        }
        // What was read is given back, as any client does: on the connection, the windows of streams are enough.
        let read = frame(WINDOW_UPDATE, 0, 0, &4096_u32.to_be_bytes());
        stream.write_all(&read).await.unwrap();
    }
}

// SEC-364, SEC-085: headers that never end
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn headers_that_never_end_are_ended() {
    let served = served(Patience::default()).await;
    for length in [0, 1000] {
        let mut literal = vec![0, 1, b'x', 127, 0];
        literal.extend(vec![b'a'; 127]);
        let more = literal.repeat(length / literal.len());
        let ended = flood(&served, |round| {
            if round == 0 {
                frame(HEADERS, END_STREAM, 1, &request("GET", "/livez"))
            } else {
                frame(CONTINUATION, 0, 1, &more)
            }
        })
        .await;
        assert_eq!(ended.answers, 0, "{ended:?}");
        assert!(ended.bytes < BUFFERS, "{ended:?}");
    }
}

// SEC-364, SEC-362: frames that ask for nothing, however small and however legal
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn frames_that_ask_for_nothing_are_read_for_a_while_only() {
    let served = served(Patience::default()).await;
    let many = 256;
    let unknown = 0xbb;
    for (name, sent) in [
        ("ping", frame(PING, 0, 0, &[7; 8]).repeat(many)),
        ("pong", frame(PING, ACK, 0, &[7; 8]).repeat(many)),
        (
            "settings",
            frame(SETTINGS, 0, 0, &[0, 4, 0, 1, 0, 0]).repeat(many),
        ),
        ("empty settings", frame(SETTINGS, 0, 0, &[]).repeat(many)),
        (
            "priority",
            frame(PRIORITY, 0, 3, &[0, 0, 0, 0, 1]).repeat(many),
        ),
        ("unknown", frame(unknown, 0, 0, &[0; 64]).repeat(many)),
        (
            "window",
            frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1]).repeat(many),
        ),
    ] {
        let ended = flood(&served, |_| sent.clone()).await;
        assert!(ended.bytes < BUFFERS, "{name}: {ended:?}");
    }
}

// SEC-364: empty frames of a body ask for nothing either
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_body_of_empty_frames_is_read_for_a_while_only() {
    let served = served(Patience::default()).await;
    let ended = flood(&served, |round| {
        if round == 0 {
            open_post(1)
        } else {
            frame(DATA, 0, 1, &[]).repeat(256)
        }
    })
    .await;
    assert!(ended.bytes < BUFFERS, "{ended:?}");
}

// SEC-364, SEC-085: a few bytes that stand for megabytes
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_header_table_bomb_is_not_unpacked() {
    let served = served(Patience::default()).await;
    // One entry of almost the whole table, then 16,000 references of a byte: 60 MB a request.
    let mut entry = vec![0x40, 1, b'x', 127, 0x81, 0x1e];
    entry.extend(vec![b'a'; 4000]);
    entry[3] = 0x7f;
    let block = [request("GET", "/livez"), entry, vec![0xbe; 12_000]].concat();
    let ended = flood(&served, |round| {
        frame(HEADERS, END_HEADERS | END_STREAM, number(round), &block)
    })
    .await;
    assert!(ended.bytes < BUFFERS, "{ended:?}");
    // A table larger than what was offered is an error at once (RFC 7541 §6.3).
    let mut larger = vec![0x3f, 0xe1, 0xff, 0x03];
    larger.extend(request("GET", "/livez"));
    let ended = flood(&served, |round| {
        frame(HEADERS, END_HEADERS | END_STREAM, number(round), &larger)
    })
    .await;
    assert_ne!(ended.goaway, Some(NO_ERROR), "{ended:?}");
    assert_eq!(ended.answers, 0, "{ended:?}");
}

// SEC-362, SEC-444: 100 headers, 32 KiB of them
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn too_many_headers_are_told_so_over_http2() {
    /// `:status: 431`, which is in no table (RFC 7541 appendix A), in the code of Huffman.
    const TOO_LARGE: [u8; 5] = [0x48, 0x83, 0x69, 0x90, 0xff];
    let served = served(Patience::default()).await;
    let long = [
        &[0, 1, b'x', 0x7f, 0x81, 0x16][..],
        &[b'a'; 127 + 1 + 22 * 128],
    ]
    .concat();
    let small = [0, 1, b'x', 1, b'a'];
    for (more, told) in [
        (long.repeat(12), true),
        (small.repeat(101), true),
        (small.repeat(90), false),
    ] {
        let block = [request("GET", "/livez"), more].concat();
        let mut sent = Vec::new();
        let count = block.chunks(16_000).count();
        for (at, part) in block.chunks(16_000).enumerate() {
            let kind = if at == 0 { HEADERS } else { CONTINUATION };
            let end = if at + 1 == count { END_HEADERS } else { 0 };
            let whole = if at == 0 { END_STREAM } else { 0 };
            sent.extend(frame(kind, end | whole, 1, part));
        }
        let mut stream = connect_http2(served.address, &[]).await;
        stream.write_all(&sent).await.unwrap();
        loop {
            let (kind, _, _, payload) = next_frame(&mut stream).await.expect("an answer");
            assert!(kind != GOAWAY && kind != RST_STREAM, "{payload:?}");
            if kind == HEADERS {
                assert_eq!(payload.starts_with(&TOO_LARGE), told, "{payload:?}");
                break;
            }
        }
    }
}
