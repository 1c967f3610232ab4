//! The pushed authorization request endpoint (RFC 9126): the request is judged now, and the browser brings a reference to it.

use super::authorize::hinted_subject;
use super::{Answer, nothing_in_query};
use crate::ambient::Ambient;
use crate::app::App;
use crate::caller::{caller, limit};
use crate::http::exchange::Exchange;
use crate::http::reply;
use crate::throttle::Charged;
use http::StatusCode;
use jeton_protocol::authorize::pushed::{PushedRequest, URN};
use jeton_protocol::authorize::request::{
    Arrival, AuthorizationRequest, AuthorizeRefusal, Circumstances,
};
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
    let caller = caller(app, exchange, &params, ambient, trail).await?;
    limit(
        app,
        exchange,
        Charged::PushedRequest,
        (&caller, ambient.now),
    )?;
    let tenant = &exchange.tenant.tenant;
    let judged = Circumstances {
        client: caller.client(),
        tenant,
        arrival: Arrival::Pushed(&caller),
        now: ambient.now,
    };
    let hint = |text: &str| hinted_subject(exchange, caller.client(), text);
    let request = AuthorizationRequest::parse(&params, judged, hint, trail)
        .map_err(AuthorizeRefusal::into_refusal)?;
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
    let answer =
        json!({ "request_uri": format!("{URN}{handle}"), "expires_in": lifetime.as_secs() });
    Ok(reply::json_no_store(StatusCode::CREATED, &answer))
}
