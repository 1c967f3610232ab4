//! The rules of OAuth 2.x and OpenID Connect, as plain synchronous functions over facts.
//!
//! What lives here: parsing of requests, the decisions, and what is minted from them. What must not: a clock, a random source,
//! a socket, a database, an async runtime. Everything a decision needs is an argument; everything it knows is in its result.

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)
)]

pub mod authorize;
pub mod caller;
pub mod claims;
pub mod client;
pub mod client_auth;
pub mod consent;
pub mod cut;
pub mod device;
pub mod dpop;
pub mod grant;
pub mod grants;
pub mod interaction;
pub mod introspection;
pub mod issue;
pub mod logout;
pub mod metadata;
pub mod params;
pub mod pkce;
pub mod redirect_uri;
pub mod refusal;
pub mod revocation;
pub mod rules;
pub mod scope;
pub mod session;
pub mod standing;
pub mod tenant;
mod times;
pub mod trusted_issuer;
pub mod trusted_preset;
pub mod user;
pub mod userinfo;
