//! Inputs made before they are measured: tokens, codes, grants. Nothing here is timed.

use super::browser::{Cookies, VERIFIER, Visit};
use super::fixture::BenchClient;
use super::lane::{Chain, Feed, Lane, Queue};
use super::operation::Operation;
use super::request::{bearer, get, post_as};
use super::target::{PATIENCE, Target};
use super::trouble::Trouble;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Connections that make inputs.
const MAKERS: usize = 16;

/// A code lives 60 s: those made first must outlive the making and the measuring.
const LONGEST_CODE_MAKING: Duration = Duration::from_secs(35);

/// One lane a connection for an operation whose inputs can be used again.
pub async fn lanes(
    operation: Operation,
    connections: usize,
    target: &mut Target,
) -> Result<Vec<Lane>, Trouble> {
    let feeds = feeds(operation, connections, target)
        .await
        .map_err(|trouble| trouble.during(&operation.name()))?;
    let address = target.address().ok_or_else(|| Trouble::new("no address"))?;
    let mut lanes = Vec::with_capacity(feeds.len());
    for feed in feeds {
        lanes.push(Lane::open(address, feed).await?);
    }
    Ok(lanes)
}

/// Lanes that share about `count` inputs that can be used once.
pub async fn lanes_for_once(
    operation: Operation,
    connections: usize,
    count: usize,
    target: &mut Target,
) -> Result<Vec<Lane>, Trouble> {
    let queue = queue(operation, count, target)
        .await
        .map_err(|trouble| trouble.during(&operation.name()))?;
    let address = target.address().ok_or_else(|| Trouble::new("no address"))?;
    let mut lanes = Vec::with_capacity(connections);
    for _ in 0..connections {
        lanes.push(Lane::open(address, Feed::Queue(Arc::clone(&queue))).await?);
    }
    Ok(lanes)
}

async fn feeds(
    operation: Operation,
    connections: usize,
    target: &mut Target,
) -> Result<Vec<Feed>, Trouble> {
    let endpoints = target.endpoints()?.clone();
    let same = |request: Vec<u8>| {
        std::iter::repeat_with(|| Feed::Same(request.clone()))
            .take(connections)
            .collect()
    };
    Ok(match operation {
        Operation::Discovery => same(get(&target.discovery(), &[])),
        Operation::Jwks => same(get(&endpoints.jwks, &[])),
        Operation::ClientCredentialsOpaque
        | Operation::ClientCredentialsEddsa
        | Operation::ClientCredentialsEs256
        | Operation::ClientCredentialsRs256 => same(credentials(operation, target)?),
        Operation::Introspection => {
            let client = target.client(operation)?.clone();
            let ask = |token: &String| {
                Feed::Same(post_as(&client, &endpoints.introspect, &[("token", token)]))
            };
            let tokens = access_tokens(operation, connections, target).await?;
            tokens.iter().map(ask).collect()
        }
        Operation::Userinfo => {
            let tokens = granted(operation, "openid", "access_token", connections, target).await?;
            let ask = |token: &String| Feed::Same(get(&endpoints.userinfo, &[bearer(token)]));
            tokens.iter().map(ask).collect()
        }
        Operation::RefreshRotating | Operation::Refresh => {
            let client = target.client(operation)?.clone();
            let scope = target.fixture().plain_scope.clone();
            let tokens = granted(operation, &scope, "refresh_token", connections, target).await?;
            let begin = |token: &String| {
                let chain = Chain::new(client.clone(), endpoints.token.clone(), token);
                if operation == Operation::RefreshRotating {
                    Feed::Chain(chain)
                } else {
                    Feed::Same(chain.into_request())
                }
            };
            tokens.iter().map(begin).collect()
        }
        Operation::Code | Operation::Revocation => {
            return Err(Trouble::new("its inputs can be used only once"));
        }
    })
}

async fn queue(
    operation: Operation,
    count: usize,
    target: &mut Target,
) -> Result<Arc<Queue>, Trouble> {
    let client = target.client(operation)?.clone();
    let endpoints = target.endpoints()?.clone();
    if operation == Operation::Code {
        let codes = codes(&client, "openid", count, target).await?;
        return Ok(Queue::new(redemptions(&client, &codes, target)?));
    }
    let tokens = access_tokens(operation, count, target).await?;
    let revoke = |token: &String| post_as(&client, &endpoints.revoke, &[("token", token)]);
    Ok(Queue::new(tokens.iter().map(revoke).collect()))
}

