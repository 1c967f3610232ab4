//! The token endpoint (RFC 6749 §3.2).

use super::{Answer, nothing_in_query};
use crate::ambient::Ambient;
use crate::app::App;
use crate::caller::{caller, limit};
use crate::grants::{
    authorization_code, client_credentials, device_code, jwt_bearer, refresh_token, token_exchange,
};
use crate::http::exchange::Exchange;
use crate::http::reply;
use crate::sender;
use crate::throttle::Charged;
use http::StatusCode;
use jeton_protocol::grants::GrantRequest;
use jeton_protocol::refusal::Trail;

pub async fn token(
    app: &App,
    exchange: &Exchange,
    ambient: &mut Ambient,
    trail: &mut Trail,
) -> Answer {
    nothing_in_query(exchange, trail)?;
    let params = exchange.form()?;
    let client = caller(app, exchange, &params, ambient, trail).await?;
    limit(app, exchange, Charged::Token, (&client, ambient.now))?;
    let (caller, next_nonce) = sender::bind(app, exchange, client, (ambient.now, trail)).await?;
    let request = GrantRequest::parse(&params, &caller, trail)?;
    let at = (ambient, trail);
    let response = match &request {
        GrantRequest::AuthorizationCode(request) => {
            authorization_code::redeem(app, exchange, &caller, request, at).await?
        }
        GrantRequest::RefreshToken(request) => {
            refresh_token::refresh(app, exchange, &caller, request, at).await?
        }
        GrantRequest::ClientCredentials(request) => {
            client_credentials::issue(app, exchange, &caller, request, at).await?
        }
        GrantRequest::DeviceCode(request) => {
            device_code::poll(app, exchange, &caller, request, at).await?
        }
        GrantRequest::TokenExchange(request) => {
            token_exchange::exchange(app, exchange, &caller, request, at).await?
        }
        GrantRequest::JwtBearer(request) => {
            jwt_bearer::issue(app, exchange, &caller, request, at).await?
        }
    };
    app.metrics.count_token(request.grant_type());
    let mut reply = reply::json_no_store(StatusCode::OK, &response);
    next_nonce.put_into(&mut reply);
    Ok(reply)
}
