//! Guessing passwords and names (SEC-044, SEC-046, SEC-127, SEC-201).

use crate::support::browser::asks_password;
use crate::support::{Answer, Browser, TestServer};
use jeton_store::Fault;
use std::net::IpAddr;

async fn page(server: &TestServer) -> (Browser, Answer) {
    let mut browser = server.browser();
    let page = browser.authorize(&server.request("first", "openid")).await;
    (browser, page)
}

async fn guess(browser: &mut Browser, page: &Answer, name: &str, peer: &str) -> Answer {
    let ask = browser.filled(page, &[("username", name), ("password", "a guess")]);
    browser.go(ask.peer(peer.parse::<IpAddr>().unwrap())).await
}

// SEC-046
#[tokio::test]
async fn an_unknown_name_and_a_wrong_password_look_the_same() {
    let server = TestServer::start().await;
    let (mut browser, shown) = page(&server).await;
    let wrong = guess(&mut browser, &shown, "alice", "192.0.2.1").await;
    let unknown = guess(&mut browser, &shown, "alicf", "192.0.2.1").await;
    assert_eq!(wrong.status, unknown.status);
    assert_eq!(wrong.body.replace("alice", "alicf"), unknown.body);
    let names = |answer: &Answer| {
        answer
            .headers
            .keys()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&wrong), names(&unknown));
}

// SEC-046, SEC-201: what a guess costs does not depend on whom it is about.
#[tokio::test]
async fn a_guess_costs_one_hash_and_the_same_writes_whoever_it_is_about() {
    let server = TestServer::start().await;
    server.disable_user("bob").await;
    let (mut browser, shown) = page(&server).await;
    let mut seen = Vec::new();
    for name in ["alice", "bob", "nobody", "", "\u{202e}"] {
        let before = server.app.passwords.taken();
        server.app.store.fail_nth(1000, Fault::BeforeCommit);
        let answer = guess(&mut browser, &shown, name, "192.0.2.1").await;
        let hashes = server.app.passwords.taken() - before;
        let writes = 1000 - server.app.store.fails_after().unwrap();
        seen.push((name, answer.status.as_u16(), hashes, writes));
    }
    server.app.store.fail_never();
    let (_, status, _, writes) = seen[0];
    for one in &seen {
        assert_eq!(*one, (one.0, status, 1, writes), "{seen:?}");
    }
}

// SEC-044
#[tokio::test]
async fn every_spelling_of_a_name_draws_on_one_budget() {
    let server = TestServer::start().await;
    let (mut browser, shown) = page(&server).await;
    for (number, name) in ["alice", "ALICE", " alice ", "ａｌｉｃｅ", "Alice"]
        .iter()
        .enumerate()
    {
        let answer = guess(&mut browser, &shown, name, &format!("198.51.100.{number}")).await;
        assert!(asks_password(&answer));
    }
    let right = browser.sign_in(&shown, "alice").await;
    assert!(
        right.callback("code").is_none(),
        "the sixth try, right or not"
    );
    server.advance(180);
    browser.sign_in(&shown, "alice").await.code();
}

// SEC-044
#[tokio::test]
async fn every_spelling_of_a_name_signs_in_the_same_user() {
    let server = TestServer::start().await;
    for name in ["alice", "ALICE", " alice\t", "ａｌｉｃｅ"] {
        let (mut browser, shown) = page(&server).await;
        let typed = [("username", name), ("password", "the password of alice")];
        browser.submit(&shown, &typed).await.code();
    }
}

// SEC-044, SEC-127
#[tokio::test]
async fn a_right_password_gives_the_budget_of_the_account_back() {
    let server = TestServer::start().await;
    for _ in 0..3 {
        let (mut browser, shown) = page(&server).await;
        for _ in 0..4 {
            guess(&mut browser, &shown, "alice", "192.0.2.1").await;
        }
        browser.sign_in(&shown, "alice").await.code();
    }
}

// SEC-127
#[tokio::test]
async fn one_address_cannot_try_many_names() {
    let server = TestServer::start().await;
    let (mut browser, shown) = page(&server).await;
    for number in 0..50 {
        guess(
            &mut browser,
            &shown,
            &format!("user-{number}"),
            "203.0.113.5",
        )
        .await;
    }
    let blocked = browser.filled(
        &shown,
        &[("username", "bob"), ("password", "the password of bob")],
    );
    let blocked = browser
        .go(blocked.peer("203.0.113.5".parse().unwrap()))
        .await;
    assert!(blocked.callback("code").is_none());
    let elsewhere = browser.filled(
        &shown,
        &[("username", "bob"), ("password", "the password of bob")],
    );
    browser
        .go(elsewhere.peer("203.0.113.6".parse().unwrap()))
        .await
        .code();
}

