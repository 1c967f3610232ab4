//! Client credentials (RFC 6749 §4.4): nothing is loaded and nothing is written.

use crate::ambient::Ambient;
use crate::app::App;
use crate::http::denied::Denied;
use crate::http::exchange::Exchange;
use jeton_protocol::caller::Caller;
use jeton_protocol::grants::client_credentials::{self as rules, ClientCredentialsRequest};
use jeton_protocol::issue::{self, TokenResponse};
use jeton_protocol::refusal::Trail;

pub async fn issue(
    app: &App,
    exchange: &Exchange,
    caller: &Caller,
    request: &ClientCredentialsRequest,
    (ambient, trail): (&mut Ambient, &mut Trail),
) -> Result<TokenResponse, Denied> {
    let state = &exchange.tenant;
    let is_cut = app
        .is_client_cut(exchange, &caller.client().id, ambient.now)
        .await?;
    let issuance = rules::decide(request, (caller, &state.tenant), is_cut, trail)?;
    Ok(issue::mint(
        &issuance,
        &state.tenant,
        &state.ring(),
        &mut ambient.entropy,
        ambient.now,
    )?)
}
