//! Token exchange.

#[path = "../common/mod.rs"]
mod common;

mod s2_requests;
mod s4_actors;
