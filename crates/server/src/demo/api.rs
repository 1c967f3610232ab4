//! The demo API: a protected resource that checks the tokens it is shown as any resource server should (RFC 6750, RFC 9068 §4).
//!
//! A JWT is judged by `jeton-resource`, as at an API elsewhere. An opaque token is opened in place, where another API would
//! introspect. Proofs and challenges are the server's own: proofs are remembered for all nodes, and challenges name a rule.

use crate::access_token;
use crate::ambient::Ambient;
use crate::app::App;
use crate::endpoints::Answer;
use crate::http::exchange::Exchange;
use crate::http::reply;
use crate::sender;
use http::{HeaderName, StatusCode, header};
use jeton_protocol::introspection::{TokenRef, unreadable};
use jeton_protocol::params::Params;
use jeton_protocol::refusal::{Noted, Refusal, Trail};
use jeton_protocol::rules;
use jeton_protocol::userinfo::presented;
use jeton_resource::Verifier;
use jeton_token::timestamp::Timestamp;
use serde_json::json;

rules! {
    MEANT_FOR_API = InvalidToken, "demo_api_audience", "RFC 9068 §4", {
        promise: "The access token is meant for this API",
        told: "The access token is not meant for this API",
        fix: "Use a client whose audience is the API, such as demo-job"
    };
}

pub const PATH: &str = "/demo/api";
const INTERACTION_ID: HeaderName = HeaderName::from_static("x-fapi-interaction-id");

pub async fn api(
    app: &App,
    exchange: &Exchange,
    ambient: &mut Ambient,
    trail: &mut Trail,
) -> Answer {
    let query = exchange.query_params()?;
    let nothing = Params::default();
    let presented = presented(exchange.authorization(), &query, &nothing, trail)?;
    let (facts, _) = access_token::open(app, exchange, presented.1, ambient.now, trail).await?;
    let at = (ambient.now, &mut *trail);
    let next_nonce = sender::prove_holder(app, exchange, presented, &facts, at).await?;
    let own = exchange.tenant.tenant.issuer.join(PATH);
    trail.require(&MEANT_FOR_API, facts.audience.contains(&own), || {
        Noted::new(own.clone(), facts.audience.join(", "))
    })?;
    verify_as_elsewhere(exchange, presented.1, own, ambient.now)?;
    let body = json!({
        "message": "This answer was protected by an access token.",
        "sub": facts.subject,
        "client_id": facts.client,
        "scope": facts.scope,
        "expires_in": facts.expires_at.since(ambient.now).as_secs(),
    });
    let mut reply = reply::json_no_store(StatusCode::OK, &body);
    next_nonce.put_into(&mut reply);
    if let Some(id) = exchange.headers.get(&INTERACTION_ID) {
        reply.headers_mut().insert(INTERACTION_ID, id.clone());
    }
    reply.headers_mut().remove(header::PRAGMA);
    Ok(reply)
}

/// Whether an API that has nothing but the published keys would believe the token too.
fn verify_as_elsewhere(
    exchange: &Exchange,
    token: &str,
    own: String,
    now: Timestamp,
) -> Result<(), Refusal> {
    let TokenRef::Jwt(text) = TokenRef::read(token) else {
        return Ok(());
    };
    let verifier = Verifier::new(exchange.tenant.tenant.issuer.as_str(), own);
    let keys = &exchange.tenant.ring().published;
    verifier.verify(text, keys, now).map_err(unreadable)?;
    Ok(())
}
