//! The pushed authorization request endpoint (RFC 9126): the request is judged now, and the browser brings a reference to it.

use super::authorize::judge;
use super::{Answer, nothing_in_query};
use crate::ambient::Ambient;
use crate::app::App;
use crate::caller::{caller, limit};
use crate::http::exchange::Exchange;
use crate::http::reply;
use crate::sender;
use crate::throttle::Charged;
use http::StatusCode;
use jeton_protocol::authorize::pushed::{PushedRequest, URN};
use jeton_protocol::authorize::request::{Arrival, AuthorizeRefusal};
use jeton_protocol::dpop;
use jeton_protocol::refusal::Trail;
use jeton_token::handle::HandleKind;
use jeton_token::row_id::RowId;
use serde_json::json;

pub async fn par(
    app: &App,
    exchange: &Exchange,
    ambient: &mut Ambient,
    trail: &mut Trail,
) -> Answer {
    nothing_in_query(exchange, trail)?;
    let params = exchange.form()?;
    let client = caller(app, exchange, &params, ambient, trail).await?;
    let now = ambient.now;
    limit(app, exchange, Charged::PushedRequest, (&client, now))?;
    let (caller, next_nonce) = sender::bind_if_proven(app, exchange, client, (now, trail)).await?;
    let from = (caller.client(), Arrival::Pushed(caller.authenticated()));
    let request = judge(app, exchange, &params, from, (now, trail)).await;
    let mut request = request.map_err(AuthorizeRefusal::into_refusal)?;
    request.key = dpop::pushed_key(request.key, &caller, trail)?;
    let tenant = &exchange.tenant.tenant;
    let lifetime = tenant.policy.pushed.lifetime;
    let pushed = PushedRequest {
        id: RowId::new(ambient.now, &mut ambient.entropy),
        request,
        expires_at: ambient.now.plus(lifetime),
        used_at: None,
    };
    let ring = exchange.tenant.ring();
    let handle = ring
        .handles
        .seal(tenant.id.as_str(), HandleKind::PushedRequest, pushed.id, 0);
    let keep_until = pushed.expires_at.plus(tenant.policy.lifetimes.interaction);
    app.store
        .push_request(&tenant.id, pushed, keep_until)
        .await?;
    app.throttle.note_pushed();
    let answer =
        json!({ "request_uri": format!("{URN}{handle}"), "expires_in": lifetime.as_secs() });
    let mut reply = reply::json_no_store(StatusCode::CREATED, &answer);
    next_nonce.put_into(&mut reply);
    Ok(reply)
}
