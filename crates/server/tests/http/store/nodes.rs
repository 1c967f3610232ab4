//! Two nodes on one PostgreSQL: what one gives out the other takes, and what one ends is ended on both.

use crate::support::{Fields, Setup, TestServer, Tokens, cluster, jwt};
use jeton::keys;
use jeton_store::Location;
use jeton_token::algorithm::SignatureAlgorithm;
use std::collections::BTreeSet;
use std::time::Duration;

async fn nodes() -> [TestServer; 2] {
    let url = tokio::task::spawn_blocking(cluster::schema).await.unwrap();
    let location = Location::Postgres { url };
    let one = Setup {
        location: location.clone(),
        ..Setup::default()
    }
    .start()
    .await;
    let other = Setup {
        location,
        joins: true,
        seed: 2,
        ..Setup::default()
    }
    .start()
    .await;
    [one, other]
}

/// Two seconds later, on both.
async fn later(nodes: &[TestServer; 2]) {
    for node in nodes {
        node.advance(2);
    }
}

// SEC-011, SEC-060
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_one_node_gives_out_the_other_takes() {
    let [one, other] = nodes().await;
    let code = one.code("web", "openid").await;
    let tokens = Tokens::of(&other.redeem("web", &code).await);
    one.userinfo(&tokens.access).await.expect(200);
    jwt::verified(&one, tokens.id()).await;
    one.refresh("web", tokens.refresh()).await.expect(200);
    one.redeem("web", &code).await.refused(400, "invalid_grant");
    let mut browser = one.signed_in("alice").await;
    browser.server = other.clone();
    let silent = other.request("first", "openid").with("prompt", "none");
    browser.authorize(&silent).await.code();
}

// SEC-030, SEC-031, S57
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_one_node_ends_is_ended_on_the_other_within_seconds() {
    let nodes = nodes().await;
    let [one, other] = &nodes;
    let revoked = one.tokens("web", "openid").await;
    let tokens = one.tokens("web", "openid offline_access").await;
    let machine = one.own_tokens("service").await;
    for token in [&revoked.access, &tokens.access, &machine.access] {
        assert!(
            other
                .is_active(
                    if *token == machine.access {
                        "service"
                    } else {
                        "web"
                    },
                    token
                )
                .await
        );
    }
    one.revoke("web", revoked.refresh()).await.expect(200);
    later(&nodes).await;
    other
        .userinfo(&revoked.access)
        .await
        .refused(401, "invalid_token");
    other
        .refresh("web", revoked.refresh())
        .await
        .refused(400, "invalid_grant");
    one.disable_user("alice").await;
    one.disable_client("service").await;
    later(&nodes).await;
    other.look_around().await;
    other
        .userinfo(&tokens.access)
        .await
        .refused(401, "invalid_token");
    other
        .refresh("web", tokens.refresh())
        .await
        .refused(400, "invalid_grant");
    let own = Fields::from([("grant_type", "client_credentials")]);
    other
        .token("service", &own)
        .await
        .refused(401, "invalid_client");
    assert!(!other.is_active("api", &machine.access).await);
}

// SEC-013, SEC-120, SEC-134, SEC-161
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn races_over_both_nodes_have_one_winner() {
    let nodes = nodes().await;
    let code = nodes[0].code("web", "openid").await;
    let public = nodes[0].tokens("spa", "openid").await;
    let assertion = jwt::keyed(&nodes[0], "keyed");
    let (mut issued, mut spent, mut successors) = (0, 0, BTreeSet::new());
    let tries: Vec<_> = (0..32)
        .map(|number| {
            let (node, code, token) = (
                nodes[number % 2].clone(),
                code.clone(),
                public.refresh().to_owned(),
            );
            let own = Fields::from([("grant_type", "client_credentials")]);
            let ask = node.post("/token", &jwt::with_assertion(own, &assertion));
            tokio::spawn(async move {
                let redeemed = node.redeem("web", &code).await.status == 200;
                let proven = node.send(ask).await.status == 200;
                (
                    redeemed,
                    proven,
                    Tokens::of(&node.refresh("spa", &token).await)
                        .refresh()
                        .to_owned(),
                )
            })
        })
        .collect();
    for one in tries {
        let (redeemed, proven, successor) = one.await.unwrap();
        issued += usize::from(redeemed);
        spent += usize::from(proven);
        successors.insert(successor);
    }
    assert_eq!((issued, spent, successors.len()), (1, 1, 1));
}

