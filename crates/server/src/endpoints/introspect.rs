//! Introspection (RFC 7662). No database read for access tokens.

use super::{Answer, nothing_in_query};
use crate::access_token;
use crate::ambient::Ambient;
use crate::app::App;
use crate::caller::{caller, limit};
use crate::http::denied::Denied;
use crate::http::exchange::Exchange;
use crate::http::reply;
use crate::throttle::Charged;
use http::StatusCode;
use jeton_protocol::client_auth::AuthenticatedClient;
use jeton_protocol::introspection::{self as rules, INACTIVE, Introspection, TokenRef};
use jeton_protocol::refusal::{Noted, Trail};
use jeton_protocol::standing;
use jeton_token::handle::HandleKind;

pub async fn introspect(
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
        Charged::Introspection,
        (&caller, ambient.now),
    )?;
    rules::admit(&caller, trail)?;
    let token = rules::token(&params, trail)?;
    let described = match TokenRef::read(token) {
        TokenRef::Refresh(text) => {
            refresh_token(app, exchange, &caller, text, (ambient, trail)).await
        }
        TokenRef::Sealed(_) | TokenRef::Jwt(_) | TokenRef::Other => {
            access_token(app, exchange, &caller, token, (ambient, trail)).await
        }
    };
    match described {
        Ok(reply) => Ok(reply),
        // Whoever has no business with the token learns nothing but that (RFC 7662 §2.2).
        Err(Denied::Refused(refusal)) => {
            app.observe.note_inactive(exchange, &refusal);
            Ok(reply::json_no_store(StatusCode::OK, &INACTIVE))
        }
        Err(other) => Err(other),
    }
}

async fn access_token(
    app: &App,
    exchange: &Exchange,
    caller: &AuthenticatedClient,
    token: &str,
    (ambient, trail): (&Ambient, &mut Trail),
) -> Answer {
    let (facts, standing) = access_token::open(app, exchange, token, ambient.now, trail).await?;
    let described = rules::describe(&facts, &exchange.tenant.tenant, caller, standing, trail)?;
    Ok(reply::json_no_store(StatusCode::OK, &described))
}

async fn refresh_token(
    app: &App,
    exchange: &Exchange,
    caller: &AuthenticatedClient,
    text: &str,
    (ambient, trail): (&Ambient, &mut Trail),
) -> Answer {
    let state = &exchange.tenant;
    let handle = state.open_handle(app, HandleKind::RefreshToken, text).await;
    let handle = handle.map_err(rules::unreadable)?;
    let refreshable = app.store.refreshable_grant(state.id(), handle.row).await?;
    let refreshable = refreshable.ok_or_else(|| rules::unreadable("a grant that is gone"))?;
    let grant = &refreshable.grant;
    trail.require(
        &rules::CALLER_CONCERNED,
        grant.client == caller.client().id,
        || Noted::new(grant.client.to_string(), caller.client().id.to_string()),
    )?;
    let is_cut = app.is_grant_cut(exchange, grant, ambient.now).await?;
    standing::of_grant(grant, &refreshable.state, is_cut, ambient.now, trail)?;
    let expires_at = refreshable
        .refresh_expires_at
        .map(|idle| idle.min(grant.expires_at));
    let live = handle.generation == refreshable.generation
        && expires_at.is_some_and(|end| ambient.now < end);
    trail.require(&rules::TOKEN_FRESH, live, || {
        Noted::new("the newest, unexpired generation", "another")
    })?;
    let scope = grant.scope.to_string();
    let described = Introspection {
        active: true,
        iss: Some(state.tenant.issuer.as_str()),
        sub: Some(&grant.subject),
        client_id: Some(grant.client.as_str()),
        scope: Some(&scope),
        exp: expires_at,
        cnf: grant.binding,
        ..INACTIVE
    };
    Ok(reply::json_no_store(StatusCode::OK, &described))
}
