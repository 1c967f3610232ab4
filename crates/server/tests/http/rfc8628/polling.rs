//! §3.4, §3.5: what a device hears while it waits, and afterwards.

use crate::support::device::Started;
use crate::support::{Answer, Fields, TestServer, Tokens, dpop, jwt};
use jeton_protocol::client::GrantType;

// SEC-154, S48
#[tokio::test]
async fn a_device_waits_and_then_has_tokens_of_the_user_who_approved_it() {
    let server = TestServer::start().await;
    for client in ["tv", "printer"] {
        let device = Started::asking(&server, client, "openid email offline_access").await;
        let waits = server.poll(client, &device.device_code).await;
        waits.refused(400, "authorization_pending");
        let mut browser = server.browser();
        browser
            .answer_device(&device, "alice", "approve")
            .await
            .expect(200);
        server.advance(5);
        let tokens = Tokens::of(&server.poll(client, &device.device_code).await);
        assert_eq!(tokens.json["scope"], "openid email offline_access");
        let (_, claims) = jwt::read(tokens.id());
        assert_eq!(
            (&claims["aud"], claims.get("nonce")),
            (&client.into(), None)
        );
        let info = server.userinfo(&tokens.access).await.expect(200).json();
        assert_eq!(
            (&info["sub"], &info["email"]),
            (&claims["sub"], &"alice@example.org".into())
        );
        server.advance(60);
        server.refresh(client, tokens.refresh()).await.expect(200);
    }
}

// SEC-154: five seconds more for each, kept in the database
#[tokio::test]
async fn a_device_that_polls_too_fast_has_to_wait_longer_from_then_on() {
    let server = TestServer::start().await;
    let device = Started::by(&server, "tv").await;
    let poll = |wait| {
        server.advance(wait);
        server.poll("tv", &device.device_code)
    };
    poll(0).await.refused(400, "authorization_pending");
    poll(5).await.refused(400, "authorization_pending");
    poll(4).await.refused(400, "authorization_pending");
    poll(3).await.refused(400, "slow_down");
    poll(5).await.refused(400, "slow_down");
    poll(15).await.refused(400, "authorization_pending");
    poll(13).await.refused(400, "slow_down");
    let id = server.state().await.ring().handles.open(
        "default",
        jeton_token::handle::HandleKind::DeviceCode,
        &device.device_code,
    );
    let kept = server
        .app
        .store
        .device(&server.tenant(), id.unwrap().row)
        .await;
    assert_eq!(kept.unwrap().unwrap().interval.as_secs(), 20);
    poll(20).await.refused(400, "authorization_pending");
}

// SEC-154: whoever is fast is not kept waiting once there is an answer
#[tokio::test]
async fn an_answer_is_told_at_once_however_fast_the_device_polls() {
    let server = TestServer::start().await;
    for (button, status) in [("approve", 200), ("deny", 400)] {
        let device = Started::by(&server, "tv").await;
        server
            .poll("tv", &device.device_code)
            .await
            .refused(400, "authorization_pending");
        server
            .browser()
            .answer_device(&device, "alice", button)
            .await
            .expect(200);
        let answer = server.poll("tv", &device.device_code).await.expect(status);
        if button == "deny" {
            answer.refused(400, "access_denied");
        }
    }
}

// SEC-154: the polls of another client are nobody's polls
#[tokio::test]
async fn another_client_cannot_slow_a_device_down() {
    let server = TestServer::start().await;
    let device = Started::by(&server, "tv").await;
    for _ in 0..5 {
        server
            .poll("printer", &device.device_code)
            .await
            .refused(400, "invalid_grant");
    }
    server
        .poll("tv", &device.device_code)
        .await
        .refused(400, "authorization_pending");
}

