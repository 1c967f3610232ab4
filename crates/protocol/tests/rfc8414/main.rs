//! Authorization server metadata and the issuer identifier (RFC 8414, OpenID Connect Discovery 1.0).

#[path = "../common/mod.rs"]
mod common;

mod s2_issuer;
mod s2_metadata;
