//! JWT-secured authorization requests: request objects by value, also as OpenID Connect Core §6.1 has them.

#[path = "../common/mod.rs"]
mod common;

mod s4_request_object;
mod s6_validating;