// SEC-300, SEC-154
#[tokio::test]
async fn a_device_code_used_twice_takes_the_tokens_of_the_first_use_with_it() {
    let server = TestServer::start().await;
    let device = Started::by(&server, "tv").await;
    server
        .browser()
        .answer_device(&device, "alice", "approve")
        .await
        .expect(200);
    let tokens = Tokens::of(&server.poll("tv", &device.device_code).await);
    assert_eq!(server.userinfo(&tokens.access).await.status.as_u16(), 200);
    let again = server.poll("tv", &device.device_code).await;
    again.refused(400, "invalid_grant");
    assert_eq!(server.cause(), "device_code_spent");
    assert_eq!(server.userinfo(&tokens.access).await.status.as_u16(), 401);
    server
        .refresh("tv", tokens.refresh())
        .await
        .refused(400, "invalid_grant");
}

// SEC-347, SEC-013: thirty-two polls in the moment of the approval
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_polls_in_the_moment_of_approval_one_succeeds() {
    let server = TestServer::start().await;
    for _ in 0..4 {
        let device = Started::by(&server, "tv").await;
        let mut browser = server.browser();
        let page = browser.at_device(&device, "alice").await;
        let mut polls = tokio::task::JoinSet::new();
        for _ in 0..32 {
            let (server, code) = (server.clone(), device.device_code.clone());
            polls.spawn(async move { server.poll("tv", &code).await });
        }
        let approved = browser.submit(&page, &[("approve", "yes")]).await;
        approved.expect(200);
        let mut answers: Vec<Answer> = polls.join_all().await;
        answers.push(server.poll("tv", &device.device_code).await);
        let successes = answers
            .iter()
            .filter(|answer| answer.status.as_u16() == 200);
        assert_eq!(successes.count(), 1);
        for answer in answers
            .iter()
            .filter(|answer| answer.status.as_u16() != 200)
        {
            let error = answer.error();
            assert!(
                ["authorization_pending", "slow_down", "invalid_grant"].contains(&error.as_str()),
                "{error}"
            );
        }
    }
}

// SEC-R02
#[tokio::test]
async fn what_ends_the_grant_ends_it_for_a_device_too() {
    let server = TestServer::start().await;
    let device = Started::asking(&server, "tv", "openid").await;
    let mut browser = server.browser();
    browser
        .answer_device(&device, "alice", "approve")
        .await
        .expect(200);
    let tokens = Tokens::of(&server.poll("tv", &device.device_code).await);
    server.advance(1);
    let question = browser.go(server.get("/end-session")).await;
    browser
        .submit(&question, &[("yes", "yes")])
        .await
        .expect(200);
    server
        .refresh("tv", tokens.refresh())
        .await
        .refused(400, "invalid_grant");
    assert_eq!(server.cause(), "session_ended");
}

// P-156, SEC-159: what a device is given is bound to the key of the poll that gets it, as with a code.
#[tokio::test]
async fn tokens_of_a_device_are_bound_to_the_key_it_polls_with() {
    let server = TestServer::start().await;
    let device = Started::by(&server, "tv").await;
    let done = server
        .browser()
        .answer_device(&device, "alice", "approve")
        .await;
    done.expect(200);
    let fields = Fields::from([
        ("grant_type", GrantType::DeviceCode.name()),
        ("device_code", &device.device_code),
    ]);
    let polled = server
        .send(dpop::post(&server, "tv", &fields, dpop::one()))
        .await;
    assert_eq!(polled.json()["token_type"], "DPoP");
    let tokens = Tokens::of(&polled);
    let asked = dpop::userinfo(&server, &tokens.access, dpop::other());
    assert_eq!(server.send(asked).await.status, 401);
    let asked = dpop::userinfo(&server, &tokens.access, dpop::one());
    server.send(asked).await.expect(200);
    let stolen = dpop::refresh(&server, "tv", tokens.refresh(), dpop::other()).await;
    assert_eq!(stolen.status, 400);
    assert_eq!(server.cause(), "refresh_token_dpop_key");
    let own = dpop::refresh(&server, "tv", tokens.refresh(), dpop::one()).await;
    own.expect(200);
}
