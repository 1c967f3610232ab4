//! Keys of handles and of opaque tokens follow one another like signing keys.

use super::{DAY, keys_of, number, rotate};
use crate::support::{Setup, TestServer, Tokens};
use jeton::keys::Line;
use jeton_store::Fault;
use jeton_token::handle::HandleError;
use jeton_token::sealed::SealError;
use std::time::Duration;

// SEC-417, S51
#[tokio::test]
async fn what_the_keys_before_made_works_on_when_the_next_ones_are_used() {
    let server = TestServer::start().await;
    let old = server.tokens("web", "openid").await;
    let public = server.tokens("spa", "openid").await;
    let code = server.code("web", "openid").await;
    let mut browser = server.signed_in("alice").await;
    for line in [Line::Handles, Line::Seals] {
        rotate(&server, line, 30).await;
    }
    server.look_around().await;
    let meanwhile = server.tokens("web", "openid").await;
    assert_eq!(number(meanwhile.refresh()), 1, "not before its lead");
    assert_eq!(number(&meanwhile.access), 1, "not before its lead");

    server.advance(30);
    server.look_around().await;
    let new = Tokens::of(&server.redeem("web", &code).await);
    assert_eq!((number(new.refresh()), number(&new.access)), (2, 2));
    for tokens in [&old, &meanwhile, &new] {
        server.userinfo(&tokens.access).await.expect(200);
        assert!(server.is_active("web", &tokens.access).await);
        assert!(server.is_active("web", tokens.refresh()).await);
        server.refresh("web", tokens.refresh()).await.expect(200);
    }
    let next = Tokens::of(&server.refresh("spa", public.refresh()).await);
    assert_eq!(number(next.refresh()), 2);
    let silent = server.request("first", "openid").with("prompt", "none");
    browser.authorize(&silent).await.code();
}

// SEC-304, SEC-417
#[tokio::test]
async fn a_seal_key_goes_when_the_last_token_it_can_have_made_is_dead() {
    let server = TestServer::start().await;
    let old = server.tokens("web", "openid").await;
    rotate(&server, Line::Seals, 0).await;
    let open = async || {
        server.look_around().await;
        let ring = server.state().await.ring();
        ring.seals.open("default", &old.access).map(drop)
    };
    server.advance(DAY + 119);
    assert_eq!(open().await, Ok(()));
    server.advance(2);
    assert_eq!(open().await, Err(SealError::UnknownKey(1)));
}

// SEC-417: what was promised when the token was given out holds, whatever the lifetimes are changed to later.
#[tokio::test]
async fn a_handle_key_stays_as_long_as_any_grant_of_its_time() {
    let setup = Setup::default().policy(|policy| {
        policy.lifetimes.refresh_absolute = Duration::from_secs(1000 * DAY);
        policy.lifetimes.refresh_idle = Duration::from_secs(730 * DAY);
    });
    let server = setup.start().await;
    let tokens = server.tokens("web", "openid offline_access").await;
    let tenant = server.app.store.tenant(&server.tenant()).await.unwrap();
    let mut tenant = tenant.unwrap().tenant;
    tenant.policy.lifetimes.refresh_absolute = Duration::from_secs(90 * DAY);
    tenant.policy.lifetimes.refresh_idle = Duration::from_secs(14 * DAY);
    let occasion = server.occasion();
    let store = &server.app.store;
    store.replace_tenant(tenant, occasion).await.unwrap();
    server.look_around().await;
    rotate(&server, Line::Handles, 0).await;
    server.state().await;
    let plan = (Duration::from_secs(730 * DAY), Duration::from_secs(DAY));
    server.app.tenancy.rotate_keys(&server.app, plan).await;
    assert_eq!(keys_of(&server, Line::Handles).await[0].expires_at, None);

    server.advance(600);
    server.look_around().await;
    server.app.tenancy.rotate_keys(&server.app, plan).await;
    let end = keys_of(&server, Line::Handles).await[0].expires_at.unwrap();
    server.advance(700 * DAY);
    server.look_around().await;
    server.refresh("web", tokens.refresh()).await.expect(200);

    assert!(end.since(server.now()) > Duration::from_secs(299 * DAY));
    server.advance(301 * DAY);
    server.look_around().await;
    let ring = server.state().await.ring();
    let kind = jeton_token::handle::HandleKind::RefreshToken;
    let opened = ring.handles.open("default", kind, tokens.refresh());
    assert_eq!(opened, Err(HandleError::UnknownKey(1)));
}

