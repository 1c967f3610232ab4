//! Metadata, in both of its places (RFC 8414 §3, OpenID Connect Discovery §4).

use super::Answer;
use crate::http::exchange::Exchange;
use crate::http::reply;

pub fn metadata(exchange: &Exchange) -> Answer {
    Ok(reply::public_json(exchange.tenant.metadata()))
}
