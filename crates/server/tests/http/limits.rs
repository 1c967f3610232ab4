//! What one caller may use up: counters that are bounded, lines that are not repeated, and a node that says when it cannot
//! write.

use crate::support::{Fields, TestServer};
use jeton::throttle::{Buckets, Rates};
use jeton_store::Fault;
use jeton_store::throttle::Rate;
use jeton_token::timestamp::Timestamp;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

/// Ten at once, and ten a minute.
const TEN: Rate = Rate {
    burst: 10,
    per_charge: Duration::from_secs(6),
};

// SEC-083, SEC-R11: a stranger's keys empty nobody's bucket, however many there are
#[test]
fn a_hundred_thousand_keys_push_no_attacked_account_out() {
    let buckets = Buckets::new(512);
    let attacked = ["default", "photos", "192.0.2.1"];
    for _ in 0..10 {
        assert_eq!(buckets.admit(&attacked, TEN, NOW), None);
    }
    for number in 0..200_000 {
        let name = number.to_string();
        for _ in 0..=number % 10 {
            buckets.charge(&["default", &name, "192.0.2.1"], TEN, NOW);
        }
        // Whether it is still there or was pushed out long ago.
        assert!(buckets.wait(&attacked, TEN, NOW).is_some(), "{number}");
    }
    // And the flood is over when it is over.
    let soon = NOW.plus(TEN.per_charge);
    assert_eq!(buckets.admit(&attacked, TEN, soon), None);
}

// SEC-083, SEC-202: nor do they slow anybody down, as long as they are not many at once for each bucket there is
#[test]
fn a_hundred_thousand_keys_over_a_while_hold_up_no_newcomer() {
    let buckets = Buckets::new(8192);
    let mut held_up = 0;
    for number in 0..150_000_i64 {
        let now = NOW.plus(Duration::from_millis(u64::try_from(number).unwrap()));
        let name = number.to_string();
        buckets.charge(&["default", &name, "192.0.2.1"], TEN, now);
        let newcomer = format!("newcomer {number}");
        held_up += u32::from(
            buckets
                .wait(&["default", &newcomer, "192.0.2.2"], TEN, now)
                .is_some(),
        );
    }
    assert_eq!(held_up, 0);
}

// SEC-465: a burst, then one for each that has run off, and others are not concerned
#[test]
fn a_bucket_admits_a_burst_and_then_as_many_as_run_off() {
    let buckets = Buckets::new(64);
    let key = ["default", "photos"];
    for _ in 0..10 {
        assert_eq!(buckets.admit(&key, TEN, NOW), None);
    }
    let wait = buckets.admit(&key, TEN, NOW).unwrap();
    assert!((6..=7).contains(&wait), "{wait}");
    assert_eq!(buckets.admit(&["default", "other"], TEN, NOW), None);
    let later = NOW.plus(TEN.per_charge);
    assert_eq!(buckets.admit(&key, TEN, later), None);
    assert!(buckets.admit(&key, TEN, later).is_some());
}

/// Log lines, as an operator reads them.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    fn of(&self, event: &str) -> Vec<String> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        let event = format!("event=\"{event}\"");
        text.lines()
            .filter(|line| line.contains(&event))
            .map(str::to_owned)
            .collect()
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

// SEC-465, SEC-251: a line names limit, client and wait; a second one a minute later tells how many there were between
#[tokio::test]
async fn a_limit_that_is_reached_is_one_line_a_minute() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _logs = tracing::subscriber::set_default(subscriber);
    let server = TestServer::start().await;
    let wrong = |client: &str| {
        let fields = Fields::from([
            ("grant_type", "client_credentials"),
            ("client_id", client),
            ("client_secret", "wrong"),
        ]);
        server.post("/token", &fields)
    };
    for _ in 0..10 {
        server.send(wrong("web")).await.expect(401);
    }
    for _ in 0..25 {
        let answer = server.send(wrong("web")).await.expect(429);
        assert!(answer.header("retry-after").is_some());
    }
    let told = lines.of("throttled");
    assert_eq!(told.len(), 1, "{told:?}");
    for part in [
        "limit=\"client_failures\"",
        "of=\"client web at 192.0.2.",
        "retry_after=7",
        "left_out=0",
        "endpoint=\"/token\"",
    ] {
        assert!(told[0].contains(part), "{part}: {}", told[0]);
    }
    for _ in 0..11 {
        server.send(wrong("other client")).await;
    }
    assert_eq!(
        lines.of("throttled").len(),
        2,
        "another bucket has its own line"
    );
    server.advance(61);
    for _ in 0..11 {
        server.send(wrong("web")).await;
    }
    let told = lines.of("throttled");
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[2].contains("left_out=24"), "{}", told[2]);
}

