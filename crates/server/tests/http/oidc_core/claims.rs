//! Core §5: what changes about a user is seen at once.

use crate::support::TestServer;

// P-257, P-260
#[tokio::test]
async fn userinfo_tells_what_is_true_now() {
    let server = TestServer::start().await;
    let tokens = server.tokens("web", "openid email").await;
    let mut user = server.user("alice").await;
    user.claims
        .insert("email".to_owned(), "new@example.org".into());
    server
        .app
        .store
        .replace_user(&server.tenant(), user, server.occasion())
        .await
        .unwrap();
    assert_eq!(
        server.userinfo(&tokens.access).await.expect(200).json()["email"],
        "new@example.org"
    );
}

// P-257
#[tokio::test]
async fn a_scope_the_user_unchecked_gives_nothing() {
    let server = TestServer::start().await;
    let mut browser = server.browser();
    let page = browser
        .authorize(&server.request("web", "openid email phone"))
        .await;
    let page = browser.sign_in(&page, "alice").await;
    let answer = browser
        .submit(&page, &[("approve", "yes"), ("scope.phone", "yes")])
        .await;
    let tokens = crate::support::Tokens::of(&server.redeem("web", &answer.code()).await);
    let json = server.userinfo(&tokens.access).await.expect(200).json();
    assert_eq!(
        (json.get("email"), json["phone_number"].is_string()),
        (None, true)
    );
}