// P-52, P-53, SEC-416
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_key_made_on_one_node_is_published_by_the_other_before_it_signs() {
    let nodes = nodes().await;
    let [one, other] = &nodes;
    let plan = (
        keys::Line::Signing(SignatureAlgorithm::Rs256),
        Duration::from_secs(2),
    );
    let (app, mut ambient) = (&one.app, one.app.ambient());
    keys::rotate(&app.store, &app.kek, &one.tenant(), plan, &mut ambient)
        .await
        .unwrap();
    other.look_around().await;
    let old = other.tokens("web", "openid").await;
    later(&nodes).await;
    one.look_around().await;
    let new = one.tokens("web", "openid").await;
    assert_ne!(jwt::read(new.id()).0["kid"], jwt::read(old.id()).0["kid"]);
    for token in [old.id(), new.id()] {
        jwt::verified(other, token).await;
    }
}

// SEC-351, SEC-417: a key that is used without lead is read when something made with it comes in, but not for every stranger.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_one_node_makes_with_a_key_it_has_just_read_the_other_takes() {
    let nodes = nodes().await;
    let [one, other] = &nodes;
    let rotate_all = async || {
        for line in [
            keys::Line::Handles,
            keys::Line::Seals,
            keys::Line::Signing(SignatureAlgorithm::Es256),
        ] {
            let (app, mut ambient) = (&one.app, one.app.ambient());
            let plan = (line, Duration::ZERO);
            keys::rotate(&app.store, &app.kek, &one.tenant(), plan, &mut ambient)
                .await
                .unwrap();
        }
        one.look_around().await;
    };
    rotate_all().await;
    later(&nodes).await;
    let tokens = one.tokens("web", "openid").await;
    other.refresh("web", tokens.refresh()).await.expect(200);
    later(&nodes).await;
    rotate_all().await;
    let tokens = one.tokens("web", "openid").await;
    other.userinfo(&tokens.access).await.expect(200);
    later(&nodes).await;
    rotate_all().await;
    let tokens = one.tokens("jwt-web", "openid").await;
    assert!(other.is_active("jwt-web", &tokens.access).await);

    later(&nodes).await;
    rotate_all().await;
    let uri = one.push("web", &one.request("web", "openid")).await;
    let pushed = Fields::from([("client_id", "web"), ("request_uri", &uri)]);
    other.browser().complete(&pushed, "alice").await.code();

    rotate_all().await;
    let tokens = one.tokens("web", "openid").await;
    other
        .refresh("web", tokens.refresh())
        .await
        .refused(400, "invalid_grant");
    assert!(!other.is_active("web", &tokens.access).await);
    later(&nodes).await;
    other.refresh("web", tokens.refresh()).await.expect(200);
    assert!(other.is_active("web", &tokens.access).await);
}

// SEC-351, SEC-044: a browser that the user is known by stays one where its cookie's key is not known yet
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_known_browser_is_known_to_a_node_that_has_not_read_the_newest_key() {
    let nodes = nodes().await;
    let [one, other] = &nodes;
    let request = one.request("first", "openid");
    let mut browser = one.browser();
    let page = browser.authorize(&request).await;
    let (app, mut ambient) = (&one.app, one.app.ambient());
    let plan = (keys::Line::Handles, Duration::ZERO);
    keys::rotate(&app.store, &app.kek, &one.tenant(), plan, &mut ambient)
        .await
        .unwrap();
    one.look_around().await;
    later(&nodes).await;
    browser.sign_in(&page, "alice").await.code();
    browser.cookies.retain(|name, _| !name.contains("session"));
    browser.server = other.clone();
    for _ in 0..6 {
        let mut stranger = other.browser();
        let page = stranger.authorize(&request).await;
        let guess = [("username", "alice"), ("password", "a guess")];
        stranger.submit(&page, &guess).await;
    }
    let page = browser.authorize(&request).await;
    browser.sign_in(&page, "alice").await.code();
}

// SEC-044
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn guesses_at_both_nodes_draw_on_one_budget() {
    let nodes = nodes().await;
    for number in 0..5 {
        let mut browser = nodes[number % 2].browser();
        let page = browser
            .authorize(&browser.server.request("first", "openid"))
            .await;
        browser
            .submit(&page, &[("username", "alice"), ("password", "a guess")])
            .await
            .expect(200);
    }
    let mut browser = nodes[1].browser();
    let page = browser
        .authorize(&nodes[1].request("first", "openid"))
        .await;
    assert!(
        browser
            .sign_in(&page, "alice")
            .await
            .callback("code")
            .is_none()
    );
}
