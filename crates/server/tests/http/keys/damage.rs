//! One damaged record takes nothing else down (SEC-352).

use super::{ES256, keys_of, number, rotate};
use crate::support::{BY_PATH, Setup, TestServer};
use jeton::keys::{self, Line};
use jeton_store::keys::{Resealed, StoredKey};

/// Overwrites the sealed part of the newest key of a line, as a failing disk would.
async fn damage(server: &TestServer, line: Line) -> StoredKey {
    let key = keys_of(server, line).await.pop().unwrap();
    let mut after = key.sealed.clone();
    after[20] ^= 1;
    let broken = Resealed {
        id: key.id,
        before: key.sealed.clone(),
        after,
    };
    let store = &server.app.store;
    let count = store.reseal_keys(&server.tenant(), vec![broken]).await;
    assert_eq!(count, Ok(1));
    let occasion = server.occasion();
    store
        .schedule_key(&server.tenant(), key.clone(), occasion)
        .await
        .unwrap();
    server.look_around().await;
    key
}

// SEC-352
#[tokio::test]
async fn a_damaged_signing_key_leaves_the_other_algorithms_and_tenants_and_can_be_replaced() {
    let server = Setup::default().with_tenants().start().await;
    let neighbour = server.at(BY_PATH);
    let before = server.tokens("jwt-web", "openid").await;
    let key = damage(&server, ES256).await;
    let tokens = server.tokens("web", "openid").await;
    server.userinfo(&tokens.access).await.expect(200);
    server.userinfo(&before.access).await.expect(200);
    let jwts = neighbour.tokens("jwt-web", "openid").await;
    neighbour.userinfo(&jwts.access).await.expect(200);
    let code = server.code("jwt-web", "openid").await;
    server.redeem("jwt-web", &code).await.expect(500);

    let mut ambient = server.app.ambient();
    let (store, kek) = (&server.app.store, &server.app.kek);
    keys::revoke(store, kek, &server.tenant(), &key, &mut ambient)
        .await
        .unwrap();
    server.look_around().await;
    let healed = server.redeem("jwt-web", &code).await.expect(200).json();
    let access = healed["access_token"].as_str().unwrap();
    server.userinfo(access).await.expect(200);
}

// SEC-352
#[tokio::test]
async fn when_the_handle_or_seal_key_in_use_is_damaged_the_one_before_it_goes_on() {
    let server = TestServer::start().await;
    for line in [Line::Handles, Line::Seals] {
        rotate(&server, line, 0).await;
    }
    server.look_around().await;
    let tokens = server.tokens("web", "openid").await;
    assert_eq!((number(tokens.refresh()), number(&tokens.access)), (2, 2));
    for line in [Line::Handles, Line::Seals] {
        damage(&server, line).await;
    }
    let tokens = server.tokens("web", "openid").await;
    assert_eq!((number(tokens.refresh()), number(&tokens.access)), (1, 1));
    server.refresh("web", tokens.refresh()).await.expect(200);
    assert!(server.is_active("web", &tokens.access).await);
}

// SEC-352
#[tokio::test]
async fn when_the_only_handle_key_is_damaged_a_running_server_keeps_what_it_has_in_memory() {
    let server = TestServer::start().await;
    let tokens = server.tokens("web", "openid").await;
    damage(&server, Line::Handles).await;
    server.refresh("web", tokens.refresh()).await.expect(200);
}
