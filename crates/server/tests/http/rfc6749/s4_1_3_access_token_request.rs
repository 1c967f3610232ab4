//! RFC 6749 §4.1.3, §4.1.2: redeeming a code, once, by the right client, in time.

use crate::support::{TestServer, Tokens, VERIFIER};

// P-162, P-163, P-164, SEC-012, SEC-134, S16
#[tokio::test]
async fn a_code_spent_twice_takes_the_tokens_of_the_first_use_with_it() {
    let server = TestServer::start().await;
    for client in ["web", "jwt-web", "spa"] {
        let code = server.code(client, "openid").await;
        let tokens = Tokens::of(&server.redeem(client, &code).await);
        server.userinfo(&tokens.access).await.expect(200);
        server.advance(30);
        server
            .redeem(client, &code)
            .await
            .refused(400, "invalid_grant");
        assert_eq!(server.cause(), "code_spent");
        server
            .userinfo(&tokens.access)
            .await
            .refused(401, "invalid_token");
        server
            .refresh(client, tokens.refresh())
            .await
            .refused(400, "invalid_grant");
        server
            .redeem(client, &code)
            .await
            .refused(400, "invalid_grant");
    }
}

// P-162, SEC-013, SEC-134
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_64_redemptions_at_once_one_succeeds_and_its_tokens_die_with_the_second() {
    let server = TestServer::start().await;
    let code = server.code("web", "openid").await;
    let uses: Vec<_> = (0..64)
        .map(|_| {
            let (server, code) = (server.clone(), code.clone());
            tokio::spawn(async move { server.redeem("web", &code).await })
        })
        .collect();
    let mut issued = Vec::new();
    for one in uses {
        let answer = one.await.unwrap();
        if answer.status == 200 {
            issued.push(Tokens::of(&answer));
        } else {
            answer.refused(400, "invalid_grant");
        }
    }
    assert_eq!(issued.len(), 1);
    assert!(!server.is_active("web", &issued[0].access).await);
    server
        .refresh("web", issued[0].refresh())
        .await
        .refused(400, "invalid_grant");
}

// P-165, SEC-113, S16
#[tokio::test]
async fn a_code_lives_for_60_seconds_and_not_for_61() {
    let server = TestServer::start().await;
    let code = server.code("web", "openid").await;
    server
        .app
        .clock
        .advance(std::time::Duration::from_millis(59_999));
    server.redeem("web", &code).await.expect(200);

    let code = server.code("web", "openid").await;
    server.advance(61);
    server
        .redeem("web", &code)
        .await
        .refused(400, "invalid_grant");
    assert_eq!(server.cause(), "code_expired");
}

// SEC-135
#[tokio::test]
async fn a_failed_client_authentication_does_not_consume_the_code() {
    let server = TestServer::start().await;
    let code = server.code("web", "openid").await;
    let wrong = server
        .post("/token", &server.redemption("web", &code))
        .basic("web", "a guess");
    server.send(wrong).await.refused(401, "invalid_client");
    let nobody = server.post("/token", &server.redemption("web", &code));
    server.send(nobody).await.refused(401, "invalid_client");
    server.redeem("web", &code).await.expect(200);
}

// P-161, P-167, SEC-010, SEC-135, S31
#[tokio::test]
async fn whoever_cannot_prove_possession_neither_learns_the_state_of_a_code_nor_burns_it() {
    let server = TestServer::start().await;
    let code = server.code("web", "openid").await;
    let attempts = [
        (
            "other",
            server.redemption("web", &code),
            "code_of_another_client",
        ),
        (
            "spa",
            server.redemption("web", &code),
            "code_of_another_client",
        ),
        (
            "web",
            server
                .redemption("web", &code)
                .with("redirect_uri", "https://evil.example/"),
            "code_redirect_uri",
        ),
        (
            "web",
            server.redemption("web", &code).without("code_verifier"),
            "code_verifier_missing",
        ),
        (
            "web",
            server
                .redemption("web", &code)
                .with("code_verifier", &"x".repeat(43)),
            "code_verifier_mismatch",
        ),
    ];
    for (client, fields, cause) in &attempts {
        server
            .token(client, fields)
            .await
            .refused(400, "invalid_grant");
        assert_eq!(server.cause(), *cause);
    }
    let tokens = Tokens::of(&server.redeem("web", &code).await);
    for (client, fields, cause) in &attempts {
        server
            .token(client, fields)
            .await
            .refused(400, "invalid_grant");
        assert_eq!(server.cause(), *cause, "after it was spent");
    }
    server.userinfo(&tokens.access).await.expect(200);
}

// SEC-010
#[tokio::test]
async fn a_code_with_any_character_changed_is_unknown() {
    let server = TestServer::start().await;
    let code = server.code("web", "openid").await;
    for at in 0..code.len() {
        let mut bytes = code.clone().into_bytes();
        bytes[at] = if bytes[at] == b'x' { b'y' } else { b'x' };
        let altered = String::from_utf8(bytes).unwrap();
        server
            .redeem("web", &altered)
            .await
            .refused(400, "invalid_grant");
        assert_eq!(server.cause(), "code_unknown", "character {at}");
    }
    server.redeem("web", &code).await.expect(200);
}

// SEC-130
#[tokio::test]
async fn codes_of_two_sign_ins_cannot_be_swapped() {
    let server = TestServer::start().await;
    let other = "another-verifier-of-enough-characters-for-pkce-1";
    let challenge = jeton_token::base64url::encode(&jeton_token::secret::sha256(other.as_bytes()));
    let request = server
        .request("web", "openid")
        .with("code_challenge", &challenge);
    let of_bob = server.browser().complete(&request, "bob").await.code();
    server
        .redeem("web", &of_bob)
        .await
        .refused(400, "invalid_grant");
    let fields = server
        .redemption("web", &of_bob)
        .with("code_verifier", other);
    server.token("web", &fields).await.expect(200);
    assert_ne!(other, VERIFIER);
}

// P-180
#[tokio::test]
async fn only_a_client_registered_for_refreshing_gets_a_refresh_token() {
    let server = TestServer::start().await;
    assert_eq!(
        server
            .tokens("code-only", "openid offline_access")
            .await
            .refresh,
        None
    );
    assert!(server.tokens("web", "openid").await.refresh.is_some());
}

// S22
#[tokio::test]
async fn the_granted_part_of_the_scope_is_reported() {
    let server = TestServer::start().await;
    let mut browser = server.browser();
    let page = browser
        .authorize(&server.request("web", "openid profile email photos:read unknown"))
        .await;
    let page = browser.sign_in(&page, "alice").await;
    let answer = browser
        .submit(&page, &[("approve", "yes"), ("scope.email", "yes")])
        .await;
    let tokens = Tokens::of(&server.redeem("web", &answer.code()).await);
    assert_eq!(tokens.json["scope"], "openid email");
    let known = server.introspect("web", &tokens.access).await;
    assert_eq!(known["scope"], "openid email");
}

// S41, S63
#[tokio::test]
async fn a_request_without_scope_gets_what_the_client_is_registered_for() {
    let server = TestServer::start().await;
    let answer = server
        .browser()
        .complete(&server.request("web", "").without("scope"), "alice")
        .await;
    let tokens = Tokens::of(&server.redeem("web", &answer.code()).await);
    assert_eq!(tokens.json["scope"], crate::support::clients::USER_SCOPE);
}
