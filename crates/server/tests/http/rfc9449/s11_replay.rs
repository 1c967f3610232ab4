//! A proof counts once, at whatever node and however many send it (RFC 9449 §11.1).

use crate::support::dpop::{self, one, other};
use crate::support::{Answer, Ask, Fields, Setup, TestServer, clients, cluster};
use jeton_store::Location;

fn ask(server: &TestServer, proof: &str) -> Ask {
    let fields = Fields::from([("grant_type", "client_credentials")]);
    let ask = clients::authenticate(server, "service", server.post("/token", &fields));
    ask.header("dpop", proof)
}

async fn send(server: &TestServer, proof: &str) -> Answer {
    server.send(ask(server, proof)).await
}

// P-223, SEC-180, SEC-306
#[tokio::test]
async fn a_proof_is_used_once_until_it_is_too_old_and_each_key_has_its_own_jtis() {
    let server = TestServer::start().await;
    let claims = dpop::for_token(&server);
    let proof = dpop::proof(one(), &claims);
    send(&server, &proof).await.expect(200);
    send(&server, &proof)
        .await
        .refused(400, "invalid_dpop_proof");
    assert_eq!(server.cause(), "dpop_proof_replayed");
    send(&server, &dpop::proof(other(), &claims))
        .await
        .expect(200);
    for _ in 0..4 {
        server.advance(30);
        send(&server, &proof)
            .await
            .refused(400, "invalid_dpop_proof");
    }
    assert_eq!(server.cause(), "dpop_proof_iat");
}

// SEC-306, SEC-348: the key is its sender, whichever clients share it
#[tokio::test]
async fn a_proof_that_one_client_used_is_used_up_for_all_of_them() {
    let server = TestServer::start().await;
    let proof = dpop::proof(one(), &dpop::for_token(&server));
    send(&server, &proof).await.expect(200);
    let fields = Fields::from([("grant_type", "client_credentials")]);
    let ask = clients::authenticate(&server, "jwt-service", server.post("/token", &fields));
    let again = server.send(ask.header("dpop", &proof)).await;
    again.refused(400, "invalid_dpop_proof");
    assert_eq!(server.cause(), "dpop_proof_replayed");
}

// SEC-348: what was refused anyway is not remembered
#[tokio::test]
async fn a_strangers_proof_spends_nothing() {
    let server = TestServer::start().await;
    let tokens = dpop::tokens(&server, "web", one()).await;
    let theft = dpop::userinfo(&server, &tokens.access, other());
    for _ in 0..2 {
        server
            .send(theft.clone())
            .await
            .refused(401, "invalid_token");
        assert_eq!(server.cause(), "bound_token_key");
    }
}

async fn of_many_one_wins(nodes: &[TestServer]) {
    for place in ["token", "userinfo"] {
        let server = &nodes[0];
        let shared = match place {
            "token" => ask(server, &dpop::proof(one(), &dpop::for_token(server))),
            _ => {
                let tokens = dpop::tokens(server, "web", one()).await;
                dpop::userinfo(server, &tokens.access, one())
            }
        };
        let tries: Vec<_> = (0..64)
            .map(|number| {
                let (node, ask) = (nodes[number % nodes.len()].clone(), shared.clone());
                tokio::spawn(async move { node.send(ask).await.status.as_u16() })
            })
            .collect();
        let mut accepted = 0;
        for one in tries {
            accepted += usize::from(one.await.unwrap() == 200);
        }
        assert_eq!(accepted, 1, "at {place}");
    }
}

// SEC-306, SEC-348
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_64_uses_of_a_proof_at_once_one_succeeds() {
    of_many_one_wins(&[TestServer::start().await]).await;
}

// SEC-306, SEC-348
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_64_uses_of_a_proof_over_two_nodes_one_succeeds() {
    let url = tokio::task::spawn_blocking(cluster::schema).await.unwrap();
    let location = Location::Postgres { url };
    let one = Setup {
        location: location.clone(),
        ..Setup::default()
    };
    let one = one.start().await;
    let other = Setup {
        location,
        joins: true,
        seed: 2,
        ..Setup::default()
    };
    of_many_one_wins(&[one, other.start().await]).await;
}
