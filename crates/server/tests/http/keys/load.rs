//! Rotation while everything goes on, on two nodes at once, with resource servers that keep key sets (SEC-351).

use super::{DAY, keys_of};
use crate::support::{Setup, TestServer, Tokens, cluster};
use jeton::keys::{Line, MOST_PUBLISHED, SIGNING_ALGORITHMS};
use jeton_store::Location;
use jeton_token::jws::Jws;
use jeton_token::key_set::KeySet;
use jeton_token::timestamp::Timestamp;
use std::collections::VecDeque;
use std::time::Duration;

/// Keeps a key set for nearly the lead and does not look again for a key it does not know.
struct ResourceServer {
    set: KeySet,
    fetched_at: Timestamp,
}

impl ResourceServer {
    async fn fetch(server: &TestServer) -> Self {
        let answer = server.send(server.get("/jwks")).await.expect(200);
        let set = KeySet::parse(answer.body.as_bytes()).unwrap();
        assert!(set.keys().len() <= MOST_PUBLISHED);
        Self {
            set,
            fetched_at: server.now(),
        }
    }

    async fn verify(&mut self, server: &TestServer, token: &str) {
        if server.now().since(self.fetched_at) >= Duration::from_secs(KEPT) {
            *self = Self::fetch(server).await;
        }
        let unverified = Jws::parse(token).unwrap();
        let kid = &unverified.header().kid;
        assert!(self.set.verify(&unverified).is_some(), "{kid:?}");
    }
}

const KEPT: u64 = DAY - 3600;
const PLAN: (Duration, Duration) = (Duration::from_secs(3 * DAY), Duration::from_secs(DAY));
const STEP: u64 = 3600;
const STEPS: usize = 24 * 7;

// SEC-304, SEC-351, SEC-184
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_fails_while_all_keys_rotate_on_two_nodes() {
    let url = tokio::task::spawn_blocking(cluster::schema).await.unwrap();
    let location = Location::Postgres { url };
    let node = async |joins: bool, seed: u64| {
        let setup = Setup {
            location: location.clone(),
            joins,
            seed,
            ..Setup::default()
        };
        setup.start().await
    };
    let nodes = [node(false, 1).await, node(true, 2).await];
    everything_goes_on(&nodes).await;
}

// SEC-304, SEC-351, SEC-184
#[tokio::test]
async fn nothing_fails_while_all_keys_rotate_on_one_node() {
    everything_goes_on(&[TestServer::start().await]).await;
}

async fn everything_goes_on(nodes: &[TestServer]) {
    let first = &nodes[0];
    let mut resource = ResourceServer::fetch(first).await;
    let kept = first.tokens("web", "openid offline_access").await;
    let mut chain = first.tokens("spa", "openid").await.refresh().to_owned();
    let mut signed = VecDeque::new();
    for step in 0..STEPS {
        let (one, other) = (&nodes[step % nodes.len()], &nodes[(step + 1) % nodes.len()]);
        for node in nodes {
            node.advance(STEP);
            node.look_around().await;
        }
        tokio::join!(
            one.app.tenancy.rotate_keys(&one.app, PLAN),
            other.app.tenancy.rotate_keys(&other.app, PLAN)
        );
        let opaque = Tokens::of(&one.refresh("web", kept.refresh()).await);
        assert!(other.is_active("web", &opaque.access).await);
        let next = Tokens::of(&one.refresh("spa", &chain).await);
        let repeated = Tokens::of(&other.refresh("spa", &chain).await);
        assert_eq!(next.refresh(), repeated.refresh());
        chain = next.refresh().to_owned();
        resource.verify(one, next.id()).await;
        let own = one.tokens("jwt-web", "openid").await;
        other.userinfo(&own.access).await.expect(200);
        resource.verify(other, &own.access).await;
        signed.push_back(own.access);
        if signed.len() > 23 {
            resource.verify(one, &signed.pop_front().unwrap()).await;
        }
    }
    for line in SIGNING_ALGORITHMS[..3]
        .iter()
        .map(|algorithm| Line::Signing(*algorithm))
        .chain([Line::Handles, Line::Seals])
    {
        one_after_the_other(first, line).await;
    }
}

/// A week holds two changes of a line, each made by one node.
async fn one_after_the_other(server: &TestServer, line: Line) {
    let keys = keys_of(server, line).await;
    assert_eq!(keys.len(), 3, "{line}");
    for pair in keys.windows(2) {
        assert_eq!(pair[0].retired_at, pair[1].active_at, "{line}");
        let published = pair[1]
            .active_at
            .unwrap()
            .since(pair[1].published_at.unwrap());
        assert!(published >= PLAN.1, "{line}");
    }
    assert_eq!(keys[2].retired_at, None, "{line}");
}