fn credentials(operation: Operation, target: &Target) -> Result<Vec<u8>, Trouble> {
    Ok(post_as(
        target.client(operation)?,
        &target.endpoints()?.token,
        &[("grant_type", "client_credentials")],
    ))
}

async fn access_tokens(
    operation: Operation,
    count: usize,
    target: &Target,
) -> Result<Vec<String>, Trouble> {
    let request = credentials(operation, target)?;
    members(vec![request; count], "access_token", target).await
}

/// One member of the token response of each of `count` new grants.
async fn granted(
    operation: Operation,
    scope: &str,
    member: &'static str,
    count: usize,
    target: &mut Target,
) -> Result<Vec<String>, Trouble> {
    let client = target.client(operation)?.clone();
    let codes = codes(&client, scope, count, target).await?;
    let requests = redemptions(&client, &codes, target)?;
    members(requests, member, target).await
}

fn redemptions(
    client: &BenchClient,
    codes: &[String],
    target: &Target,
) -> Result<Vec<Vec<u8>>, Trouble> {
    let redirect_uri = target.fixture().redirect_uri.as_str();
    let endpoint = &target.endpoints()?.token;
    let redeem = |code: &String| {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect_uri),
            ("code_verifier", VERIFIER),
        ];
        post_as(client, endpoint, &fields)
    };
    Ok(codes.iter().map(redeem).collect())
}

/// Sends each request once, and collects one member of the answers.
async fn members(
    requests: Vec<Vec<u8>>,
    member: &'static str,
    target: &Target,
) -> Result<Vec<String>, Trouble> {
    let queue = Queue::new(requests);
    let mut makers = JoinSet::new();
    for _ in 0..MAKERS {
        let mut connection = target.connection().await?;
        let queue = Arc::clone(&queue);
        makers.spawn(async move {
            let mut found = Vec::new();
            while let Some(request) = queue.next() {
                let response = timeout(PATIENCE, connection.exchange(request))
                    .await
                    .map_err(|_| Trouble::new("no answer"))??;
                let value = response
                    .member(member)
                    .ok_or_else(|| Trouble::new(response.summary()))?;
                found.push(value.to_owned());
            }
            Ok(found)
        });
    }
    joined(makers).await
}

/// Codes for a user who is signed in and is shown no page. Fewer than `count` when they would grow too old while being made.
async fn codes(
    client: &BenchClient,
    scope: &str,
    count: usize,
    target: &mut Target,
) -> Result<Vec<String>, Trouble> {
    sign_in(client, scope, target).await?;
    let visit = Arc::new(Visit::new(target, &client.id, scope, true)?);
    let stop = Instant::now() + LONGEST_CODE_MAKING;
    let begun = Arc::new(AtomicUsize::new(0));
    let mut makers = JoinSet::new();
    for _ in 0..MAKERS {
        let mut connection = target.connection().await?;
        let session = target.session.clone().unwrap_or_default();
        let (visit, begun) = (Arc::clone(&visit), Arc::clone(&begun));
        makers.spawn(async move {
            let mut made = Vec::new();
            while Instant::now() < stop && begun.fetch_add(1, Ordering::Relaxed) < count {
                let mut cookies = session.clone();
                made.push(visit.code(&mut connection, &mut cookies).await?);
            }
            Ok(made)
        });
    }
    joined(makers).await
}

/// Signs the user in where no session is there yet; the code that comes of it is left unused.
async fn sign_in(client: &BenchClient, scope: &str, target: &mut Target) -> Result<(), Trouble> {
    if target.session.is_some() {
        return Ok(());
    }
    let visit = Visit::new(target, &client.id, scope, false)?;
    let mut cookies = Cookies::default();
    let mut connection = target.connection().await?;
    visit
        .code(&mut connection, &mut cookies)
        .await
        .map_err(|trouble| trouble.during("signing in"))?;
    target.session = Some(cookies);
    Ok(())
}

async fn joined(mut makers: JoinSet<Result<Vec<String>, Trouble>>) -> Result<Vec<String>, Trouble> {
    let mut all = Vec::new();
    while let Some(made) = makers.join_next().await {
        let made = made.map_err(|error| Trouble::new(error.to_string()))?;
        all.extend(made?);
    }
    Ok(all)
}