// SEC-013, SEC-044
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_guesses_cannot_outrun_the_counter() {
    let server = TestServer::start().await;
    let (browser, shown) = page(&server).await;
    let tries: Vec<_> = (0..32)
        .map(|_| {
            let (mut browser, shown) = (browser.clone(), shown.clone());
            tokio::spawn(
                async move { guess(&mut browser, &shown, "alice", "192.0.2.1").await.body },
            )
        })
        .collect();
    let mut bodies = Vec::new();
    for one in tries {
        bodies.push(one.await.unwrap());
    }
    let first = guess(&mut browser.clone(), &shown, "somebody", "192.0.2.1")
        .await
        .body
        .replace("somebody", "alice");
    let looked_at = bodies.iter().filter(|body| **body == first).count();
    assert_eq!(looked_at, 5, "as many as the budget has");
}

// SEC-044, SEC-410
#[tokio::test]
async fn names_and_passwords_of_any_length_are_wrong_and_nothing_worse() {
    let server = TestServer::start().await;
    let (mut browser, shown) = page(&server).await;
    for typed in [
        "",
        "x".repeat(20_000).as_str(),
        "\u{202e}alice",
        "alice\u{0}x".trim_end_matches('x'),
        "' OR 1=1 --",
    ] {
        if typed.contains('\u{0}') {
            continue;
        }
        let answer = browser
            .submit(&shown, &[("username", typed), ("password", typed)])
            .await;
        assert!(asks_password(&answer), "{} {}", answer.status, answer.body);
    }
}

// SEC-044, SEC-202: guessing from elsewhere keeps nobody out of a browser they have used.
#[tokio::test]
async fn a_browser_the_user_has_signed_in_with_keeps_tries_of_its_own() {
    let server = TestServer::start().await;
    let mut known = server.signed_in("alice").await;
    let (mut attacker, shown) = page(&server).await;
    for number in 0..6 {
        guess(
            &mut attacker,
            &shown,
            "alice",
            &format!("198.51.100.{number}"),
        )
        .await;
    }
    let again = server.request("first", "openid").with("prompt", "login");
    let shown = known.authorize(&again).await;
    known.sign_in(&shown, "alice").await.code();

    // A thief of that browser has its five tries and no more, whatever the account's own budget says.
    let shown = known.authorize(&again).await;
    for _ in 0..5 {
        guess(&mut known, &shown, "alice", "192.0.2.9").await;
    }
    assert!(
        known
            .sign_in(&shown, "alice")
            .await
            .callback("code")
            .is_none()
    );
}

// SEC-465
#[tokio::test]
async fn a_try_too_many_says_when_to_come_back() {
    let server = TestServer::start().await;
    let (mut browser, shown) = page(&server).await;
    for _ in 0..5 {
        guess(&mut browser, &shown, "alice", "192.0.2.1").await;
    }
    let refused = guess(&mut browser, &shown, "alice", "192.0.2.1").await;
    assert_eq!(refused.status, 429);
    let seconds: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=181).contains(&seconds), "{seconds}");
}

// SEC-083: each sign-in that is begun is a row, so one address cannot begin them without end.
#[tokio::test]
async fn sign_ins_are_not_begun_from_one_address_without_end() {
    let server = TestServer::start().await;
    let request = server.request("first", "openid");
    let begin = |peer: &str| {
        server
            .get("/authorize")
            .query(&request)
            .peer(peer.parse().unwrap())
    };
    let mut answers = Vec::new();
    for _ in 0..301 {
        answers.push(server.send(begin("192.0.2.1")).await.status.as_u16());
    }
    assert!(answers[..300].iter().all(|status| *status == 303));
    assert_eq!(answers[300], 429);
    assert_eq!(
        server.send(begin("192.0.2.2")).await.status,
        303,
        "another address is not concerned"
    );
    server.advance(1);
    assert_eq!(server.send(begin("192.0.2.1")).await.status, 303);
}

// SEC-013, SEC-465: as many wrong passwords are looked at as an address has, however many come together and whoever signs in
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_guesses_at_once_do_not_outrun_the_address() {
    let setup = crate::support::Setup {
        rates: jeton::throttle::Rates::new([5, 20, 10, 0, 0]),
        ..crate::support::Setup::default()
    };
    let server = setup.start().await;
    let (browser, shown) = page(&server).await;
    let tries: Vec<_> = (0..64)
        .map(|number| {
            let (mut browser, shown) = (browser.clone(), shown.clone());
            tokio::spawn(async move {
                if number % 8 == 0 {
                    let right = [("username", "alice"), ("password", "the password of alice")];
                    let ask = browser.filled(&shown, &right);
                    browser.go(ask.peer("192.0.2.1".parse().unwrap())).await;
                    return false;
                }
                let name = format!("user-{number}");
                let answer = guess(&mut browser, &shown, &name, "192.0.2.1").await;
                answer.status == 200
            })
        })
        .collect();
    let mut looked_at = 0;
    for one in tries {
        looked_at += u32::from(one.await.unwrap());
    }
    assert!((1..=20).contains(&looked_at), "{looked_at}");
}
