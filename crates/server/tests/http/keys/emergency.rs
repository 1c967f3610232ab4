//! A key that was stolen goes at once, and the next one comes at once.

use super::{DAY, ES256, keys_of, number, rotate};
use crate::support::{TestServer, Tokens, jwt};
use jeton::keys::{self, Line, Revoked};
use jeton_store::keys::StoredKey;

async fn revoke(server: &TestServer, key: &StoredKey) -> Revoked {
    let mut ambient = server.app.ambient();
    let (store, kek) = (&server.app.store, &server.app.kek);
    let revoked = keys::revoke(store, kek, &server.tenant(), key, &mut ambient).await;
    server.look_around().await;
    revoked.unwrap()
}

async fn newest(server: &TestServer, line: Line) -> StoredKey {
    keys_of(server, line).await.pop().unwrap()
}

// SEC-304, SEC-351, SEC-417
#[tokio::test]
async fn a_revoked_signing_key_is_gone_from_the_set_and_its_tokens_are_refused_at_once() {
    let server = TestServer::start().await;
    let old = server.tokens("jwt-web", "openid").await;
    assert!(server.is_active("jwt-web", &old.access).await);
    let kid = jwt::read(&old.access).0["kid"].clone();
    let key = newest(&server, ES256).await;
    let Revoked::Replaced(next) = revoke(&server, &key).await else {
        panic!("it was the only one");
    };

    let set = server.send(server.get("/jwks")).await.expect(200);
    assert!(!set.body.contains(kid.as_str().unwrap()));
    assert_eq!(set.header("cache-control"), Some("public, max-age=300"));
    assert!(!server.is_active("jwt-web", &old.access).await);
    server
        .userinfo(&old.access)
        .await
        .refused(401, "invalid_token");
    let new = Tokens::of(&server.refresh("jwt-web", old.refresh()).await);
    server.userinfo(&new.access).await.expect(200);
    let name = jwt::read(&new.access).0["kid"].clone();
    assert!(set.body.contains(name.as_str().unwrap()));
    let rows = server.app.store.keys(&server.tenant()).await.unwrap();
    let row = rows.iter().find(|row| row.id == next).unwrap();
    assert_eq!(row.active_at, Some(server.now()));
}

// SEC-417
#[tokio::test]
async fn when_a_seal_or_handle_key_is_revoked_what_it_made_is_dead_and_what_others_made_lives() {
    let server = TestServer::start().await;
    let old = server.tokens("web", "openid").await;
    for line in [Line::Handles, Line::Seals] {
        rotate(&server, line, 0).await;
    }
    server.look_around().await;
    let stolen = server.tokens("web", "openid").await;
    for line in [Line::Handles, Line::Seals] {
        let key = newest(&server, line).await;
        assert!(matches!(revoke(&server, &key).await, Revoked::Replaced(_)));
    }
    assert!(!server.is_active("web", &stolen.access).await);
    server
        .refresh("web", stolen.refresh())
        .await
        .refused(400, "invalid_grant");
    assert!(server.is_active("web", &old.access).await);
    server.refresh("web", old.refresh()).await.expect(200);
    let new = server.tokens("web", "openid").await;
    assert_eq!((number(new.refresh()), number(&new.access)), (3, 3));
}

// SEC-351
#[tokio::test]
async fn whichever_key_of_a_rotation_is_revoked_the_line_goes_on() {
    for (at, in_use) in [(0, true), (1, true)] {
        let server = TestServer::start().await;
        rotate(&server, ES256, DAY).await;
        let key = keys_of(&server, ES256).await.remove(at);
        let revoked = revoke(&server, &key).await;
        assert_eq!(matches!(revoked, Revoked::Replaced(_)), in_use);
        for _ in 0..4 {
            let tokens = server.tokens("jwt-web", "openid").await;
            server.userinfo(&tokens.access).await.expect(200);
            let now = jwt::read(&tokens.access).0["kid"].clone();
            assert!(
                !key.public_key
                    .clone()
                    .unwrap()
                    .contains(now.as_str().unwrap())
            );
            server.advance(DAY / 2);
            server.look_around().await;
        }
    }
    let server = TestServer::start().await;
    rotate(&server, ES256, 0).await;
    let retired = keys_of(&server, ES256).await.remove(0);
    assert_eq!(revoke(&server, &retired).await, Revoked::Gone);
}
