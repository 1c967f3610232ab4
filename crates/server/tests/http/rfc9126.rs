//! Pushed authorization requests over HTTP (RFC 9126).

use crate::support::browser::{asks_consent, asks_password, form};
use crate::support::{Answer, BY_PATH, Fields, ISSUER, Setup, TestServer, Tokens, VERIFIER};
use http::Method;
use jeton_store::Fault;

pub const URN: &str = "urn:ietf:params:oauth:request_uri:jtp_";

/// What a browser brings for a pushed request.
fn reference(client: &str, uri: &str) -> Fields {
    Fields::from([("client_id", client), ("request_uri", uri)])
}

#[track_caller]
fn is_shown(server: &TestServer, answer: &Answer, cause: &str) {
    assert!(
        answer.is_page(),
        "{} {:?}",
        answer.status,
        answer.location()
    );
    assert_eq!((answer.status.as_u16(), server.cause()), (400, cause));
}

// P-136, P-137, P-138, P-148, S21
#[tokio::test]
async fn a_push_is_answered_201_with_a_handle_and_its_seconds() {
    let server = TestServer::start().await;
    for client in ["web", "post", "keyed", "spa"] {
        let request = server.request(client, "photos:read");
        // Who authenticates in the body names itself there already.
        let request = match client {
            "web" | "keyed" => request,
            _ => request.without("client_id"),
        };
        let answer = server.post_as(client, "/par", &request).await.expect(201);
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let json = answer.json();
        assert_eq!(json.as_object().unwrap().len(), 2, "{json}");
        assert_eq!(json["expires_in"], 60);
        let uri = json["request_uri"].as_str().unwrap();
        assert!(
            uri.starts_with(URN) && uri.len() == 34 + 76,
            "{client}: {uri}"
        );
    }
}

// P-139, P-140, P-141, SEC-137
#[tokio::test]
async fn client_id_and_request_uri_are_enough_and_whatever_else_is_brought_counts_for_nothing() {
    let server = TestServer::start().await;
    for extra in [
        &[][..],
        &[
            ("scope", "openid photos:read"),
            ("redirect_uri", "https://evil.example/"),
            ("state", "another"),
            ("response_type", "token"),
            ("response_mode", "form_post"),
            ("prompt", "none"),
            ("code_challenge", "x"),
            ("nonce", "another"),
        ],
    ] {
        let uri = server.push("web", &server.request("web", "openid")).await;
        let mut fields = reference("web", &uri);
        for (name, value) in extra {
            fields = fields.and(name, value);
        }
        let answer = server.browser().complete(&fields, "alice").await;
        assert_eq!(answer.callback("state").as_deref(), Some("state-1"));
        assert_eq!(answer.callback("iss").as_deref(), Some(ISSUER));
        let tokens = Tokens::of(&server.redeem("web", &answer.code()).await);
        assert_eq!(tokens.json["scope"], "openid");
        let claims = crate::support::jwt::verified(&server, tokens.id()).await;
        assert_eq!(claims["nonce"], "nonce-1");
    }
}

// P-143, P-144, SEC-012, SEC-136, SEC-300
#[tokio::test]
async fn it_may_be_opened_again_until_it_is_answered_and_never_after() {
    let server = TestServer::start().await;
    let uri = server.push("web", &server.request("web", "openid")).await;
    let fields = reference("web", &uri);
    let mut browser = server.browser();
    let mut elsewhere = server.browser();
    for _ in 0..3 {
        assert!(asks_password(&browser.authorize(&fields).await));
    }
    let late = elsewhere.authorize(&fields).await;
    let first = browser.authorize(&fields).await;
    let consent = browser.sign_in(&first, "alice").await;
    browser.approve(&consent).await.code();
    is_shown(
        &server,
        &browser.authorize(&fields).await,
        "request_uri_used",
    );
    is_shown(
        &server,
        &server.browser().authorize(&fields).await,
        "request_uri_used",
    );
    // A sign-in that began before cannot be answered either, however it ends.
    let consent = elsewhere.sign_in(&late, "bob").await;
    assert!(asks_consent(&consent));
    let answer = elsewhere.approve(&consent).await;
    is_shown(&server, &answer, "request_uri_used");
}

