//! The published keys (RFC 7517 §5).

use super::Answer;
use crate::http::exchange::Exchange;
use crate::http::reply;

pub fn jwks(exchange: &Exchange) -> Answer {
    Ok(reply::public_json(exchange.tenant.jwks()))
}
