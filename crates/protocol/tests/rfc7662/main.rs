//! Introspection, and revocation with it (RFC 7662, RFC 7009).

#[path = "../common/mod.rs"]
mod common;

mod rfc7009_revocation;
mod s2_introspection;