// P-143, SEC-012: each way to an answer
#[tokio::test]
async fn every_answer_spends_it_the_silent_and_the_refused_ones_too() {
    let server = TestServer::start().await;
    let mut alice = server.signed_in("alice").await;
    let silent = server.request("first", "openid").with("prompt", "none");
    let uri = server.push("first", &silent).await;
    alice.authorize(&reference("first", &uri)).await.code();
    let again = alice.authorize(&reference("first", &uri)).await;
    is_shown(&server, &again, "request_uri_used");

    let uri = server.push("first", &silent).await;
    let mut nobody = server.browser();
    let refused = nobody.authorize(&reference("first", &uri)).await;
    assert_eq!(refused.error(), "login_required");
    is_shown(
        &server,
        &alice.authorize(&reference("first", &uri)).await,
        "request_uri_used",
    );

    let uri = server.push("web", &server.request("web", "openid")).await;
    let page = nobody.authorize(&reference("web", &uri)).await;
    let denied = nobody.submit(&page, &[("cancel", "yes")]).await;
    assert_eq!(denied.error(), "access_denied");
    is_shown(
        &server,
        &nobody.authorize(&reference("web", &uri)).await,
        "request_uri_used",
    );
}

// P-142, P-144
#[tokio::test]
async fn it_expires_but_a_sign_in_that_it_began_goes_on() {
    let server = TestServer::start().await;
    let uri = server.push("web", &server.request("web", "openid")).await;
    let mut browser = server.browser();
    server.advance(59);
    let page = browser.authorize(&reference("web", &uri)).await;
    server.advance(20 * 60);
    let late = server.browser().authorize(&reference("web", &uri)).await;
    is_shown(&server, &late, "request_uri_expired");
    let consent = browser.sign_in(&page, "alice").await;
    browser.approve(&consent).await.code();
}

// P-141, SEC-011, SEC-136
#[tokio::test]
async fn it_is_of_one_client_one_tenant_and_one_kind() {
    let server = Setup::default().with_tenants().start().await;
    let uri = server.push("web", &server.request("web", "openid")).await;
    let stranger = server.browser().authorize(&reference("other", &uri)).await;
    is_shown(&server, &stranger, "request_uri_unknown");
    let acme = server.at(BY_PATH);
    let elsewhere = acme.browser().authorize(&reference("web", &uri)).await;
    is_shown(&acme, &elsewhere, "request_uri_unknown");
    // Its handle opens nothing else.
    let handle = uri
        .strip_prefix("urn:ietf:params:oauth:request_uri:")
        .unwrap();
    server
        .redeem("web", handle)
        .await
        .refused(400, "invalid_grant");
    server
        .refresh("web", handle)
        .await
        .refused(400, "invalid_grant");
    assert!(!server.is_active("web", handle).await);
    let page = server
        .get("/continue")
        .query(&Fields::from([("interaction", handle)]));
    is_shown(&server, &server.send(page).await, "interaction_unknown");
    // And it still works once.
    server
        .browser()
        .complete(&reference("web", &uri), "alice")
        .await
        .code();
}

// P-147
#[tokio::test]
async fn only_post_is_a_method_of_it() {
    let server = TestServer::start().await;
    for method in [Method::GET, Method::PUT, Method::DELETE, Method::PATCH] {
        let answer = server.send(server.bare(method, "/par")).await.expect(405);
        assert_eq!(answer.header("allow"), Some("POST"));
    }
}

// SEC-198
#[tokio::test]
async fn scripts_of_registered_origins_may_push() {
    let server = TestServer::start().await;
    for (origin, allowed) in [
        ("https://spa.example", true),
        ("https://evil.example", false),
        ("null", false),
    ] {
        let ask = server.post(
            "/par",
            &server.request("spa", "openid").with("client_id", "spa"),
        );
        let answer = server.send(ask.header("origin", origin)).await.expect(201);
        let found = answer.header("access-control-allow-origin");
        assert_eq!(found, allowed.then_some(origin), "{origin}");
        assert_eq!(answer.header("access-control-allow-credentials"), None);
    }
}

