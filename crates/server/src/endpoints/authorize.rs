//! The authorization endpoint (RFC 6749 §3.1, Core §3.1.2): parses the request, opens an interaction, and lets the dispatcher
//! take it from there.

use super::Answer;
use crate::ambient::Ambient;
use crate::app::App;
use crate::caller::key_place;
use crate::http::denied::Denied;
use crate::http::exchange::Exchange;
use crate::http::reply;
use crate::login::browser;
use crate::login::{self, finish};
use http::Method;
use jeton_protocol::authorize::pushed::{self, PushedRequestId};
use jeton_protocol::authorize::request::{
    self as rules, Arrival, AuthorizationRequest, AuthorizeRefusal, Circumstances,
};
use jeton_protocol::authorize::request_object::{KeysElsewhere, OBJECT_VERIFIES};
use jeton_protocol::client::Client;
use jeton_protocol::interaction::InteractionRequest;
use jeton_protocol::metadata::path;
use jeton_protocol::params::Params;
use jeton_protocol::refusal::Trail;
use jeton_token::handle::HandleKind;
use jeton_token::jws::Jws;
use jeton_token::timestamp::Timestamp;
use std::sync::Arc;

pub async fn authorize(
    app: &App,
    exchange: &Exchange,
    ambient: &mut Ambient,
    trail: &mut Trail,
) -> Answer {
    browser::check_not_framed(exchange, trail)?;
    let params = exchange.unjudged_params()?;
    if let Some(query) = posted_from_elsewhere(exchange) {
        let endpoint = exchange.tenant.tenant.issuer.join(path::AUTHORIZE);
        return Ok(reply::see_other(&format!("{endpoint}?{query}")));
    }
    let id = rules::client_id(&params, trail)?;
    let client = exchange.tenant.client(app, &id).await?;
    let client =
        client.ok_or_else(|| rules::unknown_client("no such client, or a disabled one"))?;
    let (request, pushed) = match asked(app, exchange, &params, &client, (ambient, trail)).await? {
        Ok(asked) => asked,
        Err(AuthorizeRefusal::Shown(refusal)) => return Err(refusal.into()),
        Err(AuthorizeRefusal::Sent(refusal, target)) => {
            return finish::send_refusal(app, exchange, &target, (&refusal, ambient.now));
        }
    };
    let request = InteractionRequest::Authorization(Box::new(request));
    login::begin(app, exchange, (request, pushed), (ambient, trail)).await
}

/// What is asked for: by the parameters, or by the pushed request they refer to.
async fn asked(
    app: &App,
    exchange: &Exchange,
    params: &Params<'_>,
    client: &Client,
    (ambient, trail): (&Ambient, &mut Trail),
) -> Result<Result<(AuthorizationRequest, Option<PushedRequestId>), AuthorizeRefusal>, Denied> {
    let state = &exchange.tenant;
    let tenant = &state.tenant;
    let Some(text) = pushed::reference(params)? else {
        let from = (client, Arrival::Browser);
        let judged = judge(app, exchange, params, from, (ambient.now, trail)).await;
        return Ok(judged.map(|request| (request, None)));
    };
    let handle = state
        .open_handle(app, HandleKind::PushedRequest, text)
        .await;
    let handle = handle.map_err(|_| pushed::unknown("a handle this issuer did not make"))?;
    let found = app.store.pushed_request(&tenant.id, handle.row).await?;
    let found = found.ok_or_else(|| pushed::unknown("one that was swept away"))?;
    let request = pushed::decide(found, client, tenant, ambient.now, trail)?;
    Ok(Ok((request, Some(handle.row))))
}

/// Reads and judges a request. Keys that the client keeps elsewhere are fetched when there is a request object to verify, and
/// newer ones asked for once when none of them fits (Core §10.1.1).
pub(super) async fn judge(
    app: &App,
    exchange: &Exchange,
    params: &Params<'_>,
    (client, arrival): (&Client, Arrival<'_>),
    (now, trail): (Timestamp, &mut Trail),
) -> Result<AuthorizationRequest, AuthorizeRefusal> {
    let parse = |elsewhere: &KeysElsewhere, trail: &mut Trail| {
        let judged = Circumstances {
            client,
            tenant: &exchange.tenant.tenant,
            arrival,
            elsewhere,
            now,
        };
        let hint = |text: &str| hinted_subject(exchange, client, text);
        AuthorizationRequest::parse(params, judged, hint, trail)
    };
    let url = client.jwks_uri.as_deref();
    let Some(url) = url.filter(|_| params.one("request").is_some()) else {
        return parse(&KeysElsewhere::None, trail);
    };
    let mark = trail.mark();
    let place = key_place(exchange, url);
    let keys = match app.remote_keys.find(&app.door, place, now).await {
        Ok(keys) => keys,
        Err(error) => return parse(&KeysElsewhere::Unavailable(error.to_string()), trail),
    };
    let parsed = parse(&KeysElsewhere::Fetched(Arc::clone(&keys)), trail);
    let unverified = parsed.as_ref().err().map(|refused| refused.refusal().rule);
    if unverified == Some(&OBJECT_VERIFIES)
        && let Some(newer) = app.remote_keys.newer(&app.door, place, (&keys, now)).await
    {
        trail.rewind(mark);
        return parse(&KeysElsewhere::Fetched(newer), trail);
    }
    parsed
}

/// The query of the same request as a GET: a form that another site posts comes without our cookies (`SameSite=Lax`), and
/// without them a user who is signed in would not be known.
fn posted_from_elsewhere(exchange: &Exchange) -> Option<&str> {
    let posted = exchange.method == Method::POST && browser::is_from_elsewhere(exchange);
    let short = exchange.body.len() <= LONGEST_QUERY;
    let query = std::str::from_utf8(&exchange.body)
        .ok()
        .filter(|query| query.bytes().all(|b| b.is_ascii_graphic()));
    query.filter(|_| posted && short)
}

/// A longer form is answered as it comes.
const LONGEST_QUERY: usize = 8 * 1024;

/// `sub` of an ID token of ours for this client, expired or not (Core §3.1.2.1).
pub(super) fn hinted_subject(exchange: &Exchange, client: &Client, text: &str) -> Option<String> {
    let hint = id_token(exchange, text)?;
    (hint.client == client.id.as_str()).then_some(hint.subject)
}

/// What an ID token of this issuer says, its age aside.
pub fn id_token(exchange: &Exchange, text: &str) -> Option<jeton_protocol::logout::LogoutHint> {
    let state = &exchange.tenant;
    let unverified = Jws::parse(text).ok()?;
    let header = unverified.header();
    if header
        .typ
        .as_deref()
        .is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT"))
    {
        return None;
    }
    let ring = state.ring();
    let claims = ring.published.verify(&unverified)?.claims().ok()?;
    if claims.text("iss").ok()?? != state.tenant.issuer.as_str() {
        return None;
    }
    // Signed userinfo has neither of these, and would pass for an ID token otherwise (SEC-176).
    claims.time("exp").ok()??;
    claims.time("iat").ok()??;
    Some(jeton_protocol::logout::LogoutHint {
        client: (*claims.audience().ok()?.first()?).to_owned(),
        subject: claims.text("sub").ok()??.to_owned(),
        session: claims.text("sid").ok()?.and_then(|sid| sid.parse().ok()),
    })
}
