//! The server over HTTP, by specification: what a client, a browser, a resource server or an attacker sees of it.

mod corpus;
mod keys;
mod login;
mod oidc_core;
mod rfc6749;
mod rfc7009;
mod rfc7517;
mod rfc7636;
mod rfc7662;
mod rfc8414;
mod rfc8628;
mod rfc9068;
mod rfc9700;
mod socket;
mod store;
mod support;
