//! One file an endpoint. An endpoint lists its steps and returns a reply or why there is none.

pub mod authorize;
pub mod device_authorization;
pub mod discovery;
pub mod end_session;
pub mod errors;
pub mod health;
pub mod home;
pub mod introspect;
pub mod jwks;
pub mod logo;
pub mod par;
pub mod revoke;
pub mod token;
pub mod userinfo;

use crate::http::denied::Denied;
use crate::http::exchange::Exchange;
use crate::http::reply::Reply;
use jeton_protocol::params::PARAMETERS_IN_BODY;
use jeton_protocol::refusal::{Refusal, Trail};

pub type Answer = Result<Reply, Denied>;

/// Credentials and tokens travel in the body; anything in the URI ends up in a log (SEC-196).
fn nothing_in_query(exchange: &Exchange, trail: &mut Trail) -> Result<(), Refusal> {
    if exchange.query.as_deref().is_none_or(str::is_empty) {
        trail.pass(&PARAMETERS_IN_BODY);
        return Ok(());
    }
    Err(Refusal::new(&PARAMETERS_IN_BODY, "no query", "a query"))
}