// SEC-465
#[tokio::test]
async fn a_client_pushes_twenty_times_a_second() {
    let server = TestServer::start().await;
    let request = server.request("web", "openid");
    for _ in 0..20 {
        server.push("web", &request).await;
    }
    let answer = server.post_as("web", "/par", &request).await.expect(429);
    assert!(answer.header("retry-after").is_some());
    server
        .push("other", &server.request("other", "openid"))
        .await;
    server.advance(1);
    server.push("web", &request).await;
}

// P-32, P-33, SEC-137
#[tokio::test]
async fn who_has_to_push_is_refused_otherwise_and_the_metadata_says_so() {
    let server = TestServer::start().await;
    server
        .change_client("web", |client| {
            client.require_pushed_authorization_requests = true
        })
        .await;
    let request = server.request("web", "openid");
    let refused = server.browser().authorize(&request).await;
    assert_eq!(refused.error(), "invalid_request");
    let uri = server.push("web", &request).await;
    server
        .browser()
        .complete(&reference("web", &uri), "alice")
        .await
        .code();
    server.code("other", "openid").await;

    let strict = Setup::default()
        .policy(|policy| policy.pushed.required = true)
        .start()
        .await;
    let path = "/.well-known/oauth-authorization-server";
    for (server, expected) in [(&server, false), (&strict, true)] {
        let found = server.send(server.get(path)).await.expect(200).json();
        assert_eq!(found["require_pushed_authorization_requests"], expected);
    }
    let refused = strict
        .browser()
        .authorize(&strict.request("other", "openid"))
        .await;
    assert_eq!(refused.error(), "invalid_request");
}

// P-149, S14
#[tokio::test]
async fn a_tenant_may_let_clients_that_proved_themselves_bring_new_uris() {
    let new = "https://web.example/per-request/7";
    let closed = TestServer::start().await;
    let request = closed.request("web", "openid").with("redirect_uri", new);
    closed
        .post_as("web", "/par", &request)
        .await
        .refused(400, "invalid_request");
    let open = Setup::default()
        .policy(|policy| policy.pushed.unregistered_redirect_uris = true)
        .start()
        .await;
    let uri = open.push("web", &request).await;
    let answer = open
        .browser()
        .complete(&reference("web", &uri), "alice")
        .await;
    assert!(
        answer
            .location()
            .unwrap()
            .starts_with(&format!("{new}?code="))
    );
    let redemption = open.redemption("web", &answer.code());
    open.token("web", &redemption.clone())
        .await
        .refused(400, "invalid_grant");
    let right = redemption
        .with("redirect_uri", new)
        .with("code_verifier", VERIFIER);
    Tokens::of(&open.token("web", &right).await);
    let public = open
        .request("spa", "openid")
        .with("redirect_uri", "https://spa.example/new");
    open.post_as("spa", "/par", &public)
        .await
        .refused(400, "invalid_request");
    let brought = open.browser().authorize(&request).await;
    is_shown(&open, &brought, "redirect_uri_mismatch");
}

// SEC-R08: what is not kept is not promised
#[tokio::test]
async fn a_store_that_fails_gives_no_request_uri() {
    let server = TestServer::start().await;
    for fault in [Fault::BeforeCommit, Fault::AfterCommit] {
        server.app.store.fail_next(fault);
        let answer = server
            .post_as("web", "/par", &server.request("web", "openid"))
            .await;
        let answer = answer.expect(503);
        assert!(!answer.body.contains("request_uri"), "{}", answer.body);
    }
}

// S39: the forms of a sign-in carry the interaction and nothing of the request
#[tokio::test]
async fn the_sign_in_page_holds_no_request_uri() {
    let server = TestServer::start().await;
    let uri = server.push("web", &server.request("web", "openid")).await;
    let page = server.browser().authorize(&reference("web", &uri)).await;
    assert!(form(&page).hidden.value("interaction").is_some());
    assert!(!page.body.contains("jtp_"));
}