// SEC-161: the successor may be written in two ways in the moment the key changes, but there is one.
#[tokio::test]
async fn a_refresh_repeated_across_the_change_of_the_handle_key_forks_nothing() {
    let server = TestServer::start().await;
    let tokens = server.tokens("spa", "openid").await;
    rotate(&server, Line::Handles, 5).await;
    server.look_around().await;
    server.advance(4);
    let before = Tokens::of(&server.refresh("spa", tokens.refresh()).await);
    server.advance(1);
    server.look_around().await;
    let after = Tokens::of(&server.refresh("spa", tokens.refresh()).await);
    assert_eq!((number(before.refresh()), number(after.refresh())), (1, 2));

    let one = Tokens::of(&server.refresh("spa", before.refresh()).await);
    let other = Tokens::of(&server.refresh("spa", after.refresh()).await);
    assert_eq!(one.refresh(), other.refresh(), "both lead to one token");
    server.advance(60);
    let next = Tokens::of(&server.refresh("spa", one.refresh()).await);
    server.advance(60);
    server
        .refresh("spa", before.refresh())
        .await
        .refused(400, "invalid_grant");
    assert_eq!(server.cause(), "refresh_token_reused");
    server
        .refresh("spa", next.refresh())
        .await
        .refused(400, "invalid_grant");
}

// SEC-351
#[tokio::test]
async fn a_rotation_that_fails_before_or_after_it_is_written_leaves_one_key_to_go_on_with() {
    for (fault, made) in [(Fault::BeforeCommit, 1), (Fault::AfterCommit, 2)] {
        for line in [super::ES256, Line::Handles, Line::Seals] {
            let server = TestServer::start().await;
            let mut ambient = server.app.ambient();
            let (store, kek) = (&server.app.store, &server.app.kek);
            store.fail_next(fault);
            let plan = (line, Duration::from_secs(10));
            let failed =
                jeton::keys::rotate(store, kek, &server.tenant(), plan, &mut ambient).await;
            failed.unwrap_err();
            for _ in 0..3 {
                server.look_around().await;
                server.advance(10);
                let tokens = server.tokens("jwt-web", "openid").await;
                server.userinfo(&tokens.access).await.expect(200);
                let tokens = server.tokens("web", "openid").await;
                server.userinfo(&tokens.access).await.expect(200);
            }
            let keys = keys_of(&server, line).await;
            let going_on = keys.iter().filter(|key| key.retired_at.is_none()).count();
            assert_eq!((keys.len(), going_on), (made, 1), "{line} {fault:?}");
        }
    }
}

// SEC-184
#[tokio::test]
async fn the_key_set_never_has_more_than_eight_keys() {
    let server = TestServer::start().await;
    for _ in 0..5 {
        rotate(&server, super::ES256, 0).await;
        server.advance(1);
    }
    let mut ambient = server.app.ambient();
    let (store, kek) = (&server.app.store, &server.app.kek);
    let plan = (super::ES256, Duration::ZERO);
    let refused = jeton::keys::rotate(store, kek, &server.tenant(), plan, &mut ambient).await;
    assert!(refused.unwrap_err().to_string().contains("8 signing keys"));
    server.look_around().await;
    let set = server.send(server.get("/jwks")).await.expect(200).json();
    assert_eq!(set["keys"].as_array().unwrap().len(), 8);
    server.advance(2 * DAY);
    rotate(&server, super::ES256, 0).await;
}
