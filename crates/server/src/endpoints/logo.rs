//! The image of a client, from our own origin (P-102). Anybody may look; only clients of this tenant have one here.

use super::Answer;
use crate::app::App;
use crate::http::exchange::Exchange;
use crate::http::reply;
use crate::logo;
use http::StatusCode;
use jeton_protocol::client::{Client, ClientId};
use jeton_store::StoreError;
use jeton_token::base64url;
use jeton_token::timestamp::Timestamp;
use std::sync::Arc;

/// Waits for the image where a page of another node has promised it.
pub async fn logo(app: &App, exchange: &Exchange, now: Timestamp) -> Answer {
    let client = client(app, exchange).await?;
    let place = client
        .as_deref()
        .and_then(|client| logo::place(exchange, client));
    let Some(place) = place else {
        return Ok(reply::empty(StatusCode::NOT_FOUND));
    };
    Ok(match app.logos.find(&app.door, place, now).await {
        Ok(logo) => reply::foreign_image(logo.content_type, logo.bytes.clone()),
        Err(_) => reply::empty(StatusCode::NOT_FOUND),
    })
}

async fn client(app: &App, exchange: &Exchange) -> Result<Option<Arc<Client>>, StoreError> {
    let named = exchange.path.strip_prefix(logo::PATH).unwrap_or_default();
    let bytes = base64url::decode(named).unwrap_or_default();
    let id = std::str::from_utf8(&bytes).ok().and_then(ClientId::parse);
    match id {
        Some(id) => exchange.tenant.client(app, &id).await,
        None => Ok(None),
    }
}
