//! §5.1: a code of eight letters is safe as long as nobody may try many.

use crate::support::device::{Started, asks_about_device, asks_code};
use crate::support::{Setup, TestServer};
use jeton::throttle::Rates;

// SEC-153, SEC-465
#[tokio::test]
async fn the_sixth_wrong_code_is_not_looked_at() {
    let server = TestServer::start().await;
    let device = Started::by(&server, "tv").await;
    let mut browser = server.browser();
    let page = browser.code_page("alice").await;
    for typed in ["BCDF-GHJK", "bcdf-ghjl", "", "not a code", "BCDF-GHJM"] {
        let again = browser.enter(&page, typed).await.expect(200);
        assert!(asks_code(&again));
    }
    let throttled = browser.enter(&page, &device.user_code).await.expect(429);
    assert!(throttled.header("retry-after").is_some());
    // A new session of the same user has the same budget: it is the user's.
    let mut other = server.browser();
    let page = other.code_page("alice").await;
    other.enter(&page, &device.user_code).await.expect(429);
    server.advance(180);
    let device = Started::by(&server, "tv").await;
    let page = other.code_page("alice").await;
    assert!(asks_about_device(
        &other.enter(&page, &device.user_code).await
    ));
}

// SEC-153: own codes do not buy new tries
#[tokio::test]
async fn a_right_code_takes_back_its_own_charge_and_no_other() {
    let server = TestServer::start().await;
    let mut browser = server.browser();
    for _ in 0..7 {
        let device = Started::by(&server, "tv").await;
        browser.at_device(&device, "alice").await;
    }
    for round in 0..5 {
        let page = browser.code_page("alice").await;
        browser.enter(&page, "BCDF-GHJK").await.expect(200);
        if round == 3 {
            let device = Started::by(&server, "tv").await;
            browser.at_device(&device, "alice").await;
        }
    }
    let page = browser.code_page("alice").await;
    browser.enter(&page, "BCDF-GHJK").await.expect(429);
}

// SEC-153: an address has a budget too, whoever signs in there
#[tokio::test]
async fn an_address_has_a_budget_of_wrong_codes() {
    let setup = Setup {
        rates: Rates::new([100, 8, 10, 0, 0]),
        ..Setup::default()
    };
    let server = setup.start().await;
    let mut alice = server.signed_in("alice").await;
    let mut bob = server.signed_in("bob").await;
    for browser in [&mut alice, &mut bob] {
        let page = browser.code_page("nobody").await;
        for _ in 0..4 {
            browser.enter(&page, "BCDF-GHJK").await.expect(200);
        }
    }
    let page = bob.code_page("nobody").await;
    bob.enter(&page, "BCDF-GHJK").await.expect(429);
    let page = bob.code_page("nobody").await;
    let elsewhere = bob
        .filled(&page, &[("user_code", "BCDF-GHJK")])
        .peer("203.0.113.9".parse().unwrap());
    bob.step(elsewhere).await.expect(200);
}

// SEC-153, SEC-013: ten thousand guesses, most of them at once, look at no more codes than the budget allows
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn guesses_that_come_at_once_do_not_outrun_the_counter() {
    let server = TestServer::start().await;
    let mut browser = server.browser();
    let page = browser.code_page("alice").await;
    let mut looked_at = 0;
    for _ in 0..10 {
        let mut guesses = tokio::task::JoinSet::new();
        for _ in 0..100 {
            let (mut browser, page) = (browser.clone(), page.clone());
            guesses.spawn(async move {
                let ask = browser.filled(&page, &[("user_code", "BCDF-GHJK")]);
                browser.step(ask).await.status.as_u16()
            });
        }
        let answers = guesses.join_all().await;
        looked_at += answers.iter().filter(|status| **status == 200).count();
        assert!(answers.iter().all(|status| [200, 429].contains(status)));
    }
    assert_eq!(looked_at, 5);
}
