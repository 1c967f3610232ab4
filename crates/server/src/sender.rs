//! Whether the sender of a request holds the key it names: DPoP proofs read, verified and spent (RFC 9449).

use crate::app::App;
use crate::http::denied::Denied;
use crate::http::exchange::Exchange;
use crate::http::reply::Reply;
use http::{HeaderName, HeaderValue};
use jeton_protocol::caller::{Binding, Caller};
use jeton_protocol::client::ClientId;
use jeton_protocol::client_auth::AuthenticatedClient;
use jeton_protocol::dpop::nonce::Nonces;
use jeton_protocol::dpop::{self as rules, Unspent, resource};
use jeton_protocol::introspection::{TokenFacts, unreadable};
use jeton_protocol::refusal::{ErrorCode, Noted, Refusal, Trail};
use jeton_protocol::userinfo::Scheme;
use jeton_store::replay::{Claimed, OneTime, ReplayKind};
use jeton_token::dpop::Request;
use jeton_token::timestamp::Timestamp;

pub const DPOP: HeaderName = HeaderName::from_static("dpop");
pub const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// The client of a token request with the key its proof shows, if it sends one. Asked behind the client's rate: a proof is
/// a row, and anybody can make one for a public client.
pub async fn bind(
    app: &App,
    exchange: &Exchange,
    client: AuthenticatedClient,
    (now, trail): (Timestamp, &mut Trail),
) -> Result<(Caller, NextNonce), Denied> {
    let is_sent = exchange.headers.contains_key(&DPOP);
    rules::demanded(client.client(), is_sent, trail)?;
    bind_if_proven(app, exchange, client, (now, trail)).await
}

/// As [`bind`], where even a client that gets bound tokens only may come without a proof: it may name its key by `dpop_jkt`, or
/// only when it redeems the code. (RFC 9449 §10.1)
pub async fn bind_if_proven(
    app: &App,
    exchange: &Exchange,
    client: AuthenticatedClient,
    (now, trail): (Timestamp, &mut Trail),
) -> Result<(Caller, NextNonce), Denied> {
    let Some(proof) = sent(exchange, trail)? else {
        return Ok((Caller::new(client, None), NextNonce(None)));
    };
    let needs_nonce = client
        .client()
        .needs_dpop_nonce(&exchange.tenant.tenant.policy);
    let at = (needs_nonce, now);
    let unspent = verify(exchange, proof, None, at, trail)?;
    let binding = spend(app, exchange, unspent, (now, trail)).await?;
    Ok((
        Caller::new(client, Some(binding)),
        NextNonce::after(exchange, at),
    ))
}

/// Refuses a token that is bound to a key, unless the key's holder sends it.
pub async fn prove_holder(
    app: &App,
    exchange: &Exchange,
    (scheme, token): (Scheme, &str),
    facts: &TokenFacts,
    (now, trail): (Timestamp, &mut Trail),
) -> Result<NextNonce, Denied> {
    if !resource::needs_proof(facts, scheme, trail)? {
        return Ok(NextNonce(None));
    }
    let proof = sent(exchange, trail)?;
    let proof = trail.demand(&resource::PROOF_WITH_TOKEN, proof, || {
        Noted::new("a DPoP header", "none")
    })?;
    let state = &exchange.tenant;
    let policy = &state.tenant.policy;
    let id =
        ClientId::parse(&facts.client).ok_or_else(|| unreadable("a client id nobody can have"))?;
    let client = state.client(app, &id).await?;
    let needs_nonce = client.map_or(policy.dpop_nonce, |client| client.needs_dpop_nonce(policy));
    let at = (needs_nonce, now);
    let unspent = verify(exchange, proof, Some(token), at, trail)?;
    resource::prove_holder(facts.binding, &unspent, trail)?;
    spend(app, exchange, unspent, (now, trail)).await?;
    Ok(NextNonce::after(exchange, at))
}

/// The nonce for the next proof, where proofs need one. (RFC 9449 §8.2)
#[derive(Debug)]
#[must_use]
pub struct NextNonce(Option<String>);

impl NextNonce {
    fn after(exchange: &Exchange, (needs_nonce, now): (bool, Timestamp)) -> Self {
        Self(needs_nonce.then(|| current_nonce(exchange, now)))
    }

    pub fn put_into(self, reply: &mut Reply) {
        if let Some(nonce) = self.0 {
            put_nonce(&nonce, reply);
        }
    }
}

pub fn put_nonce(nonce: &str, reply: &mut Reply) {
    if let Ok(value) = HeaderValue::try_from(nonce) {
        reply.headers_mut().insert(DPOP_NONCE, value);
    }
}

fn sent<'a>(exchange: &'a Exchange, trail: &mut Trail) -> Result<Option<&'a str>, Refusal> {
    let values = exchange.headers.get_all(&DPOP).iter();
    rules::sent(values.map(HeaderValue::as_bytes), trail)
}

fn verify(
    exchange: &Exchange,
    proof: &str,
    access_token: Option<&str>,
    (needs_nonce, now): (bool, Timestamp),
    trail: &mut Trail,
) -> Result<Unspent, Denied> {
    let request = Request {
        method: exchange.method.as_str(),
        url: &exchange.url(),
        access_token,
    };
    let ring = exchange.tenant.ring();
    let nonces = Nonces {
        tenant: exchange.tenant.id(),
        keys: &ring.handles,
    };
    let wanted = needs_nonce.then_some(&nonces);
    rules::verify(proof, &request, wanted, now, trail).map_err(|refusal| {
        if refusal.code() == ErrorCode::UseDpopNonce {
            Denied::RefusedWithNonce(refusal, current_nonce(exchange, now))
        } else {
            Denied::Refused(refusal)
        }
    })
}

/// Durable, and the same on every node and for every client: what was used once is used up everywhere (decision 0020).
async fn spend(
    app: &App,
    exchange: &Exchange,
    unspent: Unspent,
    (now, trail): (Timestamp, &mut Trail),
) -> Result<Binding, Denied> {
    let one_time = OneTime {
        kind: ReplayKind::DpopProof,
        client: None,
        value: unspent.one_time(),
        expires_at: unspent.until,
    };
    let claimed = app
        .store
        .claim_once(exchange.tenant.id(), &one_time, now)
        .await?;
    Ok(unspent.spent(claimed == Claimed::Claimed, trail)?)
}

fn current_nonce(exchange: &Exchange, now: Timestamp) -> String {
    let ring = exchange.tenant.ring();
    let nonces = Nonces {
        tenant: exchange.tenant.id(),
        keys: &ring.handles,
    };
    nonces.current(now)
}
