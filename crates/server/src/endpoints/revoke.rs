//! Revocation (RFC 7009): committed before it is acknowledged.

use super::{Answer, nothing_in_query};
use crate::access_token;
use crate::ambient::Ambient;
use crate::app::App;
use crate::caller::caller;
use crate::http::exchange::Exchange;
use crate::http::reply;
use http::StatusCode;
use jeton_protocol::introspection::{TokenRef, token};
use jeton_protocol::refusal::Trail;
use jeton_protocol::revocation as rules;
use jeton_token::handle::HandleKind;

pub async fn revoke(
    app: &App,
    exchange: &Exchange,
    ambient: &mut Ambient,
    trail: &mut Trail,
) -> Answer {
    nothing_in_query(exchange, trail)?;
    let params = exchange.form()?;
    let caller = caller(app, exchange, &params, ambient, trail).await?;
    let token = token(&params, trail)?;
    let state = &exchange.tenant;
    match TokenRef::read(token) {
        TokenRef::Refresh(text) => {
            let opened = state.open_handle(app, HandleKind::RefreshToken, text).await;
            if let Ok(handle) = opened
                && let Some(found) = app.store.refreshable_grant(state.id(), handle.row).await?
            {
                rules::admit(found.grant.client.as_str(), &caller, trail)?;
                let occasion = exchange.occasion(caller.client().id.as_str(), ambient);
                app.store
                    .revoke_grant(state.id(), handle.row, "grant.revoked", occasion)
                    .await?;
            }
        }
        TokenRef::Sealed(_) | TokenRef::Jwt(_) => {
            // An unknown token is as good as revoked (RFC 7009 §2.2).
            if let Ok(facts) = access_token::read(app, exchange, token).await {
                rules::admit(&facts.client, &caller, trail)?;
                if ambient.now < facts.expires_at {
                    let occasion = exchange.occasion(caller.client().id.as_str(), ambient);
                    app.store
                        .cut(state.id(), rules::cut_of(&facts), occasion)
                        .await?;
                }
            }
        }
        TokenRef::Other => {}
    }
    Ok(reply::empty(StatusCode::OK))
}
