//! The server over HTTP, by specification: what a client, a browser, a resource server or an attacker sees of it.

mod connections;
mod corpus;
mod jarm;
mod keys;
mod limits;
mod login;
#[path = "../support/malformed.rs"]
mod malformed;
mod oidc_core;
mod oidc_form_post;
mod outbound;
mod rfc6749;
mod rfc7009;
mod rfc7517;
mod rfc7523;
mod rfc7636;
mod rfc7662;
mod rfc8414;
mod rfc8628;
mod rfc8693;
mod rfc9068;
mod rfc9101;
mod rfc9126;
mod rfc9449;
mod rfc9700;
mod socket;
mod store;
mod support;
