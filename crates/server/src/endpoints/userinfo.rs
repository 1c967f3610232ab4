//! The userinfo endpoint (Core §5.3).

use super::Answer;
use crate::access_token;
use crate::ambient::Ambient;
use crate::app::App;
use crate::http::denied::Denied;
use crate::http::exchange::Exchange;
use crate::http::reply;
use crate::sender;
use http::{Method, StatusCode};
use jeton_protocol::client::{Client, ClientId};
use jeton_protocol::introspection::{TokenFacts, unreadable};
use jeton_protocol::params::Params;
use jeton_protocol::refusal::{Noted, Trail};
use jeton_protocol::standing::USER_ENABLED;
use jeton_protocol::userinfo as rules;
use jeton_token::algorithm::SignatureAlgorithm;
use std::sync::Arc;

pub async fn userinfo(
    app: &App,
    exchange: &Exchange,
    ambient: &mut Ambient,
    trail: &mut Trail,
) -> Answer {
    let query = exchange.query_params()?;
    let posts_form = exchange.method == Method::POST && !exchange.body.is_empty();
    let body = if posts_form {
        exchange.form()?
    } else {
        Params::default()
    };
    let presented = rules::presented(exchange.authorization(), &query, &body, trail)?;
    let (facts, standing) =
        access_token::open(app, exchange, presented.1, ambient.now, trail).await?;
    let at = (ambient.now, &mut *trail);
    let next_nonce = sender::prove_holder(app, exchange, presented, &facts, at).await?;
    rules::admit(&facts, &exchange.tenant.tenant.issuer, trail)?;
    let id = facts
        .user
        .ok_or_else(|| unreadable("a token without a user"))?;
    let tenant = exchange.tenant.id();
    let user = exchange.tenant.user(app, id).await?;
    let user = trail.demand(
        &USER_ENABLED,
        user.filter(|user| user.disabled_at.is_none()),
        || Noted::new("an enabled user", "a disabled or deleted one"),
    );
    // At a resource the token is what is no longer valid (RFC 6750 §3.1).
    let user = user.map_err(|refusal| unreadable(refusal.noted.found))?;
    let grant = match facts.grant.filter(|_| facts.asks_userinfo) {
        Some(grant) => app
            .store
            .refreshable_grant(tenant, grant)
            .await?
            .map(|found| found.grant),
        None => None,
    };
    let claims = rules::answer(&facts, &user, grant.as_ref(), standing);
    let mut reply = match signed(app, exchange, &facts).await? {
        None => reply::json_no_store(StatusCode::OK, &claims),
        Some((client, algorithm)) => {
            let issuer = &exchange.tenant.tenant.issuer;
            let keys = (issuer, &*exchange.tenant.ring());
            reply::jwt_no_store(rules::sign(claims, (&client, algorithm), keys)?)
        }
    };
    next_nonce.put_into(&mut reply);
    Ok(reply)
}

/// The client of the token and what it registered to have its answer signed with, if it did.
async fn signed(
    app: &App,
    exchange: &Exchange,
    facts: &TokenFacts,
) -> Result<Option<(Arc<Client>, SignatureAlgorithm)>, Denied> {
    let id = ClientId::parse(&facts.client);
    let id = id.ok_or_else(|| unreadable("a client id nobody can have"))?;
    let client = exchange.tenant.client(app, &id).await?;
    let client = client.ok_or_else(|| unreadable("a token of a client that is gone"))?;
    let algorithm = client.userinfo_signed_response_alg;
    Ok(algorithm.map(|algorithm| (client, algorithm)))
}