// SEC-324, SEC-312: a node that cannot write says so within a second, and that it can again
#[tokio::test]
async fn a_node_that_cannot_write_is_not_ready_until_it_can() {
    let server = TestServer::start().await;
    let ready = || server.send(server.get("/readyz?verbose"));
    let good = ready().await.expect(200);
    assert_eq!(good.body, "store ok\nwrites ok\nserving ok\n");
    server.app.store.fail_next(Fault::BeforeCommit);
    // Whoever asks within the second shares the answer: nothing was written for it, so the fault still waits.
    assert_eq!(ready().await.status, 200);
    server.advance(1);
    let bad = ready().await.expect(503);
    assert_eq!(bad.body, "store ok\nwrites failed\nserving ok\n");
    assert_eq!(server.send(server.get("/livez")).await.status, 200);
    server.send(server.get("/jwks")).await.expect(200);
    assert_eq!(ready().await.status, 503);
    server.advance(1);
    ready().await.expect(200);
}

// SEC-465: an office behind one address signs in all day; what is wrong counts, and wrong ones do not get more
#[tokio::test]
async fn right_passwords_do_not_use_up_the_address() {
    let setup = crate::support::Setup {
        rates: Rates::new([5, 8, 10, 0, 0]),
        ..crate::support::Setup::default()
    };
    let server = setup.start().await;
    for _ in 0..40 {
        server.signed_in("alice").await;
    }
    let guess = |name: String| {
        let mut browser = server.browser();
        let server = &server;
        async move {
            let page = browser.authorize(&server.request("first", "openid")).await;
            let typed = [("username", name.as_str()), ("password", "a guess")];
            browser.submit(&page, &typed).await.status.as_u16()
        }
    };
    for number in 0..8 {
        assert_eq!(guess(format!("user-{number}")).await, 200);
        // A right one in between changes nothing about the wrong ones.
        if number < 7 {
            server.signed_in("alice").await;
        }
    }
    assert_eq!(guess("another".to_owned()).await, 429);
}

// SEC-465: who may not try for an account's sake has not tried, so the others of the address may
#[tokio::test]
async fn tries_that_are_not_looked_at_do_not_use_up_the_address() {
    let setup = crate::support::Setup {
        rates: Rates::new([2, 8, 10, 0, 0]),
        ..crate::support::Setup::default()
    };
    let server = setup.start().await;
    let mut browser = server.browser();
    let page = browser.authorize(&server.request("first", "openid")).await;
    let typed = [("username", "bob"), ("password", "a guess")];
    let mut refused = 0;
    for _ in 0..30 {
        refused += u32::from(browser.submit(&page, &typed).await.status == 429);
    }
    assert_eq!(refused, 28);
    server.signed_in("alice").await;
}

// SEC-465, SEC-127: who names a public client uses up what is theirs, and nothing of its users elsewhere
#[tokio::test]
async fn a_stranger_who_names_a_public_client_holds_up_nobody_else() {
    let setup = crate::support::Setup {
        rates: Rates::new([5, 50, 10, 5, 0]).pushed(5),
        ..crate::support::Setup::default()
    };
    let server = setup.start().await;
    let flood = async |client: &str, path: &str, peers: [&str; 2]| {
        let mut refused = 0;
        for number in 0..12 {
            let request = server.request(client, "openid").without("client_id");
            let request = match client {
                "spa" => request,
                _ => request.and("client_id", client),
            };
            let ask = server.post(path, &request);
            let ask = crate::support::clients::authenticate(&server, client, ask);
            let ask = ask.peer(peers[number % 2].parse().unwrap());
            refused += u32::from(server.send(ask).await.status == 429);
        }
        refused
    };
    let subscriber = ["2001:db8::1", "2001:db8::2"];
    for path in ["/token", "/par"] {
        assert_eq!(flood("spa", path, subscriber).await, 7, "{path}");
    }
    let tokens = server.tokens("spa", "openid").await;
    assert!(!tokens.access.is_empty());
    let request = server.request("spa", "openid").without("client_id");
    server.push("spa", &request).await;
    // Who has proven to be a client is one, wherever it asks from.
    for path in ["/token", "/par"] {
        let refused = flood("web", path, ["192.0.2.7", "2001:db8::1"]).await;
        assert_eq!(refused, 7, "{path}");
    }
}
