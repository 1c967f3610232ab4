//! The key that encrypts all others is replaced while servers run (SEC-352, SEC-415).

use super::{keys_of, rotate};
use crate::support::{Fields, Setup, TestServer, cluster};
use jeton::keys::{self, Kek, Line};
use jeton_store::{Fault, Location};
use jeton_token::entropy::Entropy;
use jeton_token::secret::Secret;

/// What only a server does that opens signing keys, handle keys, seal keys and clients' secrets.
async fn everything_works(server: &TestServer) {
    server.look_around().await;
    let machine = Fields::from([("grant_type", "client_credentials")]);
    server.token("hmac", &machine).await.expect(200);
    let tokens = server.tokens("web", "openid").await;
    server.refresh("web", tokens.refresh()).await.expect(200);
    server.userinfo(&tokens.access).await.expect(200);
}

async fn rewrap(server: &TestServer) -> Result<u64, keys::KeyError> {
    let (store, kek) = (&server.app.store, &server.app.kek);
    let done = keys::rewrap(store, kek, &mut Entropy::seeded(3)).await?;
    assert_eq!(done.damaged, Vec::<String>::new());
    Ok(done.resealed)
}

// SEC-352, SEC-415
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn servers_go_on_while_everything_is_sealed_under_another_key_and_after_it() {
    for fault in [Fault::BeforeCommit, Fault::AfterCommit] {
        let url = tokio::task::spawn_blocking(cluster::schema).await.unwrap();
        let node = async |keks: (u8, Option<u8>), joins: bool| {
            let setup = Setup {
                location: Location::Postgres { url: url.clone() },
                joins,
                seed: u64::from(keks.0),
                keks,
                ..Setup::default()
            };
            setup.start().await
        };
        drop(node((7, None), false).await);
        let reader = node((7, Some(9)), true).await;
        let writer = node((9, Some(7)), true).await;
        // Between two steps: the first batch is written, or known not to be.
        writer.app.store.fail_next(fault);
        rewrap(&writer).await.unwrap_err();
        rotate(&writer, Line::Handles, 0).await;
        for server in [&reader, &writer] {
            server.advance(2);
            everything_works(server).await;
        }
        rewrap(&writer).await.unwrap();
        assert_eq!(rewrap(&writer).await.unwrap(), 0);
        let new = node((9, None), true).await;
        new.advance(2);
        for server in [&reader, &writer, &new] {
            everything_works(server).await;
        }
    }
}

// SEC-352: a row that neither key opens is named and left as it is.
#[tokio::test]
async fn what_neither_key_opens_is_named_and_not_touched() {
    let server = TestServer::start().await;
    let foreign = Kek::new(&Secret::new(vec![1; 32])).unwrap();
    let other = Kek::new(&Secret::new(vec![2; 32])).unwrap();
    let kek = foreign.with_previous(other);
    let before = server.app.store.keys(&server.tenant()).await.unwrap();
    let store = &server.app.store;
    let done = keys::rewrap(store, &kek, &mut Entropy::seeded(3))
        .await
        .unwrap();
    assert_eq!(done.resealed, 0);
    assert_eq!(
        done.damaged.len(),
        before.len() + 1,
        "and the secret of hmac"
    );
    assert_eq!(keys_of(&server, Line::Handles).await.len(), 1);
    assert_eq!(store.keys(&server.tenant()).await.unwrap(), before);
}
