//! Proof Key for Code Exchange.

#[path = "../common/mod.rs"]
mod common;

mod s4_pkce;
